"""The stored comparisons of pretraining are whole, and say what the page says."""

from itertools import product
from pathlib import Path

import pytest

from glassbox.chapters.pretraining.results import COLUMNS, load_stems, load_transfers
from glassbox.chapters.pretraining.stems import NETWORKS
from glassbox.chapters.pretraining.study import (
    LABELS,
    STRATEGIES,
    TARGETS,
    UPSTREAM,
    target_task,
    transfer,
)
from glassbox.training import evaluate, paired_difference

STORED = Path(__file__).parents[2] / "book" / "pretraining"
TRANSFERS = load_transfers(STORED / "transfer.csv")


def gains(name, target, labels, other="scratch"):
    return paired_difference(TRANSFERS[name, target][labels], TRANSFERS[other, target][labels])


def test_every_transfer_is_stored_with_five_seeds():
    assert set(TRANSFERS) == set(product(STRATEGIES, TARGETS))
    assert {one.upstream for one in STRATEGIES.values()} == {None, *UPSTREAM}
    for measure in ("test accuracy", "train accuracy"):
        for found in load_transfers(STORED / "transfer.csv", measure).values():
            assert list(found) == list(LABELS)
            assert all(one.seeds == (0, 1, 2, 3, 4) for one in found.values())
            assert all(0 < min(one.values) <= max(one.values) <= 100 for one in found.values())
    lines = (STORED / "transfer.csv").read_text().splitlines()
    assert len(lines) == 1 + 5 * len(TRANSFERS) * len(LABELS)


def test_every_stem_is_stored_with_five_seeds():
    stems = load_stems(STORED / "stems.csv")
    assert {name: set(found) for name, found in stems.items()} == {
        name: set(network.stems) for name, network in NETWORKS.items()
    }
    for one in (one for found in stems.values() for one in found.values()):
        assert one.seeds == (0, 1, 2, 3, 4)
        low, high = one.interval()
        assert 45 < low < high < 100  # the limits of the drawing


def test_pretraining_on_things_helps_with_new_things_in_every_seed():
    for name, labels in product(("probe", "thawed", "fine-tuned"), LABELS):
        assert min(gains(name, "scenes", labels).values) > 0
    assert min(gains("thawed", "scenes", 50).values) > 40


def test_few_labels_favor_a_probe_and_many_a_thaw():
    assert min(gains("probe", "scenes", 1, other="thawed").values) > 0
    assert min(gains("thawed", "scenes", 50, other="probe").values) > 0


def test_a_probe_on_digits_does_harm_and_fine_tuning_does_not():
    for labels in LABELS[1:]:
        assert max(gains("probe", "digits", labels).values) < 0
        assert min(gains("fine-tuned", "digits", labels).values) > 0


def test_grounds_teach_nothing_about_things():
    for labels in LABELS:
        assert abs(gains("fine-tuned, grounds", "scenes", labels).mean) < 1
        assert gains("probe, grounds", "scenes", labels).mean < 0


def test_few_labels_are_learned_by_heart():
    learned = load_transfers(STORED / "transfer.csv", "train accuracy")
    assert all(min(found[1].values) == 100 for found in learned.values())
    assert max(TRANSFERS["scratch", "scenes"][1].values) < 15


def test_a_rerun_agrees_with_the_stored_table():
    task = target_task("digits", 10, 0)
    model = transfer(STRATEGIES["scratch"], None, task, 0)
    found = 100 * evaluate(model, task.test_images, task.test_labels).accuracy
    stored = TRANSFERS["scratch", "digits"][10]
    assert found == pytest.approx(stored.values[stored.seeds.index(0)], abs=3)


def test_columns_are_not_mixed_up(tmp_path):
    path = tmp_path / "transfer.csv"
    lines = [",".join(COLUMNS["transfer.csv"]), "probe,digits,5,1,90,80", "probe,digits,5,0,70,60"]
    path.write_text("\n".join(lines))
    for measure, values in (("test accuracy", {1: 80, 0: 60}), ("train accuracy", {1: 90, 0: 70})):
        one = load_transfers(path, measure)["probe", "digits"][5]
        assert dict(zip(one.seeds, one.values, strict=True)) == values
    path.write_text("network,stem,seed,test accuracy\na,b,0,1\na,b,1,2\na,c,0,3\na,c,1,4")
    assert {stem: one.values for stem, one in load_stems(path)["a"].items()} == {
        "b": (1, 2),
        "c": (3, 4),
    }


@pytest.mark.parametrize("load", [load_transfers, load_stems])
@pytest.mark.parametrize("text", ["", "seed,strategy\n", "stem,network,seed,test accuracy\n"])
def test_other_columns_are_refused(load, text, tmp_path):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=r"t\.csv has the columns .* expected \('"):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize("measure", ["loss", "seed"])
def test_an_unknown_measure_is_refused(measure):
    with pytest.raises(ValueError, match=f"measure is '{measure}', expected 'test accuracy' or"):
        load_transfers(STORED / "transfer.csv", measure)
