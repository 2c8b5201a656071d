"""Readers of a few digits, and the tables that show them."""

import pytest
import torch

from glassbox.chapters.pretraining import digits as readers
from glassbox.chapters.pretraining.study import load_tuned
from glassbox.chapters.pretraining.tables import best_for_no_more, known_entries, runs_table
from glassbox.networks import zoo_entries
from glassbox.training import SeedRuns


@pytest.fixture(scope="module")
def digits():
    """The digits with features that cost nothing: every second pixel, on unequal scales."""
    parts = readers.digit_parts()
    pixels = {name: part.images.flatten(1) / 255 for name, part in parts.items()}
    scale = torch.logspace(-3, 3, 392)
    features = {name: one[:, ::2] * scale for name, one in pixels.items()}
    return readers.Digits(**parts, features=features, pixels=pixels)


def test_the_parts_are_balanced_and_of_different_digits(digits):
    assert [len(getattr(digits, part)) for part in readers.PARTS] == [800, 500, 1000]
    assert digits.pool.class_counts.tolist() == [80] * 10
    same = torch.cdist(digits.pixels["pool"], digits.pixels["unseen"]).amin(1) == 0
    assert same.float().mean() < 0.02


def test_each_class_is_drawn_as_often_and_more_are_added_to_the_same(digits):
    few, more = (readers.draw_digits(digits.pool, count, 3) for count in (2, 5))
    assert digits.pool.labels[few].tolist() == [label for label in range(10) for _ in range(2)]
    assert set(few.tolist()) < set(more.tolist())
    assert set(few.tolist()) != set(readers.draw_digits(digits.pool, 2, 4).tolist())


@pytest.mark.parametrize("name", readers.READERS)
def test_a_reader_learns_from_few_digits_and_repeats_itself(name, digits):
    setting = readers.READERS[name].settings[-1]
    before = torch.get_rng_state()
    first, again = (readers.read_digits(name, digits, 5, 0, setting) for _ in range(2))
    assert first == again and first > 0.3
    assert torch.equal(torch.get_rng_state(), before)


def test_a_scaler_undoes_scales_and_one_of_the_pool_sees_other_digits(digits):
    found = {
        name: readers.read_digits(name, digits, 5, 0, 1.0)
        for name in ("probe", "probe, scaled", "probe, scaled by the pool")
    }
    assert len(set(found.values())) == 3
    assert found["probe, scaled by the pool"] > found["probe"]


def test_an_unknown_reader_or_part_is_named(digits):
    with pytest.raises(ValueError, match="name is 'eye', expected one of pixels, nearest"):
        readers.read_digits("eye", digits, 1, 0, None)
    with pytest.raises(ValueError, match="part is 'pool', expected one of others, unseen"):
        readers.read_digits("probe", digits, 1, 0, 1.0, "pool")


def test_runs_stand_side_by_side():
    runs = {"one": {1: SeedRuns((0, 1), (10, 12)), 5: 3.26}, "two": {1: 7.0, 5: 8.0}}
    table = runs_table("points", runs, digits=1)
    assert table.head == ("points", "1", "5")
    assert table.rows == (("one", "11.0 ± 12.7", "3.3"), ("two", "7.0", "8.0"))


def test_the_best_for_no_more_costs_no_more():
    entries = [one for one in zoo_entries() if one.trained_on == "ImageNet"]
    for name in ("resnet18", "vgg16", "alexnet"):
        one, best = best_for_no_more(entries, name)
        assert one.name == name and best.top1 >= one.top1
        assert best.gflops <= one.gflops and best.parameters <= one.parameters
        rest = [o for o in entries if o.top1 > best.top1]
        assert all(
            o.gflops > one.gflops or o.parameters > one.parameters or o.side > one.side
            for o in rest
        )
    known = known_entries(zoo_entries())
    assert len(known) == 18 and len({one.name for one in known}) == 16


def test_fine_tuned_the_network_reads_digits():
    (runs,) = load_tuned().values()
    assert min(runs.values) > 0.8 and max(runs.values) < 0.95
