"""Time what a page works for a reader who plays, drags or draws, in a real Chromium.

Run with ``PYTHONPATH=tests/browser python benchmarks/frames.py``; it needs a Chromium, as the tests
there do. At 60 frames a second there are 16.7 ms for each: medians well below leave room for slower
machines.
"""

from bare_page import CIRCLE, displayed
from chromium import find_browser
from playwright.sync_api import Page, sync_playwright

from glassbox.chapters.adam.playground import optimizer_playground
from glassbox.chapters.gradcam.digit_pad import draw_a_digit
from glassbox.explorables import slider
from glassbox.explorables.explorable import make_explorable
from glassbox.explorables.static_view import static_outputs
from glassbox.plotting import figure

MEDIAN = "const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];"
RACE = """async () => {
  const ask = window.requestAnimationFrame, spent = [];
  window.requestAnimationFrame = (call) => ask((now) => {
    const start = performance.now();
    call(now);
    spent.push(performance.now() - start);
  });
  document.querySelector(".gb-go").click();
  await new Promise((done) => setTimeout(done, 2000));
  return median(spent);
}"""
PEN = """() => median(circle((move) => {
  const start = performance.now();
  move();
  return performance.now() - start;
}))"""
DRAG = """async () => {
  const player = document.querySelector("gb-player"), bar = player.querySelector("input");
  const spent = [];
  for (let k = 0; k < 60; k++) {
    const start = performance.now();
    bar.value = k % 5;
    bar.dispatchEvent(new Event("input", { bubbles: true }));
    await player.querySelector("img").decode();
    spent.push(performance.now() - start);
  }
  return median(spent);
}"""


def bars(size):
    made, ax = figure(alt=f"Bars of {size}.")
    ax.bar(range(size), range(size))
    return made


def player() -> str:
    explorable = make_explorable(bars, "bars", None, {"size": slider(1, 5)})
    return static_outputs(explorable)[0]["text/html"]


def milliseconds(page: Page, content: str, script: str) -> float:
    scripts = f"<script>{MEDIAN}{CIRCLE}</script>"
    page.set_content(f"<!doctype html><meta charset='utf-8'>{scripts}{content}")
    page.wait_for_selector(".gb-race, .gb-digit, .gb-panel")
    return page.evaluate(script)


def main() -> None:
    with displayed() as shown:
        optimizer_playground()
        draw_a_digit()
    cases = {
        "a frame of the race": (shown[0], RACE),
        "a movement of the pen": (shown[1], PEN),
        "a picture of a player": (player(), DRAG),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(playwright), args=["--no-sandbox"]
        )
        for name, (content, script) in cases.items():
            print(f"{name:24} {milliseconds(browser.new_page(), content, script):6.2f} ms")
        browser.close()


if __name__ == "__main__":
    main()
