"""Checks for the exercises of the chapter on convolutional networks."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from glassbox.chapters.checking import Case, exercise
from glassbox.networks.convolution import receptive_field


@exercise()
def check_output_size() -> Iterator[Case]:
    """Check ``output_size(size, kernel, stride, padding)`` against the layer itself."""
    shapes = [(32, 5, 1, 0), (28, 3, 1, 1), (28, 2, 2, 0), (227, 11, 4, 0), (7, 3, 2, 1)]
    for given in [*shapes, (8, 3, 2, 1)]:
        size, *settings = given
        output = nn.Conv2d(1, 1, *settings)(torch.zeros(1, 1, size, size))
        yield Case(f"output_size{given}", given, output.shape[-1])


@exercise()
def check_receptive_field() -> Iterator[Case]:
    """Check ``receptive_field(layers)``, where layers are pairs of kernel and stride."""
    for layers in [
        [(3, 1)],
        [(3, 1), (3, 1)],
        [(5, 1), (2, 2), (5, 1), (2, 2)],
        [(3, 1), (2, 2)] * 3,
        [(7, 2), (3, 2), (3, 1), (3, 1)],
    ]:
        yield Case(f"receptive_field({layers})", (layers,), receptive_field(layers).size)


@exercise()
def check_average_pool() -> Iterator[Case]:
    """Check ``average_pool(images, side)`` against ``torch.nn.functional.avg_pool2d``."""
    for channels, side, size in [(1, 2, 8), (3, 2, 8), (4, 3, 12), (2, 5, 17)]:
        images = torch.randn(2, channels, size, size)
        text = f"average_pool(images {tuple(images.shape)}, {side})"
        yield Case(text, (images, side), F.avg_pool2d(images, side))


@exercise()
def check_accuracy() -> Iterator[Case]:
    """Check ``accuracy(model, images, labels)``: its value, and that it leaves no trace."""
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12), nn.Dropout(0.9), nn.Linear(12, 3))
    images, labels = torch.randn(300, 3, 2, 2) + 1, torch.randint(3, (300,))
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(dim=1) == labels).float().mean().item()
    for training in (True, False):
        model.train(training)
        mode = f"{'train' if training else 'eval'} mode"
        statistics = model[1].running_mean.clone()
        yield Case(
            f"accuracy of a model in {mode}",
            lambda candidate: float(candidate(model, images, labels)),
            right,
        )
        yield Case(
            f"running_mean after accuracy in {mode}", lambda _: model[1].running_mean, statistics
        )
        yield Case(f"model.training after accuracy in {mode}", lambda _: model.training, training)


@exercise(read=float)
def check_calibration_error() -> Iterator[Case]:
    """Check ``calibration_error(confidences, right, bins)`` on cases worked out by hand."""
    for text, confidences, right, bins, expected in (
        ("two answers at 0.95, one of them right", [0.95] * 2, [1, 0], 10, 0.45),
        ("confidences that are exactly right", [0.5] * 2, [1, 0], 10, 0.0),
        (
            "two bins, one too sure by 0.3 and one too timid by 0.4",
            [0.8] * 4 + [0.35] * 4,
            [1, 1, 0, 0, 1, 1, 1, 0],
            4,
            0.35,
        ),
    ):
        given = torch.tensor(confidences), torch.tensor(right, dtype=torch.bool), bins
        yield Case(f"calibration_error of {text}", given, expected)
