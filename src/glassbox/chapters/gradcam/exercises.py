"""Checks for the exercises of the chapter on Grad-CAM."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from glassbox.chapters.checking import Case, exercise


def _drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _number(result: object) -> object:
    """Read a tensor of one number as that number."""
    return result.item() if isinstance(result, torch.Tensor) and result.numel() == 1 else result


@exercise()
def check_weighted_maps() -> Iterator[Case]:
    """Check ``weighted_maps(activations, gradients)``."""
    ones = torch.ones(1, 2, 2, 2)
    for text, activations, gradients in (
        ("one image, two channels, ones", ones, ones),
        ("one image, gradients of -1", ones, -ones),
        ("3 images, 5 channels of 4 x 6", _drawn(3, 5, 4, 6), _drawn(3, 5, 4, 6, seed=1)),
    ):
        expected = torch.einsum("bc,bchw->bhw", gradients.mean((2, 3)), activations).relu()
        yield Case(text, (activations, gradients), expected)


@exercise()
def check_probability_slope() -> Iterator[Case]:
    """Check ``probability_slope(probabilities, label)``."""
    for text, logits, label in (
        ("three equal classes, label 0", torch.zeros(3, dtype=torch.float64), 0),
        ("five classes, label 2", _drawn(5), 2),
        ("a certain network, label 1", torch.tensor([0.0, 40.0], dtype=torch.float64), 1),
    ):
        leaf = logits.clone().requires_grad_()
        (expected,) = torch.autograd.grad(leaf.softmax(0)[label], leaf)
        yield Case(text, (logits.softmax(0), label), expected)


@exercise()
def check_logit_from_map() -> Iterator[Case]:
    """Check ``logit_from_map(class_map, bias)``."""
    weights = _drawn(6, seed=1)
    for text, size, bias in (("a map of 1 x 1", 1, 0.5), ("a map of 8 x 8", 8, -1.25)):
        features = _drawn(6, size, size)
        class_map = torch.einsum("c,chw->hw", weights, features)
        expected = weights @ features.mean((1, 2)) + bias
        yield Case(text, (class_map, bias), expected)


@exercise(read=_number)
def check_average_drop() -> Iterator[Case]:
    """Check ``average_drop(whole, masked)``."""
    for text, whole, masked, expected in (
        ("half of the confidence lost", [0.8], [0.4], 50.0),
        ("one lost all, one gained", [0.5, 0.5], [0.0, 1.0], 50.0),
        ("nothing lost", [0.2, 0.9], [0.3, 0.9], 0.0),
        ("two of unlike confidence", [0.9, 0.1], [0.6, 0.05], 100 * (1 / 3 + 1 / 2) / 2),
    ):
        yield Case(text, (torch.tensor(whole), torch.tensor(masked)), expected)


@exercise()
def check_occlusion_map() -> Iterator[Case]:
    """Check ``occlusion_map(model, image, label, side, fill)``."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double()
    weights = _drawn(3, 64, seed=2)
    with torch.no_grad():
        model[1].weight.copy_(weights)
    image = _drawn(1, 8, 8, seed=3)
    for text, label, side, fill in (
        ("patches of 8 x 8, all of the image", 0, 8, 0.0),
        ("patches of 4 x 4", 1, 4, 0.0),
        ("patches of 2 x 2 with another fill", 2, 2, 0.5),
    ):
        lost = weights[label].view(1, 1, 8, 8) * (image - fill)
        expected = (F.avg_pool2d(lost, side) * side**2)[0, 0]  # the sum over each patch
        yield Case(text, (model, image, label, side, fill), expected)
