"""What every page of the rendered book has to keep, in a real Chromium."""

import pytest
from chapters import listed

pytestmark = pytest.mark.browser

PAGES = [*listed(), "book/api/glassbox.plotting.figures", "search", "genindex"]
each_page = pytest.mark.parametrize("page", PAGES)
HEAVIEST = 1_000_000  # bytes of a page before anybody touches it


def weigh(visited) -> list[int]:
    """Note the size of each file that a page loads from now on."""
    sizes = []

    def note(request):
        response = request.response()
        sizes.append(len(response.body()) if response and response.ok else 0)

    visited.page.on("requestfinished", note)
    return sizes


@each_page
def test_page_is_accessible_and_quiet(page, address, visit, violations):
    visited = visit(f"{address}/{page}.html")
    visited.page.wait_for_load_state("networkidle")
    visited.page.add_style_tag(content="* { transition: none !important }")
    for width in (1280, 390):
        visited.page.set_viewport_size({"width": width, "height": 900})
        visited.page.wait_for_timeout(500)  # the theme then sees anew which code has to scroll
        assert visited.overflow() <= 0
        for scheme in ("light", "dark"):
            visited.page.emulate_media(color_scheme=scheme)
            visited.page.wait_for_function(
                "scheme => document.documentElement.dataset.theme == scheme", arg=scheme
            )
            assert violations(visited.page) == [], f"{width} pixels wide, {scheme}"
    assert visited.errors == []
    assert visited.outside() == []


@each_page
def test_page_works_from_a_file(page, book, visit):
    visited = visit((book / f"{page}.html").as_uri())
    visited.page.wait_for_load_state("load")
    assert visited.errors == []
    assert visited.outside() == []


@each_page
def test_page_is_light(page, address, visit):
    visited = visit("about:blank")
    sizes = weigh(visited)
    visited.page.goto(f"{address}/{page}.html")
    visited.page.wait_for_load_state("networkidle")
    assert sum(sizes) <= HEAVIEST, sorted(sizes)[-5:]
