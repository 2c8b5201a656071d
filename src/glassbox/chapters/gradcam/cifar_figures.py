"""The figures of the full-size page on Grad-CAM: the recipe's pictures, and what they are worth."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from glassbox.chapters.gradcam.figures import colors_named
from glassbox.plotting.colors import BLUE, INK, MUTED, OCHRE, RUST
from glassbox.plotting.figures import Figure, drawing, figure, on_phone, page_width
from glassbox.plotting.images import show_image, to_colors
from glassbox.plotting.marks import draw_intervals
from glassbox.training.seed_statistics import SeedRuns

PART = 0.4  # of the map in an overlay, as lessons have it
_TILE = 0.95  # inches, at most
_KNOWN = ("Grad-CAM", "for the second class", "for the true class")


@drawing
def show_recipe(
    names: Sequence[str],
    heats: Tensor,
    images: Tensor | None = None,
    others: Tensor | None = None,
    part: float = PART,
) -> Figure:
    """Show maps ``(N, S, S)`` from 0 to 1 in jet and in even colors, a row for each.

    Where there are images ``(N, 3, S, S)`` as bytes, they stand before their maps, and under them
    in two overlays, in which the map counts for ``part`` and the image for the rest. ``others`` are
    the maps for the true class.
    """
    titles = ["map, jet", "map, even"]
    if images is not None:
        titles = ["image", *titles, "overlay, jet", "overlay, even"]
    if others is not None:
        titles.append("true class, even")
    left = 1.15 if on_phone() else 1.6
    tile = min(_TILE, (page_width() - left - 0.1) / (1.06 * len(titles)))
    across = left + 1.06 * tile * len(titles)
    margins = {"left": left, "right": page_width() - across, "top": 0.5, "bottom": 0.05}
    size = {"height": 1.06 * tile * len(names) + 0.55, "wspace": 0.06, "hspace": 0.06}
    fig, axes = figure(len(names), len(titles), squeeze=False, **size, **margins)
    for i, (name, row) in enumerate(zip(names, axes, strict=True)):
        panels = [colors_named(one)(heats[i].numpy())[..., :3] for one in ("jet", "heat")]
        if images is not None:
            pixels = to_colors(images[i])
            overlays = [part * panel + (1 - part) * pixels for panel in panels]
            panels = [pixels, *panels, *overlays]
        if others is not None:
            panels.append(colors_named("heat")(others[i].numpy())[..., :3])
        for ax, panel, title in zip(row, panels, titles, strict=True):
            show_image(ax, np.asarray(panel))
            ax.set_title("" if i else title.replace(", ", ",\n"), fontsize=9, loc="center")
        where = {"transform": row[0].transAxes, "ha": "right", "va": "center", "size": 9}
        row[0].text(-0.08, 0.5, name, **where)
    said = "; ".join(name.replace("\n", " ") for name in names)
    shown = "Maps" if images is None else "Images, maps and overlays"
    fig.describe(f"{shown} in jet and in even colors, in {len(names)} rows: {said}.")
    return fig


@drawing
def show_areas(areas: Mapping[str, Mapping[str, Mapping[str, SeedRuns]]], measure: str) -> Figure:
    """Draw the areas of each map, where the network is right and where it is wrong.

    The areas are those of :func:`glassbox.chapters.gradcam.study.load_cifar_maps`.
    """
    rows = len(next(iter(areas.values())))
    fig, axes = figure(
        *(1, len(areas)),
        **{"height": 0.3 * rows + 1.0, "left": 1.7, "right": 0.2, "top": 0.4},
        **{"wspace": 0.12, "phone_cols": 1, "sharey": not on_phone()},
    )
    for ax, (answer, maps) in zip(axes, areas.items(), strict=True):
        values = {name: one[measure] for name, one in maps.items()}
        colors = [BLUE if name in _KNOWN else OCHRE for name in values]
        draw_intervals(ax, values, colors, width=2.2, size=34)
        ax.set_ylim(rows - 0.4, -0.6)
        ax.set(title=f"answers that are {answer}", xlim=(0, 1), xlabel=f"area of {measure}")
        ax.grid(False, axis="y")
        said = ", ".join(f"{name} {one.mean:.2f}" for name, one in values.items())
        fig.describe(f"Area of {measure} where the answer is {answer}: {said}.")
    return fig


@drawing
def show_signs(signs: Mapping[str, SeedRuns]) -> Figure:
    """Draw how often each sign is larger for a wrong answer than for a right one."""
    fig, ax = figure(height=0.32 * len(signs) + 0.8, left=1.4, right=0.3, top=0.15)
    colors = [RUST if name == "doubt" else BLUE for name in signs]
    draw_intervals(ax, signs, colors, width=2.2, size=34)
    ax.axvline(0.5, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
    ax.set(xlim=(0.3, 1), ylim=(len(signs) - 0.4, -0.6), xlabel="area under the ROC curve")
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", colors=INK)
    said = ", ".join(f"{name} {one.mean:.2f}" for name, one in signs.items())
    fig.describe(f"Area under the ROC curve, where chance is 0.5: {said}.")
    return fig
