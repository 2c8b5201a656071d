"""The stored comparisons of pretraining are whole, and say what the page says."""

from itertools import product

import pytest

from glassbox.chapters.pretraining.arms import ARMS, transfer
from glassbox.chapters.pretraining.stems import STEM_ARMS
from glassbox.chapters.pretraining.study import load_stems, load_transfers
from glassbox.chapters.pretraining.tasks import LABELS, TARGETS, UPSTREAM, target_task
from glassbox.training import evaluate, paired_difference

TRANSFERS = load_transfers()


def gains(name, target, labels, other="scratch"):
    return paired_difference(TRANSFERS[name, target][labels], TRANSFERS[other, target][labels])


def test_every_transfer_is_stored_with_five_seeds():
    assert set(TRANSFERS) == set(product(ARMS, TARGETS))
    assert {one.upstream for one in ARMS.values()} == {None, *UPSTREAM}
    for measure in ("test accuracy", "train accuracy"):
        for found in load_transfers(measure=measure).values():
            assert list(found) == list(LABELS)
            assert all(one.seeds == (0, 1, 2, 3, 4) for one in found.values())
            assert all(0 < min(one.values) <= max(one.values) <= 1 for one in found.values())


def test_every_stem_is_stored_with_five_seeds():
    stems = load_stems()
    assert {name: set(found) for name, found in stems.items()} == {
        name: set(network.stems) for name, network in STEM_ARMS.items()
    }
    for one in (one for found in stems.values() for one in found.values()):
        assert one.seeds == (0, 1, 2, 3, 4)
        low, high = one.interval()
        assert 0.45 < low < high < 1  # the limits of the drawing


def test_pretraining_on_things_helps_with_new_things_in_every_seed():
    for name, labels in product(("probe", "thawed", "fine-tuned"), LABELS):
        assert min(gains(name, "scenes", labels).values) > 0
    assert min(gains("thawed", "scenes", 50).values) > 0.4


def test_few_labels_favor_a_probe_and_many_a_thaw():
    assert min(gains("probe", "scenes", 1, other="thawed").values) > 0
    assert min(gains("thawed", "scenes", 50, other="probe").values) > 0


def test_a_probe_on_digits_does_harm_and_fine_tuning_does_not():
    for labels in LABELS[1:]:
        assert max(gains("probe", "digits", labels).values) < 0
        assert min(gains("fine-tuned", "digits", labels).values) > 0


def test_grounds_teach_nothing_about_things():
    for labels in LABELS:
        assert abs(gains("fine-tuned, grounds", "scenes", labels).mean) < 0.01
        assert gains("probe, grounds", "scenes", labels).mean < 0


def test_few_labels_are_learned_by_heart():
    learned = load_transfers(measure="train accuracy")
    assert all(min(found[1].values) == 1 for found in learned.values())
    assert max(TRANSFERS["scratch", "scenes"][1].values) < 0.15


def test_a_rerun_agrees_with_the_stored_table():
    task = target_task("digits", 10, 0)
    model = transfer(ARMS["scratch"], None, task, 0)
    found = evaluate(model, task.test_images, task.test_labels).accuracy
    stored = TRANSFERS["scratch", "digits"][10]
    assert found == pytest.approx(stored.values[stored.seeds.index(0)], abs=0.03)


def test_an_unknown_measure_is_refused():
    with pytest.raises(ValueError, match="measure is 'loss', expected one of train accuracy, test"):
        load_transfers(measure="loss")
