"""The GAN playground in a real browser: its numbers, its controls, its looks."""

import re

import numpy as np
import pytest
import torch
from bare_page import bare_page, displayed, pixels

import glassbox
from glassbox.chapters.gan.playground import LOSSES, gan_playground, plane_players
from glassbox.generation import count_modes, discriminator_step, generator_step

pytestmark = pytest.mark.browser

SHOWN = ".gb-gan"

SETTINGS = {
    "usual": {},
    "unequal": {"dRate": 0.01, "gRate": 0.001, "dSteps": 3, "noise": 0.3, "seed": 4},
    "generator first": {"gSteps": 2, "dRate": 0.001, "gRate": 0.02},
}
# Plays a game, and tells its weights before and after, what was drawn on the way, and its losses.
PLAY = """async ([options, rounds]) => {
  const { Game } = await import("/chapters/gan/playground_game.js");
  const game = new Game(options), drawn = [];
  for (const name of ["drawReal", "drawNoise"]) {
    const draw = game[name].bind(game);
    game[name] = () => {
      const made = draw();
      drawn.push(Array.from(made));
      return made;
    };
  }
  const { generator, discriminator } = game.players;
  const weights = () => [generator, discriminator].map(({ weights }) => Array.from(weights));
  const before = weights();
  game.advance(rounds);
  const { samples, counts, modes, stray } = game.look();
  return { before, after: weights(), drawn, history: game.history, settings: game.settings,
    samples: Array.from(samples), counts, modes, stray };
}"""


@pytest.fixture(scope="module")
def outputs():
    """What the cells of a page show, two playgrounds."""
    with displayed() as shown:
        gan_playground()
        gan_playground("least_squares")
    return shown


@pytest.fixture(scope="module")
def site(tmp_path_factory, outputs):
    folder = tmp_path_factory.mktemp("two games")
    (folder / "index.html").write_text(bare_page("Playground", *outputs), "utf-8")
    return folder


def put(network, flat):
    torch.nn.utils.vector_to_parameters(
        torch.tensor(flat, dtype=torch.float64), network.parameters()
    )


def flat(network):
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach()


def replay(played, loss):
    """Play the same game in PyTorch, from the same weights with the same points and noise."""
    rates = played["settings"]
    gan = plane_players(LOSSES[loss])
    networks = (gan.generator.double(), gan.discriminator.double())
    for network, weights in zip(networks, played["before"], strict=True):
        put(network, weights)
    gan.generator_optimizer.param_groups[0]["lr"] = rates["gRate"]
    gan.discriminator_optimizer.param_groups[0]["lr"] = rates["dRate"]
    drawn = (torch.tensor(flat, dtype=torch.float64).view(-1, 2) for flat in played["drawn"])
    losses = [[], []]
    for _ in played["history"]["generator"]:
        for _ in range(rates["dSteps"]):
            first = discriminator_step(gan, next(drawn), next(drawn))
        for _ in range(rates["gSteps"]):
            second = generator_step(gan, next(drawn))
        losses[0].append(first)
        losses[1].append(second)
    assert next(drawn, None) is None
    return gan, losses


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_weights_after_100_rounds_are_torchs(loss, settings, visit, serve):
    page = visit(serve(glassbox.__path__[0])).page
    played = page.evaluate(PLAY, [{"loss": loss, "settings": settings}, 100])
    gan, losses = replay(played, loss)
    for network, before, after in zip(
        (gan.generator, gan.discriminator), played["before"], played["after"], strict=True
    ):
        moved = np.abs(np.array(after) - before).max()
        assert len(after) < 400 and moved > 0.05
        assert np.abs(flat(network).numpy() - after).max() < 1e-5
    assert np.abs(np.array(losses[0]) - played["history"]["discriminator"]).max() < 1e-5
    assert np.abs(np.array(losses[1]) - played["history"]["generator"]).max() < 1e-5


def test_the_page_counts_places_as_the_package_does(visit, serve):
    page = visit(serve(glassbox.__path__[0])).page
    played = page.evaluate(PLAY, [{}, 600])
    found = count_modes(torch.tensor(played["samples"]).view(-1, 2))
    assert found.modes == played["modes"] > 0
    assert list(found.counts) == played["counts"]
    assert 1 - found.good == pytest.approx(played["stray"])


def game(visited, number=0):
    return visited.page.locator(".gb-gan").nth(number)


def caption(visited, number=0) -> str:
    visited.pass_time()
    return game(visited, number).locator("caption").inner_text()


