"""The figures of the chapter on Grad-CAM: a mark on training images, and what it did."""

from collections.abc import Mapping

import numpy as np
from matplotlib.patches import Rectangle
from torch import Tensor

from glassbox.attribution.watermark import MARK_EDGE, MARK_SIDE
from glassbox.chapters.gradcam.figures import CYAN
from glassbox.plotting.colors import BLUE, HEAT, INK, ON_PICTURE, TRACK
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone
from glassbox.plotting.images import show_image, to_colors
from glassbox.plotting.marks import draw_intervals
from glassbox.training.seed_statistics import SeedRuns

MEASURES = {
    "as_trained": "accuracy, tested with the mark",
    "first_unmarked": "fish found without it",
    "fooled": "others that it turns into fish",
    "corner": "maps in the mark's quarter",
}
_SHORT = {
    "first_unmarked": ("fish found\nwithout the mark", "fish found\nunmarked"),
    "fooled": ("others that it\nturns into fish", "others\nfooled"),
    "corner": ("maps in the\nmark's quarter", "maps in\nits quarter"),
}


@drawing
def show_marked(
    image: Tensor, mean_map: Tensor, measures: Mapping[str, SeedRuns], strength: float
) -> Figure:
    """Show a marked image, the mean map of marked images, and what the mark did to the network.

    The image is ``(3, H, W)`` bytes, the map ``(8, 8)`` with the sum 1.
    """
    margins = {"left": 0.05, "right": 0.35, "top": 0.35, "bottom": 0.35, "wspace": 0.12}
    fig, (left, middle, right) = figure(
        1, 3, height=2.3, width_ratios=[1, 1, 1.3], phone_cols=2, **margins
    )
    show_image(left, to_colors(image), f"mark of strength {strength:g}")
    _frame(left, image.shape[-1])
    show_image(middle, mean_map, "mean map", cmap=HEAT, vmax=max(mean_map.max().item(), 1e-9))
    _frame(middle, 8, image.shape[-1] / 8)
    named = {text: measures[name] for name, text in MEASURES.items()}
    _show_fractions(right, named)
    fractions = ", ".join(f"{text} {100 * one.mean:.0f}" for text, one in named.items())
    corner = mean_map[4:, 4:].sum() / mean_map.sum().clamp(min=1e-9)
    fig.describe(
        f"With a mark of strength {strength:g}, in percent: {fractions}. Of the mean map "
        f"{corner:.0%} lies in the lower right quarter."
    )
    return fig


@drawing
def show_cures(arms: Mapping[str, Mapping[str, SeedRuns]]) -> Figure:
    """Draw what each way to train did to the network, with 95% intervals over seeds."""
    shown = {name: MEASURES[name] for name in ("first_unmarked", "fooled", "corner")}
    names = list(arms)
    margins = {"left": 1.75, "right": 0.15, "top": 0.45, "bottom": 0.5, "wspace": 0.1}
    fig, panels = figure(1, 3, height=0.3 * len(names) + 0.95, sharey=True, **margins)
    for ax, (measure, title) in zip(panels, shown.items(), strict=True):
        runs = {name: 100 * arms[name][measure] for name in names}
        draw_intervals(ax, runs, [BLUE] * len(names), width=2, size=26)
        ax.set(xlim=(-4, 104), ylim=(len(names) - 0.5, -0.5), xticks=[0, 50, 100])
        ax.set_title(_SHORT[measure][on_phone()], fontsize=9, weight="normal", loc="center")
        found = ", ".join(f"{name} {one.mean:.0f}" for name, one in runs.items())
        fig.describe(f"In percent, {title}: {found}.")
    panels[1].set_xlabel("percent")
    return fig


def _show_fractions(ax: Axes, measures: Mapping[str, SeedRuns]) -> None:
    """Draw a bar for each measure, with its name above and its interval."""
    places = np.arange(len(measures))
    means = [100 * one.mean for one in measures.values()]
    halves = [100 * one.half_width() for one in measures.values()]
    ax.barh(places, [100] * len(places), height=0.3, color=TRACK)
    ax.barh(places, means, height=0.3, color=BLUE)
    ax.errorbar(means, places, xerr=halves, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    for place, (name, mean) in enumerate(zip(measures, means, strict=True)):
        ax.text(0, place - 0.26, name, size=9)
        ax.text(100, place - 0.26, f"{mean:.0f}%", size=9, ha="right", weight="bold")
    ax.set(xlim=(-1, 101), ylim=(len(places) - 0.6, -0.65))
    ax.set_axis_off()


def _frame(ax: Axes, size: int, scale: float = 1.0) -> None:
    """Frame the mark on a map of ``size`` cells, each of which is ``scale`` pixels wide."""
    start = size - (MARK_EDGE + MARK_SIDE) / scale - 0.5
    side = MARK_SIDE / scale
    frame = {"fill": False, "ec": CYAN, "lw": 2, "gid": ON_PICTURE}
    ax.add_patch(Rectangle((start, start), side, side, **frame))
