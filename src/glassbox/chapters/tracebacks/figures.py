"""The figures of the page on tracebacks: loss scales in half precision, averages of weights."""

import numpy as np
import torch
from torch import Tensor

from glassbox.plotting.colors import BLUE, INK, MUTED, OCHRE, PINK, RUST
from glassbox.plotting.figures import Figure, drawing, figure
from glassbox.support.arguments import check_positive

# Powers of 2: a smaller number rounds to zero, or has fewer digits than usual; a larger one is
# infinite.
_ZERO_BELOW, _COARSE_BELOW, _INFINITE_FROM = -25, -14, 16
_AXIS = (-40, 24)
COLORS = {"zero": RUST, "coarse": OCHRE, "fine": BLUE, "infinite": PINK}


def half_fates(gradients: Tensor, scale: float) -> dict[str, float]:
    """Count what becomes of gradients that are scaled and converted to half precision.

    Fractions that sum to 1, without gradients of exactly 0: ``zero``; ``coarse``, below the
    smallest normal number, where half precision has fewer digits; ``fine``; and ``infinite``.
    """
    check_positive(scale=scale)
    present = gradients[gradients != 0]
    if not len(present):
        raise ValueError("gradients are all 0, expected at least one other")
    size = (present.double() * scale).half().abs()
    zero, infinite = size == 0, size.isinf()
    coarse = ~zero & (size < torch.finfo(torch.float16).tiny)
    fine = ~(zero | coarse | infinite)
    fates = {"zero": zero, "coarse": coarse, "fine": fine, "infinite": infinite}
    return {name: mask.double().mean().item() for name, mask in fates.items()}


@drawing
def show_loss_scale(gradients: Tensor, scale: float) -> Figure:
    """Draw the sizes of scaled gradients and their fates, as :func:`half_fates` counts them."""
    fates = half_fates(gradients, scale)
    present = gradients[gradients != 0].double().abs()
    powers = (present * scale).log2().clamp(_AXIS[0], _AXIS[1] - 1e-9).numpy()
    counts, edges = np.histogram(powers, np.arange(_AXIS[0], _AXIS[1] + 1))
    percents, lefts = 100 * counts[counts > 0] / len(powers), edges[:-1][counts > 0]
    fig, ax = figure(height=3.2, top=0.55)
    ax.bar(lefts + 0.5, percents, 0.86, color=[_color(left) for left in lefts])
    borders = (_AXIS[0], _ZERO_BELOW, _COARSE_BELOW, _INFINITE_FROM, _AXIS[1])
    for left, right, (name, fraction) in zip(borders, borders[1:], fates.items(), strict=False):
        ax.axvline(left, color=MUTED, linewidth=0.8, linestyle=":")
        text = f"{name}\n{100 * fraction:.1f}%"
        ax.text((left + right) / 2, 18.4, text, ha="center", color=INK)
    ax.set(xlim=_AXIS, ylim=(0, 18), ylabel="percent of the gradients")
    ax.set_xlabel("size of a gradient times the scale, as a power of 2")
    found = ", ".join(f"{100 * fraction:.1f} percent {name}" for name, fraction in fates.items())
    fig.describe(f"Gradients in half precision with a loss scale of {scale:,.0f}: {found}.")
    return fig


def _color(power: float) -> str:
    if power < _ZERO_BELOW:
        return COLORS["zero"]
    if power < _COARSE_BELOW:
        return COLORS["coarse"]
    return COLORS["fine"] if power < _INFINITE_FROM else COLORS["infinite"]


def _average_fractions(decay: float, steps: int, warm_up: bool) -> np.ndarray:
    """Compute how much of an exponential average of weights comes from each step.

    Fractions ``(steps + 1,)`` that sum to 1: of the start, and of the weights after each update of
    :class:`glassbox.training.averaging.ExponentialAverage`.
    """
    t = np.arange(1, steps + 1)
    decays = np.minimum(decay, (1 + t) / (10 + t)) if warm_up else np.full(steps, decay)
    # kept[t] is how much of the average before update t is left in the end: the product of the
    # decays from there on.
    kept = np.append(np.cumprod(decays[::-1])[::-1], 1.0)
    return np.append(kept[0], (1 - decays) * kept[1:])


@drawing
def show_weight_average(decay: float, steps: int, warm_up: bool) -> Figure:
    """Draw how much of an average of weights comes from the start and from each tenth of training.

    The fractions are those of :func:`_average_fractions`.
    """
    fractions = _average_fractions(decay, steps, warm_up)
    fig, (left, right) = figure(1, 2, height=3.2, width_ratios=[1, 3.4])
    start = 100 * float(fractions[0])
    left.bar([0], [start], color=RUST, width=0.6)
    left.set(ylim=(0, 100), xlim=(-0.7, 0.7), xticks=[], ylabel="percent", title="the start")
    left.annotate(f"{start:.0f}%", (0, min(start + 3, 92)), ha="center", color=INK)
    bins = np.add.reduceat(fractions[1:], np.linspace(0, steps, 10, endpoint=False).astype(int))
    places = (np.arange(10) + 0.5) * steps / 10
    right.bar(places, 100 * bins, width=0.85 * steps / 10, color=BLUE)
    right.set(ylim=(0, 100), xlim=(0, steps), xlabel="step", title="each tenth of the training")
    fig.describe(
        f"After {steps} steps with decay {decay}{' and warm-up' if warm_up else ''}, "
        f"{start:.0f} percent of the average is the untrained start, and "
        f"{100 * bins[-1]:.0f} percent is the last tenth of the training."
    )
    return fig
