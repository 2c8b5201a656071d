"""The figures of the chapter on Grad-CAM: how faithful maps are, and the mark they revealed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.patches import Rectangle
from torch import Tensor

from glassbox.attribution.faithfulness import area_under
from glassbox.attribution.watermark import MARK_EDGE, MARK_SIDE
from glassbox.chapters.gradcam.figures import overlay
from glassbox.plotting.colors import BLUE, GREEN, HEAT, INK, MUTED, OCHRE, ON_PICTURE, RUST, TRACK
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
_STYLES = (
    {"color": BLUE, "linestyle": "-"},
    {"color": GREEN, "linestyle": "--"},
    {"color": OCHRE, "linestyle": "-."},
    {"color": RUST, "linestyle": ":"},
    {"color": MUTED, "linestyle": "-"},
)


@drawing
def show_curves(curves: Mapping[str, Mapping[str, Tensor]]) -> Figure:
    """Draw the deletion and insertion curves of several maps, with 95% intervals over images.

    Both have for each map the probability of each image after each step, ``(N, steps + 1)``.
    """
    fig, panels = figure(
        1, 2, height=3.3, sharey=True, right=1.6, top=0.4, wspace=0.1, phone_cols=1
    )
    styles = dict(zip(next(iter(curves.values())), _STYLES, strict=False))
    for ax, (title, lines) in zip(panels, curves.items(), strict=True):
        for name, values in lines.items():
            mean = values.mean(0)
            half = 1.96 * values.std(0) / len(values) ** 0.5
            percent = np.linspace(0, 100, len(mean))
            ax.plot(percent, mean, label=name, **styles[name])
            band = {"color": styles[name]["color"], "alpha": 0.15}
            ax.fill_between(percent, mean - half, mean + half, **band)
        ax.set(title=title, xlabel=f"percent of pixels {title.replace('ion', 'ed')}", ylim=(0, 1))
        areas = (f"{name} {area_under(values).mean():.2f}" for name, values in lines.items())
        fig.describe(f"Mean area under the curves of {title}: {', '.join(areas)}.")
    panels[0].set_ylabel("probability of the true class")
    panels[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9, handlelength=1.6)
    return fig


@drawing
def show_scores(table: Mapping[str, Mapping[str, SeedRuns]]) -> Figure:
    """Draw the score of each map by each measure, with 95% intervals over seeds."""
    measures = list(next(iter(table.values())))
    margins = {"left": 1.3, "right": 0.1, "top": 0.4, "wspace": 0.12}
    height = 0.27 * len(table) + 0.95
    fig, panels = figure(1, len(measures), height=height, sharey=True, **margins)
    colors = [BLUE if name == "Grad-CAM" else MUTED for name in table]
    for ax, measure in zip(panels, measures, strict=True):
        scores = {name: row[measure] for name, row in table.items()}
        draw_intervals(ax, scores, colors, width=2, size=26)
        ax.set(xlim=(-0.02, 0.92), ylim=(len(table) - 0.5, -0.5))
        ax.set_title(measure, fontsize=10)
        less = measure == "deletion"
        ax.set_xlabel("less is better" if less else "more is better", fontsize=9)
        means = {name: one.mean for name, one in scores.items()}
        best = (min if less else max)(means, key=means.get)
        named = ", ".join(f"{name} {means[name]:.2f}" for name in ("Grad-CAM", "center", "random"))
        fig.describe(f"By {measure}: {named}, best is {best}.")
    return fig


@drawing
def show_cascade(
    image: Tensor, heats: Sequence[Tensor], curve: Mapping[str, SeedRuns], at: int
) -> Figure:
    """Show the maps of a trained and a partly randomized network, and how well such maps agree.

    The image is ``(3, H, W)`` bytes, the maps ``(H, W)`` from 0 to 1. The curve has for each layer
    reached the rank correlation with the trained network's maps; ``at`` is the one that is shown.
    """
    left = 0.55 if on_phone() else 0.05  # there the chart is below the images
    margins = {"left": left, "right": 0.15, "top": 0.35, "bottom": 0.85, "wspace": 0.22}
    fig, (*panels, right) = figure(
        1, 3, height=2.6, width_ratios=[1, 1, 1.9], phone_cols=2, **margins
    )
    names = [name.removeprefix("features.") for name in curve]
    titles = ("trained", "randomized" if at else "nothing new yet")
    for ax, heat, title in zip(panels, heats, titles, strict=True):
        show_image(ax, overlay(image, heat), title)
    means = np.array([one.mean for one in curve.values()])
    halves = [one.half_width() for one in curve.values()]
    places = np.arange(len(names))
    right.axhline(0, color=MUTED, linewidth=0.8)
    right.errorbar(places, means, halves, color=BLUE, marker="o", markersize=4, capsize=3)
    right.plot(at, means[at], "o", color=RUST, markersize=9)
    right.set(ylim=(-0.25, 1.1))
    right.set_xticks(places, names, rotation=45, ha="right", fontsize=9 if on_phone() else 8)
    right.set_title("rank correlation", fontsize=10)
    fig.describe(
        f"{f'New down to {names[at]}' if at else 'Nothing new yet'}: over five networks the maps "
        f"agree with those of the trained ones by a rank correlation of {means[at]:.2f}."
    )
    return fig


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
def show_mend(maps: Mapping[str, Tensor]) -> Figure:
    """Show mean maps ``(8, 8)``, each with the sum 1, after different uses of the mark."""
    margins = {"left": 0.3, "right": 0.3, "top": 0.35, "bottom": 0.05, "wspace": 0.1}
    fig, axes = figure(1, len(maps), height=2.15, **margins)
    highest = max(values.max().item() for values in maps.values())
    for ax, (name, values) in zip(axes, maps.items(), strict=True):
        show_image(ax, values, name, cmap=HEAT, vmax=highest)
        _frame(ax, 8, 4)
        fig.describe(
            f"{name}: {values[4:, 4:].sum():.0%} of the mean map in the lower right quarter."
        )
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
    frame = {"fill": False, "ec": "#3fd0ff", "lw": 2, "gid": ON_PICTURE}
    ax.add_patch(Rectangle((start, start), side, side, **frame))
