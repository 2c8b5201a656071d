"""The still picture of codes in space."""

from itertools import pairwise

import torch
from torch import Tensor

from glassbox.chapters.autoencoders.figures import project, same_neighbor
from glassbox.plotting.colors import CLASS_COLORS, INK, MUTED, PAPER
from glassbox.plotting.figures import Axes, Figure, drawing, figure
from glassbox.plotting.images import show_image

AXES = ("first", "second", "third")  # the numbers of a code
_EYE = 4  # how far the eye is from the middle, where the outermost code is 1 away
_BEYOND = 1.12  # times the length of an axis is its name
_LAYERS = 4  # from the back to the front, each with its strength
_FAINTEST = 0.55
_SIZE = 42


@drawing
def show_code_space(
    codes: Tensor,
    labels: Tensor,
    images: Tensor,
    view: tuple[float, float],
    shown: int,
    digits: int,
) -> Figure:
    """Draw codes ``(N, 3)`` as their digits, seen as ``view`` says, and the image of one of them.

    ``images`` are ``(N, side, side)`` from 0 to 1; ``digits`` are those after a point. The alt
    sentence says how well the classes are separated in space.
    """
    fig, (space, picture) = figure(
        1, 2, height=4.0, left=0.3, right=0.3, top=0.15, bottom=0.55, width_ratios=[1.6, 1],
        phone_cols=1,
    )  # fmt: skip
    low, high = codes.amin(0), codes.amax(0)
    middle = low / 2 + high / 2
    reach = max((codes - middle).norm(dim=1).max().item(), 1e-300)
    _draw_axes(space, (high - low) / 2 / reach, view)
    places, depth = _see((codes - middle) / reach, view)
    edges = torch.linspace(-1, 1, _LAYERS + 1)
    edges[-1] += 1e-6
    for number, (back, front) in enumerate(pairwise(edges.tolist())):
        strength = _FAINTEST + (1 - _FAINTEST) * number / (_LAYERS - 1)
        layer = (depth >= back) & (depth < front)
        _draw_digits(space, places[layer], labels[layer], strength, _SIZE * (0.7 + 0.2 * number))
    space.plot(*places[shown].tolist(), "o", ms=15, mfc="none", mec=PAPER, mew=5, zorder=5)
    space.plot(*places[shown].tolist(), "o", ms=15, mfc="none", mec=INK, mew=2, zorder=5)
    space.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal")
    space.set_axis_off()
    numbers = ", ".join(f"{x:.{digits}f}" for x in codes[shown].tolist())
    named = f"{'an' if labels[shown] == 8 else 'a'} {labels[shown]} at ({numbers})"
    show_image(picture, images[shown])
    picture.text(0.5, -0.05, named, transform=picture.transAxes, ha="center", va="top", color=INK)
    fig.describe(_sentence(codes, labels, view, named))
    return fig


def _see(points: Tensor, view: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Give places ``(N, 2)`` of points, larger in front, and their depths, larger if nearer."""
    flat, depth = project(points, *view)
    return flat * (_EYE / (_EYE - depth))[:, None], depth


def _draw_axes(ax: Axes, halves: Tensor, view: tuple[float, float]) -> None:
    """Draw the three axes through the middle, as far as the codes go, named at their ends."""
    for name, half in zip(AXES, torch.diag(halves), strict=True):
        (start, end, beyond), _ = _see(torch.stack([-half, half, _BEYOND * half]), view)
        ax.plot(*zip(start.tolist(), end.tolist(), strict=True), color=MUTED, lw=1, zorder=0)
        under = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
        ax.text(*beyond.tolist(), name, color=MUTED, ha="center", va="center", bbox=under, zorder=6)


def _draw_digits(ax: Axes, places: Tensor, labels: Tensor, strength: float, size: float) -> None:
    """Draw each digit in the color of its class; from 5 on they stand on disks."""
    for digit in range(10):
        chosen = places[labels == digit].T.tolist()
        options = {"color": CLASS_COLORS[digit], "alpha": strength, "linewidths": 0.2}
        if digit >= 5:
            ax.scatter(*chosen, s=2.2 * size, **options)
            options |= {"color": PAPER, "alpha": 1}
        ax.scatter(*chosen, s=size, marker=f"${digit}$", **options)


def _sentence(codes: Tensor, labels: Tensor, view: tuple[float, float], shown: str) -> str:
    side = "above" if view[1] >= 0 else "below"
    text = (
        f"{len(codes)} digits at the places of their codes in space, turned by {view[0]:g} degrees "
        f"and seen from {abs(view[1]):g} degrees {side}; beside them the image of {shown}."
    )
    if len(codes) < 2:
        return text
    near = 100 * same_neighbor(codes, labels)
    return f"{text} {near:.0f} percent have a nearest neighbor of their own class in space."
