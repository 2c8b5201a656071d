"""The drawings of the chapter on Grad-CAM: what maps are worth, and what they found out."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.patches import Rectangle
from torch import Tensor

from glassbox.attribution.faithfulness import area_under
from glassbox.attribution.watermark import MARK_EDGE, MARK_SIDE
from glassbox.chapters.gradcam.digit_figure import HEAT
from glassbox.chapters.gradcam.figures import draw_picture, overlay
from glassbox.plotting.figures import BLUE, GREEN, INK, MUTED, OCHRE, RUST, Axes, Figure, figure
from glassbox.training.seed_statistics import SeedRuns

FRACTIONS = {
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


def show_curves(curves: Mapping[str, Mapping[str, Tensor]]) -> Figure:
    """Draw deletion and insertion curves of several maps.

    Args:
        curves: ``"deletion"`` and ``"insertion"``, each with the name of a map to the probability
            of each image after each step, ``(N, steps + 1)``.

    Returns:
        The figure with its alt sentence.
    """
    fig, panels = figure(1, 2, height=3.3, sharey=True, right=1.6, top=0.4)
    fig.subplots_adjust(wspace=0.1)
    styles = dict(zip(next(iter(curves.values())), _STYLES, strict=False))
    for ax, (title, lines) in zip(panels, curves.items(), strict=True):
        for name, values in lines.items():
            mean = values.mean(0)
            half = 1.96 * values.std(0) / len(values) ** 0.5
            fraction = np.linspace(0, 100, len(mean))
            ax.plot(fraction, mean, label=name, **styles[name])
            ax.fill_between(
                fraction, mean - half, mean + half, color=styles[name]["color"], alpha=0.15
            )
        ax.set(title=title, xlabel=f"percent of pixels {title.replace('ion', 'ed')}", ylim=(0, 1))
        areas = (f"{name} {area_under(values).mean():.2f}" for name, values in lines.items())
        fig.describe(f"Mean area under the curves of {title}: {', '.join(areas)}.")
    panels[0].set_ylabel("probability of the true class")
    panels[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9, handlelength=1.6)
    return fig


def show_scores(table: Mapping[str, Mapping[str, SeedRuns]]) -> Figure:
    """Draw what each map is worth by each measure, with intervals over seeds.

    Args:
        table: Name of a map to measures, from ``load_maps``.

    Returns:
        The figure with its alt sentence.
    """
    measures = list(next(iter(table.values())))
    places = np.arange(len(table))
    fig, panels = figure(
        1, len(measures), height=0.27 * len(table) + 0.95, left=1.3, right=0.1, top=0.4, sharey=True
    )
    fig.subplots_adjust(wspace=0.12)
    for ax, measure in zip(panels, measures, strict=True):
        found = [row[measure] for row in table.values()]
        means, ends = [one.mean for one in found], [one.interval() for one in found]
        colors = [BLUE if name == "Grad-CAM" else MUTED for name in table]
        ax.hlines(places, *zip(*ends, strict=True), color=colors, linewidth=2)
        ax.scatter(means, places, c=colors, s=26, zorder=3)
        ax.set(xlim=(-0.02, 0.92), ylim=(len(table) - 0.5, -0.5))
        ax.set_title(measure, fontsize=10)
        ax.set_xlabel("less is better" if measure == "deletion" else "more is better", fontsize=9)
        ax.grid(axis="x")
        best = (min if measure == "deletion" else max)(
            table, key=lambda name: table[name][measure].mean
        )
        fig.describe(
            f"By {measure}: Grad-CAM {table['Grad-CAM'][measure].mean:.2f}, center "
            f"{table['center'][measure].mean:.2f}, random {table['random'][measure].mean:.2f}, "
            f"best is {best}."
        )
    panels[0].set_yticks(places, list(table))
    return fig


def show_cascade(
    image: Tensor, heats: Sequence[Tensor], curve: Mapping[str, SeedRuns], at: int
) -> Figure:
    """Show a trained network's map, that of a network new down to a layer, and their agreement.

    Args:
        image: Bytes ``(3, H, W)``.
        heats: Two maps ``(H, W)`` from 0 to 1, of the trained and of the changed network.
        curve: Layer reached to the rank correlation with the trained network's maps.
        at: Index of the layer that is shown; 0 is before the first.

    Returns:
        The figure with its alt sentence.
    """
    fig, (left, middle, right) = figure(
        1, 3, height=2.6, left=0.05, right=0.15, top=0.35, bottom=0.85, width_ratios=[1, 1, 1.9]
    )
    fig.subplots_adjust(wspace=0.22)
    names = [name.removeprefix("features.") for name in curve]
    titles = ("trained", "randomized" if at else "nothing new yet")
    for ax, heat, title in zip((left, middle), heats, titles, strict=True):
        ax.imshow(overlay(image, heat))
        ax.set_title(title, fontsize=10)
        ax.set_axis_off()
    means = np.array([one.mean for one in curve.values()])
    halves = [one.half_width() for one in curve.values()]
    places = np.arange(len(names))
    right.axhline(0, color=MUTED, linewidth=0.8)
    right.errorbar(places, means, halves, color=BLUE, marker="o", markersize=4, capsize=3)
    right.plot(at, means[at], "o", color=RUST, markersize=9)
    right.set(ylim=(-0.25, 1.1))
    right.set_xticks(places, names, rotation=45, ha="right", fontsize=8)
    right.set_title("rank correlation", fontsize=10)
    fig.describe(
        f"{f'New down to {names[at]}' if at else 'Nothing new yet'}: over five networks the maps "
        f"agree with those of the trained ones by a rank correlation of {means[at]:.2f}."
    )
    return fig


def show_marked(
    image: Tensor, mean_map: Tensor, measures: Mapping[str, SeedRuns], strength: float
) -> Figure:
    """Show a marked image, the mean map of marked images, and what the mark did to the network.

    Args:
        image: Bytes ``(3, H, W)``, with the mark.
        mean_map: ``(8, 8)`` with the sum 1.
        measures: From :func:`glassbox.chapters.gradcam.study.load_marks`.
        strength: Of the mark.

    Returns:
        The figure with its alt sentence.
    """
    fig, (left, middle, right) = figure(
        1, 3, height=2.3, left=0.05, right=0.35, top=0.35, bottom=0.35, width_ratios=[1, 1, 1.3]
    )
    fig.subplots_adjust(wspace=0.12)
    draw_picture(left, image)
    _frame(left, image.shape[-1])
    left.set_title(f"mark of strength {strength:g}", fontsize=10)
    middle.imshow(mean_map.numpy(), cmap=HEAT, vmin=0, vmax=max(mean_map.max().item(), 1e-9))
    _frame(middle, 8, image.shape[-1] / 8)
    middle.set_title("mean map", fontsize=10)
    for ax in (left, middle):
        ax.set_axis_off()
    named = {text: measures[name] for name, text in FRACTIONS.items()}
    _show_fractions(right, named)
    fractions = ", ".join(f"{text} {100 * one.mean:.0f}" for text, one in named.items())
    corner = mean_map[4:, 4:].sum() / mean_map.sum().clamp(min=1e-9)
    fig.describe(
        f"With a mark of strength {strength:g}, in percent: {fractions}. Of the mean map "
        f"{corner:.0%} lie in the lower right quarter."
    )
    return fig


def show_mend(maps: Mapping[str, Tensor]) -> Figure:
    """Show mean maps of networks that were trained with the mark in different ways.

    Args:
        maps: How the mark was used to the mean map ``(8, 8)`` with the sum 1.

    Returns:
        The figure with its alt sentence.
    """
    fig, axes = figure(1, len(maps), height=2.15, left=0.3, right=0.3, top=0.35, bottom=0.05)
    fig.subplots_adjust(wspace=0.1)
    highest = max(values.max().item() for values in maps.values())
    for ax, (name, values) in zip(axes, maps.items(), strict=True):
        ax.imshow(values.numpy(), cmap=HEAT, vmin=0, vmax=highest)
        _frame(ax, 8, 4)
        ax.set_title(name, fontsize=10)
        ax.set_axis_off()
        fig.describe(
            f"{name}: {values[4:, 4:].sum():.0%} of the mean map in the lower right quarter."
        )
    return fig


def _show_fractions(ax: Axes, measures: Mapping[str, SeedRuns]) -> None:
    """Draw a bar for each measure with its name above it and its interval."""
    places = np.arange(len(measures))
    means = [100 * one.mean for one in measures.values()]
    halves = [100 * one.half_width() for one in measures.values()]
    ax.barh(places, [100] * len(places), height=0.3, color="#efede6")
    ax.barh(places, means, height=0.3, color=BLUE)
    ax.errorbar(means, places, xerr=halves, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    for place, (name, mean) in enumerate(zip(measures, means, strict=True)):
        ax.text(0, place - 0.26, name, size=9)
        ax.text(100, place - 0.26, f"{mean:.0f}%", size=9, ha="right", weight="bold")
    ax.set(xlim=(-1, 101), ylim=(len(places) - 0.6, -0.65))
    ax.set_axis_off()


def _frame(ax: Axes, size: int, scale: float = 1.0) -> None:
    """Draw a frame around the mark, on a picture whose pixels are ``scale`` pixels wide."""
    start = (size * scale - MARK_EDGE - MARK_SIDE) / scale - 0.5
    ax.add_patch(
        Rectangle(
            (start, start), MARK_SIDE / scale, MARK_SIDE / scale, fill=False, ec="#3fd0ff", lw=2
        )
    )
