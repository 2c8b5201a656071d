"""The boxes that CutMix pastes, and the random numbers that mixtures are made of."""

import math

import torch

Box = tuple[int, int, int, int]  # top, bottom, left, right, the ends not included
NOTHING: Box = (0, 0, 0, 0)


def kept_area(box: Box, height: int, width: int) -> float:
    """Compute the fraction of an image that a box leaves.

    Args:
        box: Top, bottom, left, right.
        height: Of the image in pixels.
        width: Of the image in pixels.

    Returns:
        From 0 to 1.
    """
    top, bottom, left, right = box
    return 1 - (bottom - top) * (right - left) / (height * width)


def box_around(fraction: float, center: tuple[int, int], height: int, width: int) -> Box:
    """Put a box of area 1 - share around a pixel, cut off where the image ends.

    Args:
        fraction: What the box leaves where all of it lies inside, from 0 to 1.
        center: Row and column.
        height: Of the image in pixels.
        width: Of the image in pixels.

    Returns:
        Top, bottom, left, right.
    """
    side, (y, x) = math.sqrt(1 - fraction), center
    return (*_span(y, int(height * side), height), *_span(x, int(width * side), width))


def _span(center: int, length: int, end: int) -> tuple[int, int]:
    return max(center - length // 2, 0), min(center + (length + 1) // 2, end)


def box_inside(
    sides: tuple[float, float], height: int, width: int, generator: torch.Generator | None
) -> Box:
    """Draw a box that lies inside an image.

    Args:
        sides: Smallest and largest side, as fractions of the image's side.
        height: Of the image in pixels.
        width: Of the image in pixels.
        generator: Where the randomness comes from; the global state unless given.

    Returns:
        Top, bottom, left, right.
    """
    low, high = sides
    down = int(height * low) + draw_below(int(height * high) - int(height * low), generator)
    across = int(width * low) + draw_below(int(width * high) - int(width * low), generator)
    top, left = draw_below(height - down + 1, generator), draw_below(width - across + 1, generator)
    return top, top + down, left, left + across


def draw_fraction(alpha: float, generator: torch.Generator | None = None) -> float:
    """Draw a share from the distribution Beta(alpha, alpha).

    Args:
        alpha: Above 0.
        generator: Where the randomness comes from; the global state unless given.

    Returns:
        From 0 to 1.
    """
    return torch._sample_dirichlet(torch.tensor([alpha, alpha]).float(), generator)[0].item()


def draw_below(bound: int, generator: torch.Generator | None = None) -> int:
    """Draw an integer from 0 to ``bound`` - 1; 0 also for bounds below 1.

    Args:
        bound: Ends the range.
        generator: Where the randomness comes from; the global state unless given.

    Returns:
        The integer.
    """
    return int(torch.randint(max(bound, 1), (1,), generator=generator))
