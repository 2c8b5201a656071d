"""Drawing a digit in a real browser: its numbers, its controls, its looks."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from bare_page import CIRCLE, bare_page, displayed, pixels
from PIL import Image
from scipy.stats import binomtest

import glassbox
from glassbox.attribution import GradCAM
from glassbox.chapters.gradcam.digit_figure import _drawing_of
from glassbox.chapters.gradcam.digit_pad import PEN, draw_a_digit, examples
from glassbox.chapters.gradcam.digit_reader import LAST_CONVOLUTION, center, load_reader, place
from glassbox.data import load, stratified_split, to_float

pytestmark = pytest.mark.browser

SHOWN = ".gb-digit"

SEVEN = [(0.3, 0.15), (0.5, 0.15), (0.7, 0.15), (0.6, 0.4), (0.5, 0.65), (0.42, 0.88)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two drawings")
    with displayed() as shown:
        draw_a_digit()
        draw_a_digit("4 or 9")
    (folder / "index.html").write_text(bare_page("Draw", *shown, width=740), "utf-8")
    (folder / "state.json").write_text(
        re.search(r'<script type="application/json">(.*?)</script>', shown[0], re.S)[1], "utf-8"
    )
    return folder


@pytest.fixture
def computing(visit, site, serve):
    """A page in which the functions of the module can be called."""
    page = visit(serve(glassbox.__path__[0])).page
    state = json.loads((site / "state.json").read_text("utf-8"))
    page.evaluate(
        """async (state) => {
          const parts = ["", "_ink", "_reader", "_sight"].map((part) =>
            import(`/chapters/gradcam/digit_pad${part}.js`));
          window.its = Object.assign({}, ...(await Promise.all(parts)));
          window.state = state;
          window.read = its.makeReader(state.weights);
          window.inked = (marks) => {
            const ink = its.emptyInk();
            for (const mark of marks) its.addMark(ink, mark);
            return ink;
          };
        }""",
        state,
    )
    return page


def pad(visited, number=0):
    return visited.page.locator(".gb-digit").nth(number)


def board(visited):
    return pad(visited).locator(".gb-board")


def moved(before, after) -> bool:
    return bool((np.abs(before - after) > 25).any())


def draw(visited, path, lift=True):
    """Draw with the mouse through places from 0 to 1."""
    box = board(visited).bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]
    visited.page.mouse.move(*places[0])
    visited.page.mouse.down()
    for x, y in places[1:]:
        visited.page.mouse.move(x, y, steps=4)
    if lift:
        visited.page.mouse.up()


def verdict(visited, number=0) -> str:
    return pad(visited, number).locator(".gb-verdict").inner_text()


def held_out():
    digits = load("digits")
    _, unseen = stratified_split(digits.labels, [0.8, 0.2])
    return to_float(digits.images[unseen]), digits.labels[unseen]


def test_ink_and_what_is_seen_are_pythons(computing):
    for example in examples():
        found = computing.evaluate(
            """(marks) => {
              const ink = inked(marks);
              return [Array.from(ink), Array.from(its.center(ink).seen)];
            }""",
            example["marks"],
        )
        drawing = _drawing_of(example["marks"], PEN)
        for values, expected in zip(found, (drawing, center(drawing)), strict=True):
            expected = expected.flatten()
            torch.testing.assert_close(torch.tensor(values).float(), expected, rtol=0, atol=2e-4)


def test_probabilities_and_maps_are_torchs(computing):
    images, _ = held_out()
    reader, seen = load_reader(), center(place(images[:50]))
    found = computing.evaluate(
        """(digits) => digits.map((pixels) => {
          const { probabilities, cam } = read(its.center(inked([{ pixels }])).seen);
          const maps = Array.from({ length: 10 }, (_, label) => Array.from(cam(label)));
          return [Array.from(probabilities), maps];
        })""",
        images[:50].flatten(1).tolist(),
    )
    probabilities = torch.tensor([pair[0] for pair in found])
    assert (probabilities - reader(seen).softmax(1)).abs().max() < 2e-3
    with GradCAM(reader, LAST_CONVOLUTION) as cam:
        for label in range(10):
            expected = cam(seen, label).flatten(1)
            maps = torch.tensor([pair[1][label] for pair in found])
            assert (maps - expected).abs().max() < 1e-2 * expected.max()


def test_digits_that_were_held_out_are_read_in_the_page(computing):
    images, labels = held_out()
    guesses = computing.evaluate(
        """(digits) => digits.map((pixels) => {
          const { probabilities } = read(its.center(inked([{ pixels }])).seen);
          return probabilities.indexOf(Math.max(...probabilities));
        })""",
        images.flatten(1).tolist(),
    )
    right = int((torch.tensor(guesses) == labels).sum())
    interval = binomtest(right, len(labels)).proportion_ci(method="wilson")
    assert right / len(labels) > 0.97 and interval.low > 0.95


def test_each_movement_of_the_pen_is_read_at_once(shown):
    readings = shown().page.evaluate(
        f"""() => {{
          {CIRCLE}
          return circle((move) => {{
            move();
            return document.querySelector(".gb-verdict").textContent;
          }});
        }}"""
    )
    assert len(set(readings)) > 30 and readings[-1].startswith("Looks like a 0")


def test_the_first_stroke_replaces_what_stood_there_and_the_rest_adds(shown):
    visited = shown()
    assert verdict(visited).startswith("Looks like a 3")
    draw(visited, SEVEN)
    assert verdict(visited).startswith("Looks like a 7")
    assert pad(visited).get_by_role("combobox").input_value() == ""
    before = pixels(board(visited))
    draw(visited, [(0.42, 0.5), (0.68, 0.5)])
    assert verdict(visited).startswith("Looks like a 7") and moved(before, pixels(board(visited)))
    for expected in ("7", "3"):
        pad(visited).get_by_role("button", name="Undo").click()
        assert verdict(visited).startswith(f"Looks like a {expected}")
    assert pad(visited).get_by_role("button", name="Undo").is_disabled()
    assert pad(visited).get_by_role("combobox").input_value() == "3"
    assert visited.errors == []


def test_clear_leaves_nothing_and_can_be_undone(shown):
    visited = shown()
    pad(visited).get_by_role("button", name="Clear").click()
    assert verdict(visited) == "Waiting for a digit"
    assert pad(visited).locator(".gb-prompt").is_visible()
    assert set(pad(visited).locator(".gb-share").all_inner_texts()) == {"–"}
    assert pixels(board(visited))[9:-9, 9:-9].max() < 220  # no chalk, only the words
    pad(visited).get_by_role("button", name="Undo").click()
    assert verdict(visited).startswith("Looks like a 3")


def test_examples_are_drawn_and_read(shown):
    visited = shown()
    menu = pad(visited).get_by_role("combobox")
    for example in examples()[1:]:
        before = pixels(board(visited)), pixels(pad(visited).locator(".gb-eye"))
        menu.select_option(example["name"])
        drawing = _drawing_of(example["marks"], PEN)
        odds = load_reader()(center(drawing)).softmax(1)[0]
        assert f"Looks like a {odds.argmax()} " in verdict(visited)
        after = pixels(board(visited)), pixels(pad(visited).locator(".gb-eye"))
        assert moved(before[0], after[0]) and moved(before[1], after[1])
    draw(visited, [(0.1, 0.1), (0.9, 0.9)])  # an example that was chosen stays under the pen
    assert visited.page.locator(".gb-eye").first.is_visible()
    pad(visited).get_by_role("button", name="Undo").click()
    assert menu.input_value() == examples()[-1]["name"]


def test_a_class_that_is_chosen_has_its_own_map(shown):
    visited = shown()
    follow = pad(visited).get_by_role("checkbox", name="follow the likeliest")
    before = pixels(board(visited))
    pad(visited).locator(".gb-class").nth(8).click()
    after = pixels(board(visited))
    assert moved(before, after) and not follow.is_checked()
    assert "to the score of 8" in pad(visited).locator(".gb-sight").inner_text()
    pad(visited).get_by_role("radio").nth(8).press("ArrowDown")
    assert pad(visited).get_by_role("radio").nth(9).is_checked()
    assert moved(after, pixels(board(visited)))
    visited.pass_time(350)
    assert pad(visited).get_by_role("status").inner_text().startswith("Map for 9, ")
    draw(visited, SEVEN)
    assert pad(visited).get_by_role("radio").nth(9).is_checked()
    follow.check()
    assert pad(visited).get_by_role("radio").nth(7).is_checked()


def test_the_strength_of_the_map_fades_it(shown):
    visited = shown()
    slider = pad(visited).get_by_role("slider")
    seen = [pixels(board(visited))]
    for key in ("ArrowLeft", "End", "Home"):
        slider.press(key)
        seen.append(pixels(board(visited)))
    assert all(moved(a, b) for a, b in pairwise(seen[1:]))
    assert slider.get_attribute("aria-valuetext") == "0%"
    marks = examples()[0]["marks"]
    expected = _drawing_of(marks, PEN)[0, 0].numpy()
    shape = np.asarray(Image.fromarray(seen[-1].astype(np.uint8)).resize((112, 112))) / 255
    assert np.abs(shape - (0.08 + 0.91 * expected)).mean() < 0.03  # the ink that is read is seen


def test_the_pen_moves_by_keyboard(shown):
    visited = shown()
    board(visited).focus()
    visited.page.keyboard.press("ArrowUp")
    keys = ["Space", *["Shift+ArrowDown"] * 6, "Space"]
    for key in keys:
        visited.page.keyboard.press(key)
    assert verdict(visited).startswith("Looks like a 1")
    visited.pass_time(350)
    assert pad(visited).get_by_role("status").inner_text().startswith("Looks like a 1, ")
    label = board(visited).get_attribute("aria-label")
    assert "Looks like a 1" in label and "Space puts it down" in label
    before = pixels(board(visited))
    visited.page.keyboard.press("ArrowRight")  # the pen is up: only its ring moves
    assert verdict(visited).startswith("Looks like a 1") and moved(before, pixels(board(visited)))
    visited.page.keyboard.press("Control+z")
    assert verdict(visited).startswith("Looks like a 3")
    assert visited.errors == []


def test_the_reading_is_told_once_when_the_pen_is_lifted(shown):
    visited = shown()
    draw(visited, SEVEN, lift=False)
    visited.pass_time(350)
    status = pad(visited).get_by_role("status")
    assert status.inner_text() == ""
    visited.page.mouse.up()
    visited.pass_time(350)
    assert re.fullmatch(r"Looks like a 7, [\d.]+%; then \d, [\d.]+%\.", status.inner_text())


def test_a_finger_draws_and_the_page_still_scrolls(shown):
    visited = shown(has_touch=True, width=390)
    box = board(visited).bounding_box()
    session = visited.page.context.new_cdp_session(visited.page)

    def touch(kind, path):
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in path
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", SEVEN[:1])
    for place_ in SEVEN[1:]:
        touch("touchMove", [place_])
    touch("touchEnd", [])
    assert verdict(visited).startswith("Looks like a 7")
    handled = visited.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((e) => getComputedStyle(e)
           .touchAction === "none").map((e) => e.className)"""
    )
    assert handled == ["gb-board", "gb-board"]


