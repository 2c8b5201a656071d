"""The figures of the page on pretraining."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from glassbox.chapters.pretraining.study import Stems, Transfers
from glassbox.chapters.pretraining.tasks import UPSTREAM
from glassbox.networks.zoo import COSTS, Entry, frontier
from glassbox.plotting.colors import BLUE, FAINT, GREEN, INK, MUTED, OCHRE, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone, page_width
from glassbox.plotting.marks import draw_intervals
from glassbox.support.arguments import check_choice
from glassbox.training.seed_statistics import SeedRuns, paired_difference

COLORS = {"scratch": INK, "probe": OCHRE, "thawed": GREEN, "fine-tuned": BLUE}
_TITLES = {"scenes": "new things", "digits": "digits"}
_NAMES = 1.5  # width of the names of rows, in inches


@drawing
def show_worlds(rows: Mapping[str, Tensor]) -> Figure:
    """Show rows of small color images, ``(N, 3, S, S)`` bytes, with each row's name on its left."""
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
def show_transfers(transfers: Transfers) -> Figure:
    """Draw accuracy over the number of labels, for each way to transfer from the things."""
    fig, panels = figure(1, 2, height=3.5, top=0.75, sharey=True, wspace=0.12, phone_cols=1)
    for ax, (target, title) in zip(panels, _TITLES.items(), strict=True):
        lines = {name: _percent(transfers[name, target]) for name in COLORS}
        _draw_lines(ax, lines)
        ax.set_title(title, y=1.0)
        fig.describe(_lines_sentence(title, lines))
    panels[0].set_ylabel("test accuracy, percent")
    above = {"fontsize": 9, "loc": "lower right", "bbox_to_anchor": (1.03, 1.1)}
    if on_phone():
        panels[0].legend(ncols=2, **above)
    else:
        panels[1].legend(ncols=4, **above)
    return fig


@drawing
def show_choice(transfers: Transfers, upstream: str, target: str, labels: int) -> Figure:
    """Draw the ways to transfer from one pretraining to one target, and their gains at one point.

    From ``"things"`` or ``"grounds"`` to ``"scenes"`` or ``"digits"``; they are compared with
    training from scratch at a number of labels per class.
    """
    check_choice(UPSTREAM, upstream=upstream)
    ending = "" if upstream == "things" else f", {upstream}"
    keys = {name: (name if name == "scratch" else name + ending, target) for name in COLORS}
    lines = {name: _percent(transfers[key]) for name, key in keys.items() if key in transfers}
    fig, (left, right) = figure(
        1, 2, height=3.4, top=0.65, wspace=0.5, width_ratios=[1.2, 1], phone_cols=1
    )
    left.axvline(labels, color=MUTED, linewidth=1, linestyle=(0, (2, 3)), gid="compared")
    _draw_lines(left, lines)
    left.set_title(f"{upstream} → {_TITLES[target]}")
    left.set_ylabel("test accuracy, percent")
    scratch = lines.pop("scratch")[labels]
    gains = {name: paired_difference(found[labels], scratch) for name, found in lines.items()}
    right.axvline(0, color=INK, linewidth=1)
    _draw_dots(right, gains, [COLORS[name] for name in gains])
    right.set(xlim=(-32, 60), xlabel="points more than from scratch", ylim=(2.6, -0.6))
    count = f"{labels} label{'s' * (labels > 1)} a class"
    right.set_title(count)
    parts = (f"{name} {one.mean:+z.0f} ± {one.half_width():.0f}" for name, one in gains.items())
    fig.describe(
        f"Pretrained on {upstream}, used for {_TITLES[target]}, {count}: from "
        f"scratch {scratch.mean:.0f} percent; points more than that: {', '.join(parts)}."
    )
    return fig


