"""Figures in the book's style: drawn without pyplot, each carrying a sentence that describes it."""

import functools
import io
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from numbers import Integral, Real
from textwrap import fill
from types import MappingProxyType
from typing import Any, NamedTuple

import matplotlib
import matplotlib.axes
import matplotlib.figure
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.gridspec import GridSpec
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.text import Text
from PIL import Image

from glassbox.plotting.colors import GRID, INK, MUTED, PALETTE, PAPER
from glassbox.plotting.dark import Renderer, maps_turned

_DPI = 120
_WIDTH = 7.0
_NARROW, _NARROW_DPI = 4.6, 182.65  # as many pixels, in which text is 1.5 times as large
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

_BOLD, _PLAIN = 0.0096, 0.0083  # inches: the usual width of a letter, by points of its size

_STYLING = threading.RLock()
_ON_PHONE = ContextVar("on a phone", default=False)


@contextmanager
def narrow_page() -> Iterator[None]:
    """Draw figures for a phone: narrower, so that text is larger in them, on leaving as before."""
    token = _ON_PHONE.set(True)
    try:
        yield
    finally:
        _ON_PHONE.reset(token)


def on_phone() -> bool:
    """Say whether figures are drawn for a phone."""
    return _ON_PHONE.get()


def page_width() -> float:
    """Give the width of a figure that fills the text column, in inches."""
    return _NARROW if on_phone() else _WIDTH


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
        """Set a title in the book's style; the arguments are matplotlib's.

        On a phone it is broken into lines where it would leave the figure.
        """
        with book_style():
            title = super().set_title(label, *args, **kwargs)
        if on_phone() and title.get_horizontalalignment() == "left":
            room = self.figure.get_figwidth() * (1 - self.get_position().x0)
            letter = (_BOLD if title.get_weight() == "bold" else _PLAIN) * title.get_fontsize()
            lines = (fill(line, round(room / letter)) for line in title.get_text().split("\n"))
            title.set_text("\n".join(lines))
        return title

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
        again: Draws the figure anew, see :func:`drawing`; None where nobody said how.
    """

    def __init__(self, *args: Any, alt: str = "", **kwargs: Any) -> None:
        with book_style():
            super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)
        self.alt = alt
        self.again: Callable[[], Figure] | None = None

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
        from glassbox.plotting.page_pictures import PLAYER, figure_html, for_page

        pixels = to_pixels(self)
        page = {PLAYER: figure_html(self)} if for_page() else {}
        return (
            {"image/png": to_png(pixels), "text/plain": repr(self)} | page,
            {"image/png": display_size(pixels)},
        )


def drawing(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Let the figures of a function be drawn again with the same arguments, as for a phone."""

    @functools.wraps(draw)
    def recorded(*args: Any, **kwargs: Any) -> Figure:
        figure = draw(*args, **kwargs)
        figure.again = functools.partial(draw, *args, **kwargs)
        return figure

    return recorded


