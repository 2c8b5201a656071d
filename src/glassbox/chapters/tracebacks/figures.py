"""Drawings of gradients in half precision: what the scale of the loss saves, and what it costs."""

import numpy as np
import torch
from torch import Tensor

from glassbox.plotting.figures import BLUE, INK, MUTED, OCHRE, PINK, RUST, Figure, figure

# Powers of 2: what is smaller rounds to zero, has fewer digits than usual, is fine, is infinite.
ZERO_BELOW, COARSE_BELOW, INFINITE_FROM = -25, -14, 16
AXIS = (-40, 24)
COLORS = {"zero": RUST, "coarse": OCHRE, "fine": BLUE, "infinite": PINK}


def half_fates(gradients: Tensor, scale: float) -> dict[str, float]:
    """Count what becomes of gradients that are multiplied by a scale and turned into half.

    Args:
        gradients: Of any shape, float32 or wider; those that are exactly 0 are left out.
        scale: Above 0.

    Returns:
        Shares that sum to 1: ``zero``; ``coarse``, below the smallest normal number, where half
        has fewer digits; ``fine``; and ``infinite``.

    Raises:
        ValueError: If ``scale`` is out of range, or all gradients are 0.
    """
    if not scale > 0:
        raise ValueError(f"scale is {scale}, expected above 0")
    present = gradients[gradients != 0]
    if not len(present):
        raise ValueError("gradients are all 0, expected at least one other")
    size = (present.double() * scale).half().abs()
    zero, infinite = size == 0, size.isinf()
    coarse = ~zero & (size < torch.finfo(torch.float16).tiny)
    fates = {"zero": zero, "coarse": coarse, "fine": ~(zero | coarse | infinite)}
    return {
        name: mask.double().mean().item() for name, mask in (fates | {"infinite": infinite}).items()
    }


def show_loss_scale(gradients: Tensor, scale: float) -> Figure:
    """Draw the sizes of scaled gradients over the range of half precision.

    Args:
        gradients: Of any shape; those that are exactly 0 are left out.
        scale: What the loss is multiplied by, above 0.

    Returns:
        The figure.
    """
    fates = half_fates(gradients, scale)
    present = gradients[gradients != 0].double().abs()
    powers = (present * scale).log2().clamp(AXIS[0], AXIS[1] - 1e-9).numpy()
    counts, edges = np.histogram(powers, np.arange(AXIS[0], AXIS[1] + 1))
    fractions, lefts = 100 * counts[counts > 0] / len(powers), edges[:-1][counts > 0]
    fig, ax = figure(height=3.2, top=0.55)
    ax.bar(lefts + 0.5, fractions, 0.86, color=[_color(left) for left in lefts])
    borders = (AXIS[0], ZERO_BELOW, COARSE_BELOW, INFINITE_FROM, AXIS[1])
    for left, right, (name, fraction) in zip(borders, borders[1:], fates.items(), strict=False):
        ax.axvline(left, color=MUTED, linewidth=0.8, linestyle=":")
        text = f"{name}\n{100 * fraction:.1f}%"
        ax.text((left + right) / 2, 18.4, text, ha="center", color=INK)
    ax.set(xlim=AXIS, ylim=(0, 18), ylabel="percent of the gradients")
    ax.set_xlabel("size of a gradient times the scale, as a power of 2")
    found = ", ".join(f"{100 * fraction:.1f} percent {name}" for name, fraction in fates.items())
    fig.describe(f"Gradients in half precision with a loss scale of {scale:,.0f}: {found}.")
    return fig


def _color(power: float) -> str:
    if power < ZERO_BELOW:
        return COLORS["zero"]
    if power < COARSE_BELOW:
        return COLORS["coarse"]
    return COLORS["fine"] if power < INFINITE_FROM else COLORS["infinite"]
