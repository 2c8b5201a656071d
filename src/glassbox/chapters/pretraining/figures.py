"""The figures of the page on pretraining."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from glassbox.chapters.pretraining.study import Found
from glassbox.chapters.pretraining.ways import WAYS
from glassbox.networks.zoo import COSTS, Entry, frontier
from glassbox.plotting.colors import BLUE, FAINT, GREEN, INK, MUTED, OCHRE, PINK, RUST
from glassbox.plotting.figures import LEFT, Axes, Figure, drawing, figure, on_phone, page_width
from glassbox.plotting.marks import draw_intervals
from glassbox.support.arguments import check_choice
from glassbox.training.seed_statistics import SeedRuns, paired_difference

COLORS = dict(zip(WAYS, (INK, OCHRE, GREEN, GREEN, BLUE, PINK), strict=True))
_KEPT = (0, (4, 1.5))  # the line of a way that keeps the statistics of ImageNet
_NAMES = 1.5  # width of the names of rows, in inches
_SPREAD = 0.05  # between the dots of two ways, as a fraction of the number of labels


@drawing
def show_rows(rows: Mapping[str, Tensor]) -> Figure:
    """Show rows of color images, ``(N, 3, S, S)`` bytes, with each row's name on its left."""
    count = len(next(iter(rows.values())))
    tile = (page_width() - _NAMES - 0.1) / count
    margins = {"left": _NAMES, "right": 0.1, "top": 0.05, "bottom": 0.05}
    fig, ax = figure(height=len(rows) * tile + 0.1, **margins)
    for place, (name, images) in enumerate(rows.items()):
        for i, image in enumerate(images):
            edges = (i + 0.03, i + 0.97, place + 0.97, place + 0.03)
            ax.imshow(image.permute(1, 2, 0).numpy(), extent=edges)
        ax.text(-0.12, place + 0.5, name, ha="right", va="center", size=9)
    ax.set(xlim=(0, count), ylim=(len(rows), 0))
    ax.set_axis_off()
    fig.describe(f"Rows of {count} small images: {'; '.join(rows)}.".replace("\n", " "))
    return fig


@drawing
def show_ways(found: Found) -> Figure:
    """Draw accuracy over the number of labels for each way."""
    lines = {name: _percent(runs) for name, runs in found.items()}
    fig, ax = figure(height=4.1, top=0.95 if on_phone() else 0.75)
    _draw_lines(ax, lines)
    ax.set_ylabel("test accuracy, percent")
    above = {"fontsize": 9, "loc": "lower left", "bbox_to_anchor": (-0.02, 1.0)}
    ax.legend(ncols=2 if on_phone() else 3, **above)
    fig.describe(_lines_sentence(lines))
    return fig


@drawing
def show_choice(found: Found, against: str, labels: int) -> Figure:
    """Draw all ways, and their gains over one of them with one number of labels."""
    check_choice(found, against=against)
    lines = {name: _percent(runs) for name, runs in found.items()}
    sizes = {"height": 3.4, "left": 1.2 if on_phone() else LEFT, "top": 0.65, "wspace": 0.5}
    fig, (left, right) = figure(1, 2, **sizes, width_ratios=[1.2, 1], phone_cols=1)
    left.axvline(labels, color=MUTED, linewidth=1, linestyle=(0, (2, 3)), gid="compared")
    _draw_lines(left, lines)
    left.set_title("all six")
    left.set_ylabel("test accuracy, percent")
    other = lines[against][labels]
    gains = {
        name: paired_difference(runs[labels], other)
        for name, runs in lines.items()
        if name != against
    }
    right.axvline(0, color=INK, linewidth=1)
    _draw_dots(right, gains, [COLORS[name] for name in gains])
    right.set(xlim=(-60, 70), xlabel=f"points more than {against}", ylim=(len(gains) - 0.4, -0.6))
    count = f"{labels} label{'s' * (labels > 1)} a class"
    right.set_title(count)
    parts = (f"{name} {one.mean:+z.0f} ± {one.half_width():.0f}" for name, one in gains.items())
    fig.describe(
        f"With {count}, {against} is right on {other.mean:.0f} percent; points more than that: "
        f"{', '.join(parts)}."
    )
    return fig


@drawing
def show_stems(stems: Mapping[str, SeedRuns]) -> Figure:
    """Draw the accuracy of each beginning for small images."""
    found = _percent(stems)
    fig, ax = figure(height=0.32 * len(found) + 0.75, left=1.1, right=0.3, top=0.15)
    _draw_dots(ax, found, [BLUE] * len(found))
    ax.set(xlim=(0, 100), xlabel="test accuracy, percent")
    parts = (f"{stem} {one.mean:.0f}" for stem, one in found.items())
    fig.describe(f"Accuracy in percent: {', '.join(parts)}.")
    return fig


@drawing
def show_reports(reports: Mapping[str, SeedRuns]) -> Figure:
    """Draw accuracies of one network, in percent, by how they were measured."""
    fig, ax = figure(height=0.32 * len(reports) + 0.75, left=2.6, right=0.3, top=0.15)
    colors = [RUST if "test" in name else BLUE for name in reports]
    _draw_dots(ax, reports, colors)
    ax.set(xlim=(68, 100), xlabel="accuracy, percent")
    parts = (f"{name} {one.mean:.0f}" for name, one in reports.items())
    fig.describe(f"Accuracy in percent: {', '.join(parts)}.")
    return fig


