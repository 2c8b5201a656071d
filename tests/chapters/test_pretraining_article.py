"""The training of the lesson: its images, its networks, its modes and its schedule."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.transforms.v2.functional import adjust_hue

from glassbox.chapters.pretraining import article, schedule
from glassbox.chapters.pretraining.article import ARMS, MEAN, MODES
from glassbox.chapters.pretraining.study import PARTS, SIZES, load_article, load_epochs, load_losses
from glassbox.chapters.pretraining.tasks import Task
from glassbox.chapters.studies import Study
from glassbox.data import Dataset

DRAW = torch.Generator().manual_seed(0)
IMAGES = torch.randint(256, (70, 3, 32, 32), generator=DRAW, dtype=torch.uint8)
DATA = Dataset("noise", IMAGES, torch.arange(70) % 3, tuple("abc"))
TASK = Task(DATA, DATA[:9], DATA[:6])


def trained(mode, epochs=3, frozen=1):
    arm = replace(ARMS["as written"], mode=mode)
    return schedule.train_as_written(arm, TASK, 0, epochs=epochs, frozen=frozen, side=32)


@pytest.mark.parametrize(
    ("mode", "batches"),
    # 70 images are two batches: of one epoch, in which the lesson freezes gradients alone, and
    # never again; of the two epochs behind the thaw; of none.
    list(zip(MODES, (4, 2, 0), strict=True)),
)
def test_a_mode_decides_which_batches_statistics_see(mode, batches):
    model, course = trained(mode)
    assert int(model.bn1.num_batches_tracked) == batches
    assert len(course.epochs) == 3 and len(course.losses) == 6 and course.pretrained


def test_a_backbone_moves_from_the_thaw_on_and_then_all_learn_at_a_tenth():
    begin = article.begin(ARMS["mode set each epoch"], 3, 0)[0]
    frozen, _ = trained("each epoch", epochs=1)
    assert torch.equal(frozen.conv_stem.weight, begin.conv_stem.weight)
    assert not torch.equal(frozen.classifier.weight, begin.classifier.weight)
    model, course = trained("each epoch", epochs=2)
    assert not torch.equal(model.conv_stem.weight, begin.conv_stem.weight)
    rates = [seen[schedule.SEEN.index("lr")] for seen in course.epochs]
    assert rates == [1e-3, 1e-4]


def test_from_scratch_all_learn_from_the_first_step():
    arm = ARMS["three blocks"]
    begin = article.begin(arm, 3, 0)[0]
    model, course = schedule.train_as_written(arm, TASK, 0, epochs=1, frozen=1, side=48)
    before, after = begin.state_dict(), model.state_dict()
    assert all(not torch.equal(before[name], after[name]) for name in before)
    assert not course.pretrained and course.epochs[0][0] == 1e-3


def test_what_is_reported_is_of_the_batches_that_were_learned_from():
    _, course = schedule.train_as_written(
        ARMS["three blocks"], TASK, 0, epochs=2, frozen=1, side=32
    )
    seen = dict(zip(schedule.SEEN, course.epochs[1], strict=True))
    assert seen["loss"] == pytest.approx(sum(course.losses[2:]) / 2)
    for name in schedule.SEEN:
        assert 0 <= seen[name] <= 1 or "loss" in name


@pytest.mark.parametrize("network", ["lite0", "resnet18", "alexnet"])
def test_a_head_is_the_last_layer_and_all_others_are_the_body(network):
    model, _ = article.begin(article.Arm(network, pretrained=False), 4, 0)
    head, body = article.split_off_head(model)
    assert isinstance(head, nn.Linear) and head.out_features == 4
    theirs = [one for layer in body for one in layer.parameters()]
    assert {id(p) for p in [*theirs, *head.parameters()]} == {id(p) for p in model.parameters()}
    side = 32
    assert model.eval()(article.prepare(IMAGES[:1], side)).shape == (1, 4)


def test_weights_are_looked_for_and_never_downloaded(tmp_path, monkeypatch, no_network):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert article.at_hand("lite0") and not article.at_hand("plain")
    assert not article.at_hand("resnet18")
    assert article.begin(ARMS["ResNet-18"], 3, 0)[1] is False and no_network == []
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / article.WEIGHTS["resnet18"]).touch()
    assert article.at_hand("resnet18")


def test_images_are_changed_as_the_generator_has_it_and_keep_their_size():
    augment = article.augment_as_written(48)
    one, again, other = (
        augment(IMAGES[:4], torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert one.shape == (4, 3, 48, 48) and one.dtype == torch.float32
    assert article.prepare(IMAGES[:4], 48).shape == (4, 3, 48, 48)
    gray = (255 * MEAN).round().byte().view(1, 3, 1, 1).expand(1, 3, 32, 32)
    assert article.prepare(gray, 32).abs().max() < 0.02


def test_a_hue_is_turned_image_by_image_and_gray_stays_gray():
    images = IMAGES[:3].float() / 255
    generator = torch.Generator().manual_seed(0)
    close = {"atol": 2e-3, "rtol": 0}
    torch.testing.assert_close(article.hue_jitter(0.0)(images, generator), images, **close)
    turned = article.hue_jitter(0.5)(torch.stack([images[0]] * 3), generator)
    assert not torch.equal(turned[0], turned[1])
    turns = torch.tensor([0.5, -0.31, 0.07])
    theirs = [adjust_hue(one, turn) for one, turn in zip(images, turns.tolist(), strict=True)]
    torch.testing.assert_close(article.turn_hue(images, turns), torch.stack(theirs), **close)
    gray = images[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(article.hue_jitter(0.5)(gray, generator), gray, **close)


def test_the_part_of_the_study_notes_epochs_and_batches_and_is_read(tmp_path):
    Study("article", PARTS["article"], SIZES["smoke"], tmp_path).train()
    found, epochs = load_article(tmp_path), load_epochs(tmp_path)
    assert set(found) == set(ARMS) and all(set(runs) == {0} for runs in found.values())
    for (arm, seed), seen in epochs.items():
        count = 1 if arm == "AlexNet" else 2
        assert {len(values) for values in seen.values()} == {count}
        assert seen["test accuracy"][-1] == pytest.approx(found[arm][seed]["test accuracy"])
        chosen = round(found[arm][seed]["epoch chosen"])
        assert min(seen["validation loss"]) == seen["validation loss"][chosen - 1]
    assert len(load_losses(tmp_path)) == 2
