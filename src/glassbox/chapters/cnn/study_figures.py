"""The figures of what the study of the chapter on CNNs found."""

from collections.abc import Mapping, Sequence

import numpy as np

from glassbox.chapters.cnn.digits import METHODS
from glassbox.chapters.cnn.question import SCALES
from glassbox.plotting.colors import BLUE, GREEN, INK, MUTED, OCHRE, PINK, RUST, SKY
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone
from glassbox.plotting.marks import draw_intervals
from glassbox.support.arguments import check_choice
from glassbox.training.seed_statistics import SeedRuns

_COLORS = dict(zip(METHODS, (MUTED, OCHRE, PINK, GREEN, BLUE, RUST), strict=True))
_SCALES = dict(zip(SCALES, (RUST, OCHRE, BLUE), strict=True))
Asked = Mapping[tuple[str, str, float, int], Mapping[str, SeedRuns]]


@drawing
def show_question(found: Asked, optimizer: str, updates: int) -> Figure:
    """Draw accuracy over the learning rate for each scale of the pixels, after so many steps.

    ``found`` is of :func:`~.study.load_question`; a circle marks what was asked.
    """
    known = sorted({(name, steps) for name, _, _, steps in found})
    check_choice([str(one) for one in known], **{"(optimizer, updates)": str((optimizer, updates))})
    fig, ax = figure(height=3.7, top=0.85)
    ax.axhline(10, color=MUTED, linewidth=1, linestyle=(0, (4, 2)), zorder=0)
    best = []
    for scale, color in _SCALES.items():
        runs = {
            lr: 100 * one["test accuracy"]
            for (name, of, lr, steps), one in found.items()
            if (name, of, steps) == (optimizer, scale, updates)
        }
        _draw_line(ax, runs, color, scale)
        top = max(runs, key=lambda lr: runs[lr].mean)
        best.append(f"{scale} {runs[top].mean:.0f} at {top:g}")
    if optimizer == "SGD":
        asked = 100 * found["SGD", SCALES[0], 0.01, updates]["test accuracy"].mean
        ring = {"facecolors": "none", "edgecolors": INK, "linewidths": 1.5, "zorder": 5}
        ax.scatter([0.01], [asked], s=130, label="as asked", gid="asked", **ring)
    ax.set(xscale="log", xlabel=f"learning rate of {optimizer}", ylim=(0, 100))
    ax.set(ylabel="test accuracy, percent")
    _legend(ax, 2 if on_phone() else 4)
    fig.describe(
        f"Accuracy over the learning rate of {optimizer} after {updates} steps. Best percent by "
        f"scale of the pixels: {'; '.join(best)}."
    )
    return fig


@drawing
def show_learning(found: Mapping[str, Mapping[int, SeedRuns]]) -> Figure:
    """Draw accuracy, from 0 to 1, over the number of training images for each method."""
    fig, ax = figure(height=4.0, top=0.95 if on_phone() else 0.75)
    ends = []
    for name, runs in found.items():
        percent = {images: 100 * one for images, one in runs.items()}
        _draw_line(ax, percent, _COLORS[name], name)
        ends.append(f"{name} {percent[min(runs)].mean:.0f} and {percent[max(runs)].mean:.0f}")
    counts = list(next(iter(found.values())))
    ax.set(xscale="log", xlabel="training images", ylabel="test accuracy, percent")
    ax.set_xticks(counts, [f"{count:,}" for count in counts])
    ax.minorticks_off()
    _legend(ax, 2 if on_phone() else 3)
    fig.describe(
        f"Percent right with {min(counts)} and {max(counts)} training images: {', '.join(ends)}."
    )
    return fig


def _draw_line(ax: Axes, runs: Mapping[float, SeedRuns], color: str, name: str) -> None:
    means, halves = zip(*((one.mean, one.half_width()) for one in runs.values()), strict=True)
    style = {"color": color, "marker": "o", "markersize": 4.5, "linewidth": 1.6, "capsize": 2}
    ax.errorbar(list(runs), means, halves, label=name, **style)


def _legend(ax: Axes, columns: int) -> None:
    above = {"fontsize": 9, "loc": "lower left", "bbox_to_anchor": (-0.02, 1.0)}
    ax.legend(ncols=columns, **above)


@drawing
def show_rows(
    rows: Mapping[str, SeedRuns], xlabel: str, *, colors: Sequence[str] = (), zero: bool = False
) -> Figure:
    """Draw a dot with its interval for each name; a line at 0 if there is a ``zero``."""
    fig, ax = figure(height=0.33 * len(rows) + 0.8, left=2.3, right=0.3, top=0.15)
    if zero:
        ax.axvline(0, color=INK, linewidth=1)
    draw_intervals(ax, rows, list(colors) or [BLUE] * len(rows), width=2.2, size=34)
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.4, -0.6))
    ax.grid(False, axis="y")
    parts = (f"{name} {one.mean:z.2f} ± {one.half_width():.2f}" for name, one in rows.items())
    fig.describe(f"{xlabel}: {'; '.join(parts)}.".replace("\n", " "))
    return fig


@drawing
def show_seconds(curves: Mapping[str, Mapping[float, float]], ends: Sequence[str] = ()) -> Figure:
    """Draw accuracy, from 0 to 1, over seconds of training for each recipe.

    Args:
        curves: Accuracy by seconds, for each recipe.
        ends: Recipes whose points are ends of trainings of their own, drawn without a line.
    """
    fig, ax = figure(height=4.0, top=0.95 if on_phone() else 0.6)
    last = []
    for (name, found), color in zip(curves.items(), (MUTED, OCHRE, BLUE, RUST, SKY), strict=False):
        x, y = np.array(list(found.items())).T
        style = {"marker": "o", "markersize": 4.5 if name not in ends else 8, "color": color}
        style["linestyle"] = "" if name in ends else "-"
        ax.plot(x, 100 * y, label=name, linewidth=1.6, **style)
        last.append(f"{name} {100 * y[-1]:.0f} after {x[-1]:.0f} seconds")
    ax.set(xlabel="seconds on one core", ylabel="test accuracy, percent")
    ax.set_xlim(0, None)
    _legend(ax, 1 if on_phone() else 3)
    fig.describe(f"Percent right: {', '.join(last)}.")
    return fig
