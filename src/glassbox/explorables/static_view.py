"""An explorable in a page without a kernel: all its pictures, and a player for them.

The player is one custom element, ``<gb-player>``, that holds a still picture and its data, a JSON
object in a ``<script type="application/json">``:

- ``controls``: for each control ``kind``, ``label``, ``labels`` (of its choices), ``start`` (an
  index) and ``play``;
- ``states``: for each state, the last control moving fastest, the index of its frame;
- ``alts``: for each state its alt text;
- ``frames``: the URLs of the pictures, each different; ``data:`` URLs as made here. Whoever moves
  the pictures into files puts their relative URLs in the same places, and in ``src`` of the still.

The element that holds pictures has the attribute ``data-frames``. The style and the script, which a
page with several players needs once, have ``data-shared``. Both are read from ``bundles``, which
``make scripts`` makes of ``js`` (see CONTRIBUTING.md).
"""

import base64
import html
import io
import json
import math
from importlib.resources import files
from typing import Any

import numpy as np
from PIL import Image

from glassbox.explorables.controls import Control
from glassbox.explorables.explorable import Explorable
from glassbox.plotting.colors import PAPER
from glassbox.plotting.figures import to_png

_LIMIT = 100
COLORS = 64


def encode(pixels: np.ndarray) -> str:
    """Encode a frame as a ``data:`` URL: the smaller of a 64-color PNG and a WebP of quality 80."""
    png = to_png(pixels, COLORS)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=80, method=2)
    kind, data = min(("png", png), ("webp", file.getvalue()), key=lambda pair: len(pair[1]))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def static_outputs(explorable: Explorable) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw all states, at most 100, and make the player: data and metadata by MIME type."""
    _check_size(explorable)
    states = list(explorable.states())
    start = states.index(explorable.start)
    frames: dict[str, int] = {}
    shown, alts = [], []
    for state in states:
        picture = explorable.picture(state)
        shown.append(frames.setdefault(encode(picture.pixels), len(frames)))
        alts.append(picture.alt)
        size = picture.pixels.shape
    data = {
        "controls": [_describe(control) for control in explorable.controls.values()],
        "states": shown,
        "alts": alts,
        "frames": list(frames),
    }
    return {
        "text/plain": explorable.summary(alts[start]),
        "text/html": _player(explorable, data, start, size),
    }, {}


def _check_size(explorable: Explorable) -> None:
    counts = [len(control.values) for control in explorable.controls.values()]
    total = math.prod(counts)
    if total > _LIMIT:
        grid = " x ".join(map(str, counts))
        raise ValueError(
            f"the controls of {explorable.name!r} make {grid} = {total} frames, "
            f"{total - _LIMIT} over the limit of {_LIMIT}: offer fewer choices"
        )


def _describe(control: Control) -> dict[str, Any]:
    names = ("kind", "label", "labels", "start", "play")
    return {name: getattr(control, name) for name in names}


def _player(explorable: Explorable, data: dict[str, Any], start: int, size: tuple[int, ...]) -> str:
    """Write the player's HTML: style, still picture, data, and the script that defines it once."""
    height, width = size[:2]
    name, alt = html.escape(explorable.name), html.escape(data["alts"][start])
    still = data["frames"][data["states"][start]]
    settings = html.escape(explorable.settings(explorable.start))
    # "<" cannot end the script element where it is written as an escape.
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f"<style data-shared>{read_bundle('player.css')}</style>"
        f'<gb-player data-frames style="--gb-figure-paper:{PAPER}">'
        f'<div class="gb-card" role="group" aria-label="{name}" '
        f'style="max-width:{width}px">'
        f'<img src="{still}" alt="{alt}" width="{width}" height="{height}">'
        f'<noscript><p class="gb-note">Without JavaScript this is a still picture: {settings}.</p>'
        f"</noscript>"
        f'<script type="application/json">{content}</script></div></gb-player>'
        f"<script data-shared>{read_bundle('player.js')}</script>"
    )


def read_bundle(name: str) -> str:
    """Read a script or a style sheet, such as ``player.js``, as a page carries it."""
    return files("glassbox").joinpath("explorables", "bundles", name).read_text("utf-8").strip()
