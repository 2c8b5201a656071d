"""Two images, their mixture and its soft label, drawn."""

from collections.abc import Sequence

import torch
from torch import Tensor

from glassbox.mixing.boxes import box_around, kept_area
from glassbox.mixing.core import Mix, apply_mix
from glassbox.plotting.colors import BLUE, INK, MUTED, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone
from glassbox.plotting.images import show_image

PLACES = {"middle": (0.5, 0.5), "edge": (0.5, 0.95), "corner": (0.05, 0.05)}


@drawing
def show_mixture(
    images: Tensor, names: Sequence[str], method: str, fraction: float, place: str
) -> Figure:
    """Show two images ``(2, C, H, W)`` from 0 to 1, their mixture, and its soft label.

    By ``"Mixup"`` or ``"CutMix"``; ``fraction`` is that of the first image that was drawn,
    ``place`` where the box of CutMix has its center, a key of :data:`PLACES`.
    """
    height, width = images.shape[-2:]
    box = (0, 0, 0, 0)
    if method == "CutMix":
        down, right = PLACES[place]
        box = box_around(fraction, (int(down * height), int(right * width)), height, width)
    kept = kept_area(box, height, width) if method == "CutMix" else fraction
    blended = torch.tensor([method == "Mixup"] * 2)
    mix = Mix(torch.tensor([1, 0]), torch.full((2,), kept), torch.tensor([box] * 2), blended)
    mixed, rows = apply_mix(images, torch.tensor([0, 1]), mix, 2)
    margins = {"left": 0.2, "right": 0.6, "bottom": 0.45, "wspace": 0.12}
    fig, (*panels, label) = figure(1, 4, height=2.4, phone_cols=2, **margins)
    spot = label.get_position()
    left, width = (spot.x0 + 0.16, 0.19) if on_phone() else (0.79, 0.13)
    label.set_position([left, spot.y0 + 0.06, width, spot.height - 0.12])
    titles = (names[0], names[1], "mixed")
    for ax, picture, title in zip(panels, (images[0], images[1], mixed[0]), titles, strict=True):
        show_image(ax, picture.permute(1, 2, 0).clamp(0, 1), title, size=11)
    _draw_label(label, names, rows[0].tolist(), fraction)
    asked = f", although {1 - fraction:.0%} was asked for" if abs(kept - fraction) > 0.005 else ""
    fig.describe(
        f"{names[0].capitalize()} and {names[1]}, mixed by {method} with a fraction of "
        f"{fraction:.0%}: the label is {rows[0, 0]:.0%} {names[0]} and {rows[0, 1]:.0%} {names[1]}"
        f"{asked}."
    )
    return fig


def _draw_label(ax: Axes, names: Sequence[str], label: Sequence[float], fraction: float) -> None:
    ax.barh([1, 0], label, color=[BLUE, RUST], height=0.5, label=names)
    for y, value, drawn in ((1, label[0], fraction), (0, label[1], 1 - fraction)):
        ax.plot([drawn, drawn], [y - 0.38, y + 0.38], color=INK, linewidth=1.5)
        ax.annotate(f"{value:.0%}", (1.06, y), va="center", color=INK, annotation_clip=False)
    ax.set(xlim=(0, 1.02), ylim=(-0.7, 1.7), xticks=[0, 1], title="soft label")
    ax.set_yticks([1, 0], names)
    ax.grid(False)
    ax.set_xlabel("line: the share drawn", color=MUTED, fontsize=8.5)
