"""The pad over a latent plane in a real browser: its numbers, its controls, its looks."""

import re

import numpy as np
import pytest
import torch
from bare_page import bare_page, displayed, pixels

import glassbox
from glassbox.chapters.vae.latent_pad import latent_pad
from glassbox.data import Batches, load, resize, to_float
from glassbox.explorables.tiny_network import pack
from glassbox.networks import VAE, negative_elbo
from glassbox.support import isolated_seed
from glassbox.training import fit

pytestmark = pytest.mark.browser

SHOWN = ".gb-latent"


def make_model(likelihood="bernoulli", size=16, hidden=128):
    """A decoder with strong contrasts, as training makes them."""
    torch.manual_seed(0)
    model = VAE(size, hidden, 2, likelihood)
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(4)
    return model


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two pads")
    with displayed() as shown:
        images, labels = torch.rand(360, 1, 16, 16), torch.arange(360) % 10
        for _ in range(2):
            latent_pad(make_model(), 20 * images - 10, labels, ends=(2, 7))
    (folder / "index.html").write_text(bare_page("Pad", *shown), "utf-8")
    assert len(re.sub(r"data:image[^\"]*", "", shown[0])) < 130_000
    return folder


def pad(visited, number=0):
    return visited.page.locator(".gb-latent").nth(number)


def seen(visited):
    return [pixels(pad(visited).locator(name)) for name in (".gb-map", ".gb-picture")]


def moved(before, after) -> bool:
    return all((np.abs(a - b) > 25).any() for a, b in zip(before, after, strict=True))


DECODE = """async ([state, latents]) => {
  const { makeDecoder } = await import("/chapters/vae/latent_pad_decoder.js");
  const decode = makeDecoder(state);
  return latents.map((latent) => Array.from(decode(latent)));
}"""


@pytest.fixture
def decoded(visit, serve):
    """Decode in the page: images of 0 to 1."""

    def decode(model, latents):
        page = visit(serve(glassbox.__path__[0])).page
        state = {"weights": pack(model.decoder.state_dict()), "likelihood": model.likelihood}
        return torch.tensor(page.evaluate(DECODE, [state, latents.tolist()]))

    return decode


@torch.no_grad()
def by_torch(model, latents):
    images = model.decode(latents).flatten(1)
    return (images + 1) / 2 if model.likelihood == "tanh" else images


def test_pixels_of_a_trained_vae_are_torchs(decoded):
    digits = to_float(resize(load("digits").images, 16))
    with isolated_seed(0):
        model, latents = VAE(16, 128, 2), 2 * torch.randn(300, 2)
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        batches = Batches(digits, digits, 64)
        fit(model, batches, optimizer, epochs=15, progress=False, loss_fn=lambda output, images: (
            negative_elbo(output, images).loss))  # fmt: skip
    expected = by_torch(model, latents)
    assert (decoded(model, latents) - expected).abs().max() < 2e-3 and expected.std() > 0.2


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "tanh"])
@pytest.mark.parametrize("size, hidden", [(16, 128), (28, 40)])
def test_apart_from_the_rounding_of_weights_pixels_are_exact(likelihood, size, hidden, decoded):
    model, latents = make_model(likelihood, size, hidden), 3 * torch.randn(50, 2)
    found, rounded = decoded(model, latents), by_torch(model.half().float(), latents)
    assert rounded.std() > 0.1 and (found - rounded).abs().max() < 1e-5


def reach_of(visited) -> float:
    """How far the plane goes."""
    return visited.page.evaluate(
        "JSON.parse(document.querySelector('script[type=\"application/json\"]').textContent).reach"
    )


def test_the_pointer_moves_the_picture_without_a_click(shown):
    visited = shown()
    canvas, before = pad(visited).locator(".gb-map"), seen(visited)
    box = canvas.bounding_box()
    visited.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"])
    visited.pass_time()
    assert moved(before, seen(visited)) and visited.errors == []
    x = float(pad(visited).locator(".gb-place").inner_text().split("(")[1].split(",")[0])
    assert x == pytest.approx(0.8 * reach_of(visited), abs=0.05)


