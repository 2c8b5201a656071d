"""A figure in a real browser: of its pictures a page shows, and loads, the one that suits it."""

import base64
import re

import pytest
from bare_page import bare_page

from glassbox.plotting import curves
from glassbox.plotting.page_pictures import figure_html

pytestmark = pytest.mark.browser

NAMES = ("phone light", "light", "phone dark", "dark")
SEEN = """() => [...document.images].filter((image) => image.getClientRects().length)
    .map((image) => decodeURI(image.currentSrc).split("/").pop())"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page with a figure whose pictures are files, as a build of the book makes it."""
    folder = tmp_path_factory.mktemp("figure")
    page = figure_html(curves({"one": [1, 2, 3]}))
    urls = re.findall(r"data:image/png;base64,([\w+/=]+)", page)
    for name, data in zip(NAMES, urls, strict=True):
        (folder / f"{name}.png").write_bytes(base64.b64decode(data))
        page = page.replace(f"data:image/png;base64,{data}", f"{name.replace(' ', '%20')}.png")
    (folder / "index.html").write_text(bare_page("Figure", page), "utf-8")
    return folder


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_shows_the_picture_of_its_scheme_and_width_and_loads_no_other(
    visit, serve, site, scheme, width
):
    made = visit(serve(site), scheme=scheme, width=width)
    made.page.wait_for_load_state("networkidle")
    (name,) = made.page.evaluate(SEEN)
    assert name == f"{'phone ' * (width == 390)}{scheme}.png"
    assert sum(url.endswith(".png") for url in made.requests) == 1
    assert made.overflow() <= 0


def test_what_the_page_was_switched_to_counts_more_than_the_scheme(visit, serve, site):
    page = visit(serve(site), scheme="dark").page
    for theme in ("light", "dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        shows(page, f"{theme}.png")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    shows(page, "light.png")


def shows(page, name):
    """Wait until the browser has chosen a picture, which it does after the page has asked."""
    page.wait_for_function(f"!({SEEN})().includes('')")
    assert page.evaluate(SEEN) == [name]
