"""Time the network that runs in a page, in a real Chromium, with SIMD and without.

Run with ``PYTHONPATH=tests/browser python benchmarks/photo_cam.py``; it needs a Chromium. With SIMD
a camera should come to ten pictures a second or more, and no task of the page itself should take
50 ms, which is what browsers call a long one.
"""

import base64
import re
import runpy
from pathlib import Path

from bare_page import displayed
from chromium import find_browser
from playwright.sync_api import Browser, Page, Route, sync_playwright

from glassbox.chapters.gradcam.photo_cam.photo_cam import see_your_picture

PLAYERS = runpy.run_path(str(Path(__file__).parents[1] / "book" / "_ext" / "players.py"))
ADDRESS = "http://localhost/"  # a browser gives its camera to nobody else
PAGE = """<!doctype html><meta charset="utf-8"><script>
window.longest = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) window.longest = Math.max(longest, duration);
}).observe({ type: "longtask", buffered: true });
</script><body style="width: 740px">"""
# Acts, and tells after how many milliseconds the widget has said something else.
AFTER = """async ([act, where]) => {
  const place = document.querySelector(where), said = place.textContent;
  const start = performance.now();
  eval(act);
  await new Promise((done) => new MutationObserver(() => {
    if (place.textContent && !/–|…/.test(place.textContent) && place.textContent !== said) done();
  }).observe(place, { subtree: true, childList: true, characterData: true }));
  return performance.now() - start;
}"""
ARROW = """document.querySelector(".gb-board").dispatchEvent(
  new KeyboardEvent("keydown", { key: "%s", shiftKey: true }))"""
PRESS = 'document.querySelector("%s").click()'


def opened(browser: Browser, content: str) -> Page:
    """Open a page as the book makes it, with large things beside it."""
    files: dict[str, tuple[str, bytes]] = {}

    def move(match: re.Match) -> str:
        name = f"{ADDRESS}{len(files)}"
        files[name] = match[1], base64.b64decode(match[2])
        return name

    files[ADDRESS] = "text/html", (PAGE + PLAYERS["rewrite"](content, move)).encode()
    page = browser.new_page()

    def answer(route: Route) -> None:
        kind, body = files.get(route.request.url, ("text/plain", b""))
        route.fulfill(body=body, content_type=kind)

    page.route("**/*", answer)
    page.goto(ADDRESS)
    page.wait_for_selector(".gb-photo")
    page.wait_for_timeout(1000)
    page.evaluate("window.longest = 0")
    return page


def times(page: Page) -> dict[str, str]:
    """Time a reader's steps, from the click that loads the network."""

    def after(act: str, where: str = ".gb-bars") -> float:
        return page.evaluate(AFTER, [act, where])

    steps = {"from the click to the first answer": f"{after(PRESS % '.gb-start'):.0f} ms"}
    moves = sorted(after(ARROW % f"Arrow{way}") for way in ("Left", "Right") * 6)
    steps["another part of the picture"] = f"{moves[len(moves) // 2]:.0f} ms"
    test = after(PRESS % ".gb-test button", ".gb-found > p")
    steps["the test of a map"] = f"{test / 1000:.1f} s"
    after(PRESS % ".gb-panel .gb-tools button:nth-of-type(2)")
    page.get_by_text("pictures a second").wait_for()
    page.wait_for_timeout(3000)
    steps["the camera"] = page.locator(".gb-source").inner_text().partition(",")[0]
    steps["the longest task of the page"] = f"{page.evaluate('longest'):.0f} ms"
    return steps


def main() -> None:
    camera = [f"--use-fake-{what}-for-media-stream" for what in ("device", "ui")]
    with displayed() as shown:
        see_your_picture()
    (content,) = shown
    ways = {"SIMD": content, "none": content.replace("globalThis.WebAssembly", "globalThis.none")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(playwright), args=["--no-sandbox", *camera]
        )
        for way, shown in ways.items():
            for step, time in times(opened(browser, shown)).items():
                print(f"{way:5} {step:36} {time}")
        browser.close()


if __name__ == "__main__":
    main()