def test_arrow_keys_move_it_and_are_told(shown):
    visited = shown()
    before = seen(visited)
    canvas = pad(visited).locator(".gb-map")
    canvas.press("ArrowRight")
    canvas.press("Shift+ArrowDown")
    assert "at (0.10, −0.50)" in canvas.get_attribute("aria-label")
    assert "at (0.10, −0.50): " in pad(visited).get_by_role("status").inner_text()
    visited.pass_time()
    assert moved(before, seen(visited))
    reach = reach_of(visited)
    for _ in range(30):
        canvas.press("Shift+ArrowLeft")
    assert f"at (−{reach:.2f}, −0.50)" in canvas.get_attribute("aria-label")


def test_a_finger_drags_it(shown):
    visited = shown(has_touch=True, width=390)
    before = seen(visited)
    canvas = pad(visited).locator(".gb-map")
    canvas.tap(position={"x": 40, "y": 60})
    visited.pass_time()
    assert moved(before, seen(visited))
    assert pad(visited).get_by_role("status").inner_text().startswith("at (")


def test_the_slider_walks_between_two_chosen_digits(shown):
    visited = shown()
    way = pad(visited).get_by_role("slider", name="on the way")
    way.press("Home")
    places = []
    for key in ("End", "Home"):
        way.press(key)
        places.append(pad(visited).locator(".gb-place").inner_text())
    assert places[0] != places[1] and way.get_attribute("aria-valuetext").startswith("0%, ")
    before = seen(visited)
    pad(visited).get_by_role("combobox", name="from a").select_option("5")
    visited.pass_time()
    assert pad(visited).locator(".gb-place").inner_text() not in places
    assert moved(before, seen(visited))
    assert "nearest real digit is a 5" in pad(visited).get_by_role("status").inner_text()
    way.press("End")
    last = pad(visited).locator(".gb-place").inner_text()
    pad(visited).get_by_role("combobox", name="to a").select_option("4")
    way.press("End")
    assert pad(visited).locator(".gb-place").inner_text() not in (last, *places)


def test_the_walk_plays_pauses_and_ends(shown):
    visited = shown()
    way = pad(visited).get_by_role("slider", name="on the way")
    pad(visited).get_by_role("button", name="Walk").click()
    visited.pass_time(400)
    pad(visited).get_by_role("button", name="Pause").click()
    there = way.input_value()
    assert 2 < int(there) < 100
    visited.pass_time(200)
    assert way.input_value() == there
    pad(visited).get_by_role("button", name="Walk").click()
    visited.pass_time(3_000)
    assert way.get_attribute("aria-valuetext").startswith("100%, ")
    pad(visited).get_by_role("button", name="Walk").wait_for()


def test_who_wants_little_motion_is_not_offered_the_walk(shown):
    visited = shown(reduced_motion="reduce")
    assert not pad(visited).locator(".gb-play").is_visible()


def test_two_on_a_page_are_apart(shown):
    visited = shown()
    pad(visited, 1).locator(".gb-map").press("ArrowRight")
    places = [pad(visited, k).locator(".gb-place").inner_text() for k in (0, 1)]
    assert places == ["at (0.00, 0.00)", "at (0.10, 0.00)"]
    identities = visited.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(identities)) == len(identities) == 6


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_quiet(scheme, width, shown, violations):
    visited = shown(scheme=scheme, width=width)
    assert violations(visited.page) == []
    assert visited.overflow() <= 0
    assert visited.errors == [] and visited.outside() == []


def test_without_javascript_there_is_a_still_picture(visit, site):
    visited = visit((site / "index.html").as_uri(), java_script_enabled=False)
    still = visited.page.locator(".gb-card img").first
    assert "codes of 360 digits" in still.get_attribute("alt")
    assert still.bounding_box()["height"] > 200
