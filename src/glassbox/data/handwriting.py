"""Digits as people draw them with a finger or a mouse: strokes, and the ink that a pen leaves.

A stroke is a row of points. A page draws them with the same arithmetic.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from glassbox.support.arguments import as_sizes, check_all_finite, reject_tensor

# Ways to write each digit: strokes of points "x y", x to the right and y down, the digit's height
# from 0 to 100. A curve goes through the points; a point that is written twice is a corner.
WAYS: dict[int, tuple[str, ...]] = {
    0: (
        "50 1, 30 12, 21 42, 26 78, 48 99, 72 84, 79 50, 70 14, 50 1, 44 4",
        "58 0, 34 8, 14 45, 28 90, 55 99, 82 75, 88 35, 70 5, 52 3",
        "46 2, 34 30, 33 65, 45 97, 60 88, 66 50, 62 16, 46 2",
    ),
    1: (
        "50 0, 50 100",
        "32 22, 54 0, 54 0, 53 100",
        "34 24, 52 0, 52 0, 52 100, 52 100; 30 100, 74 100",
        "60 0, 42 100",
        "26 36, 58 0, 58 0, 54 100",
    ),
    2: (
        "22 24, 34 4, 58 1, 74 20, 64 48, 40 74, 20 98, 20 98, 82 98",
        "20 20, 42 1, 70 10, 72 36, 46 66, 22 90, 16 98, 34 90, 56 96, 84 94",
        "24 22, 46 2, 70 16, 66 44, 40 80, 24 94, 20 84, 36 80, 60 96, 84 92",
        "20 12, 50 0, 74 18, 60 50, 22 100, 22 100, 78 100",
        "18 30, 40 6, 66 14, 62 46, 36 84, 18 92, 14 78, 30 74, 56 96, 88 88",
        "30 12, 56 0, 72 18, 56 54, 26 94, 12 88, 22 72, 44 80, 64 98, 92 84",
    ),
    3: (
        "24 14, 48 1, 72 16, 62 40, 42 48, 42 48, 68 56, 76 78, 54 98, 22 88",
        "24 2, 74 2, 74 2, 46 38, 46 38, 72 52, 74 80, 48 99, 20 86",
        "28 8, 56 0, 70 22, 48 46, 40 48, 58 48, 74 70, 58 98, 26 92",
    ),
    4: (
        "62 0, 18 66, 18 66, 84 66; 62 0, 62 100",
        "28 2, 24 52, 24 52, 78 54; 68 4, 64 100",
        "34 4, 20 40, 28 52, 76 48; 72 2, 60 100",
        "66 2, 20 62, 20 62, 80 60; 66 30, 60 100",
        "64 4, 26 48, 24 60, 76 58, 76 58; 64 4, 64 4, 58 98",
    ),
    5: (
        "74 2, 32 2, 32 2, 28 44, 28 44, 54 36, 76 58, 66 90, 42 99, 20 88",
        "34 4, 30 42, 30 42, 58 40, 74 64, 56 96, 22 94; 34 4, 76 2",
        "76 4, 38 4, 38 4, 26 46, 26 46, 52 40, 72 60, 60 92, 20 96",
    ),
    6: (
        "62 0, 38 26, 24 62, 34 94, 58 98, 74 76, 60 56, 36 62, 26 78",
        "70 4, 44 12, 26 48, 28 84, 50 99, 72 84, 68 60, 46 54, 28 72",
        "48 0, 34 40, 28 74, 44 98, 66 88, 66 66, 46 60, 30 76",
        "56 0, 26 60, 30 92, 56 98, 70 78, 54 60, 28 74",
        "64 0, 40 30, 28 70, 36 98, 54 96, 60 80, 46 74, 32 84",
        "80 4, 46 32, 22 74, 34 99, 58 90, 62 72, 44 66, 28 80",
    ),
    7: (
        "20 4, 78 4, 78 4, 44 100",
        "22 6, 76 2, 76 2, 58 40, 46 100",
        "22 4, 78 4, 78 4, 46 100; 36 50, 74 50",
        "20 14, 22 2, 22 2, 80 2, 80 2, 50 60, 42 100",
        "24 8, 52 4, 76 8, 62 44, 50 98; 40 48, 78 44",
    ),
    8: (
        "66 12, 46 0, 28 18, 42 42, 68 62, 72 86, 48 100, 26 84, 34 60, 60 40, 70 18, 56 2",
        "50 0, 30 14, 34 38, 50 47, 68 34, 66 10, 50 0; "
        "50 47, 26 66, 32 94, 54 100, 74 84, 70 58, 50 47",
        "72 10, 50 2, 32 20, 50 46, 68 70, 54 98, 32 86, 38 62, 62 42, 74 20",
    ),
    9: (
        "72 14, 48 0, 26 20, 34 46, 60 46, 74 18, 74 18, 70 60, 60 100",
        "70 20, 52 0, 28 14, 30 44, 54 50, 70 26, 70 8, 70 8, 70 100",
        "68 10, 44 2, 28 26, 46 48, 70 28, 70 12, 74 60, 56 96, 28 92",
        "72 24, 54 2, 28 16, 32 46, 58 46, 74 22, 66 64, 44 100",
        "66 6, 40 4, 30 24, 44 36, 64 24, 66 8, 66 8, 58 52, 50 100",
        "76 8, 50 0, 30 22, 40 42, 64 34, 76 10, 60 60, 40 98",
    ),
}  # fmt: skip


def read_strokes(way: str) -> list[Tensor]:
    """Parse a digit of :data:`WAYS` into strokes: x and y, ``(points, 2)`` each.

    Raises:
        TypeError: If ``way`` is no text.
        ValueError: If ``way`` is written otherwise.
    """
    if not isinstance(way, str):
        raise TypeError(f"way is {way!r}, expected a text such as '50 1, 30 12; 44 4'")
    points = [[point.split() for point in stroke.split(",")] for stroke in way.split(";")]
    try:
        strokes = [
            torch.tensor([[float(x), float(y)] for x, y in stroke], device="cpu")
            for stroke in points
        ]
    except ValueError as error:
        raise ValueError(f"way is {way!r}, expected 'x y, x y; x y' or the like") from error
    for stroke in strokes:
        check_all_finite(way=stroke)
    return strokes


def smooth(points: Tensor, pieces: int = 6) -> Tensor:
    """Lay a curve of straight ``pieces`` through points ``(..., n, 2)``, n at least 2.

    It is a Catmull-Rom spline, whose slopes follow the neighbors. Two equal points in a row make a
    corner. Gives ``(..., (n - 1) * pieces + 1, 2)``.
    """
    (pieces,) = as_sizes(pieces=pieces)
    if points.ndim < 2 or points.shape[-2] < 2 or points.shape[-1] != 2:
        reject_tensor("points", points, "(..., n, 2) with n of at least 2")
    before = torch.cat([points[..., :1, :], points[..., :-1, :]], -2)[..., :-1, :, None]
    after = torch.cat([points[..., 2:, :], points[..., -1:, :]], -2)[..., :, :, None]
    start, end = points[..., :-1, :, None], points[..., 1:, :, None]
    corner = (start == end).all(-2, keepdim=True)
    before, after = torch.where(corner, start, before), torch.where(corner, start, after)
    t = torch.arange(pieces, device=points.device) / pieces
    linear = end - before
    quadratic = 2 * before - 5 * start + 4 * end - after
    cubic = 3 * start - before - 3 * end + after
    curve = start + t / 2 * (linear + t * (quadratic + t * cubic))  # (..., n - 1, 2, pieces)
    curve = curve.transpose(-1, -2).flatten(-3, -2)  # (..., (n - 1) * pieces, 2)
    return torch.cat([curve, points[..., -1:, :]], -2)


def ink(strokes: Sequence[Tensor], side: int, pen: float | Tensor) -> Tensor:
    """Draw strokes with a round pen, as ``(..., side, side)`` from 0 to 1.

    A stroke is ``(..., points, 2)``, x and y in pixels; a single point is a dot. The pen's width is
    one for all or ``(...)``. A pixel is as dark as far as its center lies within the edge of the
    line, in pixels, from half a pixel outside (0) to half a pixel inside (1).
    """
    centers = torch.arange(side, device=strokes[0].device) + 0.5
    here = torch.stack(torch.meshgrid(centers, centers, indexing="xy"), -1).view(-1, 1, 2)
    nearest = torch.stack([_distances(stroke, here) for stroke in strokes]).amin(0)  # (..., P)
    edge = torch.as_tensor(pen, device=nearest.device)[..., None] / 2 + 0.5
    return (edge - nearest).clamp(0, 1).unflatten(-1, (side, side))


def _distances(stroke: Tensor, here: Tensor) -> Tensor:
    """Measure from each place ``(P, 1, 2)`` to the nearest piece of a stroke, ``(..., P)``."""
    start, end = stroke[..., None, :-1, :], stroke[..., None, 1:, :]
    if stroke.shape[-2] == 1:
        start = end = stroke[..., None, :, :]
    along = end - start  # (..., 1, pieces, 2)
    squared_length = (along * along).sum(-1).clamp_min(1e-12)
    fraction = ((here - start) * along).sum(-1) / squared_length  # (..., P, pieces)
    away = here - start - fraction.clamp(0, 1)[..., None] * along  # (..., P, pieces, 2)
    return away.norm(dim=-1).amin(-1)
