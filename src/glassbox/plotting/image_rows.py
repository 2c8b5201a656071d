"""Rows of small images, each with its name: the same images through different hands."""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from torch import Tensor

from glassbox.plotting.figures import PAPER, WIDTH, Axes, Figure, figure

GREY = colormaps["gray"].with_extremes(bad=PAPER)  # paper between the images
NAME, GAP = 1.35, 0.08  # inches for the names; fractions of an image between two


def image_rows(rows: Mapping[str, Tensor], *, alt: str, low: float = 0.0) -> Figure:
    """Show rows of gray images with the name of each row on its left.

    Args:
        rows: Name to ``(N, 1, H, W)`` or ``(N, H, W)``; the same N and size in each row.
        alt: What is seen, in a sentence.
        low: The number that is drawn black; 1 is drawn white, and what lies outside is cut off.

    Returns:
        The figure.

    Raises:
        ValueError: If there is no row, or rows differ in shape.
    """
    shapes = {name: tuple(images.shape) for name, images in rows.items()}
    if len(set(shapes.values())) != 1:
        raise ValueError(f"rows have shapes {shapes}, expected one shape for all")
    count, side = next(iter(shapes.values()))[0], (WIDTH - NAME - 0.1)
    tile = min(side / (count * (1 + GAP)), 0.75)
    height = len(rows) * tile * (1 + GAP) + 0.1
    fig, ax = figure(
        height=height,
        left=NAME,
        right=WIDTH - NAME - tile * count * (1 + GAP),
        top=0.05,
        bottom=0.05,
        alt=alt,
    )
    draw_rows(ax, rows, low=low)
    return fig


def draw_rows(ax: Axes, rows: Mapping[str, Tensor], *, low: float = 0.0) -> None:
    """Draw rows of images on axes of one's own, names to their left.

    Args:
        ax: The axes, which will span one unit for each image.
        rows: Name to ``(N, 1, H, W)`` or ``(N, H, W)``.
        low: The number that is drawn black; 1 is drawn white.
    """
    for place, (name, images) in enumerate(rows.items()):
        strip = _strip(images, low)
        ax.imshow(strip, cmap=GREY, vmin=0, vmax=1, extent=(0, len(images), place + 1, place + GAP))
        ax.text(-0.12, place + 0.5 + GAP / 2, name, ha="right", va="center", size=9)
    ax.set(xlim=(0, len(images)), ylim=(len(rows), 0), aspect="auto")
    ax.set_axis_off()


def _strip(images: Tensor, low: float) -> np.ndarray:
    """Lay images side by side with gaps, which are nan, between them."""
    pictures = images.detach().float().reshape(len(images), *images.shape[-2:]).numpy()
    pictures = np.clip((pictures - low) / (1 - low), 0, 1)
    gap = max(round(GAP * pictures.shape[2]), 1)
    padded = np.pad(pictures, ((0, 0), (0, 0), (0, gap)), constant_values=np.nan)
    return np.concatenate(list(padded), axis=1)
