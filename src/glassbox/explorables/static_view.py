"""An explorable in a page without a kernel: all its pictures, and a player for them.

The player is one custom element, ``<gb-player>``, that holds a still picture, as
:mod:`glassbox.plotting.page_pictures` makes it, and its data, a JSON object in a
``<script type="application/json">``:

- ``controls``: for each control ``kind``, ``label``, ``labels`` (of its choices), ``start`` (an
  index) and ``play``;
- ``states``: for each state, the last control moving fastest, the index of its frame;
- ``alts``: for each state its alt text;
- ``frames``: for each different picture its URLs, of what the still's ``<source>`` and ``<img>``
  show, in their order; ``data:`` URLs as made here. Whoever moves the pictures into files puts
  their relative URLs in the same places.

The style and the script, which a page with several players needs once, have ``data-shared``. Both
are read from ``bundles``, which ``make scripts`` makes of ``js`` (see CONTRIBUTING.md).
"""

import html
import json
import math
from functools import partial
from importlib.resources import files
from typing import Any

from glassbox.explorables.controls import Control
from glassbox.explorables.explorable import Explorable, State
from glassbox.plotting.figures import narrow_page
from glassbox.plotting.page_pictures import (
    STYLE,
    View,
    both_themes,
    encode,
    picture_html,
    urls_in_order,
)

_LIMIT = 100


def static_outputs(explorable: Explorable) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw all states, at most 100, and make the player: data and metadata by MIME type."""
    _check_size(explorable)
    states = list(explorable.states())
    start = states.index(explorable.start)
    frames: dict[tuple[str, ...], int] = {}
    shown, alts, drawn = [], [], []
    for state in states:
        views, alt = _draw(explorable, state)
        shown.append(frames.setdefault(urls_in_order(views), len(frames)))
        alts.append(alt)
        drawn.append(views)
    still = _at_worst(drawn, start)
    data = {
        "controls": [_describe(control) for control in explorable.controls.values()],
        "states": shown,
        "alts": alts,
        "frames": list(frames),
    }
    return {
        "text/plain": explorable.summary(alts[start]),
        "text/html": _player(explorable, data, still, alts[start]),
    }, {}


def _draw(explorable: Explorable, state: State) -> tuple[list[View], str]:
    """Draw a state for each theme and width, and describe it.

    Where the function that drew the figure is known, it alone is called again: ``draw`` may have
    computed for long what it drew.
    """
    figure = explorable.figure(state)
    views = both_themes(figure, encode)
    with narrow_page():
        again = getattr(figure, "again", None) or partial(explorable.figure, state)
        views += both_themes(again(), encode)
    return views, explorable.alt(figure, state)


def _at_worst(drawn: list[list[View]], start: int) -> list[View]:
    """Take the pictures of the first state, with the smallest and the farthest text of all."""
    return [
        view._replace(text=min(v.text for v in same), overhang=max(v.overhang for v in same))
        for view, *same in zip(drawn[start], *drawn, strict=True)
    ]


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


def _player(explorable: Explorable, data: dict[str, Any], still: list[View], alt: str) -> str:
    """Write the player's HTML: style, still picture, data, and the script that defines it once."""
    settings = html.escape(explorable.settings(explorable.start))
    # "<" cannot end the script element where it is written as an escape.
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f"{STYLE}<style data-shared>{read_bundle('player.css')}</style>"
        f"<gb-player data-frames>"
        f'<div class="gb-card" role="group" aria-label="{html.escape(explorable.name)}" '
        f'style="max-width:{still[0].width}px">{picture_html(still, alt)}'
        f'<noscript><p class="gb-note">Without JavaScript this is a still picture: {settings}.</p>'
        f"</noscript>"
        f'<script type="application/json">{content}</script></div></gb-player>'
        f"<script data-shared>{read_bundle('player.js')}</script>"
    )


def read_bundle(name: str) -> str:
    """Read a script or a style sheet, such as ``player.js``, as a page carries it."""
    return files("glassbox").joinpath("explorables", "bundles", name).read_text("utf-8").strip()
