"""The rendered book in a real Chromium, as readers meet it."""

import io
import re
from pathlib import Path

import pytest
from chapters import ROOT, chapters, listed
from PIL import Image, ImageChops

pytestmark = pytest.mark.browser

each_chapter = pytest.mark.parametrize("page", [f"book/{path.stem}" for path in chapters()])
PLAYER = "gb-player"


def picture(page, number: int) -> Image.Image:
    return Image.open(io.BytesIO(page.locator(f"{PLAYER} img").nth(number).screenshot()))


def differ(one: Image.Image, other: Image.Image) -> bool:
    """Say whether a reader would see a difference."""
    difference = ImageChops.difference(one.convert("L"), other.convert("L"))
    return sum(difference.histogram()[64:]) > 20


@each_chapter
@pytest.mark.parametrize("scheme", ["http", "file"])
def test_every_player_moves_by_keyboard_and_alone(page, scheme, book, address, visit):
    visited = visit(f"{address if scheme == 'http' else book.as_uri()}/{page}.html")
    players = visited.page.locator(PLAYER)
    sources = f"document.querySelectorAll('{PLAYER} img').values().map(i => i.src).toArray()"
    for number in range(players.count()):
        control = players.nth(number).locator("input, select").first
        control.focus()
        before, shown = picture(visited.page, number), visited.page.evaluate(sources)
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Space"):
            if visited.page.evaluate(sources) == shown:
                visited.page.keyboard.press(key)
                visited.page.wait_for_timeout(300)
        assert differ(before, picture(visited.page, number))
        after = visited.page.evaluate(sources)
        assert [i for i in range(len(after)) if after[i] != shown[i]] == [number]
    assert visited.errors == []
    assert visited.outside() == []


@each_chapter
def test_without_javascript_every_player_is_a_still_picture(page, address, visit):
    visited = visit(f"{address}/{page}.html", java_script_enabled=False)
    for still in visited.page.locator(f"{PLAYER} img").all():
        still.scroll_into_view_if_needed()
        assert still.get_attribute("alt")
        assert still.bounding_box()["height"] > 50


@each_chapter
def test_pictures_are_described_and_figures_numbered(page, address, visit):
    visited = visit(f"{address}/{page}.html")
    for alt in visited.page.locator("article img").evaluate_all("all => all.map(one => one.alt)"):
        assert len(alt) > 12 and "/" not in alt, alt
    captions = visited.page.locator("article figcaption").all_inner_texts()
    numbers = [re.match(r"Figure (\d+)\b", caption) for caption in captions]
    assert all(numbers), captions
    if page != listed()[0]:
        assert visited.page.locator(f"article {PLAYER}").count() == (
            visited.page.locator(f"article figure {PLAYER}").count()
        )


def test_formulas_are_drawn_without_a_script(address, visit):
    for page in listed():
        visited = visit(f"{address}/{page}.html", java_script_enabled=False)
        for formula in visited.page.locator("math:not(details math)").all():
            box = formula.bounding_box()
            assert box is None or (box["width"] > 3 and box["height"] > 3)
        assert not [url for url in visited.requests if "mathjax" in url.lower()]


def test_formulas_have_their_font(address, book, visit):
    with_formulas = [page for page in listed() if "<math" in (book / f"{page}.html").read_text()]
    assert with_formulas, "no page has a formula to look at"
    visited = visit(f"{address}/{with_formulas[0]}.html")
    visited.page.wait_for_load_state("networkidle")
    loaded = "[...document.fonts].some(f => f.family.includes('Glassbox') && f.status == 'loaded')"
    assert visited.page.evaluate(loaded)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_search_finds_a_word(scheme, book, address, visit):
    start = address if scheme == "http" else book.as_uri()
    visited = visit(f"{start}/search.html?q=gradient")
    visited.page.locator("#search-results li").first.wait_for()
    assert visited.errors == []
    assert visited.outside() == []


@each_chapter
def test_the_notebook_to_download_is_the_stored_one(page, address, visit):
    visited = visit(f"{address}/{page}.html")
    link = visited.page.locator("a[href$='.ipynb'][download], a.btn-download-source-button").first
    response = visited.page.request.get(link.evaluate("link => link.href"))
    assert response.body() == (ROOT / f"{page}.ipynb").read_bytes()


@each_chapter
def test_code_can_be_copied_and_pages_turned(page, address, visit):
    visited = visit(f"{address}/{page}.html")
    assert visited.page.locator(".cell_input button.copybtn").count() > 0
    turns = visited.page.locator(".prev-next-area a").count()
    assert turns == (1 if page == listed()[0] else 2)


def test_nothing_is_published_that_no_page_shows(book):
    pages = "".join(path.read_text("utf-8") for path in book.rglob("*.html"))
    frames = {path.name for path in Path(book, "_images").rglob("*") if path.is_file()}
    assert {name for name in frames if name not in pages} == set()


def test_every_link_of_a_card_leads_where_it_says(address, visit):
    page = visit(f"{address}/book/index.html").page
    reached = page.locator("#chapters > ul a").evaluate_all("""links => links.map(link => {
        link.scrollIntoView({ block: "center", behavior: "instant" });
        const [box] = link.getClientRects();
        const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return [link.href, hit.closest("a")?.href];
    })""")
    assert len(reached) > 7
    assert all(link == hit for link, hit in reached), reached
    for card in page.locator("#chapters > ul > li").all():
        sizes = card.locator("a").evaluate_all("all => all.map(a => getComputedStyle(a).display)")
        assert sizes == ["block"] + ["inline"] * (len(sizes) - 1)


def test_every_icon_is_drawn(address, visit):
    page = visit(f"{address}/book/cnn.html").page
    drawn = page.locator("i[class*='fa-']").evaluate_all(
        "icons => icons.map(icon => [icon.className, getComputedStyle(icon, '::before').content])"
    )
    assert len(drawn) > 3
    assert [name for name, content in drawn if content == "none"] == []
