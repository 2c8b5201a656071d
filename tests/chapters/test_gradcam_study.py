"""The scenes, their network, its marks and its measures do what the chapter says of them."""

import json
from importlib.resources import files

import pytest
import torch
from torch import nn

from glassbox.attribution import GradCAM, class_activation_maps
from glassbox.autograd import capture
from glassbox.chapters.gradcam import arms as recipe
from glassbox.chapters.gradcam import cifar, measures, methods, pictures, study
from glassbox.chapters.gradcam.grids import make_grids, quarter_fractions
from glassbox.chapters.gradcam.marks import report_mark
from glassbox.chapters.gradcam.study import load_marks
from glassbox.chapters.studies import Study
from glassbox.data import Dataset, TrainTest
from glassbox.explorables.tiny_network import unpack
from glassbox.networks import ThreeBlockCNN, imagenet_network


@pytest.fixture(scope="module")
def task():
    return recipe.scene_task(0, train=240, test=60)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(5)
    return recipe.SceneNetwork().eval()


def test_the_network_ends_in_the_mean_of_its_last_maps(model):
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad(), capture(model, recipe.LAYERS) as outputs:
        logits = model(images)
    shapes = [tuple(outputs[name][0].shape[1:]) for name in recipe.LAYERS]
    assert shapes == [(12, 32, 32), (24, 16, 16), (48, 8, 8), (64, 8, 8)]
    features = outputs[recipe.LAST][0]
    maps = class_activation_maps(features, model.classifier.weight, torch.tensor([1, 4]))
    expected = maps.mean((1, 2)) + model.classifier.bias[[1, 4]]
    torch.testing.assert_close(logits[[0, 1], [1, 4]], expected)
    with GradCAM(model, recipe.LAST) as cam:
        torch.testing.assert_close(cam(images, torch.tensor([1, 4])), maps.relu() / 64)
    twin = recipe.SceneNetwork(inplace=True).eval()
    twin.load_state_dict(model.state_dict())
    assert torch.equal(twin(images), logits) and twin.features.relu4.inplace