@drawing
def show_stems(stems: Stems) -> Figure:
    """Draw the accuracy of each stem for small images."""
    titles = {"alexnet": "AlexNet", "resnet18": "ResNet-18"}
    fig, panels = figure(1, 2, height=2.6, left=0.95, top=0.4, wspace=0.45, phone_cols=1)
    for ax, (name, title) in zip(panels, titles.items(), strict=True):
        found = _percent(stems[name])
        _draw_dots(ax, found, [BLUE] * len(found))
        ax.set(xlim=(45, 100), xlabel="test accuracy, percent")
        ax.set_title(title)
        parts = (f"{stem} {one.mean:.0f}" for stem, one in found.items())
        fig.describe(f"{title}, percent: {', '.join(parts)}.")
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

    The cost is a key of :data:`glassbox.networks.zoo.COSTS`; without a family the models are named
    that no other beats.
    """
    best = frontier(entries, cost)
    named = best if family is None else [one for one in entries if one.family == family]
    if not named:
        known = dict.fromkeys(one.family for one in entries)
        raise ValueError(f"family is {family!r}, expected None or one of {', '.join(known)}")
    every, frontier_points, points = (
        np.array([(getattr(one, cost), one.top1) for one in chosen])
        for chosen in (entries, best, named)
    )
    fig, ax = figure(height=4.2, top=0.25)
    ax.set_xscale("log")
    ax.scatter(*every.T, s=16, color=FAINT, zorder=2, label="all")
    step = {"where": "post", "color": MUTED, "linewidth": 1, "zorder": 1}
    ax.step(*frontier_points.T, "-", **step)
    color = OCHRE if family is None else BLUE
    ax.scatter(*points.T, s=30, color=color, zorder=3, label="named")
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
    what = "No other model is as cheap and better than" if family is None else f"{family}:"
    if len(named) == 1:
        return f"{what} one set of weights, {top.name} with {top.top1:.1f} percent."
    return (
        f"{what} {len(named)} sets of weights, from {cheap.name} with {cheap.top1:.1f} percent to "
        f"{top.name} with {top.top1:.1f}."
    )


def _name_points(ax: Axes, names: Sequence[str], points: np.ndarray, *, left: bool) -> None:
    """Write names beside points, the most accurate first, where there is room for them."""
    taken: list[tuple[float, float, float]] = []  # start, height and width of names, in inches
    size = 9 if on_phone() else 8
    spot, side = ((-5, 3), "right") if left else ((6, -3), "left")
    for i in np.argsort(-points[:, 1]):
        x, y = ax.transData.transform(points[i]) / ax.figure.dpi
        width = 0.0085 * size * len(names[i])
        start = x - width if left else x
        if all(abs(y - v) > 0.16 or start + width < u or u + w < start for u, v, w in taken):
            taken.append((start, y, width))
            style = {"textcoords": "offset points", "fontsize": size, "color": INK, "ha": side}
            ax.annotate(names[i], points[i], spot, **style)


def _percent(found: Mapping[Any, SeedRuns]) -> dict[Any, SeedRuns]:
    return {key: 100 * one for key, one in found.items()}


def _draw_lines(ax: Axes, lines: Mapping[str, Mapping[int, SeedRuns]]) -> None:
    for name, found in lines.items():
        means, halves = zip(*((one.mean, one.half_width()) for one in found.values()), strict=True)
        style = {"color": COLORS[name], "marker": "o", "markersize": 4.5, "linewidth": 1.6}
        ax.errorbar(list(found), means, halves, label=name, capsize=3, **style)
    ax.set(xscale="log", ylim=(0, 103), xlabel="labels a class")
    ticks = list(next(iter(lines.values())))
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()


def _lines_sentence(title: str, lines: Mapping[str, Mapping[int, SeedRuns]]) -> str:
    few, many = (end(next(iter(lines.values()))) for end in (min, max))
    parts = (f"{name} {one[few].mean:.0f} and {one[many].mean:.0f}" for name, one in lines.items())
    return f"{title.capitalize()}, percent with {few} and with {many} labels: {', '.join(parts)}."


def _draw_dots(ax: Axes, values: Mapping[str, SeedRuns], colors: Sequence[str]) -> None:
    draw_intervals(ax, values, colors, width=2.2, size=34)
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.grid(False, axis="y")
