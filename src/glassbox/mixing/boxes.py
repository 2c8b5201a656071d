"""The boxes that CutMix pastes, and the random draws of mixtures."""

import math

import torch

from glassbox.support.arguments import (
    as_integers,
    check_at_least_one,
    check_finite,
    check_positive,
    check_range,
)

Box = tuple[int, int, int, int]  # top, bottom, left, right, the ends not included
NOTHING: Box = (0, 0, 0, 0)


def kept_area(box: Box, height: int, width: int) -> float:
    """Compute the fraction of an image, given in pixels, that a box inside it leaves uncovered."""
    check_at_least_one(height=height, width=width)
    top, bottom, left, right = as_integers(4, box=box)
    if not (0 <= top <= bottom <= height and 0 <= left <= right <= width):
        raise ValueError(f"box is {box}, expected one inside {height} x {width} pixels")
    return 1 - (bottom - top) * (right - left) / (height * width)


def box_around(fraction: float, center: tuple[int, int], height: int, width: int) -> Box:
    """Place a box of area ``1 - fraction`` around a pixel, clipped to the image.

    Args:
        fraction: What the box leaves where all of it lies inside, from 0 to 1.
        center: Row and column.
        height: Of the image in pixels.
        width: Of the image in pixels.

    Raises:
        ValueError: If a number is out of range.
    """
    check_range(0, 1, fraction=fraction)
    check_at_least_one(height=height, width=width)
    y, x = as_integers(2, center=center)
    if not (0 <= y < height and 0 <= x < width):
        raise ValueError(f"center is {center}, expected a pixel of {height} x {width}")
    side = math.sqrt(1 - fraction)
    return (*_span(y, int(height * side), height), *_span(x, int(width * side), width))


def _span(center: int, length: int, end: int) -> tuple[int, int]:
    return max(center - length // 2, 0), min(center + (length + 1) // 2, end)


def box_inside(
    sides: tuple[float, float], height: int, width: int, generator: torch.Generator | None
) -> Box:
    """Draw a box inside an image of so many pixels.

    ``sides`` are the smallest and the largest, as fractions of the image's.
    """
    low, high = sides
    down = int(height * low) + draw_below(int(height * high) - int(height * low), generator)
    across = int(width * low) + draw_below(int(width * high) - int(width * low), generator)
    top, left = draw_below(height - down + 1, generator), draw_below(width - across + 1, generator)
    return top, top + down, left, left + across


def draw_fraction(alpha: float, generator: torch.Generator | None = None) -> float:
    """Draw a fraction from the distribution Beta(alpha, alpha), with a finite alpha above 0.

    A ``ValueError`` names another alpha: there is nothing to draw from.
    """
    check_positive(alpha=alpha)
    check_finite(alpha=alpha)
    both = torch.tensor([float(alpha)] * 2, dtype=torch.float32, device="cpu")
    return torch._sample_dirichlet(both, generator)[0].item()


def draw_below(bound: int, generator: torch.Generator | None = None) -> int:
    """Draw an integer from 0 to ``bound - 1``; 0 also for bounds below 1."""
    return int(torch.randint(max(bound, 1), (1,), generator=generator, device="cpu"))
