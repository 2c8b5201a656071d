"""Ways to use a network that knows ImageNet: their tasks, trainings and stored results."""

import os
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import nn

from glassbox.chapters.pretraining import tasks
from glassbox.chapters.pretraining import ways as recipe
from glassbox.chapters.pretraining.reports import measure_in_six_ways
from glassbox.chapters.pretraining.study import (
    PARTS,
    SIZES,
    best_rate,
    load_cifar,
    load_longer,
    load_rates,
)
from glassbox.chapters.pretraining.ways import WAYS
from glassbox.chapters.studies import Study
from glassbox.data import Dataset
from glassbox.networks import imagenet_network
from glassbox.training import paired_difference

REAL = Path(os.environ.get("GLASSBOX_DATA", "/nonexistent"))

DRAW = torch.Generator().manual_seed(0)
IMAGES = torch.randint(256, (12, 3, 32, 32), generator=DRAW, dtype=torch.uint8)
LABELS = torch.arange(12) % 3
HEAD = {"classifier.weight", "classifier.bias"}


def run(name, updates, way=None):
    way, model = way or WAYS[name], recipe.start_network(3, 0, pretrained=WAYS[name].pretrained)
    return recipe.train_network(model, way, IMAGES, LABELS, 0, lr=1e-2, updates=updates)


def moved(state, begin):
    return {name for name, value in state.items() if not torch.equal(value, begin[name])}


@pytest.fixture
def told(monkeypatch):
    """Tell each image by its place in a table of all that is loaded."""
    loaded = {}

    def load(name, split):
        generator = torch.Generator().manual_seed(len(split))
        images = torch.randint(256, (6000, 3, 4, 4), generator=generator, dtype=torch.uint8)
        loaded[split] = Dataset(name, images, torch.arange(6000) % 10, tuple("0123456789"))
        return loaded[split]

    monkeypatch.setattr(tasks, "load", load)
    return loaded


def overlap(one, other):
    return torch.cdist(one.images.float().flatten(1), other.images.float().flatten(1)).min() == 0


def test_images_to_train_on_to_choose_by_and_to_test_with_are_different_ones(told):
    few, more = (tasks.few_labels("cifar10", n, 0, side=4, tested=30) for n in (2, 400))
    other = tasks.few_labels("cifar10", 2, 1, side=4, tested=30)
    for task, labels in ((few, 2), (more, 400)):
        counts = [part.class_counts.tolist() for part in (task.train, task.validation, task.test)]
        assert counts == [[labels] * 10, [50] * 10, [30] * 10]
        assert not overlap(task.train, task.validation) and not overlap(task.train, task.test)
    for part in ("validation", "test"):
        assert torch.equal(getattr(few, part).images, getattr(other, part).images)
    assert not torch.equal(few.train.images, other.train.images)
    # More labels are added to the same few.
    assert torch.equal(few.train.images[:2], more.train.images[:2])


def test_patches_to_test_with_are_from_the_other_half():
    task = tasks.few_labels("patches", 2, 0, side=32, tested=3)
    assert task.train.class_counts.tolist() == [2] * 14
    assert task.test.class_counts.tolist() == [3] * 14
    assert task.train.class_names == tasks.PHOTOS and task.train.images.shape[1:] == (3, 32, 32)
    assert torch.equal(task.train.images[:, 0], task.train.images[:, 2])
    other = tasks.few_labels("patches", 2, 1, side=32)
    assert not torch.equal(task.train.images, other.train.images)


