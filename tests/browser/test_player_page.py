"""The player of an explorable in a real browser: by mouse, by keyboard, and without JavaScript."""

import base64
import io
import json
import re

import numpy as np
import pytest
from bare_page import bare_page
from bare_page import pixels as seen
from PIL import Image

from glassbox.explorables import buttons, dropdown, slider, toggle
from glassbox.explorables.explorable import make_explorable
from glassbox.explorables.static_view import static_outputs
from glassbox.plotting import figure

pytestmark = pytest.mark.browser

SHOWN = ".gb-panel"


def block(size, side, color, filled):
    made, ax = figure(width=4, height=3, alt=f"A {color} block of {size} on the {side}.")
    place = 0 if side == "left" else 5
    ax.bar([place], [size], color=color, alpha=1 if filled else 0.4)
    ax.set(xlim=(-1, 6), ylim=(0, 6))
    return made


@pytest.fixture(scope="module")
def player() -> str:
    controls = {
        "size": slider(1, 5, start=2, unit="px", play=True),
        "side": buttons(["left", "right"]),
        "color": dropdown(["navy", "brown"]),
        "filled": toggle(True),
    }
    explorable = make_explorable(block, "a block", None, controls)
    return static_outputs(explorable)[0]["text/html"]


@pytest.fixture(scope="module")
def site(tmp_path_factory, player):
    folder = tmp_path_factory.mktemp("two players")
    (folder / "index.html").write_text(bare_page("Players", player, player), "utf-8")
    return folder


def pixels(locator) -> np.ndarray:
    """Take what the browser draws of the picture, once it has it."""
    locator.evaluate("image => image.decode()")
    return seen(locator)


def differ(before, after) -> bool:
    return bool((np.abs(before - after) > 40).mean() > 0.001)


CONTROLS = {
    "size": lambda player: player.get_by_role("slider").fill("4"),
    "side": lambda player: player.get_by_role("radio", name="right").check(),
    "color": lambda player: player.get_by_role("combobox").select_option("brown"),
    "filled": lambda player: player.get_by_role("checkbox").click(),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_each_control_moves_the_picture_and_reset_brings_it_back(shown, control):
    visit = shown()
    player = visit.page.locator("gb-player").first
    image = player.get_by_role("img")
    before = pixels(image)
    CONTROLS[control](player)
    assert differ(before, pixels(image))
    player.get_by_role("button", name="Reset").click()
    assert not differ(before, pixels(image))
    assert visit.errors == [] and visit.outside() == []


def test_dragging_the_slider_by_mouse_moves_the_picture(shown):
    visit = shown()
    player = visit.page.locator("gb-player").first
    image, bar = player.get_by_role("img"), player.get_by_role("slider")
    before, box = pixels(image), bar.bounding_box()
    middle = box["y"] + box["height"] / 2
    visit.page.mouse.move(box["x"] + box["width"] / 4, middle)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] - 4, middle, steps=8)
    visit.page.mouse.up()
    assert bar.get_attribute("aria-valuetext") == "5 px"
    assert differ(before, pixels(image))


def test_arrow_keys_move_the_slider_its_text_and_the_alt_text(shown):
    page = shown().page
    player = page.locator("gb-player").first
    bar = player.get_by_role("slider", name="size")
    bar.focus()
    page.keyboard.press("ArrowRight")
    assert bar.get_attribute("aria-valuetext") == "3 px"
    assert player.locator(".gb-value").inner_text() == "3 px"
    assert player.locator(".gb-light img").get_attribute("alt") == "A navy block of 3 on the left."
    page.keyboard.press("End")
    assert player.locator(".gb-light img").get_attribute("alt") == "A navy block of 5 on the left."


def test_every_control_can_be_reached_and_moved_by_keyboard_alone(shown):
    page = shown().page
    player = page.locator("gb-player").first
    kinds = []
    page.keyboard.press("Tab")
    for _ in range(6):
        kinds.append(page.evaluate("document.activeElement.type"))
        page.keyboard.press("Tab")
    assert kinds == ["button", "range", "radio", "select-one", "checkbox", "button"]
    player.get_by_role("radio", name="left").focus()
    page.keyboard.press("ArrowRight")
    player.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    assert player.locator(".gb-light img").get_attribute("alt") == "A navy block of 2 on the right."
    assert not player.get_by_role("checkbox").is_checked()


def test_plain_keys_stay_in_the_player_and_shortcuts_leave_it(shown):
    page = shown().page
    page.evaluate("() => { window.heard = []; onkeydown = (event) => heard.push(event.key) }")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+k")
    assert page.evaluate("heard") == ["Control", "k"]


def test_two_players_on_a_page_are_independent(shown):
    page = shown().page
    first, second = page.locator("gb-player").all()
    before = pixels(second.get_by_role("img"))
    first.get_by_role("slider").fill("5")
    first.get_by_role("radio", name="right").check()
    assert not differ(before, pixels(second.get_by_role("img")))
    assert second.get_by_role("slider").input_value() == "1"
    assert second.get_by_role("radio", name="left").is_checked()
    before = first.locator(".gb-light img").get_attribute("src")
    second.get_by_role("slider").fill("3")
    assert first.locator(".gb-light img").get_attribute("src") == before
    assert second.locator(".gb-light img").get_attribute("alt") == "A navy block of 4 on the left."


