"""The figures of the chapter on autoencoders."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor

from glassbox.plotting.colors import CLASS_COLORS, GRID
from glassbox.plotting.figures import Axes, Figure, drawing, figure
from glassbox.plotting.image_rows import draw_rows
from glassbox.plotting.marks import draw_choice


@drawing
def show_codes(codes: Tensor, labels: Tensor, azimuth: float, elevation: float) -> Figure:
    """Draw codes ``(N, 3)`` from one side, each as its digit; the angles are in degrees.

    The alt sentence says how well the classes are separated, seen from this side.
    """
    centered = (codes - codes.mean(0)).double()
    centered = centered / centered.norm(dim=1).quantile(0.98)
    flat, depth = _project(centered, azimuth, elevation)
    fig, ax = figure(height=4.6, left=0.4, right=0.4, top=0.45, bottom=0.1)
    _draw_cube(ax, azimuth, elevation)
    sizes = 32 + 26 * (depth - depth.min()) / (depth.max() - depth.min())
    for digit in range(10):
        chosen = labels == digit
        ax.scatter(
            *flat[chosen].T,
            s=sizes[chosen],
            marker=f"${digit}$",
            color=CLASS_COLORS[digit],
            linewidths=0.2,
        )
    here, there = (100 * same_neighbor(points, labels) for points in (flat, centered))
    ax.set(xlim=(-1.75, 1.75), ylim=(-1.1, 1.1), aspect="equal")
    ax.set_title(f"From here {here:.0f}% have a nearest neighbor of their class")
    ax.set_axis_off()
    fig.describe(
        f"{len(codes)} digits at the places of their codes, turned by {azimuth:g} degrees and "
        f"seen from {elevation:g} degrees above. In the picture {here:.0f} percent of them have a "
        f"nearest neighbor of their own class, in three dimensions {there:.0f} percent."
    )
    return fig


def _project(points: Tensor, azimuth: float, elevation: float) -> tuple[Tensor, Tensor]:
    """Rotate points ``(N, 3)``, the third number up, into places ``(N, 2)`` and depths ``(N,)``.

    The azimuth is about the vertical axis, the elevation that of the eye, in degrees. A depth is
    larger if nearer.
    """
    turn, tilt = np.radians([azimuth, elevation])
    x, y, z = points.unbind(-1)
    across = np.cos(turn) * x - np.sin(turn) * y
    away = np.sin(turn) * x + np.cos(turn) * y
    up = np.cos(tilt) * z + np.sin(tilt) * away
    return torch.stack([across, up], -1), np.sin(tilt) * z - np.cos(tilt) * away


def same_neighbor(points: Tensor, labels: Tensor) -> float:
    """Measure for what fraction of points ``(N, D)`` the nearest neighbor has the same label."""
    distances = torch.cdist(points, points).fill_diagonal_(torch.inf)
    return (labels[distances.argmin(1)] == labels).double().mean().item()


def _draw_cube(ax: Axes, azimuth: float, elevation: float) -> None:
    corners = torch.tensor(list(product((-0.62, 0.62), repeat=3)), dtype=torch.float64)
    flat, _ = _project(corners, azimuth, elevation)
    for a, b in product(range(8), repeat=2):
        if a < b and (corners[a] != corners[b]).sum() == 1:
            ax.plot(*flat[[a, b]].T, color=GRID, linewidth=1, zorder=0)


@drawing
def show_bottleneck(
    rows: Mapping[str, Tensor],
    latents: Sequence[int],
    errors: Mapping[str, Sequence[float]],
    chosen: int,
) -> Figure:
    """Draw reconstructions, and the errors of all bottlenecks with the chosen one marked.

    The rows hold images ``(N, 1, H, W)`` from -1 to 1; ``latents`` are the widths of the
    bottlenecks.
    """
    spaces = {"left": 1.35, "top": 0.1, "hspace": 0.12}
    fig, (top, below) = figure(2, 1, height=4.2, height_ratios=[1.15, 1], **spaces)
    draw_rows(top, rows, low=-1.0)
    draw_choice(below, errors, latents, chosen)
    below.set(xlabel="numbers in a code", ylabel="error of a pixel")
    below.legend(loc="upper right")
    place = list(latents).index(chosen)
    texts = [f"{name} {values[place]:.3f}" for name, values in errors.items()]
    fig.describe(
        f"Digits and what is left of them after {chosen} numbers. "
        f"Error of a pixel: {', '.join(texts)}."
    )
    return fig