def test_enlarged_images_are_bytes_of_the_same_brightness():
    images = torch.randint(60, 200, (3, 1, 8, 8), dtype=torch.uint8)
    data = Dataset("gray", images, torch.zeros(3, dtype=torch.int64), ("one",))
    large = tasks.enlarge(data, 24).images
    assert large.shape == (3, 3, 24, 24) and large.dtype == torch.uint8
    means = large.float().mean((1, 2, 3)), images.float().mean((1, 2, 3))
    torch.testing.assert_close(*means, rtol=0, atol=2)
    assert torch.equal(tasks.enlarge(data, 8).images[:, :1], images)
    edge = torch.tensor([0, 255]).repeat(4).expand(1, 1, 8, 8).byte()
    wide = tasks.enlarge(Dataset("edge", edge, data.labels[:1], ("one",)), 24).images
    assert wide.unique().numel() > 2 and {0, 255} < set(wide.unique().tolist())  # cut off


@pytest.mark.parametrize(("count", "size"), [(10, 10), (16, 16), (50, 16), (500, 16)])
def test_every_image_is_seen_once_before_any_is_seen_twice(count, size):
    batches = recipe.shuffled_batches(count, 40, 3)
    assert batches.shape == (40, size)
    for part in batches.flatten().split(count):
        assert len(part.unique()) == len(part)
    assert not torch.equal(batches, recipe.shuffled_batches(count, 40, 4))
    assert torch.equal(batches[:7], recipe.shuffled_batches(count, 7, 3))


def test_all_begin_with_the_same_head_and_what_is_known_is_what_imagenet_taught():
    known, chance = (
        recipe.start_network(3, 5, pretrained=one).state_dict() for one in (True, False)
    )
    imagenet = imagenet_network().state_dict()
    assert moved({k: v for k, v in known.items() if k not in HEAD}, imagenet) == set()
    assert not HEAD & moved(known, chance) and "conv_stem.weight" in moved(known, chance)
    assert "classifier.weight" in moved(known, recipe.start_network(3, 6).state_dict())
    assert recipe.start_network(3, 5).training


@pytest.mark.parametrize(
    ("name", "updates", "learns"),
    [("probe", 2, "head"), ("thawed", 3, "all"), ("two rates", 1, "all"), ("scratch", 1, "all")],
)
def test_what_is_frozen_stays_and_all_else_learns(name, updates, learns):
    begin = recipe.start_network(3, 0, pretrained=WAYS[name].pretrained)
    found = moved(run(name, updates).state_dict(), begin.state_dict())
    assert found == (HEAD if learns == "head" else set(begin.state_dict()))


def test_a_thaw_comes_after_its_fraction_of_the_updates():
    """Statistics count the batches that they have seen: those behind the thaw."""
    state = run("thawed", 10).state_dict()
    assert int(state["bn1.num_batches_tracked"]) == 7
    state = run("thawed", 10, replace(WAYS["thawed"], frozen=0.0)).state_dict()
    assert int(state["bn1.num_batches_tracked"]) == 10


def test_a_thaw_in_eval_moves_the_weights_and_leaves_the_statistics():
    begin = recipe.start_network(3, 0).state_dict()
    found = moved(run("thawed in eval", 3).state_dict(), begin)
    assert found == {name for name in begin if "running" not in name and "num_" not in name}


def test_the_body_learns_at_its_own_rate_and_both_fall_to_zero(monkeypatch):
    seen, step = [], recipe.take_step

    def spy(model, optimizer, *batch):
        seen.append({group["name"]: group["lr"] for group in optimizer.param_groups})
        step(model, optimizer, *batch)

    monkeypatch.setattr(recipe, "take_step", spy)
    run("two rates", 4)
    heads = [rates["head"] for rates in seen]
    assert heads == pytest.approx([1e-2, 1e-2 * 0.853553, 5e-3, 1e-2 * 0.146447], rel=1e-4)
    assert [rates["backbone"] for rates in seen] == pytest.approx([lr / 10 for lr in heads])


