"""What every page of the rendered book has to keep, in a real Chromium.

Each page is opened three times: from a server, from a file, and without JavaScript. What is seen
there is written down, and the tests say what has to be true of it.
"""

import functools
import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from chapters import ROOT, chapters, listed
from PIL import Image, ImageChops

pytestmark = pytest.mark.browser

CHAPTERS = [f"book/{path.stem}" for path in chapters()]
PAGES = [*listed(), "book/api/glassbox.plotting", "search", "genindex"]
HEAVIEST = 1_000_000  # bytes of a page before anybody touches it
INDEX = 150_000  # more for the page of the search, which loads the words of all pages
SMALLEST = 9  # CSS pixels of text in a picture
WIDTHS, SCHEMES = (1280, 390), ("light", "dark")
PLAYER = "gb-player"
SHOWN = f"{PLAYER} .gb-light img"  # in the scheme in which players are moved
PICTURES = f"[...document.querySelectorAll('{SHOWN}')]"
SOURCES = f"{PICTURES}.map(image => image.src)"
# The pictures that are seen: the file, and the height of the smallest text in CSS pixels.
VIEWS = """() => [...document.querySelectorAll("article picture")]
    .filter((picture) => picture.getClientRects().length).map((picture) => {
        const [source, image] = [picture.querySelector("source"), picture.querySelector("img")];
        const slot = source && matchMedia(source.media).matches ? source : image;
        const { pathname } = new URL(slot.srcset || slot.src, document.baseURI);
        const text = slot.dataset.text * image.getBoundingClientRect().width;
        return [pathname.split("/").pop(), Number.isNaN(text) ? null : text];
    })"""
# The pictures that a text leaves, wide or for a phone, and by how many of their pixels.
BEYOND = """() => [...document.querySelectorAll("[data-overhang]")]
    .map((slot) => [slot.srcset || slot.src, slot.dataset.overhang])"""
# What is wider than its place, and whether it shows that there is more.
WIDER = """() => [...document.querySelectorAll(
    "article :is(pre, table, .output, .formula, .pst-scrollable-table-container)"
)].filter((area) => area.getClientRects().length && area.scrollWidth > area.clientWidth + 1
    && getComputedStyle(area).overflowX !== "visible")
  .map((area) => [area.innerText.trim().slice(0, 60),
    getComputedStyle(area).backgroundAttachment === "local, local, scroll, scroll, scroll"])"""
# The theme lets the keyboard scroll what is wider than its place, some time after a new width.
SCROLLABLE = """() => [...document.querySelectorAll(
    "pre, .nboutput > .output_area, .cell_output > .output, .jp-RenderedHTMLCommon, " +
    ".pst-scrollable-table-container"
)].every(area => (area.tabIndex == 0) ==
    (area.scrollWidth > area.clientWidth || area.scrollHeight > area.clientHeight))"""