def table(visited) -> str:
    visited.pass_time()
    return game(visited).locator("table").inner_text()


def run_rounds(visited, count=20):
    button = game(visited).get_by_role("button", name="Step")
    button.evaluate("(button, n) => { for (let k = 0; k < n; k++) button.click(); }", count)
    visited.pass_time()


def differ(before, after) -> bool:
    return bool((np.abs(before - after) > 30).mean() > 0.0005)


KNOBS = (
    "learning rate: discriminator",
    "learning rate: generator",
    "steps a round: discriminator",
    "steps a round: generator",
    "noise on the data",
    "seed",
)


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
@pytest.mark.parametrize("name", KNOBS)
def test_each_slider_begins_another_game(name, by, shown):
    visited = shown()
    run_rounds(visited)
    before = table(visited)
    knob = game(visited).get_by_role("slider", name=name, exact=True)
    heard = knob.get_attribute("aria-valuetext")
    if by == "keyboard":
        for _ in range(2):
            knob.press("ArrowRight")
    else:
        box = knob.bounding_box()
        visited.page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    assert knob.get_attribute("aria-valuetext") != heard
    assert caption(visited) == "round 0"
    run_rounds(visited)
    assert table(visited) != before and visited.errors == []


def test_each_loss_and_target_begins_another_game(shown):
    visited = shown()
    run_rounds(visited)
    seen = {table(visited)}
    menu = game(visited).get_by_role("combobox", name="loss")
    for loss in ("minimax", "least_squares"):
        menu.select_option(loss)
        assert caption(visited) == "round 0"
        run_rounds(visited)
        seen.add(table(visited))
    assert len(seen) == 3
    plane = game(visited).locator(".gb-map")
    for target in ("grid", "moons", "spiral"):
        before = pixels(plane)
        game(visited).get_by_role("combobox", name="target").select_option(target)
        assert caption(visited) == "round 0"
        assert differ(before, pixels(plane)), target
    assert "of 20" in table(visited) and visited.errors == []


def test_the_pace_is_a_setting_and_goes_up_to_thirty_rounds_a_frame(shown):
    visited = shown()
    pace = game(visited).get_by_role("slider", name="rounds a second")
    reached = []
    for key in ("Home", "End"):
        pace.press(key)
        assert f"speed:{pace.get_attribute('aria-valuetext')}" in visited.page.url
        game(visited).get_by_role("button", name="Play").click()
        visited.pass_time(160)  # ten frames
        game(visited).get_by_role("button", name="Pause").click()
        reached.append(int(caption(visited).split()[1]))
        game(visited).get_by_role("button", name="Reset").click()
        pace.press(key)
    assert 1 < reached[0] < 8 and 200 < reached[1] <= 300


def test_play_pause_step_and_reset(shown):
    visited = shown()
    plane, chart = (game(visited).locator(name) for name in (".gb-map", ".gb-chart"))
    before = pixels(plane), pixels(chart)
    game(visited).get_by_role("button", name="Play").click()
    visited.pass_time(300)
    game(visited).get_by_role("button", name="Pause").click()
    stopped = caption(visited)
    assert int(stopped.split()[1]) > 50
    assert differ(before[0], pixels(plane)) and differ(before[1], pixels(chart))
    visited.pass_time(200)
    assert caption(visited) == stopped
    said = game(visited).get_by_role("status").inner_text()
    assert re.match(r"After \d+ rounds: \d of 8 places found, \d+% of the samples stray", said)
    game(visited).get_by_role("button", name="Step").click()
    assert int(caption(visited).split()[1]) == int(stopped.split()[1]) + 1
    game(visited).get_by_role("button", name="Reset").click()
    assert caption(visited) == "round 0" and not differ(before[0], pixels(plane))


@pytest.mark.parametrize("name", ["surface", "pulls"])
def test_parts_of_the_picture_can_be_left_out(name, shown):
    visited = shown()
    run_rounds(visited, 40)
    plane = game(visited).locator(".gb-map")
    before = pixels(plane)
    game(visited).get_by_role("checkbox", name=re.compile(name)).uncheck()
    visited.pass_time()
    assert (np.abs(before - pixels(plane)) > 5).mean() > 0.002
    assert caption(visited) == "round 40"


