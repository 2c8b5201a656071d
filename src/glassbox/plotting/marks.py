"""Parts of charts that several chapters draw: names at the ends of lines, dots with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassbox.plotting.colors import BLUE, MUTED, RUST
from glassbox.plotting.figures import Axes
from glassbox.training.seed_statistics import SeedRuns


def label_ends(
    ax: Axes, ends: Mapping[str, float], colors: Sequence[str], x: float, gap: float, **frame: Any
) -> None:
    """Write the names of lines beside their last values, from ``x`` on; axes have their limits.

    Between two names ``gap`` stays free, a fraction of the height of the axes. ``frame`` holds
    patch properties of a box behind each name.
    """
    to_fraction = ax.transData + ax.transAxes.inverted()
    heights = [to_fraction.transform((1, end))[1] for end in ends.values()]
    last = -np.inf
    for i, name in sorted(enumerate(ends), key=lambda item: heights[item[0]]):
        last = max(heights[i], last + gap)
        y = to_fraction.inverted().transform((0, last))[1]
        label = ax.text(x, y, name, color=colors[i], va="center", size=9, weight="bold")
        if frame:
            label.set_bbox(frame)


def draw_intervals(
    ax: Axes, runs: Mapping[str, SeedRuns], colors: Sequence[str], *, width: float, size: float
) -> None:
    """Draw a row for each name, from the top down: the mean as a dot, its 95% interval as a line.

    ``width`` of the line is in points, ``size`` of the dot in square points.
    """
    places = np.arange(len(runs))
    lows, highs = zip(*(one.interval() for one in runs.values()), strict=True)
    ax.hlines(places, lows, highs, color=colors, linewidth=width, gid="intervals")
    ax.scatter([one.mean for one in runs.values()], places, c=colors, s=size, zorder=3, gid="means")
    ax.set_yticks(places, list(runs))
    ax.grid(axis="x")


def draw_choice(
    ax: Axes, series: Mapping[str, Sequence[float]], options: Sequence[float], chosen: float
) -> None:
    """Draw two series, for a legend, over evenly spaced options, and a line at the chosen one."""
    places = range(len(options))
    for (name, values), color, mark in zip(series.items(), (BLUE, RUST), "os", strict=True):
        ax.plot(places, values, color=color, marker=mark, label=name)
    ax.axvline(list(options).index(chosen), color=MUTED, linewidth=1, zorder=0, gid="chosen")
    ax.set_xticks(places, [f"{option:g}" for option in options])
    ax.set_ylim(0, None)
