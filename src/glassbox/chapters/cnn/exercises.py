"""Exercises of the chapter on convolutional networks."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Answer, Case, Exercise
from glassbox.chapters.traces import Operations
from glassbox.networks.convolution import receptive_field
from glassbox.training.calibration import calibration_error


def _layer_side(size: int, kernel: int, stride: int, padding: int) -> int:
    layer = nn.Conv2d(1, 1, kernel, stride, padding)
    return layer(torch.zeros(1, 1, size, size)).shape[-1]


check_output_size = Exercise(
    "output_size",
    reference=_layer_side,
    cases=[
        *((32, 5, 1, 0), (28, 3, 1, 1), (28, 2, 2, 0)),
        *((227, 11, 4, 0), (7, 3, 2, 1), (8, 3, 2, 1)),
    ],
    drawn=lambda: (*map(random.randint, (20, 1, 1, 0), (60, 6, 4, 3)),),
    mistakes={
        "This ignores padding and stride: the window moves over size + 2 * padding numbers, "
        "stride at a time.": lambda size, kernel, stride, padding: size - kernel + 1,
        "This counts the padding once: it is added at both ends.": (
            lambda size, kernel, stride, padding: (size + padding - kernel) // stride + 1
        ),
        "This ignores the padding: it is added at both ends.": (
            lambda size, kernel, stride, padding: (size - kernel) // stride + 1
        ),
        "This counts the moves: the first position of the window counts as well.": (
            lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride
        ),
        "The window makes whole moves only: divide with // in place of /.": (
            lambda size, kernel, stride, padding: (size + 2 * padding - kernel) / stride + 1
        ),
        "The window does not move beyond the end: round down, with //.": (
            lambda size, kernel, stride, padding: -((kernel - size - 2 * padding) // stride) + 1
        ),
    },
)


def _needed(layers: Iterable[tuple[int, int]], less: int = 1) -> int:
    needed = 1
    for kernel, stride in layers:
        needed = (needed - less) * stride + kernel
    return needed


check_receptive_field = Exercise(
    "receptive_field",
    reference=lambda layers: receptive_field(layers).size,
    cases=[
        ([(3, 1)],),
        ([(3, 1), (3, 1)],),
        ([(5, 1), (2, 2), (5, 1), (2, 2)],),
        ([(3, 1), (2, 2)] * 3,),
        ([(7, 2), (3, 2), (3, 1), (3, 1)],),
    ],
    drawn=lambda: (
        [(random.randint(1, 7), random.randint(1, 3)) for _ in range(random.randint(2, 6))],
    ),
    mistakes={
        "This adds up the kernels: neighboring windows overlap, so a layer adds kernel - 1.": (
            lambda layers: sum(kernel for kernel, _ in layers)
        ),
        "This ignores the strides: behind a stride of 2, a step is 2 inputs long.": (
            lambda layers: 1 + sum(kernel - 1 for kernel, _ in layers)
        ),
        "This begins with the first layer: go backwards, with reversed(layers).": _needed,
        "n units need (n - 1) * stride + kernel units of the layer before: look at the - 1.": (
            lambda layers: _needed(reversed(layers), less=0)
        ),
    },
)


def _pooled(answer: Answer, images: Tensor, side: int) -> dict[str, Any]:
    with Operations() as operations:
        result = answer(images, side)
    return {"": result, "the number of convolutions": operations.names.count("convolution")}


def _convolved(images: Tensor, side: int, value: float, stride: int) -> Tensor:
    channels = images.shape[1]
    kernel = torch.full((channels, 1, side, side), value)
    return F.conv2d(images, kernel, stride=stride, groups=channels)


check_average_pool = Exercise(
    "average_pool",
    reference=lambda images, side: _convolved(images, side, 1 / side**2, side),
    observe=_pooled,
    cases=lambda: [
        (torch.randn(2, channels, size, size), side)
        for channels, side, size in [(1, 2, 8), (3, 2, 8), (4, 3, 12), (2, 5, 17)]
    ],
    drawn=lambda: (torch.randn(3, random.randint(2, 5), 12, 12), random.randint(2, 6)),
    mistakes={
        "The values are right, but the exercise asks for a single call of F.conv2d: "
        "find the kernel that computes a mean.": F.avg_pool2d,
        "This takes one pixel of each square: a mean needs all of them.": (
            lambda images, side: images[..., ::side, ::side]
        ),
        "This is the sum over each square: a kernel for a mean has entries of 1 / side**2.": (
            lambda images, side: _convolved(images, side, 1.0, side)
        ),
        "A square has side**2 pixels: look at the entries of the kernel.": (
            lambda images, side: _convolved(images, side, 1 / side, side)
        ),
        "The windows overlap: give F.conv2d a stride of side.": (
            lambda images, side: _convolved(images, side, 1 / side**2, 1)
        ),
        "Each output adds up all channels: groups=channels keeps them apart.": (
            lambda images, side: F.conv2d(
                images, torch.full((images.shape[1],) * 2 + (side, side), 1 / side**2), stride=side
            )
        ),
    },
)


class _Witness(nn.Module):
    """A layer that changes nothing and notes whether a graph was recorded behind it."""

    recorded = False

    def forward(self, x: Tensor) -> Tensor:
        self.recorded = torch.is_grad_enabled()
        return x


def _accuracy(model: nn.Module, images: Tensor, labels: Tensor, *, dim: int = 1) -> Tensor:
    before = model.training
    model.eval()
    try:
        with torch.no_grad():
            return (model(images).argmax(dim) == labels).float().mean()
    finally:
        model.train(before)


def _accuracy_as_it_is(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    return (model(images).argmax(dim=1) == labels).float().mean().item()


def _accuracy_with_a_graph(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    before = model.training
    right = _accuracy_as_it_is(model.eval(), images, labels)
    model.train(before)
    return right


def _then_train(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    right = _accuracy(model, images, labels)
    model.train()
    return right


def _look_at_accuracy(
    answer: Answer, model: nn.Sequential, images: Tensor, labels: Tensor
) -> dict[str, Any]:
    result = answer(model, images, labels)
    return {"": result, "whether a graph was recorded": model[0].recorded}


def _measured(training: bool) -> tuple[nn.Module, Tensor, Tensor]:
    layers = _Witness(), nn.Flatten(), nn.BatchNorm1d(12), nn.Dropout(0.9), nn.Linear(12, 3)
    model = nn.Sequential(*layers).train(training)
    model[0].recorded = False
    return model, torch.randn(300, 3, 2, 2) + 1, torch.randint(3, (300,))


check_accuracy = Exercise(
    "accuracy",
    reference=_accuracy,
    observe=_look_at_accuracy,
    cases=lambda: [
        Case(f"accuracy of a model in {mode} mode", _measured(mode == "train"))
        for mode in ("train", "eval")
    ],
    drawn=lambda: _measured(random.random() < 0.5),
    mistakes={
        "The model works in the mode it comes in, where dropout drops: call model.eval() first, "
        "and restore the mode.": _accuracy_as_it_is,
        "A forward pass records a graph unless told otherwise: put it under "
        "torch.no_grad().": _accuracy_with_a_graph,
        "The largest logit of an image is wanted: argmax over dim=1, the classes.": (
            lambda model, images, labels: _accuracy(model, images, labels, dim=0)
        ),
        "It may have come in eval mode: remember model.training, and restore that.": _then_train,
    },
)


def _gaps(confidences: Tensor, right: Tensor, bins: int) -> Tensor:
    """Return the gap between mean confidence and accuracy of each bin that is not empty."""
    index = (confidences * bins).long().clamp(max=bins - 1)
    sums = torch.zeros(bins).index_add(0, index, right.float() - confidences)
    sizes = index.bincount(minlength=bins)
    return (sums / sizes)[sizes > 0].abs()


def _without_clamp(confidences: Tensor, right: Tensor, bins: int) -> Tensor:
    index = (confidences * bins).long()
    sums = torch.zeros(bins).index_add(0, index, right.float() - confidences)
    return sums.abs().sum() / len(index)


def _worked_out() -> Iterator[Case]:
    for text, confidences, right, bins in (
        ("two answers at 0.95 with one of them right", [0.95] * 2, [1, 0], 10),
        ("confidences that are exactly right", [0.5] * 2, [1, 0], 10),
        ("two bins too sure by 0.3 and too timid by 0.4",
         [0.8] * 4 + [0.35] * 4, [1, 1, 0, 0, 1, 1, 1, 0], 4),
        ("answers that are certain", [1.0, 1.0, 0.3], [1, 0, 0], 5),
    ):  # fmt: skip
        given = torch.tensor(confidences), torch.tensor(right, dtype=torch.bool), bins
        yield Case(f"calibration_error of {text}", given)


check_calibration_error = Exercise(
    "calibration_error",
    reference=calibration_error,
    cases=_worked_out,
    drawn=lambda: (torch.rand(60), torch.rand(60) < 0.6, random.randint(4, 12)),
    mistakes={
        "A confidence of exactly 1 falls behind the last bin: clamp the index to "
        "bins - 1.": _without_clamp,
        "Gaps of opposite signs cancel, as if all answers were in one bin: take the absolute value "
        "in each bin, before the sum.": (
            lambda confidences, right, bins: (confidences.mean() - right.float().mean()).abs()
        ),
        "Every bin counts the same here: weigh its gap by the number of its answers.": (
            lambda *given: _gaps(*given).mean()
        ),
        "This is the largest gap: the mean of all is wanted, weighted by the answers.": (
            lambda *given: _gaps(*given).amax()
        ),
    },
)