@drawing
def show_zoo(entries: Sequence[Entry], cost: str, family: str | None = None) -> Figure:
    """Draw accuracy over cost, with the models of one family named.

    The cost is a key of :data:`glassbox.networks.zoo.COSTS`. Without a family the models are named
    that no other beats of those trained on ImageNet alone; ``"SWAG"`` names those that were not.
    """
    alone = [one for one in entries if one.trained_on == "ImageNet"]
    swag = [one for one in entries if one.trained_on != "ImageNet"]
    best = frontier(alone, cost)
    named = swag if family == "SWAG" else [one for one in entries if one.family == family]
    named = named or best
    if family is not None and named is best:
        known = dict.fromkeys(one.family for one in entries)
        raise ValueError(f"family is {family!r}, expected None, SWAG or one of {', '.join(known)}")
    every, more, frontier_points, points = (
        np.array([(getattr(one, cost), one.top1) for one in chosen])
        for chosen in (entries, swag, best, named)
    )
    fig, ax = figure(height=4.4, top=0.45)
    ax.set_xscale("log")
    ax.scatter(*every.T, s=16, color=FAINT, zorder=2, label="ImageNet alone", gid="all")
    ring = {"facecolors": "none", "edgecolors": RUST, "linewidths": 1.2, "gid": "swag"}
    ax.scatter(*more.T, s=60, zorder=4, label="other photographs before", **ring)
    above = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "columnspacing": 1.0}
    ax.legend(ncols=2, fontsize=9, **above)
    step = {"where": "post", "color": MUTED, "linewidth": 1, "zorder": 1}
    ax.step(*frontier_points.T, "-", **step)
    color = OCHRE if family is None else BLUE
    ax.scatter(*points.T, s=30, color=color, zorder=3, gid="named")
    x = every[:, 0]
    ax.set(
        xlim=(x.min() * (0.003 if on_phone() else 0.07), x.max() * 3.2),
        ylim=(54, 90),
        ylabel="top-1 accuracy, percent",
    )
    ax.set_xlabel(COSTS[cost])
    _name_points(ax, [one.name for one in named], points, left=family is None)
    fig.describe(f"Accuracy over {COSTS[cost]}. {_zoo_sentence(named, cost, family)}")
    return fig


def _zoo_sentence(named: Sequence[Entry], cost: str, family: str | None) -> str:
    top, cheap = max(named, key=lambda one: one.top1), min(named, key=lambda o: getattr(o, cost))
    what = f"{family}:"
    if family is None:
        what = "Of those trained on ImageNet alone, none is as cheap and better than"
    if len(named) == 1:
        return f"{what} one set of weights, {top.name} with {top.top1:.1f} percent."
    return (
        f"{what} {len(named)} sets of weights, from {cheap.name} with {cheap.top1:.1f} percent to "
        f"{top.name} with {top.top1:.1f}."
    )


def _name_points(ax: Axes, names: Sequence[str], points: np.ndarray, *, left: bool) -> None:
    """Write names beside points, the most accurate first, where there is room for them.

    One that would leave the figure stands on the other side of its point.
    """
    taken: list[tuple[float, float, float]] = []  # start, height and width of names, in inches
    size = 9 if on_phone() else 8
    for i in np.argsort(-points[:, 1]):
        x, y = ax.transData.transform(points[i]) / ax.figure.dpi
        width = 0.0085 * size * len(names[i])
        before = x - width > 0.1 and (left or x + width > ax.figure.get_figwidth() - 0.2)
        spot, side = ((-5, 3), "right") if before else ((6, -3), "left")
        start = x - width if before else x
        if all(abs(y - v) > 0.16 or start + width < u or u + w < start for u, v, w in taken):
            taken.append((start, y, width))
            style = {"textcoords": "offset points", "fontsize": size, "color": INK, "ha": side}
            ax.annotate(names[i], points[i], spot, **style)


def _percent(found: Mapping[Any, SeedRuns]) -> dict[Any, SeedRuns]:
    return {key: 100 * one for key, one in found.items()}


def _draw_lines(ax: Axes, lines: Mapping[str, Mapping[int, SeedRuns]]) -> None:
    middle = (len(lines) - 1) / 2
    for i, (name, found) in enumerate(lines.items()):
        means, halves = zip(*((one.mean, one.half_width()) for one in found.values()), strict=True)
        style = {"color": COLORS[name], "marker": "o", "markersize": 4.5, "linewidth": 1.6}
        style["linestyle"] = "-" if WAYS[name].batch_statistics else _KEPT
        places = [labels * (1 + _SPREAD * (i - middle)) for labels in found]
        ax.errorbar(places, means, halves, label=name, capsize=2, **style)
    ax.set(xscale="log", xlabel="labels a class")
    ax.set_ylim(0, None)
    ticks = list(next(iter(lines.values())))
    ax.set_xlim(min(ticks) / 1.4, max(ticks) * 1.4)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()


def _lines_sentence(lines: Mapping[str, Mapping[int, SeedRuns]]) -> str:
    few, many = (end(next(iter(lines.values()))) for end in (min, max))
    parts = (f"{name} {one[few].mean:.0f} and {one[many].mean:.0f}" for name, one in lines.items())
    return f"Percent right with {few} and {many} labels a class: {', '.join(parts)}."


def _draw_dots(ax: Axes, values: Mapping[str, SeedRuns], colors: Sequence[str]) -> None:
    draw_intervals(ax, values, colors, width=2.2, size=34)
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.grid(False, axis="y")