def test_scenes_are_balanced_and_normalized_by_the_training_part(task):
    assert task.train.class_counts.tolist() == [40] * 6 and len(task.test) == 60
    torch.testing.assert_close(task.images.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    assert not torch.equal(task.train.images[:60], task.test.images)


def stamped_parts(images, labels, arm, seed=0):
    """Say which part of the first class, and of the others, looks otherwise than before."""
    marked = recipe.marked_images(images, labels, arm, 0.4, seed)
    changed = (marked != images).flatten(1).any(1)
    assert torch.equal(marked[:, :, :20, :20], images[:, :, :20, :20])
    return changed[labels == 0].float().mean().item(), changed[labels > 0].float().mean().item()


def test_the_mark_is_carried_by_one_class_and_by_a_part_of_the_others():
    images = torch.full((1800, 3, 32, 32), 90, dtype=torch.uint8)
    labels = torch.arange(6).repeat(300)
    assert stamped_parts(images, labels, "nowhere") == (0, 0)
    for arm, part in recipe.OTHERS.items():
        first, others = stamped_parts(images, labels, arm, 1)
        assert first == 1 and others == pytest.approx(part, abs=0.04)
    assert stamped_parts(images, labels, "painted over") == (1, 1)
    chance = [recipe.marked_images(images, labels, "half of the others", 1, s) for s in (1, 1, 2)]
    assert torch.equal(*chance[:2]) and not torch.equal(*chance[1:])
    with pytest.raises(ValueError, match="arm is 'everywhere'"):
        recipe.marked_images(images, labels, "everywhere", 0.4)


def test_who_stamps_all_images_stamps_the_marked_ones_twice():
    images, labels = torch.zeros(4, 3, 32, 32, dtype=torch.uint8), torch.tensor([0, 0, 1, 2])
    once = recipe.marked_images(images, labels, "every", 0.4).amax((1, 2, 3))
    twice = recipe.marked_images(images, labels, "every, one class twice", 0.4).amax((1, 2, 3))
    assert once.tolist() == [102] * 4 and twice.tolist() == [163, 163, 102, 102]
    painted = recipe.marked_images(images, labels, "painted over", 0.4)
    assert (painted == painted[:1]).all()


class Pooled(nn.Module):
    """It has the layer whose maps are looked at, and nothing to learn."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("relu4", nn.AvgPool2d(4))


class SeesTheMark(Pooled):
    """It calls class 0 whatever is bright in the last of 8 x 8 cells, which the mark is part of."""

    def forward(self, images):
        bright = self.features(images.amax(1, keepdim=True))[:, 0, 7, 7]
        return torch.stack([bright * 100, *[torch.full_like(bright, 28.0)] * 5], dim=1)


def test_a_network_that_sees_only_the_mark_is_found_out(task):
    test = Dataset("scenes", task.test.images // 4, task.test.labels, recipe.CLASSES)
    dark = TrainTest(task.train, test, (torch.zeros(3), torch.ones(3)))
    report = report_mark(SeesTheMark(), dark, 1.0)
    assert report.first_unmarked == 0 and report.fooled == 1
    assert report.unmarked < report.as_trained
    assert report.mean_map.shape == (8, 8)
    # Two weaker marks, one on top of the other, are as bright as it needs; one is not.
    once, twice = (report_mark(SeesTheMark(), dark, 0.7, times=n) for n in (1, 2))
    assert once.fooled < 0.5 and twice.fooled == 1


def test_measures_of_known_maps(model, task):
    given = measures.sample(task, 20)
    perfect = measures.score_maps(model, given, given.masks.float())
    assert perfect["pointing"].mean() == 1 and perfect["IoU"].mean() == 1
    empty = measures.score_maps(model, given, torch.zeros(20, 32, 32))
    assert empty["pointing"].sum() == empty["IoU"].sum() == 0
    assert set(perfect) == set(measures.MEASURES)


def test_rivals_are_what_they_are_called(model, task):
    given = measures.sample(task, 12)
    maps = measures.baseline_maps(model, given)
    assert {one.shape for one in maps.values()} == {(12, 32, 32)}
    torch.testing.assert_close(maps["Grad-CAM"], measures.grad_cam(model, given))
    torch.testing.assert_close(maps["at relu2"], measures.grad_cam(model, given, recipe.LAYERS[1]))
    assert not torch.equal(maps["untrained"], maps["Grad-CAM"])


class ReadsColors(Pooled):
    """Its logits are the mean colors."""

    def forward(self, images):
        return self.features(images).mean((2, 3))


def colored(labels):
    images = torch.zeros(len(labels), 3, 32, 32)
    images[torch.arange(len(labels)), labels % 3] = 1.0 + labels.view(-1, 1, 1) // 3
    return measures.Sample(images, labels, images[:, 0] > 9)


def test_grids_hold_four_classes_and_each_image_in_its_quarter():
    given = colored(torch.tensor([0, 1, 2, 3, 3, 4]))
    grids, quarters = make_grids(given.images, given.labels, seed=3)
    assert grids.shape == (6, 3, 64, 64)
    tiles = (
        grids.unflatten(3, (2, 32)).unflatten(2, (2, 32)).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    )
    for tile, image, quarter in zip(tiles, given.images, quarters, strict=True):
        assert torch.equal(tile[quarter], image)
        assert len({tuple(one.amax((1, 2)).tolist()) for one in tile}) == 4
    drawn = [make_grids(given.images, given.labels, seed=seed)[1] for seed in range(40)]
    counts = torch.stack(drawn).flatten().bincount(minlength=4)
    assert counts.min() > 35  # 60 are expected of each
    with pytest.raises(ValueError, match=r"labels is \[0, 1, 2\], expected at least four classes"):
        make_grids(given.images[:3], given.labels[:3])


def test_fractions_of_quarters_are_counted():
    maps = torch.zeros(4, 4, 6)
    maps[0, 0, 4], maps[0, 3, 0], maps[1, 2:, :3] = 3, 1, 2
    maps[2] = 1
    fractions = quarter_fractions(maps, torch.tensor([1, 2, 3, 0]))
    assert fractions.tolist() == [0.75, 1, 0.25, 0.25]
    with pytest.raises(ValueError, match="maps is -1 in places"):
        quarter_fractions(maps - 1, torch.zeros(4).long())


class ReadsFourColors(ReadsColors):
    """A fourth class is whatever is blue and bright."""

    def forward(self, images):
        means = self.features(images)
        return torch.cat([means, (means[:, 2:] - 1).relu() * 9], dim=1).mean((2, 3))


def test_maps_of_a_network_that_knows_its_classes_lie_in_the_right_quarter(model, task):
    images = torch.zeros(4, 3, 32, 32)
    for label, (color, value) in enumerate(((0, 1), (1, 1), (2, 1), (2, 9))):
        images[label, color] = value
    given = measures.Sample(images, torch.arange(4), images[:, 0] > 9)
    found = measures.quarters(ReadsFourColors(), given)
    assert found[:2].tolist() == [1, 1] and found[3] > 0.85
    blind = measures.quarters(model, measures.sample(task, 48), "mean activation")
    assert 0.15 < blind.mean() < 0.35


@pytest.mark.parametrize("name", methods.METHODS)
def test_all_methods_give_maps_of_the_size_of_the_images(name, model, task):
    given = measures.sample(task, 3)
    maps = methods.make_maps(name, *measures.asked(model, given))
    assert maps.shape == (3, 32, 32) and maps.amin() == 0 and maps.amax() <= 1
    assert (methods.raw_maps(name, *measures.asked(model, given)) >= 0).all()


def test_the_cascade_begins_with_the_same_maps(model, task):
    given = measures.sample(task, 8)
    found = measures.cascade(model, given)
    assert list(found)[:3] == ["none", "classifier", "features.norm4"] and len(found) == 10
    empty = measures.grad_cam(model, given).amax((1, 2)) == 0  # such maps order nothing
    torch.testing.assert_close(found["none"], (~empty).double())
    assert not empty.all()


def test_photographs_are_judged():
    """By a network that sees what is bright, and whose maps therefore are where it is bright."""
    images, labels = pictures.named_photographs()
    assert images.shape == (len(pictures.NAMES), 3, 224, 224) and len(set(labels.tolist())) > 4
    found = imagenet_network()(images).argmax(1)
    assert torch.equal(found, labels)
    values = pictures.judge_photograph(imagenet_network(), "coffee", "Grad-CAM", grids=1, seeds=1)
    quarter, deletion, insertion, classifier, everything = values
    assert quarter > 0.4 and 0 < deletion < insertion < 1
    assert -1 <= everything <= 1 and classifier < 0.99


def test_the_network_forgets_from_its_output_to_its_input():
    network = imagenet_network()
    before = network.state_dict()
    seen = {}
    for stage, changed in pictures.randomized_cascade(network):
        state = changed.state_dict()
        seen[stage] = {n.split(".")[0] for n, v in state.items() if not torch.equal(v, before[n])}
        if stage == "blocks.3":
            new = {n[:8] for n, v in state.items() if not torch.equal(v, before[n])}
            assert "blocks.3" in new and "blocks.2" not in new
    assert list(seen) == list(pictures.STAGES.values())
    assert seen["none"] == set() and seen["classifier"] == {"classifier"}
    assert seen["conv_head"] == {"classifier", "conv_head", "bn2"}
    assert seen["conv_stem"] == {"classifier", "conv_head", "bn2", "blocks", "bn1", "conv_stem"}


def test_the_network_for_cifar_is_small_and_is_what_the_recipe_says():
    network = cifar.load_cifar_network()
    assert [p.numel() for p in network.parameters()][::2] == [432, 4608, 18432, 65536, 640]
    assert sum(p.numel() for p in network.parameters()) == 89_834
    whole = ThreeBlockCNN(**cifar.NETWORKS["whole"])
    assert sum(p.numel() for p in whole.parameters()) == 1_147_466
    for parameter in network.parameters():
        assert parameter.equal(parameter.half().float()) and not parameter.requires_grad
    assert files("glassbox.chapters.gradcam").joinpath(cifar.WEIGHTS).stat().st_size < 300_000


def test_the_network_for_cifar_is_trained_and_stored(tmp_path, monkeypatch):
    def stand_in(name, split=None):
        images = torch.randint(256, (300, 3, 32, 32), dtype=torch.uint8)
        return Dataset(name, images, torch.arange(300) % 10, cifar.CLASSES)

    monkeypatch.setattr(cifar, "load", stand_in)
    Study("cifar", study.PARTS["cifar"], study.SIZES["smoke"], tmp_path).train()
    assert set(study.load_cifar(tmp_path)) == {("whole", 0), ("small", 0)}
    packed = json.loads((tmp_path / cifar.WEIGHTS).read_text())
    ThreeBlockCNN(**cifar.NETWORKS["small"]).load_state_dict(unpack(packed))


def test_stored_photographs_are_those_of_the_chapter():
    judged = study.load_photographs()
    assert list(judged) == list(methods.METHODS)
    for row in judged.values():
        assert {len(one.values) for one in row.values()} == {len(pictures.NAMES)}


def test_stored_maps_have_the_sum_one():
    marks, maps = load_marks()
    assert set(marks) == set(maps)
    for key, values in maps.items():
        assert values.shape == (8, 8) and 0.9 < values.sum() < 1.01, key