def test_an_unknown_way_or_task_is_named():
    options = {"classes": 3, "lr": 1e-2, "updates": 1}
    with pytest.raises(ValueError, match="name is 'frozen', expected one of scratch, probe"):
        recipe.train_way("frozen", IMAGES, LABELS, 0, **options)
    with pytest.raises(ValueError, match="data is 'mnist', expected one of cifar10, patches"):
        tasks.few_labels("mnist", 1, 0)
    with pytest.raises(ValueError, match="labels is 4401, expected 1 to 4400"):
        tasks.few_labels("cifar10", 4401, 0)


def test_the_accuracy_is_that_of_all_images():
    class Reader(nn.Module):
        def forward(self, images):
            return nn.functional.one_hot((images[:, 0, 0, 0] * 0).long(), 3).float()

    data = Dataset("any", IMAGES, LABELS, tuple("abc"))
    assert recipe.accuracy_on(Reader(), data) == pytest.approx(1 / 3)


def test_the_nearest_number_of_labels_decides_the_rate():
    tried = {"probe": {5: {0.1: 0.3, 0.2: 0.4}, 100: {0.1: 0.9, 0.2: 0.8}}}
    rates = {n: best_rate(tried, "probe", n) for n in (1, 5, 20, 100, 500)}
    assert rates == {1: 0.2, 5: 0.2, 20: 0.2, 100: 0.1, 500: 0.1}


def test_no_rate_was_best_at_an_edge_of_what_was_tried():
    for tried in load_rates().values():
        for by_rate in tried.values():
            rates = sorted(by_rate)
            assert len(rates) >= 4 and rates[0] < max(by_rate, key=by_rate.get) < rates[-1]


def test_six_accuracies_of_one_network_differ_only_in_how_they_are_measured():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (measure_in_six_ways(seed, epochs=2) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert first == again != other and len(first) == 6
    # Dropout and augmentation are each a handicap, and both together are more than either.
    handicaps = [list(first)[i] for i in (1, 2, 4)], [list(first)[i] for i in (1, 3, 4)]
    for names in handicaps:
        assert sorted(names, key=first.get) == names


@pytest.fixture(scope="module")
def gain():
    """Compare a way with another, seed by seed, as it is stored."""
    found = load_cifar()
    return lambda name, other, labels: paired_difference(found[name][labels], found[other][labels])


def test_from_scratch_little_is_learned_and_what_is_known_helps(gain):
    for name, labels in product(("probe", "fine-tuned", "two rates"), SIZES["cpu"].labels):
        assert min(gain(name, "scratch", labels).values) > 0
    assert max(max(runs.values) for runs in load_cifar()["scratch"].values()) < 0.15


def test_a_thaw_fails_by_the_statistics_and_not_by_the_weights(gain):
    for labels in (20, 100):
        assert gain("two rates", "thawed", labels).interval()[0] > 0
        assert gain("thawed in eval", "thawed", labels).interval()[0] > 0
    for labels in SIZES["cpu"].labels:
        assert min(gain("thawed in eval", "thawed", labels).values) > 0
        low, high = gain("probe", "fine-tuned", labels).interval()
        assert low < 0 < high


def test_four_times_the_updates_bring_those_that_move_the_backbone_up_to_the_probe():
    found, longer = load_cifar(), load_longer()
    gains = {name: longer[name][100] - found[name][100].values[0] for name in WAYS}
    assert min(gains.values()) > 0.05
    assert gains["probe"] < min(gains[name] for name in ("thawed", "fine-tuned", "two rates"))
    assert abs(longer["probe"][100] - longer["fine-tuned"][100]) < 0.03


@pytest.mark.skipif(
    not (REAL / "cifar-10-batches-bin").is_dir(), reason="GLASSBOX_DATA holds no CIFAR-10"
)
def test_a_stored_probe_comes_out_again(tmp_path):
    (one,), size = PARTS["compare"], SIZES["cpu"]
    key = ("probe", 1, 48, 0)
    Study("compare", [replace(one, of=lambda size: [key])], size, tmp_path).train()
    assert one.table.rows(tmp_path)[key] == pytest.approx(one.table.rows()[key], abs=0.02)
