"""Checks for the exercises of the chapter on convolutional networks."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from glassbox.chapters.checking import Candidate, Case, exercise
from glassbox.networks import convolution


@exercise
def check_output_size(candidate: Candidate) -> Iterator[Case]:
    """Check ``output_size(size, kernel, stride, padding)`` against the layer itself."""
    for size, kernel, stride, padding in [
        (32, 5, 1, 0),
        (28, 3, 1, 1),
        (28, 2, 2, 0),
        (227, 11, 4, 0),
        (7, 3, 2, 1),
        (8, 3, 2, 1),
    ]:
        layer = nn.Conv2d(1, 1, kernel, stride, padding)
        yield Case(
            f"output_size({size}, {kernel}, {stride}, {padding})",
            lambda arguments=(size, kernel, stride, padding): candidate(*arguments),
            layer(torch.zeros(1, 1, size, size)).shape[-1],
        )


@exercise
def check_receptive_field(candidate: Candidate) -> Iterator[Case]:
    """Check ``receptive_field(layers)``, where layers are pairs of kernel and stride."""
    for layers in [
        [(3, 1)],
        [(3, 1), (3, 1)],
        [(5, 1), (2, 2), (5, 1), (2, 2)],
        [(3, 1), (2, 2)] * 3,
        [(7, 2), (3, 2), (3, 1), (3, 1)],
    ]:
        yield Case(
            f"receptive_field({layers})",
            lambda layers=layers: candidate(layers),
            convolution.receptive_field(layers).size,
        )


@exercise
def check_average_pool(candidate: Candidate) -> Iterator[Case]:
    """Check ``average_pool(images, side)`` against ``torch.nn.functional.avg_pool2d``."""
    generator = torch.Generator().manual_seed(0)
    for channels, side, size in [(1, 2, 8), (3, 2, 8), (4, 3, 12), (2, 5, 17)]:
        images = torch.randn(2, channels, size, size, generator=generator)
        yield Case(
            f"average_pool(images {tuple(images.shape)}, {side})",
            lambda images=images, side=side: candidate(images, side),
            F.avg_pool2d(images, side),
        )


@exercise
def check_accuracy(candidate: Candidate) -> Iterator[Case]:
    """Check ``accuracy(model, images, labels)``: its value, and that it leaves no trace."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(12), nn.Dropout(0.9), nn.Linear(12, 3))
        images, labels = torch.randn(300, 3, 2, 2) + 1, torch.randint(3, (300,))
    model.eval()
    with torch.no_grad():
        right = (model(images).argmax(dim=1) == labels).float().mean().item()
    for training in (True, False):
        model.train(training)
        mode = "train" if training else "eval"
        statistics = model[1].running_mean.clone()
        yield Case(
            f"accuracy of a model in {mode} mode",
            lambda: float(candidate(model, images, labels)),
            right,
        )
        yield Case(
            f"running_mean after accuracy in {mode} mode",
            lambda: model[1].running_mean,
            statistics,
        )
        yield Case(
            f"model.training after accuracy in {mode} mode", lambda: model.training, training
        )


@exercise
def check_calibration_error(candidate: Candidate) -> Iterator[Case]:
    """Check ``calibration_error(confidences, right, bins)`` on cases worked out by hand."""
    half = torch.tensor([True, False])
    yield Case(
        "calibration_error of two answers at 0.95, one of them right",
        lambda: float(candidate(torch.tensor([0.95, 0.95]), half, 10)),
        0.45,
    )
    yield Case(
        "calibration_error of confidences that are exactly right",
        lambda: float(candidate(torch.tensor([0.5, 0.5]), half, 10)),
        0.0,
    )
    yield Case(
        "calibration_error of two bins, one too sure by 0.3 and one too timid by 0.4",
        lambda: float(
            candidate(
                torch.tensor([0.8, 0.8, 0.8, 0.8, 0.35, 0.35, 0.35, 0.35]),
                torch.tensor([True, True, False, False, True, True, True, False]),
                4,
            )
        ),
        0.35,
    )
