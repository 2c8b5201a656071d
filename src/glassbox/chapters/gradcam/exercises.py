"""Exercises of the chapter on Grad-CAM."""

import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Case, Exercise


def _maps(activations: Tensor, weights: Tensor) -> Tensor:
    return torch.einsum("bc,bchw->bhw", weights, activations)


def _drawn_maps(*shape: int) -> tuple[Tensor, Tensor]:
    return torch.randn(shape), torch.randn(shape)


check_weighted_maps = Exercise(
    "weighted_maps",
    reference=lambda activations, gradients: _maps(activations, gradients.mean((2, 3))).relu(),
    cases=lambda: [
        Case(f"weighted_maps of {text}", given)
        for text, given in {
            "one image with two channels of ones": (torch.ones(1, 2, 2, 2), torch.ones(1, 2, 2, 2)),
            "one image with gradients of -1": (torch.ones(1, 2, 2, 2), -torch.ones(1, 2, 2, 2)),
            "3 images with 5 channels of 4 x 6": _drawn_maps(3, 5, 4, 6),
        }.items()
    ],
    drawn=lambda: _drawn_maps(*(random.randint(2, 6) for _ in range(4))),
    mistakes={
        "Each place has a weight of its own: take the mean of the gradients over both dimensions "
        "of the map, with keepdim=True.": (
            lambda activations, gradients: (activations * gradients).sum(1).relu()
        ),
        "Maps below 0 are left: a ReLU follows the sum.": (
            lambda activations, gradients: _maps(activations, gradients.mean((2, 3)))
        ),
        "The ReLU comes too early: first add the channels up.": (
            lambda activations, gradients: (
                (gradients.mean((2, 3), keepdim=True) * activations).relu().sum(1)
            )
        ),
        "The weights are sums of the gradients: take their mean.": (
            lambda activations, gradients: _maps(activations, gradients.sum((2, 3))).relu()
        ),
        "The weights are the largest gradients: take their mean.": (
            lambda activations, gradients: _maps(activations, gradients.amax((2, 3))).relu()
        ),
        "The channels are averaged: add them up.": (
            lambda activations, gradients: (
                _maps(activations, gradients.mean((2, 3))).relu() / activations.shape[1]
            )
        ),
    },
)


def _slope(probabilities: Tensor, label: int) -> Tensor:
    """Let autograd do it, with the logarithms of the probabilities as logits."""
    logits = probabilities.log().requires_grad_()
    return torch.autograd.grad(logits.softmax(0)[label], logits)[0]


def _one_hot(probabilities: Tensor, label: int) -> Tensor:
    return torch.eye(len(probabilities), dtype=probabilities.dtype)[label]


check_probability_slope = Exercise(
    "probability_slope",
    reference=_slope,
    cases=lambda: [
        Case(f"probability_slope of {text} and label {label}", (logits.softmax(0), label))
        for text, logits, label in (
            ("three equal classes", torch.zeros(3), 0),
            ("five classes", torch.randn(5), 2),
            ("a certain network", torch.tensor([-20.0, 20.0]), 1),
        )
    ],
    drawn=lambda: (torch.randn(7).softmax(0), random.randrange(7)),
    mistakes={
        "The 1 at the label is missing: the bracket is one_hot - probabilities.": (
            lambda probabilities, label: -probabilities[label] * probabilities
        ),
        "This is the slope of each probability by its own logit: the others change too.": (
            lambda probabilities, label: probabilities * (1 - probabilities)
        ),
        "This is the slope of the logarithm of the probability: multiply it by the probability.": (
            lambda probabilities, label: _one_hot(probabilities, label) - probabilities
        ),
        "This is the slope of cross-entropy: that of the probability has the other sign, and the "
        "probability as a factor.": (
            lambda probabilities, label: probabilities - _one_hot(probabilities, label)
        ),
        "The factor in front is the probability of the label for all logits.": (
            lambda probabilities, label: (
                probabilities * (_one_hot(probabilities, label) - probabilities)
            )
        ),
    },
)

