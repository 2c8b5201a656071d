"""The figures of the chapter on Grad-CAM: images under their maps."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap
from torch import Tensor

from glassbox.attribution.cam import heat_maps
from glassbox.plotting.colors import BLUE, HEAT, INK, MUTED, PALE, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone, page_width
from glassbox.plotting.images import show_image, to_colors

_NAMES = 0.95  # width of the names of rows, in inches
_LUMA = np.array([0.299, 0.587, 0.114])  # brightness of red, green and blue


def overlay(image: Tensor, heat: Tensor) -> np.ndarray:
    """Blend a map ``(H, W)`` from 0 to 1 with a gray copy of its image into colors ``(H, W, 3)``.

    The image, ``(C, H, W)`` bytes or numbers from 0 to 1, shows through where the map is low.
    """
    colors = to_colors(image)
    gray = colors @ _LUMA if colors.ndim == 3 else colors
    gray = 0.15 + 0.8 * gray[..., None]  # neither black nor white, which the map needs
    fraction = 0.75 * heat.numpy()[..., None]
    return (1 - fraction) * gray + fraction * HEAT(heat.numpy())[..., :3]


@drawing
def show_rows(images: Tensor, maps: Tensor, titles: Sequence[str]) -> Figure:
    """Show images ``(N, C, H, W)``, their maps ``(N, H, W)`` from 0 to 1, and both, in three rows.

    The titles name the class that each map is about.
    """
    count = len(images)
    tile = min((page_width() - _NAMES - 0.1) / count, 1.35)
    margins = {
        "left": _NAMES,
        "right": page_width() - _NAMES - count * tile,
        "top": 0.3,
        "bottom": 0.05,
    }
    spaces = {"wspace": 0.06, "hspace": 0.06, "squeeze": False}
    fig, axes = figure(3, count, height=3 * tile + 0.35, **margins, **spaces)
    for image, heat, title, (top, middle, below) in zip(images, maps, titles, axes.T, strict=True):
        show_image(top, to_colors(image))
        top.set_title(title, fontsize=9.5, weight="normal", loc="center")
        show_image(middle, heat, cmap=HEAT)
        show_image(below, overlay(image, heat))
    for ax, name in zip(axes[:, 0], ("image", "map", "overlay"), strict=True):
        ax.text(-0.08, 0.5, name, transform=ax.transAxes, ha="right", va="center")
    fig.describe(
        f"{count} images, their maps and the maps over the images, for {', '.join(titles)}. "
        f"The peaks lie {', '.join(_place(heat) for heat in maps)}."
    )
    return fig


@drawing
def show_two_colormaps(heat: Tensor) -> Figure:
    """Show a map ``(H, W)`` from 0 to 1 in two color maps, each also as brightness alone."""
    margins = {"left": 0.05, "right": 0.15, "top": 0.35, "bottom": 0.5, "wspace": 0.1}
    fig, axes = figure(1, 5, height=1.85, width_ratios=[1] * 4 + [1.6], phone_cols=2, **margins)
    line = np.linspace(0, 1, 101)
    for name, color, left, right in (("jet", RUST, *axes[:2]), ("heat", BLUE, *axes[2:4])):
        chosen = colors_named(name)
        show_image(left, chosen(heat.numpy()), name)
        show_image(right, brightness(chosen, heat.numpy()))
        right.set_title("its brightness", fontsize=10, weight="normal")
        axes[4].plot(line, brightness(chosen, line), color=color)
    axes[4].text(0.36, 0.86, "jet", color=RUST, weight="bold", size=9)
    axes[4].text(0.5, 0.22, "heat", color=BLUE, weight="bold", size=9)
    axes[4].set(yticks=[], xticks=[0, 1], ylim=(0, 1), xlabel="value of the map")
    axes[4].set_title("brightness", fontsize=10, weight="normal")
    fig.describe(
        "One map in jet and in the colors of this book, and the brightness of both. In jet the "
        "brightness rises to the middle and falls again, so that the peak is as dark as the valley;"
        " in the other it rises from one end to the other."
    )
    return fig


def colors_named(name: str) -> Colormap:
    """Return the book's color map of heat, or one of matplotlib's by its name."""
    return HEAT if name == "heat" else colormaps[name]


def brightness(colors: Colormap, values: np.ndarray) -> np.ndarray:
    """Compute the luma, from 0 to 1, with which a color map shows values from 0 to 1."""
    return colors(values)[..., :3] @ _LUMA


@drawing
def show_question(
    image: Tensor, cells: Tensor, logits: Tensor, names: Sequence[str], asked: int
) -> Figure:
    """Show the map for the class asked at one layer, and the logits of all classes.

    The image is ``(3, H, W)`` bytes, the map ``(h, w)`` as the layer has it, the logits are
    ``(K,)``.
    """
    margins = {"left": 0.05, "right": 0.2, "top": 0.35, "bottom": 0.25, "wspace": 0.1}
    fig, axes = figure(1, 4, height=2.1, width_ratios=[1, 1, 1, 1.1], phone_cols=2, **margins)
    left, middle, right, scores = axes
    heat = heat_maps(cells[None], image.shape[-1])[0]
    title = f"map, {len(cells)} × {len(cells)}"
    show_image(left, to_colors(image), "image")
    show_image(middle, cells, title, cmap=HEAT, vmax=max(cells.max().item(), 1e-9))
    show_image(right, overlay(image, heat), f"for {names[asked]}")
    _show_logits(scores, logits, names, asked)
    empty = "; the map is zero everywhere" if cells.max() == 0 else ""
    fig.describe(
        f"The network takes the image for {names[int(logits.argmax())]}. The map for "
        f"{names[asked]}, whose logit is {logits[asked]:.1f}, has its peak {_place(heat)}{empty}."
    )
    return fig


def _show_logits(ax: Axes, logits: Tensor, names: Sequence[str], asked: int) -> None:
    places = range(len(names))
    colors = [BLUE if place == asked else PALE for place in places]
    ax.barh(places, logits.tolist(), height=0.6, color=colors, label=names)
    for place, (name, logit) in enumerate(zip(names, logits.tolist(), strict=True)):
        ax.text(-17, place, name, va="center", size=9, color=INK)
        ax.text(16.5, place, f"{logit:.1f}".replace("-", "−"), va="center", ha="right", size=9)
    ax.axvline(0, color=MUTED, linewidth=0.8, ymin=0.02, ymax=0.98)
    ax.set(xlim=(-17, 17), ylim=(len(names) - 0.4, -0.6))
    ax.set_axis_off()
    ax.set_title("logits", fontsize=10)


@drawing
def show_confidence(image: Tensor, maps: Mapping[str, Tensor], factors: Tensor, at: int) -> Figure:
    """Show the maps of a logit and of a probability, and how their peaks depend on the confidence.

    The maps are ``(F, h, w)``, for F factors of all logits; those of factor ``at`` are shown.
    """
    left = 0.75 if on_phone() else 0.05  # there the chart is below the images
    margins = {"left": left, "right": 0.95, "top": 0.35, "bottom": 0.6, "wspace": 0.32}
    fig, (*panels, right) = figure(
        1, 3, height=2.5, width_ratios=[1, 1, 1.35], phone_cols=2, **margins
    )
    for ax, (name, values) in zip(panels, maps.items(), strict=True):
        heat = heat_maps(values[at : at + 1], image.shape[-1])[0]
        show_image(ax, overlay(image, heat), f"from the {name}")
        if heat.max() == 0:
            ax.text(0.5, 0.5, "zero", transform=ax.transAxes, ha="center", color=RUST, size=13)
    peaks = {name: values.amax(dim=(1, 2)) for name, values in maps.items()}
    _show_peaks(right, peaks, factors, at)
    ends = ", ".join(f"{name} {values[at]:.2g}" for name, values in peaks.items())
    fig.describe(f"With logits multiplied by {factors[at]:.3g} the peaks of the maps are {ends}.")
    return fig


def _show_peaks(ax: Axes, peaks: Mapping[str, Tensor], factors: Tensor, at: int) -> None:
    """Draw peaks over factors by their exponents, since linear axes are drawn much faster."""
    for (name, values), color in zip(peaks.items(), (BLUE, RUST), strict=True):
        exponents = values.clamp(min=1e-12).log10()
        ax.plot(factors.log10(), exponents, color=color, marker="o", markersize=3.5)
        ax.plot(factors[at].log10(), exponents[at], "o", color=color, markersize=9)
        ax.text(2.1, exponents[-1], name, color=color, weight="bold", size=9, va="center")
    ax.set(xlim=(-1.1, 2.05), ylim=(-12.6, 3.4), xlabel="logits multiplied by")
    ax.set_xticks([-1, 0, 1, 2], ["0.1", "1", "10", "100"])
    ax.set_yticks([-12, -8, -4, 0], ["≤1e-12", "1e-8", "1e-4", "1"])
    ax.set_title("peak of the map", fontsize=10)


@drawing
def show_halves(image: Tensor, heats: Sequence[Tensor], titles: Sequence[str]) -> Figure:
    """Show an image ``(3, H, 2 H)`` under maps, and say how much of each lies on its left half."""
    margins = {"left": 0.05, "right": 0.05, "top": 0.35, "bottom": 0.05, "wspace": 0.08}
    fig, axes = figure(1, len(heats), height=1.75, **margins)
    for ax, heat, title in zip(axes, heats, titles, strict=True):
        show_image(ax, overlay(image, heat), title)
        half = heat.shape[1] // 2
        fraction = heat[:, :half].sum() / heat.sum()
        fig.describe(f"{title}: {fraction:.0%} of the map lies on the left half.")
    return fig


def _place(heat: Tensor) -> str:
    """Say where the peak of a map is, in thirds of the image."""
    if heat.max() == heat.min():
        return "nowhere"
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    down = ("at the top", "in the middle", "at the bottom")[3 * row // heat.shape[0]]
    across = ("left", "", "right")[3 * column // heat.shape[1]]
    return f"{down} {across}".strip()
