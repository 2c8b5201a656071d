"""Optimizers that walk on a surface: the map with their paths, and their heights."""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap

from glassbox.optim.surfaces import Surface, Trajectory
from glassbox.plotting.colors import BLUE, GREEN, INK, OCHRE, PAPER, PINK, RUST, SKY
from glassbox.plotting.figures import Axes, Figure, drawing, figure
from glassbox.plotting.marks import label_ends

COLORS = {
    "SGD": GREEN,
    "Momentum": OCHRE,
    "RMSprop": SKY,
    "Adam": BLUE,
    "AdamW": PINK,
    "AMSGrad": RUST,
}
LOW_GROUND = "#a9bae1"
_GROUND = LinearSegmentedColormap.from_list("ground", [LOW_GROUND, PAPER])
_LEVELS = 14
_FEW = 1e-12  # added to heights, so that the lowest has a logarithm


@drawing
def show_race(surface: Surface, walks: Mapping[str, Trajectory]) -> Figure:
    """Draw the walks of optimizers on the map of a surface, and their heights over the steps."""
    fig, (left, right) = figure(1, 2, height=3.9, right=0.9, width_ratios=[1.25, 1], phone_cols=1)
    _draw_ground(left, surface)
    lowest = float(surface.function(torch.tensor(surface.minima).double()).min())
    for name, way in walks.items():
        color = COLORS[name]
        points, above = way.points.numpy(), way.heights.numpy() - lowest + _FEW
        left.plot(*points.T, color=PAPER, linewidth=3.5)
        left.plot(*points.T, color=color, linewidth=1.8)
        left.plot(*points[-1], "o", color=color, markeredgecolor=PAPER)
        right.plot(above, color=color, label=name)
    left.plot(*np.array(surface.minima).T, "+", color=INK, markersize=9, markeredgewidth=2)
    left.plot(*next(iter(walks.values())).points[0].numpy(), "o", color=INK, fillstyle="none")
    right.set(yscale="log", xlabel="step", title="height above the minimum")
    ends = {name: float(way.heights[-1]) - lowest + _FEW for name, way in walks.items()}
    start, end = right.get_xlim()
    colors = [COLORS[name] for name in ends]
    label_ends(right, ends, colors, x=end + 0.02 * (end - start), gap=1 / 16)
    steps = len(next(iter(walks.values())).points) - 1
    heights = ", ".join(f"{name} {height:.2g}" for name, height in ends.items())
    fig.describe(
        f"{surface.title} from above, and {len(walks)} optimizers on it after {steps} steps from "
        f"one start. Height above the minimum: {heights}."
    )
    return fig


def _draw_ground(ax: Axes, surface: Surface) -> None:
    (x0, x1), (y0, y1) = surface.bounds
    x, y = np.linspace(x0, x1, 150), np.linspace(y0, y1, 150)
    grid = torch.from_numpy(np.stack(np.meshgrid(x, y), axis=-1))
    heights = surface.function(grid).numpy()
    logs = np.log(heights - heights.min() + 0.05)
    ax.contourf(x, y, logs, _LEVELS, cmap=_GROUND)
    ax.contour(x, y, logs, _LEVELS, colors="#8f9bb8", linewidths=0.4)
    ax.set(xlim=(x0, x1), ylim=(y0, y1), title=surface.title)
    ax.grid(False)
