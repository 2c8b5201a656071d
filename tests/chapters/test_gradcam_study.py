"""The scenes, their network, its marks and its measures do what the chapter says of them."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from glassbox.attribution import GradCAM, class_activation_maps
from glassbox.autograd import capture
from glassbox.chapters.gradcam import arms as recipe
from glassbox.chapters.gradcam import measures
from glassbox.chapters.gradcam.marks import report_mark
from glassbox.chapters.gradcam.study import load_marks
from glassbox.data import Dataset, TrainTest


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


def test_the_mark_is_carried_by_one_class_or_by_chance():
    labels = torch.arange(6).repeat(2000)
    assert torch.equal(recipe.carriers(labels, "one class"), labels == 0)
    assert not recipe.carriers(labels, "nowhere").any()
    chance = recipe.carriers(labels, "at random", 1)
    fractions = torch.stack([chance[labels == k].float().mean() for k in range(6)])
    assert (fractions - 1 / 6).abs().max() < 0.03
    assert not torch.equal(chance, recipe.carriers(labels, "at random", 2))
    with pytest.raises(ValueError, match="arm is 'everywhere'"):
        recipe.carriers(labels, "everywhere")


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


def test_pairs_have_two_classes_and_halves_know_them(model, task):
    given = measures.sample(task, 30)
    wide, partner = measures.side_by_side(given)
    assert torch.equal(wide[..., :32], given.images)
    assert torch.equal(wide[..., 32:], given.images[partner])
    assert (given.labels != given.labels[partner]).all()
    blind = measures.fraction_in_own_half(model, given, classes=False)
    torch.testing.assert_close(blind, torch.full((30,), 0.5))


class ReadsColors(Pooled):
    """Its logits are the mean colors."""

    def forward(self, images):
        return self.features(images).mean((2, 3))


def test_maps_of_a_network_that_knows_its_classes_lie_in_the_right_half():
    labels = torch.tensor([0, 1, 2, 1])
    images = torch.zeros(4, 3, 32, 32)
    images[torch.arange(4), labels] = 1
    given = measures.Sample(images, labels, images[:, 0] > 2)
    assert measures.fraction_in_own_half(ReadsColors(), given).tolist() == [1, 1, 1, 1]


def test_halves_of_one_class_and_maps_that_are_not_finite_are_refused(model, task):
    given = measures.sample(task, 4)
    alike = replace(given, labels=torch.zeros(4).long())
    with pytest.raises(ValueError, match=r"^labels is \[0\], expected at least two classes"):
        measures.side_by_side(alike)
    broken = deepcopy(model)
    nn.init.constant_(next(broken.parameters()), float("nan"))
    with pytest.raises(ValueError, match=r"entries that are nan"):
        measures.fraction_in_own_half(broken, given, classes=False)


def test_the_cascade_begins_with_the_same_maps(model, task):
    given = measures.sample(task, 8)
    found = measures.cascade(model, given)
    assert list(found)[:3] == ["none", "classifier", "features.norm4"] and len(found) == 10
    empty = measures.grad_cam(model, given).amax((1, 2)) == 0  # such maps order nothing
    torch.testing.assert_close(found["none"], (~empty).double())
    assert not empty.all()


def test_stored_maps_have_the_sum_one():
    marks, maps = load_marks()
    assert set(marks) == set(maps)
    for key, values in maps.items():
        assert values.shape == (8, 8) and 0.9 < values.sum() < 1.01, key