def test_the_pointer_asks_the_discriminator(shown):
    visited = shown()
    run_rounds(visited, 40)
    plane = game(visited).locator(".gb-map")
    box, before = plane.bounding_box(), pixels(plane)
    visited.page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    visited.pass_time()
    assert differ(before, pixels(plane))
    visited.page.mouse.down()
    visited.page.mouse.up()
    said = game(visited).get_by_role("status").inner_text()
    assert re.match(r"At 1.5\d, 1.\d\d the discriminator says 0.\d\d; the pull is", said)
    visited.page.mouse.move(0, 0)
    visited.pass_time()
    assert not differ(before, pixels(plane)) and caption(visited) == "round 40"


def test_a_finger_asks_it_too(shown):
    visited = shown(has_touch=True, width=390)
    before = pixels(game(visited).locator(".gb-map"))
    game(visited).locator(".gb-map").tap(position={"x": 60, "y": 60})
    visited.pass_time()
    assert differ(before, pixels(game(visited).locator(".gb-map")))
    assert "the discriminator says" in game(visited).get_by_role("status").inner_text()


def test_all_by_keyboard(shown):
    visited = shown()
    plane = game(visited).locator(".gb-map")
    plane.focus()
    visited.page.keyboard.press("ArrowRight")
    visited.page.keyboard.press("Shift+ArrowUp")
    assert "At 0.10, 0.50" in game(visited).get_by_role("status").inner_text()
    for _ in range(9):
        visited.page.keyboard.press("Shift+ArrowLeft")
    assert "At -3.00, 0.50" in game(visited).get_by_role("status").inner_text()
    visited.page.keyboard.press("Enter")
    visited.pass_time(300)
    visited.page.keyboard.press("Enter")
    assert caption(visited) != "round 0"


def test_the_address_brings_a_game_back(shown):
    visited = shown()
    game(visited).get_by_role("combobox", name="target").select_option("moons")
    game(visited).get_by_role("combobox", name="loss").select_option("minimax")
    game(visited).get_by_role("slider", name="seed").press("ArrowRight")
    game(visited).get_by_role("button", name="Copy link").click()
    run_rounds(visited)
    address = "#" + visited.page.url.split("#")[1]
    assert address.startswith("#gan=target:moons;loss:minimax;dRate:0.005;") and "seed:1" in address
    again = shown(address)
    run_rounds(again)
    assert table(again) == table(visited)
    assert game(again).get_by_role("combobox", name="target").input_value() == "moons"
    again.page.evaluate("location.hash = '#gan=target:grid;seed:9'")
    assert caption(again) == "round 0" and "of 9" in table(again)
    assert game(again).get_by_role("slider", name="seed").get_attribute("aria-valuetext") == "9"
    assert again.errors == []


@pytest.mark.parametrize(
    "address",
    ["#gan=target:constructor;loss:__proto__;dRate:NaN;seed:1e999", "#gan=", "#other", "#100%"],
)
def test_a_broken_address_does_no_harm(address, shown):
    visited = shown(address)
    run_rounds(visited, 3)
    assert game(visited).get_by_role("combobox", name="target").input_value() == "ring"
    assert caption(visited) == "round 3" and visited.errors == []


def test_two_on_a_page_are_apart(shown):
    visited = shown()
    menus = [game(visited, k).get_by_role("combobox", name="loss").input_value() for k in (0, 1)]
    assert menus == ["non_saturating", "least_squares"]
    run_rounds(visited, 5)
    assert (caption(visited), caption(visited, 1)) == ("round 5", "round 0")
    game(visited, 1).get_by_role("button", name="Copy link").click()
    assert "#gan1=target:ring;loss:least_squares" in visited.page.url
    identities = visited.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(identities)) == len(identities) == 18


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_quiet(scheme, width, shown, violations):
    visited = shown(scheme=scheme, width=width)
    run_rounds(visited)
    assert violations(visited.page) == []
    assert visited.overflow() <= 0
    assert visited.errors == [] and visited.outside() == []


def test_who_wants_little_motion_gets_300_rounds_at_once(shown):
    visited = shown(reduced_motion="reduce")
    game(visited).get_by_role("button", name="300 rounds").click()
    assert caption(visited) == "round 300"
    visited.pass_time(200)
    assert caption(visited) == "round 300"


def test_without_javascript_there_is_a_still_picture(visit, site):
    visited = visit((site / "index.html").as_uri(), java_script_enabled=False)
    still = visited.page.locator(".gb-card img").first
    assert "of 8 Gaussians on a ring" in still.get_attribute("alt")
    assert still.bounding_box()["height"] > 200
    assert visited.page.locator(".gb-note").count() == 2
