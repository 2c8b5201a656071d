"""Diagrams: boxes with a word in them, and arrows between boxes."""

from collections.abc import Sequence

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from glassbox.plotting.colors import INK, PAPER
from glassbox.plotting.figures import Axes, Figure, figure

HEIGHT = 0.42  # inches of a box with one line


def diagram(height: float, alt: str) -> tuple[Figure, Axes]:
    """Make an empty figure whose coordinates are inches, from the lower left.

    Args:
        height: Its height in inches; it is as wide as the page.
        alt: What the diagram will show, in a sentence.
    """
    fig, ax = figure(height=height, left=0, right=0, top=0, bottom=0, alt=alt)
    ax.set(xlim=(0, fig.get_figwidth()), ylim=(0, height))
    ax.set_axis_off()
    return fig, ax


def box(
    ax: Axes, center: Sequence[float], width: float, text: str, color: str, height: float = HEIGHT
) -> None:
    """Draw a box with a text in its middle; lengths are those of the axes' coordinates."""
    corner = center[0] - width / 2, center[1] - height / 2
    style = {"boxstyle": "round,pad=0,rounding_size=0.08", "fc": PAPER, "ec": color, "lw": 1.4}
    ax.add_patch(FancyBboxPatch(corner, width, height, **style))
    ax.text(*center, text, ha="center", va="center")


def arrow(
    ax: Axes, start: Sequence[float], end: Sequence[float], color: str = INK, width: float = 1.2
) -> None:
    """Draw a straight arrow; its width is in points."""
    style = {"arrowstyle": "-|>", "mutation_scale": 11, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(tuple(start), tuple(end), color=color, lw=width, **style))
