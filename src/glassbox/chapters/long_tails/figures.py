"""The drawings of the chapter on long tails."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from glassbox.chapters.long_tails.arms import LARGEST
from glassbox.chapters.long_tails.study import Results, gain
from glassbox.data.splits import PROFILES, long_tailed_counts
from glassbox.plotting.figures import BLUE, GREEN, INK, MUTED, OCHRE, PAPER, RUST, Figure, figure
from glassbox.training.seed_statistics import half_width


def show_profiles(n_max: int, num_classes: int, imbalances: Sequence[float]) -> Figure:
    """Draw how many images each class has, for both profiles and some ratios.

    Args:
        n_max: Images of the largest class.
        num_classes: Number of classes.
        imbalances: Ratios of the largest to the smallest class, three at most.

    Returns:
        The figure with its alt sentence.
    """
    fig, panels = figure(1, 2, height=3.0, sharey=True, right=0.75)
    fig.subplots_adjust(wspace=0.34)
    for ax, profile in zip(panels, PROFILES, strict=True):
        ends = []
        for imbalance, color in zip(imbalances, (GREEN, OCHRE, RUST), strict=False):
            counts = long_tailed_counts(n_max, num_classes, imbalance, profile)
            line = {"marker": "o", "markersize": 4, "linewidth": 1.5}
            ax.plot(range(num_classes), counts, color=color, **line)
            text = f"ratio {imbalance}"
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


def show_classes(
    accuracy: Tensor, counts: Sequence[int], levels: dict[str, float], title: str = ""
) -> Figure:
    """Draw the accuracy of each class, most frequent first, with some averages as lines.

    Args:
        accuracy: Of each class, from 0 to 1, ``(K,)``.
        counts: Training images of each class.
        levels: Name to the height of a line.
        title: Title of the figure.

    Returns:
        The figure with its alt sentence.
    """
    fig, ax = figure(height=3.2, right=1.55)
    places = np.arange(len(accuracy))
    ax.bar(places, accuracy.numpy(), width=0.72, color=BLUE)
    for place, fraction in zip(places, accuracy.tolist(), strict=True):
        number = {"ha": "center", "size": 9, "color": INK}
        number["bbox"] = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
        ax.text(place, fraction + 0.03, f"{100 * fraction:.0f}", **number)
    for (name, height), color in zip(levels.items(), (OCHRE, RUST), strict=False):
        ax.axhline(height, color=color, linewidth=1.5, linestyle=(0, (4, 2)), zorder=0.5)
        text = f"{name}\n{100 * height:.0f} percent"
        ax.text(len(places) - 0.35, height, text, color=color, size=9, va="center", weight="bold")
    ax.set(ylim=(0, 1.08), xlim=(-0.6, len(places) - 0.45), title=title)
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


def show_gains(results: Results, methods: Sequence[str]) -> Figure:
    """Draw the gain over cross-entropy of each method, with its interval, in every setting.

    Args:
        results: From :func:`glassbox.chapters.long_tails.study.load_accuracies`.
        methods: Which to draw, from the top down.

    Returns:
        The figure with its alt sentence.
    """
    fig, panels = figure(2, 2, height=6.8, left=1.5, top=0.85, sharex=True, sharey=True)
    fig.subplots_adjust(wspace=0.1, hspace=0.2)
    colors = dict(zip((10, 50, 100), (GREEN, OCHRE, RUST), strict=True))
    best = []
    for row, data in enumerate(LARGEST):
        for column, profile in enumerate(PROFILES):
            ax = panels[row, column]
            ax.axvline(0, color=MUTED, linewidth=1)
            for place, method in enumerate(methods):
                for shift, (imbalance, color) in zip((-0.24, 0, 0.24), colors.items(), strict=True):
                    found = 100 * gain(results[data, profile, imbalance], method)
                    low, high = found.interval()
                    height = place + shift
                    ax.plot([low, high], [height, height], color=color, linewidth=1.6)
                    ax.plot([found.mean], [height], marker="o", markersize=4.5, color=color)
            ax.set_title(f"{data}, {profile}")
            means = {m: 100 * gain(results[data, profile, 100], m).mean for m in methods}
            top = max(means, key=means.get)
            best.append(f"{data} {profile} {top} by {means[top]:.0f}")
    panels[0, 0].set_yticks(range(len(methods)), methods)
    panels[0, 0].set_ylim(len(methods) - 0.5, -0.5)
    for ax in panels[1]:
        ax.set_xlabel("points gained over cross-entropy")
    for imbalance, color in colors.items():
        panels[0, 1].plot(
            [], [], color=color, marker="o", markersize=4.5, label=f"ratio {imbalance}"
        )
    place = {"loc": "lower right", "bbox_to_anchor": (1.02, 1.1)}
    panels[0, 1].legend(ncols=3, fontsize=9, **place)
    for ax in panels.flat:
        ax.grid(axis="x")
    fig.describe(
        "Gains in balanced accuracy over cross-entropy with 95% intervals over five seeds, for "
        f"{len(methods)} methods at imbalance 10, 50 and 100. The largest mean gains at imbalance "
        f"100, in points: {'; '.join(best)}."
    )
    return fig


def show_method(results: Results, data: str, profile: str, imbalance: int, method: str) -> Figure:
    """Draw the accuracy of each class by one method beside that by cross-entropy.

    Args:
        results: From :func:`glassbox.chapters.long_tails.study.load_accuracies`.
        data: ``"scenes"`` or ``"digits"``.
        profile: ``"exponential"`` or ``"step"``.
        imbalance: 10, 50 or 100.
        method: One of the methods of the results.

    Returns:
        The figure with its alt sentence.
    """
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
