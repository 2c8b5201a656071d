"""Draw a digit: a network that reads it while it is drawn, and a map of what it read."""

from typing import Any

import torch

from glassbox.chapters.gradcam.digit_figure import show_reading
from glassbox.chapters.gradcam.digit_reader import CANVAS, load_reader
from glassbox.data.datasets import load
from glassbox.data.handwriting import read_strokes, smooth
from glassbox.data.pixels import to_float
from glassbox.explorables.js_widgets import show_computed
from glassbox.explorables.tiny_network import pack
from glassbox.plotting.colors import HEAT_COLORS, RUST
from glassbox.support.arguments import check_choice

PEN = 8.0  # width of the line, in pixels of the drawing
REAL = (36, 235, 50, 62, 41, 25, 66, 61, 28, 395)  # of each digit one that is held out
_DRAWN = {
    "3": "26 16, 50 2, 70 20, 58 42, 44 47, 44 47, 68 58, 70 84, 48 98, 24 84",
    "2 with a loop": "22 26, 44 3, 70 18, 62 50, 36 84, 18 92, 18 80, 38 80, 58 96, 84 86",
    "4, open": "32 4, 24 50, 24 50, 76 52; 64 8, 62 98",
    "5": "74 3, 36 3, 36 3, 30 45, 30 45, 58 40, 74 64, 58 94, 24 90",
    "7 with a bar": "22 5, 77 4, 77 4, 48 98; 38 50, 72 49",
    "9": "72 18, 50 2, 29 20, 38 46, 62 40, 73 16, 73 16, 68 62, 54 100",
}
COLORS = {
    "heat": HEAT_COLORS,
    "board": HEAT_COLORS[0],
    "hot": HEAT_COLORS[4],  # the pen while it is down
    "frame": "#8a90a0",  # of what the network sees
    "prompt": "#b9bdc9",
    "chosen": RUST,
}
_PUZZLES = {
    "1 or 7": "38 15, 62 4, 62 4, 52 98",
    "3 or 8": "30 30, 50 2, 70 20, 48 46, 48 46, 70 72, 50 98, 16 62",
    "4 or 9": "50 6, 28 40, 40 54, 68 46; 72 4, 64 100",
    "5 or 6": "64 6, 38 8, 30 44, 30 44, 56 44, 72 66, 54 96, 34 90, 28 64",
    "no digit": "20 50, 50 100, 80 50; 34 12, 34 24; 66 12, 66 24",
}


def draw_a_digit(start: str = "3") -> None:
    """Show a canvas to draw on, the probability of each class, and a map for the chosen class.

    Everything is computed where it is seen, after each movement of the pen: the drawing is centered
    and scaled as the digits were from which the network learned, the network reads it, and
    Grad-CAM tells from which places the score of the chosen class comes. Until somebody draws, the
    example named ``start`` stands there, one of :func:`examples`.
    """
    known = examples()
    names = [example["name"] for example in known]
    check_choice(names, start=start)
    reader = load_reader()
    state = {"weights": pack(reader.state_dict()), "examples": known, "start": start}
    still = show_reading(reader, known[names.index(start)]["marks"], PEN)
    show_computed("digit_pad", state, still=still, name="Draw a digit", colors=COLORS, themed=False)


def examples() -> list[dict[str, Any]]:
    """List what the page offers: drawn digits, puzzles, and real digits that were held out.

    Each has its ``group``, its ``name`` and its ``marks``: either ``points`` of a stroke, in pixels
    of the drawing, or the 64 ``pixels`` of a digit, from 0 to 1.
    """
    images = to_float(load("digits").images)
    drawn = [
        {"group": group, "name": name, "marks": _strokes(way)}
        for group, ways in (("drawn", _DRAWN), ("puzzles", _PUZZLES))
        for name, way in ways.items()
    ]
    real = [
        {"group": "real, 8 × 8 pixels", "name": f"real {digit}", "marks": [_pixels(images[place])]}
        for digit, place in enumerate(REAL)
    ]
    return drawn + real


def _strokes(way: str) -> list[dict[str, Any]]:
    """Give strokes of which the longest digit takes four fifths of the drawing."""
    curves = [CANVAS * (0.1 + 0.008 * smooth(points)) for points in read_strokes(way)]
    return [{"points": [[round(x, 1), round(y, 1)] for x, y in curve.tolist()]} for curve in curves]


def _pixels(image: torch.Tensor) -> dict[str, Any]:
    return {"pixels": [round(value, 3) for value in image.flatten().tolist()]}
