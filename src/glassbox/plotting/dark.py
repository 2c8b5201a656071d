"""A figure on a dark page: the same drawing, its colors turned over while they are painted.

No artist is changed and no drawing function knows of it. In Oklab, where distances are as they are
seen, the axis from paper to ink is laid on that of a dark page; hues stay. Pictures stay as they
are, and so does what is drawn over one and says so by its ``gid``, :data:`ON_PICTURE`.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import QuadMesh, TriMesh
from matplotlib.colors import Colormap, ListedColormap, to_hex, to_rgba_array
from matplotlib.image import AxesImage

from glassbox.plotting.colors import (
    DARK_INK,
    DARK_PALETTE,
    DARK_PAPER,
    INK,
    ON_PICTURE,
    PALETTE,
    PAPER,
    PAPER_MAPS,
)

# Oklab (Ottosson, 2020): linear RGB to cones, and their cube roots to lightness and two hues.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_PALER = np.linspace(1, 0, 21)  # fractions of the distance from gray, until a screen can show it

# The places of colors among the arguments of a renderer's methods, after the graphics context,
# which has a color of its own.
_COLORED = {
    "draw_markers": (4,),
    "draw_path_collection": (5, 6),
}


def _lab(rgb: np.ndarray) -> np.ndarray:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T


def _linear(lab: np.ndarray) -> np.ndarray:
    return (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T


_AXIS, _DARK_AXIS = (
    _lab(to_rgba_array(ends)[:, :3]) for ends in ((PAPER, INK), (DARK_PAPER, DARK_INK))
)


def turned(colors: Any) -> np.ndarray:
    """Turn colors, ``(..., 3)`` or ``(..., 4)`` from 0 to 1, into those of a dark page.

    Paper and ink become the dark page's, what lies between them follows, and hue and opacity stay.
    """
    colors = np.asarray(colors, dtype=float)
    lab = _lab(colors[..., :3])
    along = (lab[..., :1] - _AXIS[0, 0]) / (_AXIS[1, 0] - _AXIS[0, 0])
    gray, dark_gray = (start + along * (end - start) for start, end in (_AXIS, _DARK_AXIS))
    hue = _PALER.reshape(-1, *[1] * lab.ndim) * (lab - gray)
    options = _linear(dark_gray + hue)
    fits = ((options > -1e-3) & (options < 1.001)).all(-1)
    fits[-1] = True
    linear = np.take_along_axis(options, fits.argmax(0)[None, ..., None], 0)[0].clip(0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.concatenate([rgb, colors[..., 3:]], axis=-1)


def turned_color(color: Any) -> str:
    """Turn a color of matplotlib's into one such as ``#15171c``."""
    return to_hex(_turn_one(tuple(to_rgba_array(color)[0].tolist())))


@cache
def _turn_one(color: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(_turn_all(np.array(color)).tolist())


def _turn_all(colors: np.ndarray) -> np.ndarray:
    """Turn colors; those of the palette become those that can be told apart on a dark page."""
    made = turned(colors)
    for light, dark in zip(*map(to_rgba_array, (PALETTE, DARK_PALETTE)), strict=True):
        made[np.isclose(colors[..., :3], light[:3]).all(-1), :3] = dark[:3]
    return made


def _turn(colors: Any) -> Any:
    """Turn one color, which comes back often, or an array of them; there may be none."""
    if colors is None or not len(colors):
        return colors
    if np.ndim(colors) > 1:
        return _turn_all(np.asarray(colors, dtype=float))
    return _turn_one(tuple(map(float, colors)))


@cache
def _turned_map(name: str) -> Colormap:
    colors = PAPER_MAPS[name]
    return ListedColormap(turned(colors(np.arange(colors.N))), name=f"{name}, dark")


class Renderer(RendererAgg):
    """Paints a figure, in the colors of a dark page if asked to, and notes what its text is like.

    Attributes:
        smallest: The size of the smallest text, in points; infinite where there is none.
        overhang: How far a text leaves the picture, in pixels; 0 where all is inside.
    """

    def __init__(self, width: float, height: float, dpi: float, *, dark: bool) -> None:
        self._dark, self._groups, self.smallest, self.overhang = dark, [], math.inf, 0.0
        super().__init__(width, height, dpi)

    def _update_methods(self) -> None:
        super()._update_methods()
        for name, places in _COLORED.items():
            setattr(self, name, self._turning(getattr(self, name), places))

    def _turning(self, method: Callable[..., None], places: tuple[int, ...]) -> Callable[..., None]:
        """Wrap a method, so that it paints with turned colors."""

        def paint(gc: GraphicsContextBase, *given: Any, **options: Any) -> None:
            if not self._dark or ON_PICTURE in self._groups:
                return method(gc, *given, **options)
            own, colored = gc._rgb, [_turn(v) if i in places else v for i, v in enumerate(given)]
            gc._rgb = _turn(own)
            try:
                return method(gc, *colored, **options)
            finally:
                gc._rgb = own

        return paint

    def draw_path(self, gc: GraphicsContextBase, *given: Any, **options: Any) -> None:
        """Draw a path; the arguments are matplotlib's."""
        self._turning(super().draw_path, (2,))(gc, *given, **options)

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: bool = False,
        mtext: Any = None,
    ) -> None:
        """Draw a text; the arguments are matplotlib's."""
        if s.strip():
            self.smallest = min(self.smallest, prop.get_size_in_points())
            size = self.get_text_width_height_descent(s, prop, ismath)
            self.overhang = max(self.overhang, self._overhang(x, y, size, math.radians(angle)))
        self._turning(super().draw_text, ())(gc, x, y, s, prop, angle, ismath, mtext)

    def _overhang(
        self, x: float, y: float, size: tuple[float, float, float], angle: float
    ) -> float:
        """Measure how far a text leaves the picture that begins at ``(x, y)`` on its base line."""
        width, height, descent = size
        along = np.array([math.cos(angle), -math.sin(angle)])  # y counts downwards
        up = np.array([-math.sin(angle), -math.cos(angle)])
        corners = np.array([x, y]) + np.array(
            [a * along + b * up for a in (0, width) for b in (-descent, height - descent)]
        )
        return float(max(-corners.min(), (corners - [self.width, self.height]).max()))

    def open_group(self, s: str, gid: str | None = None) -> None:
        """Note that an artist begins; the arguments are matplotlib's."""
        self._groups.append(gid)

    def close_group(self, s: str) -> None:
        """Note that an artist ends."""
        self._groups.pop()


@contextmanager
def maps_turned(figure: matplotlib.figure.Figure) -> Iterator[None]:
    """Show pictures in a map that contains the paper's color in its dark version, for a while.

    A mesh is a picture, too, such as that of a color bar.
    """
    pictures = [
        one
        for ax in figure.axes
        for one in (*ax.images, *ax.collections)
        if isinstance(one, AxesImage | QuadMesh | TriMesh) and one.cmap.name in PAPER_MAPS
    ]
    maps = [one.cmap for one in pictures]
    for one in pictures:
        one.set_cmap(_turned_map(one.cmap.name))
    try:
        yield
    finally:
        for one, own in zip(pictures, maps, strict=True):
            one.set_cmap(own)
