"""Figures in the book's style: drawn without pyplot, each carrying a sentence that describes it."""

import io
import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import matplotlib
import matplotlib.axes
import matplotlib.figure
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.text import Text
from PIL import Image

from glassbox.plotting.colors import GRID, INK, MUTED, PALETTE, PAPER

_DPI = 120
WIDTH = 7.0
_HEIGHT = 3.6
_TICKS = 6  # at most, on an axis

# Inches around and between the axes. They are fixed so that the axes of two figures of one size
# coincide (an explorable's picture must not jump). An automatic layout would also take as long
# again as the drawing itself.
LEFT = 0.75
_TOP, _RIGHT, _BOTTOM, _GAP_ACROSS, _GAP_DOWN = 0.5, 0.25, 0.6, 0.75, 0.95

_STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "font.family": "DejaVu Sans",
        "font.size": 10.0,
        "text.color": INK,
        "axes.facecolor": PAPER,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.labelsize": 10.0,
        "axes.linewidth": 0.8,
        "axes.titlesize": 11.0,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 9.0,
        "axes.titley": 1.0,  # to work a place out would take a quarter of the drawing time
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=PALETTE) + cycler(linewidth=[2.0] * len(PALETTE)),
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 9.0,
        "ytick.labelsize": 9.0,
        "xtick.major.size": 3.0,
        "ytick.major.size": 0.0,
        "legend.frameon": False,
        "image.cmap": "cividis",
    }
)

_STYLING = threading.RLock()


@contextmanager
def book_style() -> Iterator[None]:
    """Set matplotlib's parameters to the book's style, and restore them on leaving.

    The parameters belong to the whole process, so other threads that ask for the style wait.
    """
    with _STYLING, matplotlib.rc_context(dict(_STYLE)):
        yield


class Axes(matplotlib.axes.Axes):
    """Axes that keep the book's style where matplotlib looks at its global parameters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.locator_params(nbins=_TICKS)

    def set_title(self, label: str, *args: Any, **kwargs: Any) -> Text:
        """Set a title in the book's style; the arguments are matplotlib's."""
        with book_style():
            return super().set_title(label, *args, **kwargs)

    def legend(self, *args: Any, **kwargs: Any) -> Legend:
        """Add a legend in the book's style; the arguments are matplotlib's."""
        with book_style():
            return super().legend(*args, **kwargs)

    def imshow(self, *args: Any, **kwargs: Any) -> AxesImage:
        """Show an image with square pixels and no grid over it; the arguments are matplotlib's."""
        self.grid(False)
        with book_style():
            return super().imshow(*args, **{"interpolation": "nearest", **kwargs})


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure in the book's style that pyplot does not know of.

    It shows itself as a PNG of its whole canvas, and as its alt sentence where there is only text.

    Attributes:
        alt: What the picture shows, in a sentence or two; empty until it is written.
    """

    def __init__(self, *args: Any, alt: str = "", **kwargs: Any) -> None:
        with book_style():
            super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)
        self.alt = alt

    def add_subplot(self, *args: Any, **kwargs: Any) -> matplotlib.axes.Axes:
        """Add axes in the book's style; the arguments are matplotlib's."""
        if not {"projection", "polar"} & kwargs.keys():
            kwargs.setdefault("axes_class", Axes)
        with book_style():
            return super().add_subplot(*args, **kwargs)

    def draw(self, renderer: Any) -> None:
        """Draw the figure in the book's style; matplotlib makes its tick labels only here."""
        with book_style():
            super().draw(renderer)

    def describe(self, sentence: str) -> None:
        """Append a sentence to the alt text, as for one panel; an empty one changes nothing."""
        self.alt = " ".join(part for part in (self.alt, sentence) if part)

    def __repr__(self) -> str:
        return self.alt or "<Figure without alt text>"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        pixels = to_pixels(self)
        return (
            {"image/png": to_png(pixels), "text/plain": repr(self)},
            {"image/png": display_size(pixels)},
        )


