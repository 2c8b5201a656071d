"""The rendered book as a whole, in a real Chromium; what each page keeps is in test_pages.py."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from chapters import listed

pytestmark = pytest.mark.browser


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


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_no_word_leaves_a_search_without_an_answer(scheme, book, address, visit):
    start = address if scheme == "http" else book.as_uri()
    for words in (
        "constructor",
        "__proto__ toString",
        "<img src=x onerror=harmed=1>",
        "%[(*\\",
        "é",
    ):
        visited = visit(f"{start}/search.html?q={quote(words)}")
        visited.page.get_by_text(re.compile("^(Search finished|Your search did not)")).wait_for()
        assert visited.page.get_by_role("searchbox").first.input_value() == words
        assert visited.errors == [] and visited.outside() == []
    found = visit(f"{start}/search.html?q=%E0%A4%A&q=constructor&highlight=%E0%A4%A#__proto__")
    assert found.errors == []


def test_every_page_runs_only_its_own_scripts_and_loads_from_the_book_alone(book):
    pages = [page for page in book.rglob("*.html") if "_static" not in page.parts]
    assert len(pages) > 20
    for page in pages:
        text = page.read_text("utf-8")
        (policy,) = re.findall(
            r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text
        )
        loads = re.search("<(script|link)", text)
        assert not loads or text.index(policy) < loads.start(), page
        assert "default-src 'none'; script-src 'self' file:" in policy, page
        assert "unsafe-inline" not in policy.split("style-src")[0], page
        assert "http" not in policy, page
        more = ("'wasm-unsafe-eval'; worker-src blob:", "unsafe-eval", "blob:")
        assert [what in policy for what in more] == [page.stem == "gradcam"] * 3, page


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_address_of_the_book_leads_to_its_first_page(scheme, book, address, visit):
    start = f"{address}/" if scheme == "http" else (book / "index.html").as_uri()
    visited = visit(start)
    visited.page.wait_for_url(f"**/{listed()[0]}.html")
    assert visited.errors == [] and visited.outside() == []


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


def test_a_look_of_code_without_contrast_is_found(tmp_path, visit, violations):
    """Though of each look only three words are looked at, and not those that are hidden."""
    words = "<span style='color: #ddd'>def</span> <span>name</span> " * 20
    code = f"<div class='highlight'><pre tabindex='0'>{words}</pre></div>"
    (tmp_path / "code.html").write_text(
        "<!doctype html><html lang='en'><title>Code</title><main><h1>Code</h1>"
        f"<div hidden>{code}</div>{code}</main></html>"
    )
    found = violations(visit((tmp_path / "code.html").as_uri()).page)
    assert len(found) == 3 and all(one.startswith("color-contrast") for one in found)
