"""Pictures of a page: which there are, and what is said of them."""

import ast
import base64
import io
import re

import numpy as np
import pytest
from house import PACKAGE
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from glassbox.plotting import curves, figure, image_grid
from glassbox.plotting.figures import drawing, narrow_page, page_width, paint
from glassbox.plotting.page_pictures import PLAYER, figure_html

ELEMENT = re.compile(r"<(source|img) ([^>]*)>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


def elements(page):
    """Give tag and attributes of the pictures in a page, in their order."""
    return [(tag, dict(ATTRIBUTE.findall(rest))) for tag, rest in ELEMENT.findall(page)]


def decode(attributes):
    url = attributes.get("src") or attributes["srcset"]
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_a_figure_is_drawn_in_two_themes_and_two_widths():
    made = curves({"one": [1, 2, 3]})
    found = elements(figure_html(made))
    assert [tag for tag, _ in found] == ["source", "img"] * 2
    with narrow_page():
        narrow = curves({"one": [1, 2, 3]})
    expected = [paint(one, dark=dark).pixels for dark in (False, True) for one in (narrow, made)]
    for (_, attributes), pixels in zip(found, expected, strict=True):
        shown = decode(attributes)
        assert np.abs(shown.astype(int) - pixels).mean() < 1
        assert (int(attributes["width"]), int(attributes["height"])) == shown.shape[1::-1]
    assert [one["alt"] for tag, one in found if tag == "img"] == [made.alt] * 2


def test_the_size_of_the_smallest_text_is_a_fraction_of_the_width():
    fig, ax = figure(width=5)
    ax.text(0, 0, "small", size=6)
    for _, attributes in elements(figure_html(fig)):
        assert float(attributes["data-text"]) == pytest.approx(6 / 72 / 5, abs=1e-4)


def test_text_that_leaves_a_picture_is_told():
    fig, _ = figure()
    assert all("data-overhang" not in attributes for _, attributes in elements(figure_html(fig)))
    fig.text(1, 0.5, "I leave")
    found = [int(attributes["data-overhang"]) for _, attributes in elements(figure_html(fig))]
    assert len(found) == 2 and min(found) > 20


def test_only_what_a_photograph_fills_is_a_webp():
    fig, ax = figure(width=6, height=6, left=0, right=0, top=0, bottom=0)
    way = np.linspace(0, 9, 300)
    colors = [0.5 + 0.4 * np.sin(way[:, None] + k) * np.cos(way * (k + 1)) for k in range(3)]
    grain = np.random.default_rng(0).normal(0, 0.01, (300, 300, 3))
    ax.imshow(np.clip(np.stack(colors, -1) + grain, 0, 1))
    urls = [one["src"] for _, one in elements(figure_html(fig))]
    assert [url[:15] for url in urls] == ["data:image/webp"] * 2
    shown = Image.open(io.BytesIO(base64.b64decode(urls[0].split(",")[1]))).convert("RGB")
    assert np.abs(np.asarray(shown).astype(int) - paint(fig).pixels).mean() < 6
    lines = elements(figure_html(curves({"one": [1, 2, 3]})))
    assert all("image/png" in (one.get("src") or one["srcset"]) for _, one in lines)


def test_a_picture_without_text_is_the_same_at_each_width():
    fig = image_grid(np.zeros((3, 4, 4)))
    found = elements(figure_html(fig))
    assert [tag for tag, _ in found] == ["img", "img"]
    assert all("data-text" not in attributes for _, attributes in found)


def test_a_figure_that_nobody_can_draw_again_is_as_wide_on_a_phone():
    assert [tag for tag, _ in elements(figure_html(figure()[0]))] == ["img", "img"]


def test_text_is_larger_on_a_phone_and_pictures_have_as_many_pixels():
    wide, _ = figure()
    with narrow_page():
        narrow, _ = figure()
        assert page_width() == narrow.get_figwidth() < wide.get_figwidth()
    assert paint(narrow).pixels.shape[1] == paint(wide).pixels.shape[1] == 840
    assert page_width() == wide.get_figwidth()


def test_axes_stand_below_each_other_on_a_phone_where_that_was_asked_for():
    options = {"height": 3, "sharey": True, "phone_cols": 1, "width_ratios": [1, 2]}
    _, beside = figure(1, 2, **options)
    with narrow_page():
        below, axes = figure(1, 2, **options)
        _, same = figure(1, 2)
        _, three = figure(1, 3, phone_cols=2)
    assert beside[0].get_position().y0 == beside[1].get_position().y0
    assert same[0].get_position().y0 == same[1].get_position().y0
    first, second = (ax.get_position() for ax in axes)
    assert first.y0 > second.y1 and first.x0 == second.x0
    assert first.height * below.get_figheight() == pytest.approx(3 - 0.5 - 0.6)
    assert axes[0].get_shared_y_axes().joined(*axes)
    first, second, last = (ax.get_position() for ax in three)
    assert (first.y0, first.x0, second.x1) == (second.y0, last.x0, pytest.approx(last.x1))


def test_a_long_title_is_broken_on_a_phone_and_only_there():
    words = "which would be much too long for so narrow a page"
    _, wide = figure()
    with narrow_page():
        fig, ax = figure(height=5, top=2)
        title = ax.set_title(f"A title\n{words}")
    assert wide.set_title(words).get_text() == words
    first, *rest = title.get_text().split("\n")
    assert first == "A title" and " ".join(rest) == words and len(rest) > 1
    paint(fig)
    assert title.get_window_extent().x1 <= fig.bbox.x1


def test_a_drawing_is_repeated_with_its_arguments():
    calls = []

    @drawing
    def draw(*args, **kwargs):
        calls.append((args, kwargs))
        return figure()[0]

    made = draw(1, two=2)
    assert made.again() is not made
    assert calls == [((1,), {"two": 2})] * 2 and draw.__name__ == "draw"


def test_every_drawing_of_the_package_can_be_repeated():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and getattr(node.returns, "id", "") == "Figure":
                decorators = [ast.unparse(one) for one in node.decorator_list]
                assert decorators == ["drawing"], f"{path.name}: {node.name}"


def test_a_page_gets_a_figure_beside_what_is_stored(monkeypatch):
    shell = InteractiveShell.instance()
    live, _ = shell.display_formatter.format(curves({"one": [1, 2]}))
    monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
    page, _ = shell.display_formatter.format(curves({"one": [1, 2]}))
    assert page.keys() - live.keys() == {PLAYER}
    assert all(page[form] == live[form] for form in live)
    assert page[PLAYER].count("<picture") == 2


def test_text_of_an_author_does_not_become_markup():
    fig, _ = figure(alt='"><script>')
    assert "<script" not in figure_html(fig)
