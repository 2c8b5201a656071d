"""The figures of the chapter on long tails."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from torch import Tensor

from glassbox.chapters.long_tails.arms import LARGEST
from glassbox.chapters.long_tails.study import Results, gain
from glassbox.data.splits import PROFILES, long_tailed_counts
from glassbox.plotting.colors import BLUE, GREEN, INK, MUTED, OCHRE, PAPER, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone
from glassbox.training.seed_statistics import PairedDifference, half_width

_RATIO_COLORS = {10: GREEN, 50: OCHRE, 100: RUST}
_DOT = {"marker": "o", "markersize": 4.5}


@drawing
def show_profiles(n_max: int, num_classes: int, imbalances: Sequence[float]) -> Figure:
    """Draw the number of images in each class, for both profiles and at most three ratios."""
    fig, panels = figure(1, 2, height=3.0, sharey=True, right=0.75, wspace=0.34, phone_cols=1)
    for ax, profile in zip(panels, PROFILES, strict=True):
        ends = []
        for imbalance, color in zip(imbalances, _RATIO_COLORS.values(), strict=False):
            counts = long_tailed_counts(n_max, num_classes, imbalance, profile)
            line = {"color": color, "marker": "o", "markersize": 4, "linewidth": 1.5}
            text = f"ratio {imbalance}"
            ax.plot(range(num_classes), counts, label=text, **line)
            ax.text(num_classes - 0.7, counts[-1], text, color=color, va="center", size=9)
            ends.append(f"{counts[-1]} for ratio {imbalance}")
        ax.set(yscale="log", xlabel="class", title=profile, xticks=range(num_classes))
        fig.describe(
            f"{profile.capitalize()} profile: from {n_max} images of class 0 to "
            f"{', '.join(ends)} of class {num_classes - 1}."
        )
    panels[0].set_ylabel("training images")
    panels[0].set_yticks([3, 10, 30, 100, 300], ["3", "10", "30", "100", "300"])
    panels[0].minorticks_off()
    return fig


@drawing
def show_classes(accuracy: Tensor, counts: Sequence[int], levels: dict[str, float]) -> Figure:
    """Draw the accuracy of each class, most frequent first, with averages as horizontal lines.

    Accuracies ``(K,)`` and the levels by name are from 0 to 1.
    """
    fig, ax = figure(height=3.2, right=1.55)
    places = np.arange(len(accuracy))
    ax.bar(places, accuracy.numpy(), width=0.72, color=BLUE, label="accuracy")
    for place, fraction in zip(places, accuracy.tolist(), strict=True):
        frame = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
        style = {"ha": "center", "size": 9, "color": INK, "bbox": frame}
        ax.text(place, fraction + 0.03, f"{100 * fraction:.0f}", **style)
    for (name, height), color in zip(levels.items(), (OCHRE, RUST), strict=False):
        ax.axhline(height, color=color, linewidth=1.5, linestyle=(0, (4, 2)), zorder=0.5)
        text = f"{name}\n{100 * height:.0f} percent"
        ax.text(len(places) - 0.35, height, text, color=color, size=9, va="center", weight="bold")
    ax.set(ylim=(0, 1.08), xlim=(-0.6, len(places) - 0.45))
    ax.set(xlabel="training images of the class", ylabel="accuracy")
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    ax.set_xticks(places, [str(count) for count in counts])
    parts = ", ".join(f"{name} {100 * height:.0f} percent" for name, height in levels.items())
    fig.describe(
        f"Bars of accuracy from {100 * accuracy[0]:.0f} percent for the most frequent class to "
        f"{100 * accuracy[-1]:.0f} for the rarest. {int((accuracy < 0.05).sum())} of "
        f"{len(accuracy)} classes are below 5 percent. Lines: {parts}."
    )
    return fig


@drawing
def show_gains(results: Results, methods: Sequence[str]) -> Figure:
    """Draw the gain over cross-entropy of each method, with its interval, in every setting."""
    spaces = {"left": 1.5, "top": 0.85, "wspace": 0.1, "hspace": 0.2}
    fig, panels = figure(2, 2, height=6.8, sharex=True, sharey=True, **spaces)
    best = []
    for ax, (data, profile) in zip(
        panels.flat, product(("scenes", "digits"), PROFILES), strict=True
    ):
        gains = {
            imbalance: {
                name: 100 * gain(results[data, profile, imbalance], name) for name in methods
            }
            for imbalance in _RATIO_COLORS
        }
        _draw_gains(ax, gains)
        ax.set_title(f"{data},\n{profile}" if on_phone() else f"{data}, {profile}")
        means = {name: one.mean for name, one in gains[100].items()}
        top = max(means, key=means.get)
        best.append(f"{data} {profile} {top} by {means[top]:.0f}")
    panels[0, 0].set_yticks(range(len(methods)), methods)
    panels[0, 0].set_ylim(len(methods) - 0.5, -0.5)
    gained = "points gained over cross-entropy"
    if on_phone():
        panels[1, 0].set_xlabel(gained, x=1.05)
    else:
        panels[1, 0].set_xlabel(gained)
        panels[1, 1].set_xlabel(gained)
    for imbalance, color in _RATIO_COLORS.items():
        panels[0, 1].plot([], [], color=color, label=f"ratio {imbalance}", **_DOT)
    panels[0, 1].legend(
        ncols=3, fontsize=9, loc="lower right", bbox_to_anchor=(1.02, 1.2 if on_phone() else 1.1)
    )
    fig.describe(
        "Gains in balanced accuracy over cross-entropy with 95% intervals over five seeds, for "
        f"{len(methods)} methods at imbalance 10, 50 and 100. The largest mean gains at imbalance "
        f"100, in points: {'; '.join(best)}."
    )
    return fig


def _draw_gains(ax: Axes, gains: Mapping[float, Mapping[str, PairedDifference]]) -> None:
    """Draw a row for each method, and in it a dot and its interval for each ratio."""
    ax.axvline(0, color=MUTED, linewidth=1)
    for shift, (imbalance, color) in zip((-0.24, 0, 0.24), _RATIO_COLORS.items(), strict=True):
        for place, found in enumerate(gains[imbalance].values()):
            height, gid = place + shift, f"row {place}, ratio {imbalance}"
            ax.plot(found.interval(), [height, height], color=color, linewidth=1.6, gid=gid)
            ax.plot([found.mean], [height], color=color, gid=gid, **_DOT)
    ax.grid(axis="x")


@drawing
def show_method(results: Results, data: str, profile: str, imbalance: int, method: str) -> Figure:
    """Draw the accuracy of each class with one method beside that with cross-entropy."""
    methods = results[data, profile, imbalance]
    counts = long_tailed_counts(LARGEST[data], 10, imbalance, profile)
    fig, ax = figure(height=3.5)
    places = np.arange(10)
    for name, shift, color in (("cross-entropy", -0.2, "#b9bfcc"), (method, 0.2, BLUE)):
        runs = 100 * methods[name]
        spread = half_width(runs.std(0), len(runs))
        style = {"width": 0.38, "color": color, "error_kw": {"elinewidth": 1, "ecolor": INK}}
        ax.bar(places + shift, runs.mean(0).numpy(), yerr=spread.numpy(), label=name, **style)
    found = 100 * gain(methods, method)
    ax.set(ylim=(0, 105), xlim=(-0.6, 9.6), ylabel="accuracy, percent")
    ax.set_xlabel("training images of the class")
    ax.set_xticks(places, [str(count) for count in counts])
    if on_phone():  # where the rarest classes leave room
        ax.legend(loc="upper right", fontsize=9)
    else:
        ax.legend(loc="upper right", ncols=2, fontsize=9, bbox_to_anchor=(1, 1.16))
    change = f"{found.mean:+.1f} ± {found.half_width():.1f}".replace("-", "−")
    ax.set_title(f"Balanced: {change} points")
    first, last = (100 * methods[name].mean(0)[-3:].mean() for name in ("cross-entropy", method))
    fig.describe(
        f"Accuracy of the ten classes of {data}, {profile} profile, imbalance {imbalance}. The "
        f"three rarest classes: {first:.0f} percent on average by cross-entropy, {last:.0f} by "
        f"{method}. The gain in balanced accuracy is {change} points."
    )
    return fig
