"""What margins do to the decision boundaries between three clouds of points in the plane."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import minimize
from torch import Tensor

from glassbox.data.splits import long_tailed_counts
from glassbox.losses.ldam import LDAMLoss
from glassbox.plotting.colors import BLUE, INK, MUTED, OCHRE, PAPER, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, figure

_LARGEST_BLOB = 300
_NAMES = ("frequent", "medium", "rare")
_COLORS = (BLUE, OCHRE, RUST)
_REGIONS = ("#dde1ee", "#f1e6cd", "#f0d9d1")


def blobs(counts: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
    """Sample points ``(N, 2)`` in float64 around the corners of a triangle, and their classes.

    Fewer points, of at most 2,000 a class, are the first of more.
    """
    generator = torch.Generator().manual_seed(seed)
    angles = torch.deg2rad(torch.tensor([210.0, 330.0, 90.0]))
    corners = 1.1 * torch.stack([angles.cos(), angles.sin()], 1)
    drawn = corners[:, None] + 0.7 * torch.randn(3, 2000, 2, generator=generator)
    points = [some[:count] for some, count in zip(drawn, counts, strict=True)]
    return torch.cat(points).double(), torch.arange(3).repeat_interleave(torch.tensor(counts))


def lifted(points: Tensor) -> Tensor:
    """Turn points ``(N, 2)`` into features ``(N, 3)`` of length 1 with a third coordinate.

    With it a cosine classifier has straight decision boundaries that need not pass the origin.
    """
    return F.normalize(F.pad(points, (0, 1), value=1.0), dim=1)


@cache
def blob_directions(counts: tuple[int, ...], max_margin: float, scale: float) -> Tensor:
    """Find the unit vectors ``(3, 3)`` of a cosine classifier of least LDAM loss on the blobs."""
    points, labels = blobs(counts, seed=0)
    features, loss_fn = lifted(points), LDAMLoss(counts, max_margin, scale)

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight = torch.tensor(flat).view(3, 3).requires_grad_()
        loss = loss_fn(features @ F.normalize(weight, dim=1).T, labels)
        loss.backward()
        return loss.item(), weight.grad.flatten().numpy()

    start = torch.stack([features[labels == label].mean(0) for label in range(3)])
    found = minimize(loss_and_gradient, start.flatten().numpy(), jac=True, method="L-BFGS-B")
    return F.normalize(torch.tensor(found.x).view(3, 3), dim=1)


@drawing
def show_boundary(imbalance: float, max_margin: float, scale: float) -> Figure:
    """Draw three classes of points, the regions that LDAM gives them, and their margins.

    The directions are those of :func:`blob_directions`.
    """
    counts = long_tailed_counts(_LARGEST_BLOB, 3, imbalance)
    directions = blob_directions(counts, max_margin, scale)
    points, labels = blobs(counts, seed=0)
    test_points, test_labels = blobs((2000,) * 3, seed=1)
    right = (lifted(test_points) @ directions.T).argmax(1) == test_labels
    accuracy = right.view(3, -1).double().mean(1)
    fig, (left, side) = figure(
        1, 2, height=3.9, left=0.1, wspace=0.12, width_ratios=[1.5, 1], phone_cols=1
    )
    _show_regions(left, directions)
    for label in (0, 1, 2):
        x, y = points[labels == label].T.numpy()
        left.scatter(x, y, s=13, color=_COLORS[label], edgecolor=PAPER, linewidth=0.4)
    left.set_title(f"{counts[0]}, {counts[1]} and {counts[2]} points")
    _show_margins(side, LDAMLoss(counts, max_margin, scale).margins, accuracy)
    percents = (
        f"{name} {100 * fraction:.0f}"
        for name, fraction in zip(_NAMES, accuracy.tolist(), strict=True)
    )
    fig.describe(
        f"Three clouds of {counts[0]}, {counts[1]} and {counts[2]} points with the regions of a "
        f"cosine classifier trained by LDAM with largest margin {max_margin:g} and scale "
        f"{scale:g}. Percent of new points in the right region: {', '.join(percents)}."
    )
    return fig


def _show_regions(ax: Axes, directions: Tensor) -> None:
    steps = torch.linspace(-3, 3, 61, dtype=torch.float64)
    x, y = torch.meshgrid(steps, steps, indexing="xy")
    scores = lifted(torch.stack([x, y], -1).view(-1, 2)) @ directions.T
    scores = scores.view(61, 61, 3)
    for label in (0, 1, 2):
        others = scores[..., [other for other in (0, 1, 2) if other != label]].amax(-1)
        lead = scores[..., label] - others
        ax.contourf(x, y, lead, levels=[0, 9], colors=[_REGIONS[label]])
        ax.contour(x, y, lead, levels=[0], colors=MUTED, linewidths=1)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
    ax.grid(False)
    ax.spines[:].set_visible(False)


def _show_margins(ax: Axes, margins: Tensor, accuracy: Tensor) -> None:
    ax.barh(range(3), margins.numpy(), height=0.5, color=_COLORS, label=_NAMES)
    found = zip(_NAMES, margins.tolist(), accuracy.tolist(), strict=True)
    for place, (name, margin, fraction) in enumerate(found):
        ax.text(margin + 0.02, place, f"{margin:.2f}", va="center", color=INK, weight="bold")
        note = f"{name}: {100 * fraction:.0f}% of new points right"
        ax.text(0, place - 0.4, note, va="center", size=9, color=_COLORS[place])
    ax.set(xlim=(0, 0.9), ylim=(2.5, -0.7), yticks=[], xlabel="margin, in cosines")
    ax.set_title(f"Balanced accuracy {100 * accuracy.mean():.0f}%")
    ax.grid(False)
    ax.spines.left.set_visible(False)
