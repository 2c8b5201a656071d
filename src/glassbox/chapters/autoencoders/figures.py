"""The figures of the chapter on autoencoders."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from glassbox.plotting.figures import Figure, drawing, figure
from glassbox.plotting.image_rows import draw_rows
from glassbox.plotting.marks import draw_choice


def project(points: Tensor, azimuth: float, elevation: float) -> tuple[Tensor, Tensor]:
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
