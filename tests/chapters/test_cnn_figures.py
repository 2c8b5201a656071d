"""The drawings of chapter 3 show what they say they show."""

import pytest
import torch
from torch import nn

from glassbox.chapters.cnn import figures as cnn
from glassbox.networks import LeNet5, convolution
from glassbox.plotting.figures import to_pixels

LAYERS = {"conv1": (1, [(5, 1)]), "pool1": (3, [(5, 1), (2, 2)])}


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
def test_one_dot_for_each_number_of_the_map(stride, padding):
    image, kernel = torch.rand(8, 8), torch.ones(3, 3)
    feature_map = convolution.conv2d(
        image[None, None], kernel[None, None], stride=stride, padding=padding
    )[0, 0]
    drawn = cnn.show_convolution(image, kernel, feature_map, stride, padding)
    (dots,) = drawn.axes[0].lines
    assert len(dots.get_xdata()) == feature_map.numel()
    lowest, highest = min(dots.get_xdata()), max(dots.get_xdata())
    assert lowest == 1 - padding and highest <= 6 + padding
    assert f"{feature_map.shape[0]} by {feature_map.shape[1]} numbers" in drawn.alt


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("place", ["top left", "center", "bottom right"])
def test_the_gradient_fills_the_receptive_field_and_nothing_else(layer, place):
    stop, windows = LAYERS[layer]
    layers = LeNet5().features[:stop]
    gradient = cnn.gradient_of_unit(layers, place)
    unit = cnn.unit_index(place, layers(torch.zeros(1, 1, 32, 32)).shape[-1])
    first, end = convolution.receptive_field(windows).interval(unit)
    inside = gradient[first:end, first:end]
    assert (inside > 0).all() and inside.sum() == pytest.approx(gradient.sum().item())


def test_measuring_leaves_gradients_and_random_state_alone():
    layers = nn.Conv2d(1, 2, 3)
    before = torch.get_rng_state()
    cnn.gradient_of_unit(layers, "center")
    assert layers.weight.grad is None
    assert torch.equal(torch.get_rng_state(), before)


def test_the_threshold_is_counted_right():
    confidences = torch.tensor([0.5, 0.6, 0.9, 0.99])
    right = torch.tensor([False, True, False, True])
    drawn = cnn.show_threshold(confidences, right, 0.7)
    assert drawn.axes[0].get_title(loc="left") == "2 of 4 handed over, 1 mistakes left"
    (_, dot) = drawn.axes[0].lines
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (50, 50)


def test_the_reliability_diagram_draws_every_bin():
    confidences = torch.linspace(0, 1, 101)
    drawn = cnn.show_reliability(confidences, torch.ones(101, dtype=torch.bool), bins=5)
    assert len(drawn.axes[0].lines[1].get_xdata()) == 5
    assert to_pixels(drawn).std() > 10
