"""The still picture of a drawn digit: the drawing, its map, and the answer of the network."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from glassbox.attribution.cam import GradCAM
from glassbox.chapters.gradcam.digit_reader import (
    CANVAS,
    LAST_CONVOLUTION,
    NETWORK_SIDE,
    DigitReader,
    center,
    place,
)
from glassbox.data.handwriting import ink
from glassbox.plotting.colors import BLUE, HEAT, INK, PALE
from glassbox.plotting.figures import Axes, Figure, drawing, figure
from glassbox.plotting.images import show_image


def _drawing_of(marks: Sequence[dict[str, Any]], pen: float) -> Tensor:
    """Draw marks as the page does, in pixels ``(1, 1, 112, 112)`` from 0 to 1.

    They are strokes by their ``points`` ``[[x, y], ...]``, or small pictures by their ``pixels``.
    """
    layers = [torch.zeros(CANVAS, CANVAS)]
    for mark in marks:
        if "pixels" in mark:
            side = round(len(mark["pixels"]) ** 0.5)
            layers.append(place(torch.tensor(mark["pixels"]).view(1, 1, side, side))[0, 0])
        else:
            layers.append(ink([torch.tensor(mark["points"])], CANVAS, pen))
    return torch.stack(layers).amax(0)[None, None]


@drawing
def show_reading(reader: DigitReader, marks: Sequence[dict[str, Any]], pen: float) -> Figure:
    """Show what :func:`_drawing_of` draws, what the network sees under the map, and its answer."""
    drawing = _drawing_of(marks, pen)
    seen = center(drawing)
    probabilities = reader(seen).softmax(1)[0]
    label = int(probabilities.argmax())
    with GradCAM(reader, LAST_CONVOLUTION) as cam:
        heat = cam(seen, label)[0]
    margins = {"left": 0.06, "right": 0.3, "top": 0.42, "bottom": 0.15}
    fig, (left, middle, right) = figure(1, 3, height=2.28, phone_cols=2, **margins)
    show_image(left, drawing[0, 0], "drawn", size=11)
    show_image(middle, seen[0, 0], f"what speaks for {label}", size=11)
    extent = (-0.5, NETWORK_SIDE - 0.5, NETWORK_SIDE - 0.5, -0.5)
    middle.imshow(heat.numpy(), cmap=HEAT, alpha=0.7, extent=extent, interpolation="bilinear")
    _show_bars(right, probabilities, label)
    fig.describe(
        f"A drawn digit, which the network takes for a {label} with {probabilities[label]:.0%}; "
        f"over it a map of the places that speak for {label}; and the probabilities of all digits."
    )
    return fig


def _show_bars(ax: Axes, probabilities: Tensor, label: int) -> None:
    ax.set(xlim=(-0.12, 1.15), ylim=(9.6, -0.6))
    ax.set_axis_off()
    colors = [BLUE if digit == label else PALE for digit in range(10)]
    ax.barh(range(10), probabilities.tolist(), height=0.6, color=colors)
    for digit in range(10):
        ax.text(-0.04, digit, str(digit), ha="right", va="center", size=9, color=INK)
    ax.set_title(f"looks like a {label}, {probabilities[label]:.0%}")
