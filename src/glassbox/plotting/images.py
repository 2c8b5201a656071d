"""Images and feature maps side by side, with an alt sentence computed from what is drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassbox.plotting.colors import GRID, INK, MUTED, SIGNED
from glassbox.plotting.figures import (
    Axes,
    Figure,
    check_count,
    drawing,
    figure,
    on_phone,
    page_width,
)

_GAP = 0.08  # between tiles, in tile widths
_EDGE = 0.25  # around them, in inches
_LARGEST = 1.5  # width of a tile, in inches
_KEY = 0.4  # height of the key to the colors, in inches


def to_array(values: Any) -> np.ndarray:
    """Turn a tensor of any device, type and history, an array or a list into an array."""
    if not hasattr(values, "detach"):
        return np.asarray(values)
    values = values.detach().cpu()
    return np.asarray(
        values.float() if values.is_floating_point() and values.itemsize < 4 else values
    )


def real_numbers(**values: Any) -> np.ndarray:
    """Turn one value, given under the name of its argument, into an array of real numbers."""
    ((name, value),) = values.items()
    try:
        numbers = to_array(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} has no shape: {error}") from error
    if numbers.dtype.kind not in "biuf":
        raise TypeError(f"{name} has type {numbers.dtype}, expected real numbers")
    return numbers


def finite_numbers(**values: Any) -> np.ndarray:
    """Turn a value into an array as :func:`real_numbers` does, and refuse nan and infinities."""
    numbers = real_numbers(**values)
    if not np.isfinite(numbers).all():
        count = int((~np.isfinite(numbers)).sum())
        raise ValueError(f"{next(iter(values))} must be finite, got {count} that are nan or inf")
    return numbers


def check_texts(count: int, what: str, **texts: Sequence[str] | None) -> None:
    """Refuse an optional argument that has not one text for each of ``count`` things drawn."""
    for name, items in texts.items():
        if items is None:
            continue
        if not hasattr(items, "__len__") or not all(isinstance(item, str) for item in items):
            raise TypeError(f"{name} is {items!r}, expected a text for each of {count} {what}")
        if len(items) != count:
            raise ValueError(
                f"{name} must have one entry for each of {count} {what}, got {len(items)}"
            )


def show_image(ax: Axes, pixels: Any, title: str = "", *, size: float = 10, **options: Any) -> None:
    """Show an image ``(H, W)`` or ``(H, W, 3)`` under its title, without the frame of the axes.

    ``options`` go to ``imshow``; unless given, gray from 0, black, to 1, white.
    """
    ax.imshow(to_array(pixels), **{"cmap": "gray", "vmin": 0, "vmax": 1} | options)
    ax.set_title(title, fontsize=size)
    ax.set_axis_off()


def to_colors(image: Any) -> np.ndarray:
    """Turn an image ``(C, H, W)``, bytes or from 0 to 1, into ``(H, W)`` or ``(H, W, 3)``."""
    pixels = to_array(image)
    pixels = pixels / 255 if pixels.dtype == np.uint8 else pixels
    return np.moveaxis(pixels, 0, -1) if len(pixels) == 3 else pixels[0]


def _pictures(images: Any) -> np.ndarray:
    """Bring images into ``(N, H, W)`` or ``(N, H, W, 3)`` with values from 0 to 1."""
    pixels = real_numbers(images=images)
    colors = pixels.shape[1] if pixels.ndim == 4 else 0
    if pixels.ndim != 3 and colors not in (1, 3):
        shapes = "(N, H, W), (N, 1, H, W) or (N, 3, H, W)"
        raise ValueError(f"images must be {shapes}, got {pixels.shape}")
    if not pixels.size:
        raise ValueError(f"images must hold one image or more, got {pixels.shape}")
    pixels = pixels / 255 if pixels.dtype == np.uint8 else pixels.astype(float)
    if not (pixels.min() >= -1e-3 and pixels.max() <= 1 + 1e-3):
        raise ValueError(
            f"images must be uint8 or lie in [0, 1], got {pixels.min():.3g} to "
            f"{pixels.max():.3g}: undo a normalization first"
        )
    pixels = np.moveaxis(pixels, 1, -1) if colors == 3 else pixels.reshape(-1, *pixels.shape[-2:])
    return pixels.clip(0, 1)


def _tile(
    pictures: np.ndarray,
    texts: Sequence[str],
    *,
    cols: int | None = None,
    foot: float = 0.0,
    **show: Any,
) -> tuple[Axes, float]:
    """Draw pictures in rows, each 1 data unit wide, with its text above it.

    Return the axes and the length of an inch in data units; ``foot`` inches below stay free.
    """
    count, height, width = pictures.shape[:3]
    cols = min(count, int(cols or 8))
    if on_phone():
        cols = min(cols, max(1, int(page_width() / max(0.5, *(0.085 * len(t) for t in texts)))))
    rows = -(-count // cols)
    aspect = height / width
    tile = min(_LARGEST, (page_width() - 2 * _EDGE) / (cols * (1 + _GAP) - _GAP))
    gap = 0.27 / tile if any(texts) else _GAP
    across, down = cols * (1 + _GAP) - _GAP, rows * (aspect + gap) + foot / tile
    top = 0.5 * _EDGE
    margins = {"left": _EDGE, "right": page_width() - _EDGE - across * tile, "bottom": _EDGE}
    _, ax = figure(height=top + down * tile + _EDGE, top=top, **margins)
    for i, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        x, y = i % cols * (1 + _GAP), i // cols * (aspect + gap) + gap
        ax.imshow(picture, extent=(x, x + 1, y + aspect, y), **show)
        ax.text(x, y - 0.22 * gap, text, color=INK, size=9)
    ax.set(xlim=(0, across), ylim=(down, 0), anchor="NW")
    ax.set_axis_off()
    return ax, 1 / tile


@drawing
def image_grid(
    images: Any,
    titles: Sequence[str] | None = None,
    *,
    cols: int | None = None,
    alt: str | None = None,
) -> Figure:
    """Show images side by side.

    Args:
        images: ``(N, H, W)``, ``(N, 1, H, W)`` or ``(N, 3, H, W)``; uint8, or numbers in [0, 1].
        titles: A short text above each image.
        cols: Images in a row, at least 1; at most 8 unless given.
        alt: Replaces the computed alt sentence.

    Raises:
        TypeError: ``images`` are no real numbers, ``titles`` no texts or ``cols`` no integer.
        ValueError: ``images`` has another shape or range, ``titles`` differs in length, or ``cols``
            is below 1.
    """
    pictures = _pictures(images)
    count, height, width = pictures.shape[:3]
    check_texts(count, "images", titles=titles)
    if cols is not None:
        check_count(cols=cols)
    texts = list(titles) if titles is not None else [""] * count
    ax, _ = _tile(pictures, texts, cols=cols, cmap="gray", vmin=0, vmax=1)
    sentence = f"{count} image{'s' * (count > 1)} of {height} × {width} pixels"
    if titles is not None:
        sentence += f", titled {', '.join(texts[:12])}" + " and so on" * (count > 12)
    ax.figure.describe(alt if alt is not None else f"{sentence}.")
    return ax.figure


@drawing
def feature_maps(maps: Any, titles: Sequence[str] | None = None) -> Figure:
    """Show feature maps side by side on one scale, with zero in the color of the paper.

    Args:
        maps: ``(C, H, W)``, the activations of one image, or kernels: blue where negative, rust
            where positive.
        titles: A short text above each map; its number, from 0, unless given.

    Raises:
        TypeError: ``maps`` are no real numbers or ``titles`` no texts.
        ValueError: ``maps`` has another shape or is not finite, or ``titles`` differs in length.
    """
    values = finite_numbers(maps=maps).astype(float)
    if values.ndim != 3 or not values.size:
        raise ValueError(f"maps must be (C, H, W) and not empty, got {values.shape}")
    check_texts(len(values), "maps", titles=titles)
    texts = list(titles) if titles is not None else [str(i) for i in range(len(values))]
    limit = max(np.abs(values).max(), 1e-12)
    ax, inch = _tile(values, texts, foot=_KEY, cmap=SIGNED, vmin=-limit, vmax=limit)
    _frame(ax)
    _key(ax, inch, limit, float(values.min()), float(values.max()))
    ax.figure.describe(_maps_sentence(values, texts))
    return ax.figure


def _frame(ax: Axes) -> None:
    """Draw a thin frame around each tile, so that a map of zeros can be seen."""
    for tile in ax.images:
        left, right, bottom, top = tile.get_extent()
        ax.plot(
            [left, right, right, left, left],
            [bottom, bottom, top, top, bottom],
            color=GRID,
            linewidth=0.8,
        )


def _key(ax: Axes, inch: float, limit: float, low: float, high: float) -> None:
    """Show below the maps which colors stand for which numbers."""
    low, high = min(low, 0.0), max(high, 0.0)
    bottom = ax.get_ylim()[0]
    left, right = 0.5 * inch, 1.7 * inch
    strip = np.linspace(low, high, 100)[None]
    extent = (left, right, bottom, bottom - 0.14 * inch)
    limits = (*ax.get_xlim(), *ax.get_ylim())
    ax.imshow(strip, extent=extent, cmap=SIGNED, vmin=-limit, vmax=limit)
    ax.axis(limits)
    middle, gap = bottom - 0.07 * inch, 0.07 * inch
    style = {"va": "center", "size": 8.5, "color": MUTED}
    ax.text(left - gap, middle, f"{low:.2g}", ha="right", **style)
    ax.text(right + gap, middle, f"{high:.2g}", **style)


def _maps_sentence(values: np.ndarray, texts: Sequence[str]) -> str:
    peaks = np.abs(values).max(axis=(1, 2))
    count, height, width = values.shape
    silent = int((peaks == 0).sum())
    return (
        f"{count} feature {'map' if count == 1 else 'maps'} of {height} × {width}, values from "
        f"{values.min():.3g} to {values.max():.3g}, the largest in {texts[int(peaks.argmax())]}"
        + (f"; {silent} zero everywhere." if silent else ".")
    )
