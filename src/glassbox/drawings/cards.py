"""Cards for the nodes of a graph: boxes with a title, small tables of numbers, and links."""

from typing import NamedTuple

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import Tensor

from glassbox.figures import GRID, INK, MUTED, PAPER, Axes
from glassbox.pictures import SIGNED

CELL = 0.155


class Box(NamedTuple):
    """A box on axes whose unit is the inch: its left and lower edge, its width and height."""

    left: float
    low: float
    width: float
    height: float

    def edge_towards(self, other: "Box", ends: float = 0.5) -> tuple[float, float]:
        """Give the point on the border from which a link to another box starts."""
        if other.left > self.left + self.width:
            return self.left + self.width, self.low + ends * self.height
        if self.left > other.left + other.width:
            return self.left, self.low + ends * self.height
        above = other.low > self.low
        return self.left + self.width / 2, self.low + self.height * above


def draw_box(ax: Axes, box: Box, *, face: str = PAPER, edge: str = MUTED, strong: bool) -> None:
    """Draw a box with round corners.

    Args:
        ax: Axes whose unit is the inch.
        box: Where it is.
        face: Colour inside.
        edge: Colour of the border.
        strong: Whether the border is thick.
    """
    style = {"boxstyle": "round,pad=0,rounding_size=0.08", "lw": 2.4 if strong else 0.9}
    ax.add_patch(FancyBboxPatch(box[:2], box.width, box.height, fc=face, ec=edge, **style))


def draw_link(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str, width: float
) -> None:
    """Draw an arrow from one point to another."""
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=7 + 3 * width, shrinkA=1, shrinkB=1,
            color=color, lw=width,
        )
    )  # fmt: skip


def draw_numbers(
    ax: Axes,
    tensor: Tensor,
    middle: tuple[float, float],
    *,
    limit: float,
    scale: float,
    faded: bool,
) -> None:
    """Draw a number, or a matrix as a table whose colours show sign and size.

    Args:
        ax: Axes whose unit is the inch.
        tensor: A single number, or ``(rows, columns)``.
        middle: Centre of the drawing.
        limit: The size at which a colour is at its strongest.
        scale: 1 for a card of usual size.
        faded: Whether it has been handed on and is not kept.
    """
    x, y = middle
    if tensor.numel() == 1:
        color = MUTED if faded else INK
        text = f"{tensor.item():.3g}".replace("-", "−")
        ax.text(x, y, text, size=13 * scale, ha="center", va="center", color=color, weight="bold")
        return
    rows, columns = tensor.shape
    left, top = x - columns * CELL / 2, y + rows * CELL / 2
    corners = np.array([(0, 0), (CELL, 0), (CELL, -CELL), (0, -CELL)])
    places = [(left + j * CELL, top - i * CELL) for i, j in np.ndindex(rows, columns)]
    cells = PolyCollection(
        [corners + place for place in places],
        array=tensor.flatten().numpy(),
        cmap=SIGNED,
        norm=Normalize(-limit, limit),
        edgecolors=GRID if faded else MUTED,
        linewidths=0.7,
        alpha=0.4 if faded else 1.0,
    )
    ax.add_collection(cells)


def draw_pill(ax: Axes, middle: tuple[float, float], text: str, color: str, filled: bool) -> None:
    """Draw a short text in a frame with round ends, filled while it is at work."""
    frame = {
        "boxstyle": "round,pad=0.3,rounding_size=0.7",
        "fc": color if filled else PAPER,
        "ec": color,
        "lw": 1.2,
    }
    ink = "white" if filled else color
    ax.text(*middle, text, size=8, ha="center", va="center", color=ink, weight="bold", bbox=frame)


def inch_axes(ax: Axes, width: float, height: float) -> None:
    """Make the unit of axes that fill a figure the inch, and hide their frame."""
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
