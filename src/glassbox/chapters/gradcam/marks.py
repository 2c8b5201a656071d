"""What a mark on some training images did to a network."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassbox.attribution.cam import GradCAM, heat_maps
from glassbox.attribution.watermark import mark_mask, mass_on, stamp
from glassbox.chapters.gradcam.arms import LAST
from glassbox.data.train_test import TrainTest
from glassbox.training.evaluation import predict


@dataclass(frozen=True)
class MarkReport:
    """What a mark did to a network; all fractions are from 0 to 1.

    Args:
        as_trained: Accuracy on test images of which class 0 carries the mark.
        unmarked: Accuracy on test images without any mark.
        first_unmarked: Fraction of class 0 recognized without the mark.
        fooled: Fraction of the other classes that the mark turns into class 0.
        fraction: Mean fraction of the maps for class 0, of marked images of it, on the mark.
        corner: The same for the quarter of the image around it.
        mean_map: The mean of these maps, each with the sum 1, ``(8, 8)``.
    """

    as_trained: float
    unmarked: float
    first_unmarked: float
    fooled: float
    fraction: float
    corner: float
    mean_map: Tensor


def report_mark(
    model: nn.Module, task: TrainTest, strength: float, *, times: int = 1
) -> MarkReport:
    """Measure a network on test images with and without the mark, and where its maps lie.

    A marked image carries the mark ``times`` times, each on top of the one before.
    """
    images, labels, size = task.test.images, task.test.labels, task.test.images.shape[-1]
    first, every = labels == 0, torch.ones(len(labels), dtype=torch.bool)
    for _ in range(times):
        images = stamp(images, every, strength)
    marked = task.normalize(images)
    plain, stamped = (predict(model, x).argmax(1) for x in (task.test_images, marked))
    with GradCAM(model, LAST) as cam:
        maps = cam(marked[first], 0)
    enlarged = heat_maps(maps, size)
    corner = torch.zeros(size, size, dtype=torch.bool)
    corner[size // 2 :, size // 2 :] = True
    mass = maps.sum((1, 2), keepdim=True)
    return MarkReport(
        as_trained=_fraction(torch.where(first, stamped, plain) == labels),
        unmarked=_fraction(plain == labels),
        first_unmarked=_fraction(plain[first] == 0),
        fooled=_fraction(stamped[~first] == 0),
        fraction=mass_on(enlarged, mark_mask(size)).mean().item(),
        corner=mass_on(enlarged, corner).mean().item(),
        mean_map=(maps / torch.where(mass > 0, mass, 1)).mean(0),
    )


def _fraction(found: Tensor) -> float:
    return found.float().mean().item()
