"""The figures of the chapter on convolutional networks show what they are given."""

import pytest
import torch
from drawn import line, named
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
    fig = cnn.show_convolution(image, kernel, feature_map, stride, padding)
    (dots,) = named(fig.axes[0], "centers")
    assert len(dots.get_xdata()) == feature_map.numel()
    lowest, highest = min(dots.get_xdata()), max(dots.get_xdata())
    assert lowest == 1 - padding and highest <= 6 + padding
    assert f"{feature_map.shape[0]} by {feature_map.shape[1]} numbers" in fig.alt


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
    fig = cnn.show_threshold(confidences, right, 0.7)
    assert fig.axes[0].get_title(loc="left") == "2 of 4 handed over, 1 mistakes left"
    (dot,) = named(fig.axes[0], "threshold")
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (50, 50)


def test_the_reliability_diagram_draws_the_accuracy_of_every_bin():
    confidences = torch.tensor([0.1, 0.15, 0.9, 0.95])
    fig = cnn.show_reliability(confidences, torch.tensor([True, False, True, True]), bins=2)
    assert line(fig.axes[0], "accuracy") == [0.5, 1.0]
    assert "2 bins" in fig.alt and "50% of all answers" in fig.alt
    to_pixels(fig)
