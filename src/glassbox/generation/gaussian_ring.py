"""A toy data set for GANs: eight small Gaussians on a ring, whose lost modes can be counted."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_all_finite,
    check_not_empty,
    check_range,
    check_shapes,
)

_MODES = 8
_RADIUS = 2.0
_STD = 0.1


def ring_centers() -> Tensor:
    """Return the centers ``(8, 2)``, counterclockwise from the right on a circle of radius 2."""
    angles = torch.arange(_MODES, dtype=torch.float32, device="cpu") * (2 * math.pi / _MODES)
    return _RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)


def draw_ring(count: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw points ``(count, 2)``, at least one, each from a random Gaussian of the ring."""
    (count,) = as_sizes(count=count)
    chosen = torch.randint(_MODES, (count,), generator=generator, device="cpu")
    noise = torch.randn(count, 2, generator=generator, dtype=torch.float32, device="cpu")
    return ring_centers()[chosen] + _STD * noise


class ModeCount(NamedTuple):
    """Which Gaussians points have found.

    Args:
        modes: Gaussians that have at least ``min_fraction`` of the points within three standard
            deviations, from 0 to 8.
        good: Fraction of the points that are so close to any Gaussian.
        counts: Points so close to each Gaussian.
    """

    modes: int
    good: float
    counts: tuple[int, ...]


def count_modes(points: Tensor, min_fraction: float = 0.02) -> ModeCount:
    """Count the Gaussians of the ring that points have found.

    Args:
        points: ``(N, 2)``, at least one, also an array or a list.
        min_fraction: How many of the points, from 0 to 1, have to lie near a Gaussian for it to
            count; an equal part is 1/8.

    Raises:
        ValueError: If ``points`` are not ``(N, 2)`` with N at least 1 or not finite, or
            ``min_fraction`` is not from 0 to 1.

    Reference:
        The count of Lin et al. (2017), "PacGAN: The power of two samples in generative adversarial
        networks", https://arxiv.org/abs/1712.04086, with a fraction in place of a single point.
    """
    points = as_tensor(points=points)
    check_shapes(points=(points, "N 2"))
    check_not_empty(points=points)
    check_all_finite(points=points)
    check_range(0, 1, min_fraction=min_fraction)
    points = points.cpu().to(torch.promote_types(points.dtype, torch.float32))
    near = torch.cdist(points, ring_centers().to(points)) < 3 * _STD
    counts = near.sum(0)
    found = counts >= max(1, float(min_fraction) * len(points))
    good = near.any(1).double().mean().item()
    return ModeCount(int(found.sum()), good, tuple(counts.tolist()))
