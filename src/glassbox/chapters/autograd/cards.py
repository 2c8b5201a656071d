"""Cards for the nodes of a graph: boxes with a title, small tables of numbers, and links."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import Tensor

from glassbox.plotting.colors import GRID, INK, MUTED, PAPER, SIGNED
from glassbox.plotting.figures import Axes, Figure, figure, on_phone, page_width

GREEN_TINT = "#e2f0eb"  # inside the card of a leaf

_CELL = 0.155  # side of a cell of a matrix, in inches
_SQUARE = _CELL * np.array([(0, 0), (1, 0), (1, -1), (0, -1)])


class Rectangle(NamedTuple):
    """A box on axes whose unit is the inch: its left and lower edge, its width and height."""

    left: float
    low: float
    width: float
    height: float

    def edge_towards(self, other: "Rectangle") -> tuple[float, float]:
        """Find the point on the border where a link to another box starts."""
        if other.left > self.left + self.width:
            return self.left + self.width, self.low + self.height / 2
        if self.left > other.left + other.width:
            return self.left, self.low + self.height / 2
        above = other.low > self.low
        return self.left + self.width / 2, self.low + self.height * above


def draw_box(
    ax: Axes, box: Rectangle, *, face: str = PAPER, edge: str = MUTED, strong: bool
) -> None:
    """Draw a box with round corners, and a thick border where it is strong."""
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


@dataclass
class Cells:
    """The colored cells of all matrices of a picture, drawn at once: one by one takes long.

    A color is at its strongest from the absolute value ``limit`` on.
    """

    limit: float
    corners: list[np.ndarray] = field(default_factory=list)
    colors: list[np.ndarray] = field(default_factory=list)

    def add(self, matrix: Tensor, middle: tuple[float, float], *, faded: bool) -> None:
        """Add a matrix ``(rows, columns)`` around a point; its colors show sign and size."""
        x, y = middle
        rows, columns = matrix.shape
        left, top = x - columns * _CELL / 2, y + rows * _CELL / 2
        steps = np.array([(j, -i) for i, j in np.ndindex(rows, columns)])
        self.corners += list(_SQUARE + _CELL * steps[:, None] + np.array([left, top]))
        colors = SIGNED(matrix.flatten().numpy() / (2 * self.limit) + 0.5)
        colors[:, 3] = 0.4 if faded else 1
        self.colors += list(colors)

    def draw(self, ax: Axes) -> None:
        """Draw all cells that were added."""
        edges = [GRID if color[3] < 1 else MUTED for color in self.colors]
        ax.add_collection(
            PolyCollection(self.corners, facecolors=self.colors, edgecolors=edges, linewidths=0.7)
        )


def draw_number(
    ax: Axes, number: Tensor, middle: tuple[float, float], *, size: float, faded: bool
) -> None:
    """Write a number, in gray where it has been passed on and is not kept."""
    text = f"{number.item():.3g}".replace("-", "−")
    color = MUTED if faded else INK
    ax.text(*middle, text, size=size, ha="center", va="center", color=color, weight="bold")


def draw_pill(ax: Axes, middle: tuple[float, float], text: str, color: str, filled: bool) -> None:
    """Draw a short text in a frame with round ends, filled while it is active."""
    frame = {
        "boxstyle": "round,pad=0.3,rounding_size=0.7",
        "fc": color if filled else PAPER,
        "ec": color,
        "lw": 1.2,
    }
    ink = "white" if filled else color
    ax.text(
        *middle,
        text,
        size=9 if on_phone() else 8,
        ha="center",
        va="center",
        color=ink,
        weight="bold",
        bbox=frame,
    )


def inch_figure(height: float) -> tuple[Figure, Axes]:
    """Make a figure that one pair of axes without a frame fills, whose unit is the inch."""
    fig, ax = figure(height=height, left=0, right=0, top=0, bottom=0)
    ax.set(xlim=(0, page_width()), ylim=(0, height))
    ax.set_axis_off()
    return fig, ax
