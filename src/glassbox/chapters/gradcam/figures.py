"""The drawings of the chapter on Grad-CAM: images under their maps."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap
from torch import Tensor

from glassbox.attribution.cam import heat_maps
from glassbox.chapters.gradcam.digit_figure import HEAT
from glassbox.plotting.figures import BLUE, INK, MUTED, RUST, WIDTH, Axes, Figure, figure
from glassbox.plotting.images import to_array

PALE = "#c3cbdc"
NAME = 0.95  # inches for the names of rows


def overlay(image: Tensor, heat: Tensor) -> np.ndarray:
    """Lay a map over a gray copy of its image: the higher the map, the less of the image is seen.

    Args:
        image: ``(C, H, W)``, bytes or numbers from 0 to 1.
        heat: ``(H, W)`` from 0 to 1.

    Returns:
        Colors ``(H, W, 3)`` from 0 to 1.
    """
    gray = _gray(image)[..., None]
    fraction = 0.75 * heat.numpy()[..., None]
    return (1 - fraction) * (0.15 + 0.8 * gray) + fraction * HEAT(heat.numpy())[..., :3]


def show_rows(images: Tensor, maps: Tensor, titles: Sequence[str]) -> Figure:
    """Show images, their maps, and the maps over the images, in three rows.

    Args:
        images: Bytes or numbers from 0 to 1, ``(N, C, H, W)``.
        maps: ``(N, H, W)`` from 0 to 1.
        titles: The class that each map is about.

    Returns:
        The figure with its alt sentence.
    """
    count = len(images)
    tile = min((WIDTH - NAME - 0.1) / count, 1.35)
    fig, axes = figure(
        3,
        count,
        height=3 * tile + 0.35,
        left=NAME,
        right=WIDTH - NAME - count * tile,
        top=0.3,
        bottom=0.05,
        squeeze=False,
    )
    fig.subplots_adjust(wspace=0.06, hspace=0.06)
    for image, heat, title, column in zip(images, maps, titles, axes.T, strict=True):
        draw_picture(column[0], image)
        column[1].imshow(heat.numpy(), cmap=HEAT, vmin=0, vmax=1)
        column[2].imshow(overlay(image, heat))
        column[0].set_title(title, fontsize=9.5, weight="normal", loc="center")
    for ax, name in zip(axes[:, 0], ("image", "map", "overlay"), strict=True):
        ax.text(-0.08, 0.5, name, transform=ax.transAxes, ha="right", va="center")
    for ax in axes.flat:
        ax.set_axis_off()
    fig.describe(
        f"{count} images, their maps and the maps over the images, for {', '.join(titles)}. "
        f"The peaks lie {', '.join(_place(heat) for heat in maps)}."
    )
    return fig


def show_two_colormaps(heat: Tensor) -> Figure:
    """Show one map in two sets of colors, as they are and as brightness alone.

    Args:
        heat: ``(H, W)`` from 0 to 1.

    Returns:
        The figure with its alt sentence.
    """
    fig, axes = figure(
        1, 5, height=1.85, left=0.05, right=0.15, top=0.35, bottom=0.5, width_ratios=[1] * 4 + [1.6]
    )
    fig.subplots_adjust(wspace=0.1)
    line = np.linspace(0, 1, 101)
    for i, (name, color) in enumerate((("jet", RUST), ("heat", BLUE))):
        chosen = colors_named(name)
        axes[2 * i].imshow(chosen(heat.numpy()))
        axes[2 * i].set_title(name, fontsize=10)
        axes[2 * i + 1].imshow(brightness(chosen, heat.numpy()), cmap="gray", vmin=0, vmax=1)
        axes[2 * i + 1].set_title("its brightness", fontsize=10, weight="normal")
        axes[4].plot(line, brightness(chosen, line), color=color)
    axes[4].text(0.36, 0.86, "jet", color=RUST, weight="bold", size=9)
    axes[4].text(0.5, 0.22, "heat", color=BLUE, weight="bold", size=9)
    axes[4].set(yticks=[], xticks=[0, 1], ylim=(0, 1), xlabel="value of the map")
    axes[4].set_title("brightness", fontsize=10, weight="normal")
    for ax in axes[:4]:
        ax.set_axis_off()
    fig.describe(
        "One map in jet and in the colors of this book, and the brightness of both. In jet the "
        "brightness rises to the middle and falls again, so that the peak is as dark as the valley;"
        " in the other it rises from one end to the other."
    )
    return fig


def colors_named(name: str) -> Colormap:
    """Give ``"heat"``, the book's colors of maps, or one of matplotlib's sets by its name."""
    return HEAT if name == "heat" else colormaps[name]


def brightness(colors: Colormap, values: np.ndarray) -> np.ndarray:
    """Compute how bright a color map shows values.

    Args:
        colors: From :func:`colors_named`.
        values: From 0 to 1, any shape.

    Returns:
        The luma of each, from 0 to 1.
    """
    return colors(values)[..., :3] @ np.array([0.299, 0.587, 0.114])


def show_question(
    image: Tensor, cells: Tensor, logits: Tensor, names: Sequence[str], asked: int
) -> Figure:
    """Show the map for one class at one layer, and the logits of all classes.

    Args:
        image: Bytes ``(3, H, W)``.
        cells: The map at the layer's own resolution, ``(h, w)``.
        logits: ``(K,)``.
        names: Of the K classes.
        asked: Index of the class that the map is about.

    Returns:
        The figure with its alt sentence.
    """
    fig, (left, middle, right, scores) = figure(
        1, 4, height=2.1, left=0.05, right=0.2, top=0.35, bottom=0.25, width_ratios=[1, 1, 1, 1.1]
    )
    fig.subplots_adjust(wspace=0.1)
    heat = heat_maps(cells[None], image.shape[-1])[0]
    draw_picture(left, image)
    middle.imshow(cells.numpy(), cmap=HEAT, vmin=0, vmax=max(cells.max().item(), 1e-9))
    right.imshow(overlay(image, heat))
    titles = ("image", f"map, {len(cells)} × {len(cells)}", f"for {names[asked]}")
    for ax, title in zip((left, middle, right), titles, strict=True):
        ax.set_title(title, fontsize=10)
        ax.set_axis_off()
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
    ax.barh(places, logits.tolist(), height=0.6, color=colors)
    for place, (name, logit) in enumerate(zip(names, logits.tolist(), strict=True)):
        ax.text(-17, place, name, va="center", size=9, color=INK)
        ax.text(16.5, place, f"{logit:.1f}".replace("-", "−"), va="center", ha="right", size=9)
    ax.axvline(0, color=MUTED, linewidth=0.8, ymin=0.02, ymax=0.98)
    ax.set(xlim=(-17, 17), ylim=(len(names) - 0.4, -0.6))
    ax.set_axis_off()
    ax.set_title("logits", fontsize=10)


def show_confidence(image: Tensor, maps: Mapping[str, Tensor], factors: Tensor, at: int) -> Figure:
    """Show the maps of a logit and of a probability, and their peaks over the confidence.

    Args:
        image: Bytes ``(3, H, W)``.
        maps: ``"logit"`` and ``"probability"`` to the maps for each factor, ``(F, h, w)``.
        factors: What all logits were multiplied by, ``(F,)``.
        at: Index of the factor that is shown.

    Returns:
        The figure with its alt sentence.
    """
    peaks = {name: values.amax(dim=(1, 2)) for name, values in maps.items()}
    heats = {
        name: heat_maps(values[at : at + 1], image.shape[-1])[0] for name, values in maps.items()
    }
    fig, (left, middle, right) = figure(
        1, 3, height=2.5, left=0.05, right=0.95, top=0.35, bottom=0.6, width_ratios=[1, 1, 1.35]
    )
    fig.subplots_adjust(wspace=0.32)
    for ax, (name, heat) in zip((left, middle), heats.items(), strict=True):
        ax.imshow(overlay(image, heat))
        ax.set_title(f"from the {name}", fontsize=10)
        ax.set_axis_off()
        if heat.max() == 0:
            ax.text(0.5, 0.5, "zero", transform=ax.transAxes, ha="center", color=RUST, size=13)
    floor = 1e-12
    for (name, values), color in zip(peaks.items(), (BLUE, RUST), strict=True):
        exponents = values.clamp(min=floor).log10()
        right.plot(factors.log10(), exponents, color=color, marker="o", markersize=3.5)
        right.plot(factors[at].log10(), exponents[at], "o", color=color, markersize=9)
        right.text(2.1, exponents[-1], name, color=color, weight="bold", size=9, va="center")
    right.set(xlim=(-1.1, 2.05), ylim=(-12.6, 3.4), xlabel="logits multiplied by")
    right.set_xticks([-1, 0, 1, 2], ["0.1", "1", "10", "100"])
    right.set_yticks([-12, -8, -4, 0], ["≤1e-12", "1e-8", "1e-4", "1"])
    right.set_title("peak of the map", fontsize=10)
    ends = ", ".join(f"{name} {values[at]:.2g}" for name, values in peaks.items())
    fig.describe(f"With logits multiplied by {factors[at]:.3g} the peaks of the maps are {ends}.")
    return fig


def show_halves(image: Tensor, heats: Sequence[Tensor], titles: Sequence[str]) -> Figure:
    """Show a wide image under several maps.

    Args:
        image: Bytes, ``(3, H, 2 H)``.
        heats: ``(H, 2 H)`` from 0 to 1.
        titles: One for each.

    Returns:
        The figure with its alt sentence.
    """
    fig, axes = figure(1, len(heats), height=1.75, left=0.05, right=0.05, top=0.35, bottom=0.05)
    fig.subplots_adjust(wspace=0.08)
    for ax, heat, title in zip(axes, heats, titles, strict=True):
        ax.imshow(overlay(image, heat))
        ax.set_title(title, fontsize=10)
        ax.set_axis_off()
        half = heat.shape[1] // 2
        fraction = heat[:, :half].sum() / heat.sum()
        fig.describe(f"{title}: {fraction:.0%} of the map lie on the left half.")
    return fig


def draw_picture(ax: Axes, image: Tensor) -> None:
    """Draw an image, ``(C, H, W)``, bytes or numbers from 0 to 1, on axes of its own."""
    ax.imshow(_colors(image), cmap="gray", vmin=0, vmax=1)


def _colors(image: Tensor) -> np.ndarray:
    pixels = to_array(image)
    pixels = pixels / 255 if pixels.dtype == np.uint8 else pixels
    return np.moveaxis(pixels, 0, -1) if len(pixels) == 3 else pixels[0]


def _gray(image: Tensor) -> np.ndarray:
    colors = _colors(image)
    return colors @ np.array([0.299, 0.587, 0.114]) if colors.ndim == 3 else colors


def _place(heat: Tensor) -> str:
    """Say where the peak of a map is, in thirds of the image."""
    if heat.max() == heat.min():
        return "nowhere"
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    down = ("at the top", "in the middle", "at the bottom")[3 * row // heat.shape[0]]
    across = ("left", "", "right")[3 * column // heat.shape[1]]
    return f"{down} {across}".strip()
