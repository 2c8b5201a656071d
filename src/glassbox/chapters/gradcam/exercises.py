"""Checks for the exercises of the chapter on Grad-CAM."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from glassbox.chapters.checking import Candidate, Case, exercise


def _drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _number(given: object) -> object:
    """Take a tensor of one number for that number."""
    return given.item() if isinstance(given, torch.Tensor) and given.numel() == 1 else given


@exercise
def check_weighted_maps(weighted_maps: Candidate) -> Iterator[Case]:
    """Check ``weighted_maps(activations, gradients)``."""
    ones = torch.ones(1, 2, 2, 2)
    for name, activations, gradients in (
        ("one image, two channels, ones", ones, ones),
        ("one image, gradients of -1", ones, -ones),
        ("3 images, 5 channels of 4 x 6", _drawn(3, 5, 4, 6), _drawn(3, 5, 4, 6, seed=1)),
    ):
        weights = gradients.mean((2, 3))
        expected = torch.einsum("bc,bchw->bhw", weights, activations).relu()
        given = activations, gradients
        yield Case(name, lambda given=given: weighted_maps(*given), expected)


@exercise
def check_probability_slope(probability_slope: Candidate) -> Iterator[Case]:
    """Check ``probability_slope(probabilities, label)``."""
    for name, logits, label in (
        ("three equal classes, label 0", torch.zeros(3, dtype=torch.float64), 0),
        ("five classes, label 2", _drawn(5), 2),
        ("a certain network, label 1", torch.tensor([0.0, 40.0], dtype=torch.float64), 1),
    ):
        leaf = logits.clone().requires_grad_()
        (expected,) = torch.autograd.grad(leaf.softmax(0)[label], leaf)
        given = logits.softmax(0), label
        yield Case(name, lambda given=given: probability_slope(*given), expected)


@exercise
def check_logit_from_map(logit_from_map: Candidate) -> Iterator[Case]:
    """Check ``logit_from_map(class_map, bias)``."""
    for name, size, bias in (("a map of 1 x 1", 1, 0.5), ("a map of 8 x 8", 8, -1.25)):
        features, head = _drawn(1, 6, size, size), nn.Linear(6, 1).double()
        with torch.no_grad():
            head.weight.copy_(_drawn(1, 6, seed=1))
            head.bias.fill_(bias)
            expected = head(features.mean((2, 3)))[0, 0]
            class_map = torch.einsum("c,chw->hw", head.weight[0], features[0])
        given = class_map, bias
        yield Case(name, lambda given=given: logit_from_map(*given), expected)


@exercise
def check_average_drop(average_drop: Candidate) -> Iterator[Case]:
    """Check ``average_drop(whole, masked)``."""
    for name, whole, masked, expected in (
        ("half of the confidence lost", [0.8], [0.4], 50.0),
        ("one lost all, one gained", [0.5, 0.5], [0.0, 1.0], 50.0),
        ("nothing lost", [0.2, 0.9], [0.3, 0.9], 0.0),
        ("two of unlike confidence", [0.9, 0.1], [0.6, 0.05], 100 * (1 / 3 + 1 / 2) / 2),
    ):
        given = torch.tensor(whole), torch.tensor(masked)
        yield Case(name, lambda given=given: _number(average_drop(*given)), expected)


@exercise
def check_occlusion_map(occlusion_map: Candidate) -> Iterator[Case]:
    """Check ``occlusion_map(model, image, label, side, fill)``."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double()
    with torch.no_grad():
        model[1].weight.copy_(_drawn(3, 64, seed=2))
    image = _drawn(1, 8, 8, seed=3)
    for name, label, side, fill in (
        ("patches of 8 x 8, all of the image", 0, 8, 0.0),
        ("patches of 4 x 4", 1, 4, 0.0),
        ("patches of 2 x 2 with another fill", 2, 2, 0.5),
    ):
        lost = (model[1].weight[label].detach().view(1, 1, 8, 8) * (image - fill)).double()
        expected = (F.avg_pool2d(lost, side) * side**2)[0, 0]
        given = model, image, label, side, fill
        yield Case(name, lambda given=given: occlusion_map(*given), expected)
