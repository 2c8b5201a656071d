"""Mixup and CutMix as in torchvision: one fraction, or one box, for a whole batch.

A number out of range raises a ``ValueError``.
"""

import math

import torch
from torch import Tensor

from glassbox.mixing.boxes import NOTHING, Box, draw_below, draw_fraction, kept_area
from glassbox.mixing.core import Mix, apply_mix, check_images
from glassbox.support.arguments import as_sizes, check_finite, check_positive


class Mixup:
    r"""Blend each image of a batch with the one before it, all by the same fraction.

    :math:`\tilde x = \lambda x_i + (1 - \lambda) x_j`, and the same for the labels, with
    :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)`. From equal random states it draws what
    torchvision's ``v2.MixUp`` draws.

    Args:
        alpha: Above 0; below 1 most fractions are near 0 or 1.
        num_classes: Length of a soft label.

    Reference:
        Zhang et al. (2018), "mixup: Beyond Empirical Risk Minimization",
        https://arxiv.org/abs/1710.09412.
    """

    def __init__(self, alpha: float = 1.0, *, num_classes: int) -> None:
        self.alpha, self.num_classes = _settings(alpha, num_classes)

    def __call__(
        self, images: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mix images ``(B, C, H, W)`` with labels ``(B,)``; gives them and soft labels."""
        check_images(images)
        fraction = draw_fraction(self.alpha, generator)
        mix = _same_for_all(len(images), fraction)
        return apply_mix(images, labels, mix, self.num_classes)


class CutMix:
    r"""Paste a box of the image before into each image of a batch, the same box for all.

    The box has the area :math:`1 - \lambda` with :math:`\lambda \sim \mathrm{Beta}(\alpha,
    \alpha)`, as far as it lies inside; the labels go by the area that was really kept. From equal
    random states it draws what torchvision's ``v2.CutMix`` draws.

    Args:
        alpha: Above 0.
        num_classes: Length of a soft label.

    Reference:
        Yun et al. (2019), "CutMix", https://arxiv.org/abs/1905.04899.
    """

    def __init__(self, alpha: float = 1.0, *, num_classes: int) -> None:
        self.alpha, self.num_classes = _settings(alpha, num_classes)

    def __call__(
        self, images: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mix images ``(B, C, H, W)`` with labels ``(B,)``; gives them and soft labels."""
        check_images(images)
        height, width = images.shape[-2:]
        half = 0.5 * math.sqrt(1 - draw_fraction(self.alpha, generator))
        x = draw_below(width, generator)
        y = draw_below(height, generator)
        across, down = int(half * width), int(half * height)
        box = (max(y - down, 0), min(y + down, height), max(x - across, 0), min(x + across, width))
        mix = _same_for_all(len(images), kept_area(box, height, width), box)
        return apply_mix(images, labels, mix, self.num_classes)


def _settings(alpha: float, num_classes: int) -> tuple[float, int]:
    check_positive(alpha=alpha)
    check_finite(alpha=alpha)
    return alpha, *as_sizes(num_classes=num_classes)


def _same_for_all(count: int, fraction: float, box: Box | None = None) -> Mix:
    """Mix each image with the one before it, blended unless there is a box."""
    with torch.device("cpu"):  # where it is drawn, also where another device is the default
        boxes = torch.tensor([box or NOTHING]).expand(count, 4)
        blended = torch.full((count,), box is None)
        return Mix(torch.arange(count).roll(1), torch.full((count,), fraction), boxes, blended)
