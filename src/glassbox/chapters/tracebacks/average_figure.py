"""Drawings of averages of weights over a training."""

import numpy as np

from glassbox.plotting.figures import BLUE, INK, RUST, Figure, figure


def average_fractions(decay: float, steps: int, warm_up: bool) -> np.ndarray:
    """Compute what an exponential average is made of.

    Args:
        decay: From 0 to 1.
        steps: Number of updates, at least 1.
        warm_up: Whether the decay begins small, as in
            :class:`glassbox.training.averaging.ExponentialAverage`.

    Returns:
        ``(steps + 1,)`` shares that sum to 1: of the start, and of the weights after each update.
    """
    t = np.arange(1, steps + 1)
    decays = np.minimum(decay, (1 + t) / (10 + t)) if warm_up else np.full(steps, decay)
    kept = np.append(np.cumprod(decays[::-1])[::-1], 1.0)  # of what was there before update t
    return np.append(kept[0], (1 - decays) * kept[1:])


def show_weight_average(decay: float, steps: int, warm_up: bool) -> Figure:
    """Draw what an average of weights is made of.

    Args:
        decay: From 0 to 1.
        steps: Number of updates.
        warm_up: Whether the decay begins small.

    Returns:
        The figure.
    """
    fractions = average_fractions(decay, steps, warm_up)
    fig, (left, right) = figure(1, 2, height=3.2, width_ratios=[1, 3.4])
    left.bar([0], [100 * float(fractions[0])], color=RUST, width=0.6)
    left.set(ylim=(0, 100), xlim=(-0.7, 0.7), xticks=[], ylabel="percent", title="the start")
    left.annotate(
        f"{100 * fractions[0]:.0f}%", (0, min(100 * fractions[0] + 3, 92)), ha="center", color=INK
    )
    # Ten bins of equal length: what a tenth of the training contributes.
    bins = np.add.reduceat(fractions[1:], np.linspace(0, steps, 10, endpoint=False).astype(int))
    places = (np.arange(10) + 0.5) * steps / 10
    right.bar(places, 100 * bins, width=0.85 * steps / 10, color=BLUE)
    right.set(ylim=(0, 100), xlim=(0, steps), xlabel="step", title="each tenth of the training")
    fig.describe(
        f"After {steps} steps with decay {decay}{' and warm-up' if warm_up else ''}, "
        f"{100 * fractions[0]:.0f} percent of the average is the untrained start, and "
        f"{100 * bins[-1]:.0f} percent is the last tenth of the training."
    )
    return fig
