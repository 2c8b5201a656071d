"""The figures of the chapter on long tails."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from glassbox.chapters.long_tails.arms import ARMS, BASE_STEPS, IMBALANCE, LARGEST, METHODS
from glassbox.chapters.long_tails.study import Arm, Results, Tried, balanced, gain
from glassbox.data.splits import PROFILES, long_tailed_counts
from glassbox.plotting.colors import BLUE, GREEN, INK, MUTED, OCHRE, PAPER, RUST
from glassbox.plotting.figures import Figure, drawing, figure, on_phone
from glassbox.training.seed_statistics import PairedDifference, half_width

# The lines of a panel are moved a little to the side, and have their colors.
_MIXINGS = {"plain": (0.94, INK), "Mixup": (1.0, BLUE), "CutMix": (1.06, RUST)}
_STEP_COLORS = (GREEN, OCHRE, RUST, BLUE)
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
def show_budgets(results: Results, data: str) -> Figure:
    """Draw balanced accuracy over the steps: a panel for each method, a line for each mixing.

    With 95% intervals over seeds.
    """
    at = {
        round(budget * BASE_STEPS[data]): arms
        for (name, budget), arms in results.items()
        if name == data
    }
    spaces = {"wspace": 0.1, "hspace": 0.3, "top": 0.75}
    fig, panels = figure(4, 2, height=9.0, sharex=True, sharey=True, **spaces)
    for ax, method in zip(panels.flat, METHODS, strict=True):
        mixings = {name: at for name, at in _MIXINGS.items() if (method, name) in ARMS}
        for mixing, (shift, color) in mixings.items():
            runs = {steps: 100 * balanced(arms[method, mixing]) for steps, arms in at.items()}
            places = [shift * steps for steps in runs]
            means, widths = zip(
                *((one.mean, one.half_width()) for one in runs.values()), strict=True
            )
            style = {"color": color, "linewidth": 1.6, "capsize": 2.5, **_DOT}
            ax.errorbar(places, means, yerr=widths, label=mixing, **style)
        ends = (f"{mixing} {_ends(at, method, mixing)}" for mixing in mixings)
        ax.set_title(method)
        ax.set_xscale("log", base=2)
        fig.describe(f"{method}: {', '.join(ends)}.")
    for ax in panels[-1]:
        ax.set_xlabel("steps")
        ax.set_xticks(list(at), list(map(str, at)))
        ax.minorticks_off()
    panels[2, 0].set_ylabel("balanced accuracy, percent", y=1.1)
    panels[0, 1].legend(
        ncols=3, fontsize=9, loc="lower right", bbox_to_anchor=(1.02, 1.25 if on_phone() else 1.13)
    )
    fig.alt = f"Balanced accuracy on {data} from {min(at)} to {max(at)} steps. {fig.alt}"
    return fig


def _ends(at: Mapping[int, Mapping[Arm, Tensor]], method: str, mixing: str) -> str:
    first, last = (100 * at[steps][method, mixing].mean() for steps in (min(at), max(at)))
    return f"{first:.0f} to {last:.0f}"


@drawing
def show_gains(
    gains: Mapping[str, Mapping[str, Mapping[int, PairedDifference]]], over: str
) -> Figure:
    """Draw differences with their intervals: a panel for each data set, a row for each method.

    Args:
        gains: In points, by data set, row and steps.
        over: What they are gains over, for the axis.
    """
    spaces = {"left": 1.5, "top": 1.1 if on_phone() else 0.85, "wspace": 0.1}
    rows = list(next(iter(gains.values())))
    inches = (1.75 if on_phone() else 1.5) + 0.42 * len(rows)
    all_steps = sorted({steps for one in gains.values() for row in one.values() for steps in row})
    colors = dict(zip(all_steps, _STEP_COLORS, strict=False))
    fig, panels = figure(1, len(gains), height=inches, sharex=True, sharey=True, **spaces)
    panels = [panels] if len(gains) == 1 else panels
    for ax, (data, by_row) in zip(panels, gains.items(), strict=True):
        ax.axvline(0, color=MUTED, linewidth=1)
        for place, (row, by_steps) in enumerate(by_row.items()):
            heights = place + np.linspace(-0.27, 0.27, len(by_steps))
            for height, (steps, found) in zip(heights, by_steps.items(), strict=True):
                line = {"color": colors[steps], "gid": f"{row}, {steps} steps"}
                ax.plot(found.interval(), [height, height], linewidth=1.6, **line)
                ax.plot([found.mean], [height], **line, **_DOT)
            low, *_, high = by_steps.values()
            fig.describe(f"{data}, {row}: {low.mean:+.1f} to {high.mean:+.1f}.")
        ax.grid(axis="x")
        ax.set_title(data)
    panels[0].set_yticks(range(len(rows)), rows)
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    panels[0].set_xlabel(f"points gained over {over}", x=1.05 if len(gains) == 2 else 0.5)
    for steps, color in colors.items():
        panels[-1].plot([], [], color=color, label=f"{steps} steps", **_DOT)
    panels[-1].legend(
        ncols=2 if on_phone() else 4,
        fontsize=9,
        loc="lower right",
        bbox_to_anchor=(1.02, 1.0 + 0.45 / (0.42 * len(rows))),
    )
    fig.alt = f"Gains over {over} in points, from the fewest to the most steps. {fig.alt}"
    return fig


@drawing
def show_method(results: Results, data: str, steps: int, method: str, mixing: str) -> Figure:
    """Draw the accuracy of each class with one arm beside that with plain cross-entropy."""
    arms, plain = results[data, steps / BASE_STEPS[data]], ("cross-entropy", "plain")
    counts = long_tailed_counts(LARGEST[data], 10, IMBALANCE)
    name = method if mixing == "plain" else f"{method}, {mixing}"
    fig, ax = figure(height=3.9 if on_phone() else 3.5, top=1.0 if on_phone() else 0.6)
    places = np.arange(10)
    for label, arm, shift, color in (
        ("cross-entropy, plain", plain, -0.2, "#b9bfcc"),
        (name, (method, mixing), 0.2, BLUE),
    ):
        runs = 100 * arms[arm]
        spread = half_width(runs.std(0), len(runs))
        style = {"width": 0.38, "color": color, "error_kw": {"elinewidth": 1, "ecolor": INK}}
        ax.bar(places + shift, runs.mean(0).numpy(), yerr=spread.numpy(), label=label, **style)
    found = 100 * gain(arms, (method, mixing), plain)
    ax.set(ylim=(0, 105), xlim=(-0.6, 9.6), ylabel="accuracy, percent")
    ax.set_xlabel("training images of the class")
    ax.set_xticks(places, [str(count) for count in counts])
    above = {"loc": "lower right", "bbox_to_anchor": (1.02, 1.1 if on_phone() else 1.0)}
    ax.legend(ncols=1 if on_phone() else 2, fontsize=9, **above)
    change = f"{found.mean:+.1f} ± {found.half_width():.1f}".replace("-", "−")
    ax.set_title(f"Balanced: {change} points")
    first, last = (100 * arms[arm].mean(0)[-3:].mean() for arm in (plain, (method, mixing)))
    fig.describe(
        f"Accuracy of the ten classes of {data}, {steps} steps. The three rarest classes: "
        f"{first:.0f} percent on average by plain cross-entropy, {last:.0f} by {name}. The gain "
        f"in balanced accuracy is {change} points."
    )
    return fig


@drawing
def show_rates(tried: Tried, data: str, steps: int) -> Figure:
    """Draw the balanced accuracy on the images to choose by over the learning rate."""
    arms = tried[data, steps / BASE_STEPS[data]]
    spaces = {"wspace": 0.1, "hspace": 0.3, "top": 0.75}
    fig, panels = figure(4, 2, height=8.4, sharex=True, sharey=True, **spaces)
    for ax, method in zip(panels.flat, METHODS, strict=True):
        best = []
        for mixing, (_, color) in _MIXINGS.items():
            rates = arms.get((method, mixing))
            if rates is None:
                continue
            values = [100 * value for value in rates.values()]
            ax.plot(list(rates), values, color=color, linewidth=1.6, label=mixing, **_DOT)
            best.append(f"{mixing} {max(rates, key=rates.get):g}")
        ax.set(xscale="log", title=method, ylim=(30, 90))  # below, nothing is chosen
        ax.set_xticks([0.01, 0.1], ["0.01", "0.1"])
        fig.describe(f"Best rate of {method}: {', '.join(best)}.")
    for ax in panels[-1]:
        ax.set_xlabel("learning rate")
    panels[2, 0].set_ylabel("balanced accuracy on validation images, percent", y=1.1)
    panels[0, 1].legend(
        ncols=3, fontsize=9, loc="lower right", bbox_to_anchor=(1.02, 1.25 if on_phone() else 1.13)
    )
    return fig
