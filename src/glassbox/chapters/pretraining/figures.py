"""The drawings of the page on pretraining."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from glassbox.chapters.pretraining.study import Stems, Transfers
from glassbox.chapters.pretraining.tasks import UPSTREAM
from glassbox.networks.zoo import COSTS, Entry, frontier
from glassbox.plotting.figures import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    OCHRE,
    RUST,
    WIDTH,
    Axes,
    Figure,
    figure,
)
from glassbox.training.seed_statistics import SeedRuns, paired_difference

COLORS = {"scratch": INK, "probe": OCHRE, "thawed": GREEN, "fine-tuned": BLUE}
NAME = 1.5  # inches for names on the left


def show_worlds(rows: Mapping[str, Tensor]) -> Figure:
    """Show rows of small color images with the name of each row on its left.

    Args:
        rows: Name to bytes ``(N, 3, S, S)``; the same N and S in each row.

    Returns:
        The figure with its alt sentence.
    """
    count = len(next(iter(rows.values())))
    tile = (WIDTH - NAME - 0.1) / count
    options = {"left": NAME, "right": 0.1, "top": 0.05, "bottom": 0.05}
    fig, ax = figure(height=len(rows) * tile + 0.1, **options)
    for place, (name, images) in enumerate(rows.items()):
        for i, image in enumerate(images):
            edges = (i + 0.03, i + 0.97, place + 0.97, place + 0.03)
            ax.imshow(image.permute(1, 2, 0).numpy(), extent=edges)
        ax.text(-0.12, place + 0.5, name, ha="right", va="center", size=9)
    ax.set(xlim=(0, count), ylim=(len(rows), 0))
    ax.set_axis_off()
    fig.describe(f"Rows of {count} small images: {'; '.join(rows)}.".replace("\n", " "))
    return fig


def show_transfers(transfers: Transfers) -> Figure:
    """Draw accuracy over the number of labels for each way to transfer from the things.

    Args:
        transfers: From :func:`glassbox.chapters.pretraining.study.load_transfers`.

    Returns:
        The figure with its alt sentence.
    """
    fig, panels = figure(1, 2, height=3.5, top=0.75, sharey=True)
    fig.subplots_adjust(wspace=0.12)
    for ax, (target, title) in zip(panels, TITLES.items(), strict=True):
        lines = {name: _percent(transfers[name, target]) for name in COLORS}
        _draw_lines(ax, lines)
        ax.set_title(title, y=1.0)
        fig.describe(_lines_sentence(title, lines))
    panels[0].set_ylabel("test accuracy, percent")
    panels[1].legend(ncols=4, fontsize=9, loc="lower right", bbox_to_anchor=(1.03, 1.1))
    return fig


TITLES = {"scenes": "new things", "digits": "digits"}


def show_choice(transfers: Transfers, upstream: str, target: str, labels: int) -> Figure:
    """Draw the ways to transfer from one pretraining to one target, and their worth at one point.

    Args:
        transfers: From :func:`glassbox.chapters.pretraining.study.load_transfers`.
        upstream: ``"things"`` or ``"grounds"``.
        target: ``"scenes"`` or ``"digits"``.
        labels: Labels a class at which they are compared with a training from scratch.

    Returns:
        The figure with its alt sentence.

    Raises:
        ValueError: If ``upstream`` is unknown.
    """
    if upstream not in UPSTREAM:
        raise ValueError(f"upstream is {upstream!r}, expected one of {', '.join(UPSTREAM)}")
    ending = "" if upstream == "things" else f", {upstream}"
    keys = {name: (name if name == "scratch" else name + ending, target) for name in COLORS}
    lines = {name: _percent(transfers[key]) for name, key in keys.items() if key in transfers}
    fig, (left, right) = figure(1, 2, height=3.4, top=0.65, width_ratios=[1.2, 1])
    fig.subplots_adjust(wspace=0.5)
    left.axvline(labels, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
    _draw_lines(left, lines)
    left.set_title(f"{upstream} → {TITLES[target]}")
    left.set_ylabel("test accuracy, percent")
    scratch = lines["scratch"][labels]
    gains = {
        name: paired_difference(lines[name][labels], scratch)
        for name in COLORS
        if name != "scratch" and name in lines
    }
    right.axvline(0, color=INK, linewidth=1)
    _draw_dots(right, gains, [COLORS[name] for name in gains])
    right.set(xlim=(-32, 60), xlabel="points more than from scratch", ylim=(2.6, -0.6))
    count = f"{labels} label{'s' * (labels > 1)} a class"
    right.set_title(count)
    parts = (f"{name} {one.mean:+z.0f} ± {one.half_width():.0f}" for name, one in gains.items())
    fig.describe(
        f"Pretrained on {upstream}, used for {TITLES[target]}, {count}: from "
        f"scratch {scratch.mean:.0f} percent; points more than that: {', '.join(parts)}."
    )
    return fig


def show_stems(stems: Stems) -> Figure:
    """Draw the accuracy of each beginning for small images.

    Args:
        stems: From :func:`glassbox.chapters.pretraining.study.load_stems`.

    Returns:
        The figure with its alt sentence.
    """
    titles = {"alexnet": "AlexNet", "resnet18": "ResNet-18"}
    fig, panels = figure(1, 2, height=2.6, left=0.95, right=0.25, top=0.4)
    fig.subplots_adjust(wspace=0.45)
    for ax, (name, title) in zip(panels, titles.items(), strict=True):
        found = _percent(stems[name])
        _draw_dots(ax, found, [BLUE] * len(found))
        ax.set(xlim=(45, 100), xlabel="test accuracy, percent")
        ax.set_title(title)
        parts = (f"{stem} {one.mean:.0f}" for stem, one in found.items())
        fig.describe(f"{title}, percent: {', '.join(parts)}.")
    return fig


def show_reports(reports: Mapping[str, SeedRuns]) -> Figure:
    """Draw accuracies of one network in percent, measured in different ways.

    Args:
        reports: How it was measured to one value a seed, in percent.

    Returns:
        The figure with its alt sentence.
    """
    fig, ax = figure(height=0.32 * len(reports) + 0.75, left=2.6, right=0.3, top=0.15)
    colors = [RUST if "test" in name else BLUE for name in reports]
    _draw_dots(ax, reports, colors)
    ax.set(xlim=(68, 100), xlabel="accuracy, percent")
    fig.describe(
        "Accuracy in percent: "
        + ", ".join(f"{name} {one.mean:.0f}" for name, one in reports.items())
        + "."
    )
    return fig


def show_zoo(entries: Sequence[Entry], cost: str, family: str | None = None) -> Figure:
    """Draw accuracy over cost, with one family named.

    Args:
        entries: Of :func:`glassbox.networks.zoo.zoo_entries`.
        cost: A key of :data:`glassbox.networks.zoo.COSTS`.
        family: Whose names are shown; ``None`` for those that no other model beats.

    Returns:
        The figure with its alt sentence.

    Raises:
        ValueError: If ``family`` or ``cost`` is unknown.
    """
    best = frontier(entries, cost)
    named = best if family is None else [one for one in entries if one.family == family]
    if not named:
        known = dict.fromkeys(one.family for one in entries)
        raise ValueError(f"family is {family!r}, expected None or one of {', '.join(known)}")
    fig, ax = figure(height=4.2, top=0.25)
    x, y = np.array([(getattr(one, cost), one.top1) for one in entries]).T
    ax.set_xscale("log")
    ax.scatter(x, y, s=16, color="#c9c6bd", zorder=2)
    ax.step(
        *np.array([(getattr(one, cost), one.top1) for one in best]).T,
        "-",
        where="post",
        color=MUTED,
        linewidth=1,
        zorder=1,
    )
    chosen = np.array([(getattr(one, cost), one.top1) for one in named])
    ax.scatter(*chosen.T, s=30, color=OCHRE if family is None else BLUE, zorder=3)
    ax.set(xlim=(x.min() * 0.07, x.max() * 3.2), ylim=(54, 90), ylabel="top-1 accuracy, percent")
    ax.set_xlabel(COSTS[cost])
    _name_points(ax, [one.name for one in named], chosen, left=family is None)
    top, cheap = max(named, key=lambda one: one.top1), min(named, key=lambda o: getattr(o, cost))
    what = "No other model is as cheap and better than" if family is None else f"{family}:"
    found = f"one set of weights, {top.name} with {top.top1:.1f} percent"
    if len(named) > 1:
        found = (
            f"{len(named)} sets of weights, from {cheap.name} with {cheap.top1:.1f} percent to "
            f"{top.name} with {top.top1:.1f}"
        )
    fig.describe(f"Accuracy over {COSTS[cost]}. {what} {found}.")
    return fig


def _name_points(ax: Axes, names: Sequence[str], points: np.ndarray, *, left: bool) -> None:
    """Write names beside points, the most accurate first, where there is room for them."""
    taken: list[tuple[float, float, float]] = []
    spot, side = ((-5, 3), "right") if left else ((6, -3), "left")
    for i in np.argsort(-points[:, 1]):
        x, y = ax.transData.transform(points[i]) / ax.figure.dpi
        width = 0.068 * len(names[i])
        start = x - width if left else x
        if all(abs(y - v) > 0.16 or start + width < u or u + w < start for u, v, w in taken):
            taken.append((start, y, width))
            style = {"textcoords": "offset points", "fontsize": 8, "color": INK, "ha": side}
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
    """Draw a mean and its interval in a row of its own for each name, the number beside it."""
    places = np.arange(len(values))
    means, halves = zip(*((one.mean, one.half_width()) for one in values.values()), strict=True)
    ax.hlines(
        places, np.subtract(means, halves), np.add(means, halves), color=colors, linewidth=2.2
    )
    ax.scatter(means, places, c=colors, s=34, zorder=3)
    ax.set_yticks(places, list(values))
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.grid(False)
    ax.grid(axis="x")
