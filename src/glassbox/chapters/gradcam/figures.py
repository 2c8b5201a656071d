"""The figures of the chapter on Grad-CAM: images under their maps."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap
from matplotlib.patches import Rectangle
from torch import Tensor

from glassbox.attribution.cam import heat_maps
from glassbox.plotting.colors import BLUE, HEAT, INK, MUTED, ON_PICTURE, PALE
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone, page_width
from glassbox.plotting.images import show_image, to_colors

CYAN = "#3fd0ff"  # of frames on pictures
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
    folded = [_folded(title) for title in titles]
    top = 0.45 if any("\n" in title for title in folded) else 0.3
    margins = {
        "left": _NAMES,
        "right": page_width() - _NAMES - count * tile,
        "top": top,
        "bottom": 0.05,
    }
    spaces = {"wspace": 0.06, "hspace": 0.06, "squeeze": False}
    fig, axes = figure(3, count, height=3 * tile + top + 0.05, **margins, **spaces)
    for image, heat, title, (top, middle, below) in zip(images, maps, folded, axes.T, strict=True):
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
def show_two_colormaps(image: Tensor, heat: Tensor, part: float = 0.4) -> Figure:
    """Show a map ``(H, W)`` from 0 to 1 in two color maps: alone, over its image, and in gray.

    Over the image, ``(3, H, W)`` bytes, the map counts for ``part``, and the image for the rest.
    """
    margins = {"left": 0.55, "right": 0.05, "top": 0.35, "bottom": 0.05, "squeeze": False}
    fig, rows = figure(
        2, 4, height=3.9 if not on_phone() else 2.6, wspace=0.08, hspace=0.08, **margins
    )
    pixels = to_colors(image)
    titles = ["image", "map", f"overlay, {part:g} to {1 - part:g}", "map, in gray"]
    if on_phone():
        titles[2:] = "overlay", "in gray"
    for (name, shown), axes in zip({"jet": "jet", "heat": "even"}.items(), rows, strict=True):
        colors = colors_named(name)(heat.numpy())[..., :3]
        gray = brightness(colors_named(name), heat.numpy())
        panels = (pixels, colors, part * colors + (1 - part) * pixels, gray)
        for ax, panel, title in zip(axes, panels, titles, strict=True):
            show_image(ax, panel, title if name == "jet" else "")
        axes[0].text(-0.08, 0.5, shown, transform=axes[0].transAxes, ha="right", va="center")
    at = np.unravel_index(int(heat.argmax()), heat.shape)
    jet, even = (brightness(colors_named(name), heat.numpy())[at] for name in ("jet", "heat"))
    fig.describe(
        "An image, its map, the map over it and the map without colors, in jet and in colors of "
        f"even brightness. The peak lies {_place(heat)}; its brightness is {jet:.2f} in jet and "
        f"{even:.2f} in the other."
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
def show_quarters(image: Tensor, heats: Sequence[Tensor], titles: Sequence[str]) -> Figure:
    """Show a picture of four ``(C, 2 S, 2 S)``, and over it a map for what is in each quarter.

    The maps are those of the upper left, the upper right, the lower left and the lower right
    quarter, each ``(2 S, 2 S)`` from 0 to 1.
    """
    margins = {"left": 0.05, "right": 0.05, "top": 0.35, "bottom": 0.05, "wspace": 0.06}
    side = (page_width() - 0.1) / (2.06 if on_phone() else 5.24)
    fig, (first, *rest) = figure(1, 5, height=side + 0.4, phone_cols=2, **margins)
    show_image(first, to_colors(image), "four in one", size=9.5)
    half = image.shape[-1] // 2
    for place, (ax, heat, title) in enumerate(zip(rest, heats, titles, strict=True)):
        show_image(ax, overlay(image, heat), title, size=9.5)
        row, column = divmod(place, 2)
        frame = {"fill": False, "ec": CYAN, "lw": 1.6, "gid": ON_PICTURE}
        corner = (column * half - 0.5, row * half - 0.5)
        ax.add_patch(Rectangle(corner, half, half, **frame))
        inside = heat[row * half : (row + 1) * half, column * half : (column + 1) * half].sum()
        fig.describe(f"{title}: {inside / heat.sum():.0%} of the map is in its quarter.")
    return fig


@drawing
def show_methods(images: Tensor, maps: Mapping[str, Tensor], titles: Sequence[str]) -> Figure:
    """Show images ``(N, C, H, W)``, and beside each the maps of several methods over it.

    The maps are ``(N, H, W)`` from 0 to 1, by the name of the method; ``titles`` name the images.
    """
    count, across = len(images), len(maps) + 1
    left, top = (0.45, 0.45) if on_phone() else (0.3, 0.3)
    tile = (page_width() - left - 0.05) / (across + 0.06 * (across - 1))
    margins = {"left": left, "right": 0.05, "top": top, "bottom": 0.05, "squeeze": False}
    height = count * tile + 0.06 * tile * (count - 1) + top + 0.05
    fig, rows = figure(count, across, height=height, wspace=0.06, hspace=0.06, **margins)
    for i, (image, title, axes) in enumerate(zip(images, titles, rows, strict=True)):
        show_image(axes[0], to_colors(image))
        place = {"rotation": 90, "ha": "right", "va": "center"}
        axes[0].text(-0.06, 0.5, _folded(title), transform=axes[0].transAxes, **place)
        for ax, (name, heats) in zip(axes[1:], maps.items(), strict=True):
            show_image(ax, overlay(image, heats[i]))
            ax.set_title("" if i else _folded(name), fontsize=9, weight="normal", loc="center")
    peaks = (
        f"by {name} {', '.join(_place(heat) for heat in heats)}" for name, heats in maps.items()
    )
    fig.describe(
        f"Maps by {len(maps)} methods over {', '.join(titles)}. The peaks lie {'; '.join(peaks)}."
    )
    return fig


def _folded(name: str) -> str:
    """Set a name in two lines where there is little room."""
    return name.replace(" ", "\n", 1) if on_phone() else name


def _place(heat: Tensor) -> str:
    """Say where the peak of a map is, in thirds of the image."""
    if heat.max() == heat.min():
        return "nowhere"
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    down = ("at the top", "in the middle", "at the bottom")[3 * row // heat.shape[0]]
    across = ("left", "", "right")[3 * column // heat.shape[1]]
    return f"{down} {across}".strip()
