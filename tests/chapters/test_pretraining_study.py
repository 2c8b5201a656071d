"""The transfers that the page on pretraining compares: their worlds, tasks and trainings."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from glassbox.chapters.pretraining import arms as recipe
from glassbox.chapters.pretraining import tasks
from glassbox.chapters.pretraining.arms import ARMS
from glassbox.data import Dataset, TrainTest, normalize
from glassbox.data.scenes.scene import DEFAULT_CLASSES
from glassbox.networks import ResidualNetwork

BODY = recipe.start_network(None, 7).state_dict()
DRAW = torch.Generator().manual_seed(0)
IMAGES = torch.randint(256, (12, 3, 16, 16), generator=DRAW, dtype=torch.uint8)
PART = Dataset("invented", IMAGES, torch.arange(12) % 10, tuple("0123456789"))
TASK = TrainTest(PART, PART[:1])


def run(arm, updates, seed=0):
    weights = BODY if arm.upstream else None
    return recipe.transfer(arm, weights, TASK, seed, updates=updates, frozen=2).state_dict()


def moved(state, begin):
    return {name for name, value in state.items() if not torch.equal(value, begin[name])}


@pytest.fixture
def drawn(monkeypatch):
    """Let scenes be flat images that tell their background, and note what was asked for."""
    asked = []

    def flat(n, *, size, **options):
        asked.append(options)
        tag = tuple(tasks.BACKGROUNDS).index(options["backgrounds"][0])
        images = torch.full((n, 3, size, size), tag, dtype=torch.uint8)
        labels = torch.arange(n) % len(options["classes"])
        return Dataset("scenes", images, labels, tuple(options["classes"]))

    monkeypatch.setattr(tasks, "draw_scenes", flat)
    return asked


def test_the_two_worlds_share_no_class_background_or_palette(drawn):
    for kind in tasks.UPSTREAM:
        tasks.upstream_scenes(kind, 30, seed=1)
    upstream = list(drawn)
    drawn.clear()
    tasks.target_scenes(10, seed=1)
    for key in ("classes", "backgrounds"):
        seen = {name for options in upstream for name in options[key]}
        assert seen and not seen & set(drawn[0][key])
        known = tasks.SILHOUETTES if key == "classes" else tasks.BACKGROUNDS
        assert seen | set(drawn[0][key]) == set(known)
    assert drawn[0]["palette"] not in {options["palette"] for options in upstream}
    assert drawn[0]["classes"] == DEFAULT_CLASSES


def test_no_scene_is_drawn_twice_in_five_pretrainings(drawn):
    for seed in range(5):
        tasks.upstream_scenes("things", 15, seed=seed)
    assert len({options["seed"] for options in drawn}) == len(drawn) == 75


def test_both_questions_are_asked_of_the_same_scenes(drawn):
    things, grounds = (tasks.upstream_scenes(kind, 150, seed=2) for kind in tasks.UPSTREAM)
    assert torch.equal(things.images, grounds.images)
    assert things.class_names == tasks.THINGS and things.num_classes == 21
    assert grounds.labels.bincount().tolist() == [30] * 5
    names = [tuple(tasks.BACKGROUNDS)[tag] for tag in grounds.images[:, 0, 0, 0]]
    assert names == [grounds.class_names[label] for label in grounds.labels]
    assert not torch.equal(things.images, tasks.upstream_scenes("things", 150, seed=3).images)


def test_unseen_scenes_are_of_the_test_split(drawn):
    class AlwaysTwo(nn.Module):
        def forward(self, images):
            return nn.functional.one_hot(torch.full((len(images),), 2), 5).float()

    assert recipe.upstream_accuracy(AlwaysTwo(), "grounds", n=30) == pytest.approx(0.2)
    splits = [options["split"] for options in drawn]
    assert splits[:15] == ["test"] * 15 and set(splits[15:]) == {"train"}
    drawn.clear()
    tasks.target_task("scenes", 1, 0)
    assert [options["split"] for options in drawn[:2]] == ["train", "test"]


@pytest.mark.parametrize("target", tasks.TARGETS)
def test_a_task_has_its_labels_and_none_of_them_in_the_test_part(target):
    few, more = (tasks.target_task(target, labels, 0) for labels in (1, 3))
    assert more.labels.bincount().tolist() == [3] * 10 and len(more.test_labels) == 1000
    assert more.images.shape[1:] == more.test_images.shape[1:] == (3, 16, 16)
    assert torch.cdist(more.images.flatten(1), more.test_images.flatten(1)).min() > 0.1
    assert torch.equal(few.images, more.images[::3])  # more labels are added to the same few
    assert torch.equal(few.test_images, more.test_images)
    other = tasks.target_task(target, 1, 1)
    assert not torch.equal(few.images, other.images)
    mean, std = tasks.upstream_statistics()
    seen = normalize(few.images, -mean / std, 1 / std)
    assert -1e-5 < seen.min() < 0.3 and 0.7 < seen.max() < 1 + 1e-5
    assert ((seen[:, 0] - seen[:, 2]).abs().max() < 1e-5) == (target == "digits")


def test_a_pretraining_repeats_itself():
    runs = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        runs.append(recipe.pretrain("grounds", seed, n=128, epochs=2))
        assert torch.equal(torch.get_rng_state(), before)
    assert runs[0].fc.out_features == 5 and runs[0].training
    first, again, other = (one.state_dict() for one in runs)
    assert not moved(first, again) and "fc.weight" in moved(first, other)


@pytest.mark.parametrize(("count", "size"), [(10, 10), (32, 32), (50, 32), (500, 32)])
def test_every_image_is_seen_once_before_any_is_seen_twice(count, size):
    batches = recipe.shuffled_batches(count, 40, 3)
    assert batches.shape == (40, size)
    for part in batches.flatten().split(count):
        assert len(part.unique()) == len(part)
    assert not torch.equal(batches, recipe.shuffled_batches(count, 40, 4))
    assert torch.equal(batches[:7], recipe.shuffled_batches(count, 7, 3))


@pytest.mark.parametrize("name", ["probe", "probe, grounds"])
def test_a_probe_moves_the_head_alone(name):
    begin = recipe.start_network(BODY, 0).state_dict()
    after = run(ARMS[name], 4)
    assert moved(after, begin) == {"fc.weight", "fc.bias"}


def test_a_backbone_thaws_in_time():
    thawed = ARMS["thawed"]
    begin = recipe.start_network(BODY, 0).state_dict()
    assert moved(run(thawed, 2), begin) == {"fc.weight", "fc.bias"}
    assert moved(run(thawed, 3), begin) == set(begin)


def test_the_rate_falls_for_all_at_the_thaw():
    still = replace(ARMS["thawed"], thawed_lr=1e-30)
    frozen, later = (run(still, updates) for updates in (2, 5))
    for name, _ in ResidualNetwork(8).named_parameters():
        torch.testing.assert_close(later[name], frozen[name], rtol=0, atol=1e-20)
    assert "bn1.running_mean" in moved(later, frozen)


@pytest.mark.parametrize("name", ["scratch", "fine-tuned"])
def test_what_was_never_frozen_moves_at_once(name):
    arm = ARMS[name]
    begin = recipe.start_network(BODY if arm.upstream else None, 0).state_dict()
    assert moved(run(arm, 1), begin) == set(begin)


def test_all_begin_with_the_same_head():
    chance, known = (recipe.start_network(body, 3).state_dict() for body in (None, BODY))
    assert moved(known, BODY) == {"fc.weight", "fc.bias"}
    assert not {"fc.weight", "fc.bias"} & moved(known, chance)
    assert "conv1.weight" in moved(known, chance)
    assert "fc.weight" in moved(known, recipe.start_network(BODY, 4).state_dict())


def test_a_head_for_other_classes_is_left_out():
    body = ResidualNetwork(8, num_classes=21).state_dict()
    assert recipe.start_network(body, 0).fc.out_features == 10


@pytest.mark.parametrize("name", ["scratch", "thawed"])
def test_a_transfer_repeats_itself(name):
    kept = {key: value.clone() for key, value in BODY.items()}
    runs = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        runs.append(run(ARMS[name], 4, seed=seed))
        assert torch.equal(torch.get_rng_state(), before)
    first, again, other = runs
    assert not moved(first, again) and "fc.weight" in moved(first, other)
    assert not moved(BODY, kept)


def test_the_batches_too_follow_from_the_seed(monkeypatch):
    asked, draw = [], recipe.shuffled_batches

    def spy(*given):
        asked.append(given)
        return draw(*given)

    monkeypatch.setattr(recipe, "shuffled_batches", spy)
    run(ARMS["probe"], 1, seed=5)
    assert asked == [(12, 1, 5)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tasks.upstream_scenes("stars", 15, seed=0), "kind is 'stars', expected one of"),
        (lambda: recipe.pretrain("stars", 0), "kind is 'stars'"),
        (lambda: tasks.target_task("mnist", 5, 0), "target is 'mnist', expected one of scenes"),
        (lambda: tasks.target_task("digits", 0, 0), "labels is 0, expected 1 to 50"),
        (lambda: tasks.target_task("digits", 51, 0), "labels is 51, expected 1 to 50"),
        (
            lambda: recipe.transfer(ARMS["probe"], None, TASK, 0),
            "upstream is None, expected the weights of things",
        ),
        (
            lambda: recipe.transfer(ARMS["scratch"], BODY, TASK, 0),
            "upstream is given, expected None",
        ),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