def test_two_on_a_page_are_apart(shown):
    visited = shown()
    assert verdict(visited, 1).startswith("Looks like a 4")
    draw(visited, SEVEN)
    assert verdict(visited, 1).startswith("Looks like a 4")
    pad(visited, 1).locator(".gb-class").nth(9).click()
    assert pad(visited).get_by_role("radio").nth(7).is_checked()
    identities = visited.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(identities)) == len(identities) == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_quiet(scheme, width, shown, violations):
    visited = shown(scheme=scheme, width=width)
    assert violations(visited.page) == []
    pad(visited).get_by_role("button", name="Clear").click()
    assert violations(visited.page) == []
    assert visited.overflow() <= 0
    assert visited.errors == [] and visited.outside() == []


def test_without_javascript_there_is_a_still_picture(visit, site):
    visited = visit((site / "index.html").as_uri(), java_script_enabled=False)
    still = visited.page.locator(".gb-card img").first
    assert "takes for a 3" in still.get_attribute("alt") and still.bounding_box()["height"] > 180


def test_in_a_notebook_it_fills_an_element_that_comes_into_the_page_later(computing):
    computing.set_content("<main></main>")
    keys = computing.evaluate("""async () => {
      const el = document.createElement("div"), heard = [];
      window.stop = its.render({ model: { get: (key) => key === "state" && state }, el });
      document.querySelector("main").append(el);
      document.addEventListener("keydown", (event) => heard.push(event.key));
      await new Promise((done) => setTimeout(done, 100));
      const board = el.querySelector(".gb-board");
      for (const key of ["ArrowLeft", "a"]) {
        board.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      }
      return heard;
    }""")
    assert keys == [] and computing.locator(".gb-verdict").inner_text().startswith("Looks like a 3")
    computing.evaluate("stop()")