@pytest.fixture(scope="module", params=PAGES)
def page(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def served(page, address, shared_visit, violations):
    """What is seen of a page from a server, at each width and in each scheme."""
    sizes = []
    visited = shared_visit(f"{address}/{page}.html", before=lambda new: weigh(new, sizes))
    visited.page.wait_for_load_state("networkidle")
    seen = SimpleNamespace(sizes=list(sizes), **look(visited.page), **notebook(visited.page))
    visited.page.add_style_tag(content="* { transition: none !important }")
    seen.beyond = visited.page.evaluate(BEYOND)
    seen.overflow, seen.violations, seen.views, seen.wider = {}, {}, {}, {}
    for width in WIDTHS:
        resize(visited.page, width)
        seen.overflow[width] = visited.overflow()
        seen.wider[width] = visited.page.evaluate(WIDER)
        for scheme in SCHEMES:
            paint(visited.page, scheme)
            seen.violations[width, scheme] = violations(visited.page)
            seen.views[width, scheme] = visited.page.evaluate(VIEWS)
    resize(visited.page, WIDTHS[0])
    paint(visited.page, SCHEMES[0])
    return with_players(visited, seen)


@pytest.fixture(scope="module")
def from_file(page, book, shared_visit):
    """What is seen of a page that is opened as a file."""
    visited = shared_visit((book / f"{page}.html").as_uri())
    visited.page.wait_for_load_state("load")
    return with_players(visited, SimpleNamespace())


@pytest.fixture(scope="module")
def without_script(page, address, shared_visit):
    """What is seen of a page where JavaScript is off."""
    visited = shared_visit(f"{address}/{page}.html", java_script_enabled=False)
    seen = SimpleNamespace(requests=visited.requests)
    seen.stills = visited.page.locator(SHOWN).evaluate_all(
        "all => all.map(one => [one.alt, one.getBoundingClientRect().height])"
    )
    seen.formulas = visited.page.locator("math:not(details math)").evaluate_all(
        "all => all.filter(one => one.getClientRects().length).map(one => "
        "  [one.getBoundingClientRect().width, one.getBoundingClientRect().height])"
    )
    return seen


def weigh(visited, sizes: list[int]) -> None:
    """Note the size of each file that a page loads from now on."""

    def note(request):
        response = request.response()
        sizes.append(len(response.body()) if response and response.ok else 0)

    visited.page.on("requestfinished", note)


def look(page) -> dict:
    """Read what a page shows and offers."""
    count = {
        "copies": ".cell_input button.copybtn",
        "turns": ".prev-next-area a",
        "players": f"article {PLAYER}",
        "players_in_figures": f"article figure {PLAYER}",
    }
    return {name: page.locator(what).count() for name, what in count.items()} | {
        "alts": page.locator("article img").evaluate_all("all => all.map(one => one.alt)"),
        # Photographs look the same in both themes, as those that a reader may choose from do.
        "single": page.locator("article img:not(picture img, .gb-photo img)").count(),
        "captions": page.locator("article figcaption").all_inner_texts(),
    }


def notebook(page) -> dict:
    """Download the notebook of a page, where it offers one."""
    links = page.locator("a[href$='.ipynb'][download], a.btn-download-source-button")
    if not links.count():
        return {"notebook": None}
    address = links.first.evaluate("link => link.href")
    return {"notebook": page.request.get(address).body()}


def resize(page, width: int) -> None:
    """Give the window another width, and the theme the time to see what has to scroll."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("document.fonts.ready")
    wait_a_little(page, SCROLLABLE, 60_000)


def paint(page, scheme: str) -> None:
    """Let the page be light or dark."""
    page.emulate_media(color_scheme=scheme)
    page.locator(f"html[data-theme={scheme}]").wait_for(state="attached")


def wait_a_little(page, condition: str, milliseconds: int, argument=None) -> None:
    """Wait for what need not come; what is asserted afterwards tells whether it did.

    The condition is a function. Playwright's own waiting evaluates text in the page, which the
    page's policy forbids.
    """
    page.evaluate(
        f"""async (argument) => {{
            const condition = {condition};
            const late = new Promise((done) => setTimeout(done, {milliseconds}, "late"));
            while (!(await Promise.race([late, condition(argument)])))
                await new Promise(requestAnimationFrame);
        }}""",
        argument,
    )


def with_players(visited, seen):
    """Move all players of a page, and note what went wrong on it from the start to here."""
    count = visited.page.locator(PLAYER).count()
    seen.moves = [move(visited.page, number) for number in range(count)]
    seen.errors, seen.outside = visited.errors, visited.outside()
    return seen


def move(page, number: int) -> dict:
    """Move the first control of a player by keyboard until a picture changes."""
    page.locator(PLAYER).nth(number).locator("input, select").first.focus()
    before, shown = picture(page, number), page.evaluate(SOURCES)
    changed = f"shown => {PICTURES}.some((image, i) => image.src != shown[i])"
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Space"):
        if page.evaluate(SOURCES) == shown:
            page.keyboard.press(key)
            wait_a_little(page, changed, 300, shown)
    wait_a_little(page, f"n => {PICTURES}[n].decode().then(() => true)", 60_000, number)
    after = page.evaluate(SOURCES)
    return {
        "number": number,
        "moved": [i for i in range(len(after)) if after[i] != shown[i]],
        "seen": differ(before, picture(page, number)),
    }


def picture(page, number: int) -> Image.Image:
    return Image.open(io.BytesIO(page.locator(SHOWN).nth(number).screenshot()))


def differ(one: Image.Image, other: Image.Image) -> bool:
    """Say whether a reader would see a difference."""
    difference = ImageChops.difference(one.convert("L"), other.convert("L"))
    return sum(difference.histogram()[64:]) > 20


def test_page_is_accessible_at_each_width_and_in_each_scheme(served):
    assert set(served.violations) == {(w, s) for w in WIDTHS for s in SCHEMES}
    assert {where: what for where, what in served.violations.items() if what} == {}


def test_page_is_as_narrow_as_its_window(served):
    assert set(served.overflow) == set(WIDTHS)
    assert {width: pixels for width, pixels in served.overflow.items() if pixels > 0} == {}


def test_page_is_quiet(served):
    assert served.errors == []
    assert served.outside == []


def test_page_works_from_a_file(from_file):
    assert from_file.errors == []
    assert from_file.outside == []


def test_page_is_light(page, served):
    assert sum(served.sizes) <= HEAVIEST + INDEX * (page == "search"), sorted(served.sizes)[-5:]
    assert len(served.sizes) > 3


def test_every_player_moves_by_keyboard_and_alone(served):
    for player in served.moves:
        assert player["seen"] and player["moved"] == [player["number"]], player


def test_every_player_moves_by_keyboard_and_alone_in_a_file(from_file):
    for player in from_file.moves:
        assert player["seen"] and player["moved"] == [player["number"]], player


def test_without_javascript_every_player_is_a_still_picture(without_script):
    for alt, height in without_script.stills:
        assert alt
        assert height > 50


def test_formulas_are_drawn_without_a_script(without_script):
    assert all(width > 3 and height > 3 for width, height in without_script.formulas)
    assert not [url for url in without_script.requests if "mathjax" in url.lower()]


def test_pictures_are_described_and_figures_numbered(page, served):
    for alt in served.alts:
        assert len(alt) > 12 and not re.search(r"/\S+\.\w{2,4}\b", alt), alt  # a file's name
    numbers = [re.match(r"Figure (\d+)\.(\d+)\b", caption) for caption in served.captions]
    assert all(numbers), served.captions
    assert len({number[1] for number in numbers}) <= 1  # of the chapter
    if page != listed()[0]:
        assert served.players == served.players_in_figures


def test_nothing_is_cut_on_a_wide_page_and_on_a_phone_it_shows(served):
    assert served.wider[WIDTHS[0]] == []
    assert [text for text, shows in served.wider[WIDTHS[1]] if not shows] == []


def test_text_in_pictures_is_legible_at_each_width(served):
    for where, views in served.views.items():
        small = {file: text for file, text in views if text is not None and text < SMALLEST}
        assert small == {}, where


def test_no_text_leaves_its_picture(served):
    assert served.beyond == []


def test_pictures_are_drawn_for_the_scheme_of_the_page(page, served, book):
    assert served.single == 0
    for (_, scheme), views in served.views.items():
        for file, _ in views:
            paper = luminance(border(book / "_images" / "frames" / file))
            assert (paper > 0.8) if scheme == "light" else (paper < 0.05), (scheme, file)
    assert len({len(views) for views in served.views.values()}) == 1
    if page in CHAPTERS and '"image/png"' in (ROOT / f"{page}.ipynb").read_text("utf-8"):
        assert served.views[WIDTHS[0], "light"]


@functools.cache
def border(file) -> np.ndarray:
    """The pixels around a picture, (N, 3) from 0 to 1: what it is drawn on."""
    pixels = np.asarray(Image.open(file).convert("RGB")) / 255
    around = [pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]]
    return np.concatenate([part.reshape(-1, 3) for part in around])


def luminance(colors: np.ndarray) -> float:
    """The mean relative luminance, 0 to 1, as WCAG defines it."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    return float((linear @ [0.2126, 0.7152, 0.0722]).mean())


def test_the_notebook_to_download_is_the_stored_one(page, served):
    if page in CHAPTERS:
        assert served.notebook == (ROOT / f"{page}.ipynb").read_bytes()


def test_code_can_be_copied_and_pages_turned(page, served):
    if page in CHAPTERS:
        assert served.copies > 0
        assert served.turns == (1 if page == listed()[0] else 2)
