"""Rows of small gray images, each row with its name, as before and after a network."""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from torch import Tensor

from glassbox.plotting.figures import Axes, Figure, check_sizes, drawing, figure, page_width
from glassbox.plotting.images import finite_numbers, to_array

_GRAY = colormaps["gray"].with_extremes(bad=(0, 0, 0, 0))  # nan is the gap between images
_NAMES = 1.35  # width of the names, in inches
_GAP = 0.08  # between images, in image widths
_LARGEST = 0.75  # width of an image, in inches


@drawing
def image_rows(rows: Mapping[str, Tensor], *, alt: str, low: float = 0.0) -> Figure:
    """Show rows of gray images with the name of each row on its left.

    Args:
        rows: Name to ``(N, 1, H, W)`` or ``(N, H, W)``; the same shape for each row.
        alt: The alt sentence.
        low: The number that is drawn black, below 1; 1 is drawn white, and what lies outside is
            clipped.

    Raises:
        TypeError: ``rows`` is no mapping to real numbers, or ``low`` is no number.
        ValueError: There is no row, rows differ in shape or are no images, a number is nan or
            infinite, or ``low`` is not below 1.
    """
    if not isinstance(rows, Mapping):
        raise TypeError(f"rows is a {type(rows).__name__}, expected names with images")
    check_sizes(low=low)
    if low >= 1:
        raise ValueError(f"low is {low}, expected below 1, which is drawn white")
    pixels = {name: finite_numbers(**{f"rows[{name!r}]": one}) for name, one in rows.items()}
    shapes = {name: one.shape for name, one in pixels.items()}
    if len(set(shapes.values())) != 1:
        raise ValueError(f"rows have shapes {shapes}, expected one shape for all")
    rows = {name: _as_gray(one) for name, one in pixels.items()}
    count = len(next(iter(rows.values())))
    tile = min((page_width() - _NAMES - 0.1) / (count * (1 + _GAP)), _LARGEST)
    fig, ax = figure(
        height=len(rows) * tile * (1 + _GAP) + 0.1,
        left=_NAMES,
        right=page_width() - _NAMES - tile * count * (1 + _GAP),
        top=0.05,
        bottom=0.05,
        alt=alt,
    )
    draw_rows(ax, rows, low=low)
    return fig


def _as_gray(pixels: np.ndarray) -> np.ndarray:
    """Give gray images as ``(N, H, W)``."""
    gray = pixels[:, 0] if pixels.ndim == 4 and pixels.shape[1] == 1 else pixels
    if gray.ndim != 3 or not gray.size:
        raise ValueError(f"rows have shape {pixels.shape}, expected (N, 1, H, W) or (N, H, W)")
    return gray


def draw_rows(ax: Axes, rows: Mapping[str, Tensor], *, low: float = 0.0) -> None:
    """Draw the rows of :func:`image_rows` on axes for them alone, one unit wide for each image."""
    for place, (name, images) in enumerate(rows.items()):
        extent = (0, len(images), place + 1, place + _GAP)
        ax.imshow(_strip(images, low), cmap=_GRAY, vmin=0, vmax=1, extent=extent)
        ax.text(-0.12, place + 0.5 + _GAP / 2, name, ha="right", va="center", size=9)
    ax.set(xlim=(0, len(images)), ylim=(len(rows), 0), aspect="auto")
    ax.set_axis_off()


def _strip(images: Tensor, low: float) -> np.ndarray:
    """Lay images side by side with gaps of nan between them."""
    pictures = to_array(images).astype(np.float32).reshape(len(images), *images.shape[-2:])
    pictures = np.clip((pictures - low) / (1 - low), 0, 1)
    gap = max(round(_GAP * pictures.shape[2]), 1)
    padded = np.pad(pictures, ((0, 0), (0, 0), (0, gap)), constant_values=np.nan)
    return np.concatenate(list(padded), axis=1)
