"""Pictures for a page: light and dark, and for a phone with larger text, of which it shows one.

A picture of a page is two ``<picture>`` elements of the classes ``gb-light`` and ``gb-dark``; where
the text would be too small on a phone, each has a ``<source>`` for narrow windows. ``data-text`` is
the height of the smallest text as a fraction of the picture's width, and ``data-overhang`` by how
many pixels a text leaves the picture where one does, for those who measure it.
Pictures are loaded when they are to be seen, so that those not shown are never fetched.

The element that holds pictures has the attribute ``data-frames``: whoever writes the page may move
them into files. A style that is the same for all of a page has ``data-shared``.
"""

import base64
import html
import io
import math
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import matplotlib.figure
import numpy as np
from PIL import Image

from glassbox.plotting.figures import Figure, narrow_page, paint, to_png

_MODE = "GLASSBOX_EXPLORE"
# A form of output of its own, so that nbval can leave it out and still compare all other HTML.
PLAYER = "application/vnd.glassbox.player+html"
_LARGE = 40_000  # bytes of a picture that is worth another form
_COLORS = 64
_PHONE, _SMALLEST = (
    350,
    9,
)  # CSS pixels: the width of a picture on a phone, and text that is legible
_NARROW = "(max-width: 540px)"
_THEMES = ("light", "dark")
STYLE = (
    "<style data-shared>.gb-dark{display:none}picture.gb-light{display:block}"
    ".gb-figure img{display:block;width:100%;height:auto}"
    'html[data-theme="dark"] picture.gb-light{display:none}'
    'html[data-theme="dark"] picture.gb-dark{display:block}'
    "@media(prefers-color-scheme:dark){html:not([data-theme]) picture.gb-light{display:none}"
    "html:not([data-theme]) picture.gb-dark{display:block}}"
    "@media print{html[data-theme] picture.gb-light{display:block}"
    "html[data-theme] picture.gb-dark{display:none}}</style>"
)


class View(NamedTuple):
    """A picture as a ``data:`` URL, its size in pixels, its smallest text by its width.

    And by how many pixels a text leaves it, if one does.
    """

    url: str
    width: int
    height: int
    text: float
    overhang: float


def for_page() -> bool:
    """Say whether what is shown is also for a page: ``GLASSBOX_EXPLORE`` is page, not live."""
    mode = os.environ.get(_MODE, "live")
    if mode not in ("live", "page"):
        raise ValueError(f"{_MODE} is {mode!r}, expected live or page")
    return mode == "page"


def encode(pixels: np.ndarray) -> str:
    """Encode a frame as a ``data:`` URL: the smaller of a 64-color PNG and a WebP of quality 80."""
    png = to_png(pixels, _COLORS)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=80, method=2)
    return to_url(*min(("png", png), ("webp", file.getvalue()), key=lambda pair: len(pair[1])))


def to_url(kind: str, data: bytes) -> str:
    """Write the bytes of a picture of a kind, such as ``png``, as a ``data:`` URL."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def both_themes(
    figure: matplotlib.figure.Figure, encode: Callable[[np.ndarray], str]
) -> list[View]:
    """Paint a figure light and dark; ``encode`` makes a ``data:`` URL of pixels."""
    return [_view(figure, dark, encode) for dark in (False, True)]


def _view(
    figure: matplotlib.figure.Figure, dark: bool, encode: Callable[[np.ndarray], str]
) -> View:
    painted = paint(figure, dark=dark)
    height, width = painted.pixels.shape[:2]
    text = painted.smallest / 72 * figure.dpi / width
    return View(encode(painted.pixels), width, height, text, painted.overhang)


def picture_html(shown: Sequence[View], alt: str) -> str:
    """Write the elements of a picture: light and dark, and perhaps both again for a phone."""
    wide, narrow = shown[:2], shown[2:] or [None, None]
    parts = zip(_THEMES, wide, narrow, strict=True)
    return "".join(_element(theme, *both, html.escape(alt)) for theme, *both in parts)


def urls_in_order(shown: Sequence[View]) -> tuple[str, ...]:
    """Give the URLs of views in the order of the elements that :func:`picture_html` writes."""
    light, dark, *narrow = (view.url for view in shown)
    return (narrow[0], light, narrow[1], dark) if narrow else (light, dark)


def _element(theme: str, wide: View, narrow: View | None, alt: str) -> str:
    source = f'<source media="{_NARROW}" srcset="{narrow.url}"{_size(narrow)}>' if narrow else ""
    image = f'<img src="{wide.url}" alt="{alt}"{_size(wide)} loading="lazy">'
    return f'<picture class="gb-{theme}">{source}{image}</picture>'


def _size(view: View) -> str:
    text = f' data-text="{view.text:.5f}"' if math.isfinite(view.text) else ""
    overhang = f' data-overhang="{view.overhang:.0f}"' if view.overhang >= 1 else ""
    return f' width="{view.width}" height="{view.height}"{text}{overhang}'


def still_html(figure: Figure) -> str:
    """Write the picture of a figure, drawn again where its text would be small on a phone."""
    shown = both_themes(figure, _still_url)
    if figure.again is not None and shown[0].text * _PHONE < _SMALLEST:
        with narrow_page():
            shown += both_themes(figure.again(), _still_url)
    return picture_html(shown, repr(figure))


def figure_html(figure: Figure) -> str:
    """Write a figure for a page, an inch at most 100 CSS pixels wide."""
    width = round(100 * figure.get_figwidth())
    return (
        f'{STYLE}<div class="gb-figure" data-frames style="max-width:{width}px">'
        f"{still_html(figure)}</div>"
    )


def _still_url(pixels: np.ndarray) -> str:
    """Encode a still as a PNG, or as a WebP where it holds photographs, which that suits better."""
    png = to_png(pixels)
    if len(png) > _LARGE:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "WEBP", quality=80, method=4)
        if file.tell() < 0.6 * len(png):
            return to_url("webp", file.getvalue())
    return to_url("png", png)
