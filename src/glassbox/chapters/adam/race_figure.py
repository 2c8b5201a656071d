"""Drawings of walks on surfaces."""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap

from glassbox.optim.surfaces import Surface, Trajectory
from glassbox.plotting.figures import (
    BLUE,
    GREEN,
    INK,
    OCHRE,
    PAPER,
    PINK,
    RUST,
    SKY,
    Figure,
    figure,
)

COLORS = {
    "SGD": GREEN,
    "Momentum": OCHRE,
    "RMSprop": SKY,
    "Adam": BLUE,
    "AdamW": PINK,
    "AMSGrad": RUST,
}
LOW_GROUND = "#a9bae1"
GROUND = LinearSegmentedColormap.from_list("ground", [LOW_GROUND, PAPER])
LEVELS = 14
FEW = 1e-12  # above the minimum, so that a logarithm exists


def show_race(surface: Surface, walks: Mapping[str, Trajectory]) -> Figure:
    """Draw walks on the map of a surface, and their heights over the steps.

    Args:
        surface: Where they walked.
        walks: Name of the optimizer to its walk.

    Returns:
        The figure.
    """
    fig, (left, right) = figure(1, 2, height=3.9, right=0.9, width_ratios=[1.25, 1])
    _draw_ground(left, surface)
    lowest = float(_heights(surface, torch.tensor(surface.minima)).min())
    for name, way in walks.items():
        color = COLORS[name]
        points, above = way.points.numpy(), way.heights.numpy() - lowest + FEW
        left.plot(*points.T, color=PAPER, linewidth=3.5)
        left.plot(*points.T, color=color, linewidth=1.8)
        left.plot(*points[-1], "o", color=color, markeredgecolor=PAPER)
        right.plot(above, color=color)
    left.plot(*np.array(surface.minima).T, "+", color=INK, markersize=9, markeredgewidth=2)
    left.plot(*next(iter(walks.values())).points[0].numpy(), "o", color=INK, fillstyle="none")
    right.set(yscale="log", xlabel="step", title="height above the minimum")
    ends = {name: float(way.heights[-1]) - lowest + FEW for name, way in walks.items()}
    _name_ends(right, ends)
    steps = len(next(iter(walks.values())).points) - 1
    heights = ", ".join(f"{name} {height:.2g}" for name, height in ends.items())
    fig.describe(
        f"{surface.title} from above, and {len(walks)} optimizers on it after {steps} steps from "
        f"one start. Height above the minimum: {heights}."
    )
    return fig


def _draw_ground(ax, surface: Surface) -> None:  # noqa: ANN001
    (x0, x1), (y0, y1) = surface.bounds
    x, y = np.linspace(x0, x1, 150), np.linspace(y0, y1, 150)
    grid = torch.from_numpy(np.stack(np.meshgrid(x, y), axis=-1))
    heights = surface.function(grid).numpy()
    logs = np.log(heights - heights.min() + 0.05)
    ax.contourf(x, y, logs, LEVELS, cmap=GROUND)
    ax.contour(x, y, logs, LEVELS, colors="#8f9bb8", linewidths=0.4)
    ax.set(xlim=(x0, x1), ylim=(y0, y1), title=surface.title)
    ax.grid(False)


def _heights(surface: Surface, points: torch.Tensor) -> torch.Tensor:
    return surface.function(points.double())


def _name_ends(ax, ends: Mapping[str, float]) -> None:  # noqa: ANN001
    """Write each name beside the end of its line, at least a line apart from its neighbors."""
    low, high = np.log10(ax.get_ylim())
    least, last = (high - low) / 16, -np.inf
    for name, end in sorted(ends.items(), key=lambda pair: pair[1]):
        last = max(np.log10(end), last + least)
        ax.annotate(
            name,
            (1.02, (last - low) / (high - low)),
            xycoords="axes fraction",
            color=COLORS[name],
            va="center",
            fontsize=9,
            fontweight="bold",
        )
