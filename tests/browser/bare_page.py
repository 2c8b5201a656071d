"""A page without the theme, and in it what cells display where there is no kernel."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator

from glassbox.explorables import js_widgets as computed
from glassbox.explorables.showing import PLAYER

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
body {{ max-width: {width}px; margin: 1rem auto; padding: 0 1rem; font-family: sans-serif }}
@media (prefers-color-scheme: dark) {{ body {{ background: #15171c; color: #e8e6e1 }} }}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"""

# Draws a circle on a drawing pad, and collects what ``each`` makes of every movement of the pen.
CIRCLE = """const circle = (each) => {
  const board = document.querySelector(".gb-board"), box = board.getBoundingClientRect();
  board.setPointerCapture = () => {};
  board.hasPointerCapture = () => true;
  const send = (kind, k) => board.dispatchEvent(new PointerEvent(kind, { isPrimary: true,
    clientX: box.left + box.width * (0.5 + 0.3 * Math.cos(k / 8)),
    clientY: box.top + box.height * (0.5 + 0.3 * Math.sin(k / 8)) }));
  send("pointerdown", 0);
  return Array.from({ length: 60 }, (_, k) => each(() => send("pointermove", k + 1)));
};"""


def bare_page(title: str, *fragments: str, width: int = 700) -> str:
    """Write a page of fragments of HTML under a heading."""
    return PAGE.format(title=title, body="".join(fragments), width=width)


@contextmanager
def displayed() -> Iterator[list[str]]:
    """Collect what cells display of modules that compute in the page."""
    shown: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSBOX_EXPLORE", "page")
        patch.setattr(computed, "display", lambda data, **_: shown.append(data[PLAYER]))
        yield shown


def pixels(locator: Locator) -> np.ndarray:
    """Take what the browser draws, as gray values ``(height, width)``."""
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("L"), dtype=int)
