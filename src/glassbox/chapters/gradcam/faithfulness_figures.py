"""The figures of the chapter on Grad-CAM: how faithful maps are."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from glassbox.attribution.faithfulness import area_under
from glassbox.plotting.colors import BLUE, GREEN, MUTED, OCHRE, RUST
from glassbox.plotting.figures import Figure, drawing, figure
from glassbox.plotting.marks import draw_intervals, label_ends
from glassbox.training.seed_statistics import SeedRuns

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
def show_forgetting(curves: Mapping[str, Mapping[str, SeedRuns]]) -> Figure:
    """Draw how well the maps of a network and of a partly randomized one agree, by the method.

    The curves have for each method, and for each layer reached from the output down, the rank
    correlation with the trained network's maps over seeds.
    """
    fig, ax = figure(height=3.4, left=0.75, right=1.45, bottom=0.95, top=0.15)
    layers = [name.removeprefix("features.") for name in next(iter(curves.values()))]
    places, ends = np.arange(len(layers)), {}
    styles = dict(zip(curves, _STYLES, strict=False))
    for shift, (name, curve) in enumerate(curves.items()):
        means = [one.mean for one in curve.values()]
        halves = [one.half_width() for one in curve.values()]
        moved = places + 0.07 * (shift - len(curves) / 2)
        ax.errorbar(moved, means, halves, label=name, marker="o", ms=4, capsize=2, **styles[name])
        ends[name] = means[-1]
        fig.describe(f"{name}: {means[1]:.2f} with a new {layers[1]}, {means[-1]:.2f} in the end.")
    ax.axhline(0, color=MUTED, linewidth=0.8)
    ax.set(ylim=(-0.3, 1.08), ylabel="rank correlation")
    ax.set_xticks(places, layers, rotation=45, ha="right", fontsize=9)
    colors = [styles[name]["color"] for name in ends]
    label_ends(ax, ends, colors, len(layers) - 0.6, 0.08)
    return fig