def figure(
    rows: int = 1,
    cols: int = 1,
    *,
    width: float | None = None,
    height: float = _HEIGHT,
    left: float = LEFT,
    right: float = _RIGHT,
    top: float = _TOP,
    bottom: float = _BOTTOM,
    wspace: float | None = None,
    hspace: float | None = None,
    phone_cols: int = 0,
    alt: str = "",
    **subplots: Any,
) -> tuple[Figure, Any]:
    """Make a figure of ``rows`` times ``cols`` axes in the book's style.

    The margins are fixed, whatever the labels: make room for a long one.

    Args:
        rows: Rows of axes, 1 or more.
        cols: Columns of axes, 1 or more.
        width: Width in inches; :func:`page_width` unless given.
        height: Height in inches.
        left: Margin to the left of the axes, in inches.
        right: Margin to the right, in inches.
        top: Margin above, in inches.
        bottom: Margin below, in inches.
        wspace: Space between columns as a fraction of the mean width of the axes; 0.75 inches
            unless given.
        hspace: Space between rows as a fraction of their mean height; 0.95 inches unless given.
        phone_cols: On a phone, set the axes of a row in so many columns, each as high as it was;
            the last one fills its row, and only that has labels below where there are several
            columns. As everywhere unless given.
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
    check_count(0, phone_cols=phone_cols)
    dpi = _NARROW_DPI if on_phone() and width is None else _DPI
    width = page_width() if width is None else width
    check_sizes(width=width, height=height, left=left, right=right, top=top, bottom=bottom)
    check_sizes(**{k: v for k, v in {"wspace": wspace, "hspace": hspace}.items() if v is not None})
    rows, cols = int(rows), int(cols)  # of NumPy, small ones would overflow
    width, height, left, right, top, bottom = map(float, (width, height, left, right, top, bottom))
    count, folded = cols, phone_cols and rows == 1 and on_phone()
    if folded:
        rows, cols = -(-count // phone_cols), phone_cols
        down = height - top - bottom
        gap = top + (bottom if cols == 1 else 0.15)  # pictures have no labels below
        height, hspace = top + rows * down + (rows - 1) * gap + bottom, gap / down
    across = _side(width - left - right, cols, wspace, _GAP_ACROSS)
    down = _side(height - top - bottom, rows, hspace, _GAP_DOWN)
    if min(across, down) <= 0:
        raise ValueError(
            f"width {width} and height {height} inches leave no room for {rows} x {cols} axes"
        )
    fig = Figure(figsize=(width, height), dpi=dpi, alt=alt)
    fig.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        wspace=_GAP_ACROSS / across if wspace is None else wspace,
        hspace=_GAP_DOWN / down if hspace is None else hspace,
    )
    if folded:
        return fig, _fold(fig, count, fig.add_gridspec(rows, cols), **subplots)
    return fig, fig.subplots(rows, cols, **subplots)


def _side(inches: float, count: int, space: float | None, gap: float) -> float:
    """Share a length between axes with spaces that are fractions of their sides, or gaps."""
    if space is None:
        return (inches - gap * (count - 1)) / count
    return inches / (count + space * (count - 1))


def _fold(
    fig: Figure, count: int, grid: GridSpec, *, sharex: bool = False, sharey: bool = False, **_: Any
) -> np.ndarray:
    """Make axes row by row, the last of which fills its row."""
    axes: list[matplotlib.axes.Axes] = []
    for i in range(count):
        row, col = divmod(i, grid.ncols)
        place = grid[row, col:] if i == count - 1 else grid[row, col]
        shared = {"sharex": sharex, "sharey": sharey} if axes else {}
        axes.append(fig.add_subplot(place, **{k: axes[0] for k, v in shared.items() if v}))
    return np.array(axes)


# The checks of glassbox.support.arguments would import torch, which charts can do without.


def check_count(lowest: int = 1, /, **counts: Any) -> None:
    """Refuse what is not an integer of at least ``lowest``."""
    for name, count in counts.items():
        if not isinstance(count, Integral) or isinstance(count, bool):
            raise TypeError(f"{name} is {count!r}, expected an integer")
        if count < lowest:
            raise ValueError(f"{name} must be {lowest} or more, got {count}")


def check_sizes(**sizes: Any) -> None:
    """Refuse what is not a finite number."""
    for name, size in sizes.items():
        if not isinstance(size, Real):
            raise TypeError(f"{name} is {size!r}, expected a number")
        if not math.isfinite(size):
            raise ValueError(f"{name} is {size}, expected a finite number")


class Painting(NamedTuple):
    """What a figure looks like: pixels, uint8 ``(height, width, 3)``, and what its text is like.

    The size of the smallest text is in points, and infinite where there is none; by how much one
    leaves the picture is in pixels.
    """

    pixels: np.ndarray
    smallest: float
    overhang: float


def paint(figure: matplotlib.figure.Figure, *, dark: bool = False) -> Painting:
    """Draw any matplotlib figure at its own resolution, if asked to as on a dark page."""
    width, height = FigureCanvasAgg(figure).get_width_height(physical=True)
    renderer = Renderer(width, height, figure.dpi, dark=dark)
    with maps_turned(figure) if dark else nullcontext():
        figure.draw(renderer)
    pixels = np.asarray(renderer.buffer_rgba())[..., :3].copy()
    return Painting(pixels, renderer.smallest, renderer.overhang)


def to_pixels(figure: matplotlib.figure.Figure) -> np.ndarray:
    """Draw any matplotlib figure at its own resolution, as uint8 ``(height, width, 3)``."""
    return paint(figure).pixels


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
