"""The transfers that the page on pretraining compares: their worlds, tasks, trainings, results."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import nn

from glassbox.chapters.pretraining import arms as recipe
from glassbox.chapters.pretraining import tasks
from glassbox.chapters.pretraining.arms import ARMS
from glassbox.chapters.pretraining.study import TRANSFERS, load_transfers
from glassbox.chapters.pretraining.tasks import LABELS
from glassbox.data import Dataset, TrainTest, normalize
from glassbox.data.scenes.scene import DEFAULT_CLASSES
from glassbox.networks import ResidualNetwork
from glassbox.training import paired_difference

BODY = recipe.start_network(None, 7).state_dict()
DRAW = torch.Generator().manual_seed(0)
IMAGES = torch.randint(256, (12, 3, 16, 16), generator=DRAW, dtype=torch.uint8)
PART = Dataset("invented", IMAGES, torch.arange(12) % 10, tuple("0123456789"))
TASK = TrainTest(PART, PART[:1])


def run(arm, updates):
    weights = BODY if arm.upstream else None
    return recipe.transfer(arm, weights, TASK, 0, updates=updates, frozen=2).state_dict()


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


@pytest.mark.parametrize(("count", "size"), [(10, 10), (32, 32), (50, 32), (500, 32)])
def test_every_image_is_seen_once_before_any_is_seen_twice(count, size):
    batches = recipe.shuffled_batches(count, 40, 3)
    assert batches.shape == (40, size)
    for part in batches.flatten().split(count):
        assert len(part.unique()) == len(part)
    assert not torch.equal(batches, recipe.shuffled_batches(count, 40, 4))
    assert torch.equal(batches[:7], recipe.shuffled_batches(count, 7, 3))


HEAD = {"fc.weight", "fc.bias"}


@pytest.mark.parametrize(
    ("name", "updates", "learns"),
    [
        ("probe", 4, HEAD),
        ("probe, grounds", 4, HEAD),
        ("thawed", 2, HEAD),
        ("thawed", 3, set(BODY)),
        ("scratch", 1, set(BODY)),
        ("fine-tuned", 1, set(BODY)),
    ],
)
def test_what_is_frozen_stays_until_it_is_thawed(name, updates, learns):
    begin = recipe.start_network(BODY if ARMS[name].upstream else None, 0).state_dict()
    assert moved(run(ARMS[name], updates), begin) == learns


def test_the_rate_falls_for_all_at_the_thaw():
    still = replace(ARMS["thawed"], thawed_lr=1e-30)
    frozen, later = (run(still, updates) for updates in (2, 5))
    for name, _ in ResidualNetwork(8).named_parameters():
        torch.testing.assert_close(later[name], frozen[name], rtol=0, atol=1e-20)
    assert "bn1.running_mean" in moved(later, frozen)


def test_all_begin_with_the_same_head():
    chance, known = (recipe.start_network(body, 3).state_dict() for body in (None, BODY))
    assert moved(known, BODY) == HEAD
    assert not HEAD & moved(known, chance)
    assert "conv1.weight" in moved(known, chance)
    assert "fc.weight" in moved(known, recipe.start_network(BODY, 4).state_dict())
    body = ResidualNetwork(8, num_classes=21).state_dict()  # its head is left out
    assert recipe.start_network(body, 0).fc.out_features == 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: recipe.pretrain("stars", 0), "kind is 'stars', expected one of things, grounds"),
        (lambda: tasks.target_task("mnist", 5, 0), "target is 'mnist', expected one of scenes"),
        (lambda: tasks.target_task("digits", 51, 0), "labels is 51, expected 1 to 50"),
        (lambda: recipe.transfer(ARMS["probe"], None, TASK, 0), "upstream is None, expected the"),
        (
            lambda: recipe.transfer(ARMS["scratch"], BODY, TASK, 0),
            "upstream is given, expected the",
        ),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture(scope="module")
def gains():
    """Compare a way to transfer with another, seed by seed, as it is stored."""
    found = load_transfers()
    return lambda name, target, labels, other="scratch": paired_difference(
        found[name, target][labels], found[other, target][labels]
    )


def test_things_help_with_new_things_few_labels_favor_a_probe_and_many_a_thaw(gains):
    for name, labels in product(("probe", "thawed", "fine-tuned"), LABELS):
        assert min(gains(name, "scenes", labels).values) > 0
    assert min(gains("thawed", "scenes", 50).values) > 0.4
    assert min(gains("probe", "scenes", 1, "thawed").values) > 0
    assert min(gains("thawed", "scenes", 50, "probe").values) > 0


def test_a_probe_on_digits_does_harm_and_fine_tuning_does_not(gains):
    for labels in LABELS[1:]:
        assert max(gains("probe", "digits", labels).values) < 0
        assert min(gains("fine-tuned", "digits", labels).values) > 0


def test_grounds_teach_nothing_about_things(gains):
    for labels in LABELS:
        assert abs(gains("fine-tuned, grounds", "scenes", labels).mean) < 0.01
        assert gains("probe, grounds", "scenes", labels).mean < 0


def test_few_labels_are_learned_by_heart():
    runs = TRANSFERS.runs()
    assert all(min(runs[key]["train accuracy"].values) == 1 for key in runs if key[-1] == 1)
    assert max(runs["scratch", "scenes", 1]["test accuracy"].values) < 0.15