def figure(
    rows: int = 1,
    cols: int = 1,
    *,
    width: float = WIDTH,
    height: float = _HEIGHT,
    left: float = LEFT,
    right: float = _RIGHT,
    top: float = _TOP,
    bottom: float = _BOTTOM,
    wspace: float | None = None,
    hspace: float | None = None,
    alt: str = "",
    **subplots: Any,
) -> tuple[Figure, Any]:
    """Make a figure of ``rows`` times ``cols`` axes in the book's style.

    The margins are fixed, whatever the labels: make room for a long one.

    Args:
        rows: Rows of axes, 1 or more.
        cols: Columns of axes, 1 or more.
        width: Width in inches; the default fills the text column.
        height: Height in inches.
        left: Margin to the left of the axes, in inches.
        right: Margin to the right, in inches.
        top: Margin above, in inches.
        bottom: Margin below, in inches.
        wspace: Space between columns as a fraction of the mean width of the axes; 0.75 inches
            unless given.
        hspace: Space between rows as a fraction of their mean height; 0.95 inches unless given.
        alt: What the picture will show, in a sentence.
        **subplots: Passed on to ``matplotlib.figure.Figure.subplots``, such as ``sharey`` or
            ``width_ratios``.

    Returns:
        The figure, and its axes: one, a row or a column of them as a 1-D array, or a 2-D array.

    Raises:
        TypeError: A number is none, or another option is unknown.
        ValueError: ``rows`` or ``cols`` is below 1, a number is not finite, or the margins leave no
            room for the axes.
    """
    check_count(rows=rows, cols=cols)
    check_sizes(width=width, height=height, left=left, right=right, top=top, bottom=bottom)
    check_sizes(**{k: v for k, v in {"wspace": wspace, "hspace": hspace}.items() if v is not None})
    rows, cols = int(rows), int(cols)  # of NumPy, small ones would overflow
    width, height, left, right, top, bottom = map(float, (width, height, left, right, top, bottom))
    across = (width - left - right - _GAP_ACROSS * (cols - 1)) / cols
    down = (height - top - bottom - _GAP_DOWN * (rows - 1)) / rows
    if min(across, down) <= 0:
        raise ValueError(
            f"width {width} and height {height} inches leave no room for {rows} x {cols} axes"
        )
    fig = Figure(figsize=(width, height), dpi=_DPI, alt=alt)
    fig.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        wspace=_GAP_ACROSS / across if wspace is None else wspace,
        hspace=_GAP_DOWN / down if hspace is None else hspace,
    )
    return fig, fig.subplots(rows, cols, **subplots)


# The checks of glassbox.support.arguments would import torch, which charts can do without.


def check_count(**counts: Any) -> None:
    """Refuse what is not an integer of at least 1."""
    for name, count in counts.items():
        if not isinstance(count, Integral) or isinstance(count, bool):
            raise TypeError(f"{name} is {count!r}, expected an integer")
        if count < 1:
            raise ValueError(f"{name} must be 1 or more, got {count}")


def check_sizes(**sizes: Any) -> None:
    """Refuse what is not a finite number."""
    for name, size in sizes.items():
        if not isinstance(size, Real):
            raise TypeError(f"{name} is {size!r}, expected a number")
        if not math.isfinite(size):
            raise ValueError(f"{name} is {size}, expected a finite number")


def to_pixels(figure: matplotlib.figure.Figure) -> np.ndarray:
    """Draw any matplotlib figure at its own resolution, as uint8 ``(height, width, 3)``."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def display_size(pixels: np.ndarray) -> dict[str, int]:
    """Compute the ``width`` and ``height`` in CSS pixels at which notebooks show a picture.

    A picture of the default width is shown 700 CSS pixels wide.
    """
    height, width = pixels.shape[:2]
    return {"width": round(width * 100 / _DPI), "height": round(height * 100 / _DPI)}


def _to_palette(pixels: np.ndarray, colors: int) -> Image.Image:
    """Reduce a picture ``(height, width, 3)`` to a palette of 2 to 256 colors.

    The color of its first pixel stays exact. That pixel is the paper, which must not differ between
    two pictures of one explorable.
    """
    reduced = Image.fromarray(pixels).quantize(
        colors, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )
    palette = np.array(reduced.getpalette(), dtype=np.uint8).reshape(-1, 3)
    palette[reduced.getpixel((0, 0))] = pixels[0, 0]
    reduced.putpalette(palette.tobytes())
    return reduced


def to_png(pixels: np.ndarray, colors: int = 256) -> bytes:
    """Encode a picture as the bytes of a PNG with its own palette, as :func:`_to_palette` does."""
    file = io.BytesIO()
    _to_palette(pixels, colors).save(file, "PNG", compress_level=7)
    return file.getvalue()