check_logit_from_map = Exercise(
    "logit_from_map",
    reference=lambda class_map, bias: F.adaptive_avg_pool2d(class_map[None], 1).item() + bias,
    cases=lambda: [
        Case(f"logit_from_map of {size} x {size}", (torch.randn(size, size), bias))
        for size, bias in ((1, 0.5), (8, -1.25))
    ],
    drawn=lambda: (torch.randn(random.randint(2, 9), 5), random.uniform(-2, 2)),
    mistakes={
        "The bias is missing: the layer adds it to the sum over channels.": (
            lambda class_map, bias: class_map.mean()
        ),
        "The head sees the mean over all places: take the mean in place of the sum.": (
            lambda class_map, bias: class_map.sum() + bias
        ),
        "The bias belongs to the logit once: subtracting it is the way from the logit to the "
        "map.": lambda class_map, bias: class_map.mean() - bias,
        "This is max pooling: the head of the network has the mean.": (
            lambda class_map, bias: class_map.max() + bias
        ),
    },
)

check_average_drop = Exercise(
    "average_drop",
    reference=lambda whole, masked: (
        100 * sum(max(0.0, (y - o) / y) for y, o in zip(whole, masked, strict=True)) / len(whole)
    ),
    cases=lambda: [
        Case(f"average_drop with {text}", (torch.tensor(whole), torch.tensor(masked)))
        for text, whole, masked in (
            ("half of the confidence lost", [0.8], [0.4]),
            ("one that lost all and one that gained", [0.5, 0.5], [0.0, 1.0]),
            ("nothing lost", [0.2, 0.9], [0.3, 0.9]),
            ("two of unlike confidence", [0.9, 0.1], [0.6, 0.05]),
        )
    ],
    drawn=lambda: (torch.rand(8) + 0.1, torch.rand(8)),
    mistakes={
        "This is the drop itself: divide it by the probability of the whole image.": (
            lambda whole, masked: 100 * (whole - masked).clamp(min=0).mean()
        ),
        "A gain cancels a drop: clamp it to 0 before the mean.": (
            lambda whole, masked: 100 * ((whole - masked) / whole).mean()
        ),
        "This is a fraction: multiply by 100.": (
            lambda whole, masked: ((whole - masked).clamp(min=0) / whole).mean()
        ),
        "This divides the mean drop by the mean probability: divide for each image.": (
            lambda whole, masked: 100 * (whole - masked).clamp(min=0).mean() / whole.mean()
        ),
        "Only images that lose count in this mean: a gain counts as a drop of 0.": (
            lambda whole, masked: (
                100 * ((whole - masked) / whole)[masked < whole].mean().nan_to_num()
            )
        ),
    },
)


@torch.no_grad()
def _occlusions(
    model: nn.Module, image: Tensor, label: int, side: int, fill: float, restore: bool = True
) -> Tensor:
    """Cover one patch of a clone after another, or all of one clone."""
    cells = image.shape[-1] // side
    drops = torch.empty(cells, cells, dtype=image.dtype)
    covered = image.clone()
    for i in range(cells**2):
        row, column = divmod(i, cells)
        covered = image.clone() if restore else covered
        covered[:, row * side : (row + 1) * side, column * side : (column + 1) * side] = fill
        drops[row, column] = (model(image[None]) - model(covered[None]))[0, label]
    return drops


def _classifier(*given: float) -> tuple[nn.Module, Tensor, float]:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double().eval()
    nn.init.normal_(model[1].weight)
    return model, torch.randn(1, 8, 8, dtype=torch.float64), *given


check_occlusion_map = Exercise(
    "occlusion_map",
    reference=_occlusions,
    cases=lambda: [
        Case(f"occlusion_map with patches of {text}", _classifier(*given))
        for text, given in {
            "8 x 8 as large as the image": (0, 8, 0.0),
            "4 x 4": (1, 4, 0.0),
            "2 x 2 and another fill": (2, 2, 0.5),
        }.items()
    ],
    drawn=lambda: _classifier(random.randrange(3), random.choice([1, 2, 4]), random.random()),
    mistakes={
        "The sign is reversed: a map is large where covering hurts, so subtract from the logit of "
        "the whole image.": lambda *given: -_occlusions(*given),
        "The patches before stay covered: clone the image anew for each patch.": (
            lambda *given: _occlusions(*given, restore=False)
        ),
        "The patches are covered with 0: use fill.": (
            lambda model, image, label, side, fill: _occlusions(model, image, label, side, 0.0)
        ),
        "This is the map of class 0: use the logit of label.": (
            lambda model, image, label, side, fill: _occlusions(model, image, 0, side, fill)
        ),
        "Rows and columns are exchanged: the first index of a patch counts down the image.": (
            lambda *given: _occlusions(*given).T
        ),
        "This is the drop of the probability: leave out the softmax.": (
            lambda model, *given: _occlusions(nn.Sequential(model, nn.Softmax(1)), *given)
        ),
    },
)
