"""Codes in space in a real browser: where they are, how they turn, which one is pointed at."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from bare_page import bare_page, displayed, pixels

import glassbox
from glassbox.chapters.autoencoders.code_space import show_codes_in_space

pytestmark = pytest.mark.browser

SHOWN = ".gb-codes"
COUNT, PLACES = 300, 9
PLAYERS = runpy.run_path(str(Path(__file__).parents[2] / "book" / "_ext" / "players.py"))
STATE = """number => JSON.parse(
  document.querySelectorAll('script[type="application/json"]')[number].textContent)"""

# Notes what is written on a map since it was last cleared.
LISTEN = """() => {
  const { fillText, fillRect } = CanvasRenderingContext2D.prototype;
  window.written = [];
  Object.assign(CanvasRenderingContext2D.prototype, {
    fillRect(...box) {
      window.written = [];
      return fillRect.apply(this, box);
    },
    fillText(text, x, y) {
      window.written.push([String(text), x, y]);
      return fillText.call(this, text, x, y);
    },
  });
}"""
GRAYS = """picture => {
  const { data } = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height);
  return Array.from(data).filter((_, k) => k % 4 === 0);
}"""


def numbered_images(count: int) -> torch.Tensor:
    """Draw images of 28 pixels a side that have their number in them, in nine bits."""
    bits = torch.arange(count)[:, None] >> torch.arange(PLACES) & 1
    blocks = bits.view(-1, 3, 3).repeat_interleave(9, 1).repeat_interleave(9, 2)
    return torch.nn.functional.pad(blocks, (0, 1, 0, 1)).float()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two spaces")
    drawn = torch.Generator().manual_seed(0)
    codes = torch.randn(COUNT, 3, generator=drawn) * torch.tensor([2.0, 5, 1]) + 3
    row = torch.tensor([[0.0, -1, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0], [0.5, 0, 0]])
    with displayed() as shown:
        show_codes_in_space(codes, torch.arange(COUNT) % 10, numbered_images(COUNT), view=(30, 20))
        show_codes_in_space(row, torch.tensor([4, 9, 8, 8, 1]), numbered_images(5), view=(0, 0))
    (folder / "index.html").write_text(bare_page("Codes", *shown), "utf-8")
    return folder


def space(visited, number=0):
    return visited.page.locator(SHOWN).nth(number)


def map_of(visited, number=0):
    return space(visited, number).locator(".gb-map")


def label_of(visited, number=0) -> str:
    return map_of(visited, number).get_attribute("aria-label")


def heard(visited) -> str:
    return space(visited).get_by_role("status").inner_text()


def number_shown(visited, number=0) -> int:
    """Read which image is shown from its pixels."""
    grays = space(visited, number).locator(".gb-picture").evaluate(GRAYS)
    return number_in(np.reshape(grays, (28, 28)))


def number_in(grays: np.ndarray) -> int:
    """Read which image this is, of any size."""
    middles = ((np.arange(3) * 9 + 4.5) / 28 * len(grays)).astype(int)
    bits = grays[np.ix_(middles, middles)].ravel() > 127
    return int((bits << np.arange(PLACES)).sum())


def seen(state, azimuth, elevation, side):
    """Compute by matrices where each point is on a map, and how near."""
    points = np.array(state["points"])[:, :3]
    middle = (points.min(0) + points.max(0)) / 2
    points = (points - middle) / np.linalg.norm(points - middle, axis=1).max()
    turn, tilt = np.radians([azimuth, elevation])
    about_third = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    about_right = [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    right, away, up = np.array(about_right) @ np.array(about_third) @ points.T
    scale = side / 2.16 * 4 / (4 + away)
    return np.stack([side / 2 + scale * right, side / 2 - scale * up], 1), -away


def expected_writing(state, view, side):
    """List what is to be written: the digits from the back to the front, each at its place."""
    places, near = seen(state, *view, side)
    labels = np.array(state["points"])[:, 3].astype(int)
    return [(str(labels[k]), *places[k]) for k in np.argsort(near, kind="stable")]


def check_writing(visited, view):
    state = visited.page.evaluate(STATE, 0)
    side = map_of(visited).evaluate("map => map.clientWidth")
    *written, first, second, third = visited.page.evaluate("window.written")
    expected = expected_writing(state, view, side)
    assert [text for text, *_ in written] == [text for text, *_ in expected]
    apart = np.abs(np.array([at for _, *at in written]) - np.array([at for _, *at in expected]))
    assert apart.max() < 1e-6
    assert [one[0] for one in (first, second, third)] == ["first", "second", "third"]


def drag(visited, right, down, kind="mouse"):
    """Drag from the middle of the map, by whole pixels; give the degrees that this turns."""
    box = map_of(visited).bounding_box()
    x, y = (round(box[side] + box[along] / 2) for side, along in (("x", "width"), ("y", "height")))
    steps = [(x, y), (x + right // 2, y + down // 3), (x + right, y + down)]
    if kind == "mouse":
        visited.page.mouse.move(*steps[0])
        visited.page.mouse.down()
        for step in steps[1:]:
            visited.page.mouse.move(*step)
        visited.page.mouse.up()
    else:
        client = visited.page.context.new_cdp_session(visited.page)
        for number, (x, y) in enumerate(steps):
            kind = "touchMove" if number else "touchStart"
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [
                {"x": x, "y": y}]})  # fmt: skip
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    visited.pass_time()
    return 180 * right / box["width"], 180 * down / box["width"]


def test_a_drag_turns_all_points_as_matrices_do(shown):
    visited = shown()
    visited.page.evaluate(LISTEN)
    turned, tilted = drag(visited, 120, 40)
    check_writing(visited, (30 + turned, 20 + tilted))
    assert f"turned by {30 + turned:.0f}°, seen from {20 + tilted:.0f}° above" in heard(visited)
    more, _ = drag(visited, -90, -300)
    check_writing(visited, (30 + turned + more, -90))
    assert "seen from 90° below" in label_of(visited) and visited.errors == []


def test_a_finger_turns_it_and_a_tap_shows_a_digit(shown):
    visited = shown(has_touch=True, width=390)
    visited.page.evaluate(LISTEN)
    before = visited.page.evaluate("scrollY")
    turned, tilted = drag(visited, 60, 70, "touch")
    check_writing(visited, (30 + turned, 20 + tilted))
    assert visited.page.evaluate("scrollY") == before
    for k in alone(visited, (30 + turned, 20 + tilted), 24)[:3]:
        map_of(visited).tap(position=place_of(visited, (30 + turned, 20 + tilted), k))
        assert number_shown(visited) == k
        assert heard(visited).endswith(f"number {k + 1} of {COUNT}")


def place_of(visited, view, k):
    side = map_of(visited).evaluate("map => map.clientWidth")
    x, y = seen(visited.page.evaluate(STATE, 0), *view, side)[0][k].tolist()
    return {"x": x, "y": y}


def alone(visited, view, room):
    """Find the points from which all others are at least so far away, in pixels."""
    side = map_of(visited).evaluate("map => map.clientWidth")
    places, _ = seen(visited.page.evaluate(STATE, 0), *view, side)
    apart = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(COUNT)
    inside = (np.abs(places - side / 2) < side / 2 - 8).all(1)
    found = np.flatnonzero((apart.min(1) > room) & inside)
    assert len(found) >= 3
    return found.tolist()


def test_the_digit_under_the_pointer_is_shown_with_its_label_and_numbers(shown):
    visited = shown()
    points = visited.page.evaluate(STATE, 0)["points"]
    for k in alone(visited, (30, 20), 20)[:8]:
        map_of(visited).hover(position=place_of(visited, (30, 20), k))
        assert number_shown(visited) == k
        *numbers, label = points[k]
        shown_as = ", ".join(f"{number:.1f}" for number in numbers).replace("-", "−")
        assert space(visited).locator(".gb-place").inner_text() == f"({shown_as})"
        assert space(visited).locator(".gb-near").inner_text().split()[1] == str(label)
    last = k
    map_of(visited).hover(position={"x": 3, "y": 3})  # where nothing is
    assert number_shown(visited) == last
    assert heard(visited) == ""  # a pointer that passes by is not told


def test_of_two_that_cover_each_other_the_front_one_is_meant(shown):
    visited = shown()
    side = map_of(visited, 1).evaluate("map => map.clientWidth")
    middle = {"x": side / 2, "y": side / 2}
    map_of(visited, 1).hover(position=middle)
    assert space(visited, 1).locator(".gb-near").inner_text() == "a 4"
    map_of(visited, 1).focus()
    for _ in range(36):
        visited.page.keyboard.press("ArrowRight")
    assert "turned by 180°" in label_of(visited, 1)
    map_of(visited, 1).hover(position={"x": side / 2 + 1, "y": side / 2})
    assert space(visited, 1).locator(".gb-near").inner_text() == "a 9"


def test_arrow_keys_turn_and_tilt(shown):
    visited = shown()
    visited.page.evaluate(LISTEN)
    map_of(visited).press("ArrowRight")
    map_of(visited).press("ArrowDown")
    map_of(visited).press("Shift+ArrowLeft")
    check_writing(visited, (10, 25))
    assert heard(visited) == "The codes are turned by 10°, seen from 25° above."
    for _ in range(3):
        map_of(visited).press("Shift+ArrowUp")
    map_of(visited).press("ArrowUp")
    check_writing(visited, (10, -55))
    for _ in range(3):
        map_of(visited).press("Shift+ArrowUp")
    check_writing(visited, (10, -90))


def test_keys_go_through_the_digits_and_to_those_of_a_class(shown):
    visited = shown()
    first = number_shown(visited)
    map_of(visited).press("Enter")
    assert number_shown(visited) == (first + 1) % COUNT
    map_of(visited).press("Shift+Enter")
    map_of(visited).press("Shift+Enter")
    assert number_shown(visited) == (first - 1) % COUNT
    map_of(visited).press("8")
    eight = number_shown(visited)
    assert eight % 10 == 8 and 0 < (eight - first + 1) % COUNT <= 10
    assert re.fullmatch(rf"an 8 at \(.*\), number {eight + 1} of {COUNT}", heard(visited))
    map_of(visited).press("8")
    assert number_shown(visited) == (eight + 10) % COUNT
    map_of(visited, 1).press("7")
    assert space(visited, 1).get_by_role("status").inner_text() == "There is no 7."


def test_it_turns_by_itself_until_somebody_else_turns_it(shown):
    visited = shown()
    space(visited).get_by_role("button", name="Turn").click()
    visited.pass_time(2_000)
    turned = int(re.search(r"turned by (\d+)", label_of(visited))[1])
    assert 55 <= turned <= 61  # from 30, at 15 degrees a second
    space(visited).get_by_role("button", name="Pause").click()
    visited.pass_time(500)
    assert abs(int(re.search(r"turned by (\d+)", label_of(visited))[1]) - turned) <= 1
    space(visited).get_by_role("button", name="Turn").click()
    visited.pass_time(300)
    map_of(visited).press("ArrowRight")
    stopped = label_of(visited)
    visited.pass_time(500)
    assert label_of(visited) == stopped
    space(visited).get_by_role("button", name="Turn").wait_for()


def test_reset_brings_the_first_view_back(shown):
    visited = shown()
    before, first = pixels(map_of(visited)), number_shown(visited)
    drag(visited, 80, 30)
    map_of(visited).press("3")
    assert number_shown(visited) != first
    assert (np.abs(pixels(map_of(visited)) - before) > 40).mean() > 0.01
    space(visited).get_by_role("button", name="Reset").click()
    visited.page.mouse.move(2, 2)
    assert number_shown(visited) == first
    map_of(visited).evaluate("map => map.blur()")
    assert (np.abs(pixels(map_of(visited)) - before) > 40).mean() < 1e-4


def test_who_wants_little_motion_is_not_offered_the_turning(shown):
    visited = shown(reduced_motion="reduce")
    assert not space(visited).locator(".gb-go").is_visible()
    map_of(visited).press("ArrowRight")
    assert "turned by 35°" in label_of(visited)


def test_what_has_the_focus_is_seen(shown):
    visited = shown()
    visited.page.keyboard.press("Tab")
    style = map_of(visited).evaluate(
        "map => [document.activeElement === map, getComputedStyle(map).outline]"
    )
    assert style[0] and "solid 3px" in style[1]


def test_two_on_a_page_are_apart(shown):
    visited = shown()
    map_of(visited, 1).press("ArrowRight")
    assert "turned by 30°" in label_of(visited) and "turned by 5°" in label_of(visited, 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_quiet(scheme, width, shown, violations):
    visited = shown(scheme=scheme, width=width)
    paper = pixels(map_of(visited))[3, 3]
    assert paper > 240 if scheme == "light" else paper < 40
    assert violations(visited.page) == []
    assert visited.overflow() <= 0
    assert visited.errors == [] and visited.outside() == []


def test_without_javascript_there_is_a_still_picture(visit, site):
    visited = visit((site / "index.html").as_uri(), java_script_enabled=False)
    still = visited.page.locator(".gb-card img").first
    assert "300 digits at the places of their codes" in still.get_attribute("alt")
    assert still.bounding_box()["height"] > 200


def test_its_images_may_lie_beside_the_page_as_in_the_book(visit, site, tmp_path):
    def moved(match):
        name = f"{len(list(tmp_path.iterdir()))}.png"
        (tmp_path / name).write_bytes(PLAYERS["base64"].b64decode(match[2]))
        return name

    page = PLAYERS["rewrite"]((site / "index.html").read_text("utf-8"), moved)
    assert "data:image" not in page
    (tmp_path / "index.html").write_text(page, "utf-8")
    visited = visit((tmp_path / "index.html").as_uri())
    map_of(visited).press("8")
    number = int(re.search(r"number (\d+)", heard(visited))[1]) - 1
    assert number_in(pixels(space(visited).locator(".gb-picture"))) == number
    assert visited.errors == []


def test_in_a_notebook_it_is_the_same(site, visit, serve):
    visited = visit(serve(glassbox.__path__[0]))
    text = (site / "index.html").read_text("utf-8")
    state = re.search(r'<script type="application/json">(.*?)</script>', text, re.S)[1]
    visited.page.evaluate(
        """async (state) => {
          const { render } = await import("/explorables/bundles/code_space.js");
          const model = { get: (key) => (key === "state" ? JSON.parse(state) : undefined) };
          const el = document.createElement("div");
          await render({ model, el });  // it is not in the page yet
          document.body.append(el);
        }""",
        state,
    )
    map_of(visited).press("8")
    assert number_shown(visited) % 10 == 8
    map_of(visited).press("ArrowRight")
    assert "turned by 35°" in label_of(visited)