def test_state_is_said_once_after_the_reader_rests(shown):
    visited = shown()
    page = visited.page
    player = page.locator("gb-player").first
    page.evaluate(
        """() => { window.said = [];
        new MutationObserver(() => said.push(document.querySelector('.gb-status').textContent))
          .observe(document.querySelector('.gb-status'), {childList: true}) }"""
    )
    player.get_by_role("slider").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    visited.pass_time(2000)
    assert page.evaluate("said") == ["A navy block of 5 on the left."]


def test_play_runs_and_pauses_and_any_control_stops_it(shown):
    visited = shown()
    player = visited.page.locator("gb-player").first
    bar = player.get_by_role("slider")
    player.get_by_role("button", name="Play size").click()
    assert bar.input_value() == "2"
    visited.pass_time(900)
    assert bar.input_value() == "3"
    player.get_by_role("radio", name="right").check()
    assert player.get_by_role("button", name="Play size").is_visible()
    at = bar.input_value()
    visited.pass_time(900)
    assert bar.input_value() == at


def test_readers_who_want_less_motion_get_no_play_button(shown):
    page = shown(reduced_motion="reduce").page
    assert page.get_by_role("button", name="Play size").count() == 0
    assert page.get_by_role("slider").count() == 2


def test_without_javascript_the_still_picture_shows_and_no_control(visit, site):
    page = visit((site / "index.html").as_uri(), java_script_enabled=False).page
    image = page.locator("gb-player .gb-light img").first
    assert image.bounding_box()["width"] > 300
    assert page.get_by_role("img", name="A navy block of 2 on the left.").count() == 2
    assert page.locator("gb-player :is(input, select, button)").count() == 0
    assert "size 2 px, side left" in page.locator(".gb-note").first.inner_text()


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
)
def test_player_is_accessible_and_fits(shown, violations, scheme, width):
    visit = shown(scheme=scheme, width=width)
    assert violations(visit.page) == []
    assert visit.overflow() <= 0
    controls = visit.page.locator("gb-player :is(input, select, button)").all()
    sizes = [control.bounding_box() for control in controls]
    assert min(min(box["width"], box["height"]) for box in sizes) >= 24
    assert visit.errors == []


@pytest.fixture(scope="module")
def filed(tmp_path_factory, player):
    """The same page with its pictures moved into files, as a build of the book does."""
    folder = tmp_path_factory.mktemp("filed")
    frames = re.findall(r"data:image/\w+;base64,[\w+/=]+", player)
    for i, frame in enumerate(dict.fromkeys(frames)):
        Image.open(io.BytesIO(base64.b64decode(frame.split(",")[1]))).save(folder / f"{i}.png")
        player = player.replace(frame, f"{i}.png")
    space = '<div style="height:3000px"></div>'
    (folder / "index.html").write_text(bare_page("Players", space, player), "utf-8")
    return folder


def fetched(visit) -> int:
    return sum(url.endswith(".png") for url in visit.requests)


def test_frames_are_fetched_on_scrolling_to_the_player_and_not_before(visit, serve, filed):
    made = visit(serve(filed))
    made.page.wait_for_selector(".gb-panel", state="attached")
    made.page.wait_for_load_state("networkidle")
    assert fetched(made) <= 1
    made.page.locator("gb-player").scroll_into_view_if_needed()
    made.page.wait_for_function("document.querySelector('gb-player').loaded?.length === 40")
    made.page.wait_for_load_state("networkidle")
    assert len({url for url in made.requests if url.endswith(".png")}) == 40


def test_a_page_fetches_the_frames_of_its_theme_and_width_and_others_when_these_change(
    visit, serve, filed
):
    made = visit(serve(filed), scheme="dark", width=390)
    player = made.page.locator("gb-player")
    loaded = "document.querySelector('gb-player').loaded?.filter(one => one.complete).length === 40"
    player.hover()
    made.page.wait_for_function(loaded)
    seen = {url for url in made.requests if url.endswith(".png")}
    assert len(seen) == 40
    made.page.emulate_media(color_scheme="light")
    player.get_by_role("slider").focus()
    made.page.wait_for_function(loaded)
    later = {url for url in made.requests if url.endswith(".png")} - seen
    assert len(later) == 40


@pytest.mark.parametrize("event", ["pointerenter", "focusin"])
def test_frames_are_fetched_on_hover_and_on_focus(visit, serve, filed, event):
    made = visit(serve(filed))
    made.page.wait_for_selector(".gb-panel", state="attached")
    made.page.locator("gb-player").dispatch_event(event)
    made.page.wait_for_function("document.querySelector('gb-player').loaded?.length > 5")


def test_a_player_put_into_an_open_page_works(visit, tmp_path, player):
    (tmp_path / "empty.html").write_text(bare_page("Players", ""), "utf-8")
    page = visit((tmp_path / "empty.html").as_uri()).page
    page.evaluate(
        f"""document.querySelector('main').append(
        document.createRange().createContextualFragment({json.dumps(player)}))"""
    )
    page.get_by_role("slider").fill("4")
    assert (
        page.locator("gb-player .gb-light img").get_attribute("alt")
        == "A navy block of 5 on the left."
    )
