"""A page with every kind of widget, opened with hostile addresses and made with hostile options.

It has the policy of the book's pages, so that what this forbids would be an error here.
"""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from bare_page import bare_page, displayed

from glassbox.chapters.adam.playground import optimizer_playground
from glassbox.chapters.gradcam.digit_pad import draw_a_digit
from glassbox.chapters.vae.latent_pad import latent_pad
from glassbox.explorables import buttons, dropdown, slider_over, toggle
from glassbox.explorables.explorable import make_explorable
from glassbox.explorables.static_view import static_outputs
from glassbox.networks import VAE
from glassbox.plotting import figure
from glassbox.plotting.figures import to_png

pytestmark = pytest.mark.browser

SHOWN = ".gb-digit"
BATCHES, BATCH = 4, 55  # a browser takes 200 changes of an address in ten seconds
ROOT = Path(__file__).parents[2]
DRAWING = ROOT / "tests" / "js" / "hostile_addresses.js"
POLICY = runpy.run_path(str(ROOT / "book" / "_ext" / "policy.py"))
DRAW = """([source, seed, count]) =>
  import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))
    .then(({ hostileAddresses }) => hostileAddresses(seed, count))"""
HARM = (
    "</script><script>window.harmed=1</script>",
    "<img src=x onerror=window.harmed=1>",
    '"><svg onload=window.harmed=1>',
    "javascript:window.harmed=1",
    "__proto__",
    "\u202enan\u0000&amp;${window.harmed=1}",
)

# Goes to addresses, and tells what is wrong after each. What is seen must also be seen where the
# playground's own link leads, so that it is the picture of a state that a reader can choose.
FOLLOW = """async (addresses) => {
  const wrong = [];
  const races = [...document.querySelectorAll(".gb-race")];
  const still = [...document.querySelectorAll("canvas, gb-player img")]
    .filter((picture) => !picture.closest(".gb-race"));
  const [STEP, COPY] = [2, 4];
  const press = (race, k) => race.querySelector(`.gb-buttons button:nth-child(${k})`).click();
  const drawn = () => new Promise(requestAnimationFrame);
  const small = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
  const pen = small.getContext("2d", { willReadFrequently: true });
  const pixelsOf = (canvas) => {
    pen.drawImage(canvas, 0, 0, 160, 120);
    return new Uint32Array(pen.getImageData(0, 0, 160, 120).data.buffer);
  };
  const print = (picture) => picture.src ??
    pixelsOf(picture).reduce((hash, pixel) => (Math.imul(hash, 31) + pixel) | 0, 0);
  const blank = (canvas) => new Set(pixelsOf(canvas)).size < 4;
  const textOf = (race) => [
    ...[...race.querySelectorAll("canvas")].map((canvas) => canvas.ariaLabel),
    ...[...race.querySelectorAll("[type=range]")].map((input) => input.ariaValueText),
    race.querySelector("select").value || "undefined", race.querySelector("table").innerText,
  ].join();
  const seen = (race) => [
    textOf(race), ...[...race.querySelectorAll("canvas")].map(print),
    ...[...race.querySelectorAll("input")].map((input) => [input.value, input.checked]),
  ].join();
  const go = (address) => new Promise((done) => {
    const from = location.href;
    addEventListener("hashchange", done, { once: true });
    location.hash = address;
    if (location.href === from) done();
  });
  const before = still.map(print).join();
  for (const address of addresses) {
    const say = (...what) => wrong.push([...what, address.slice(0, 300)].join(" | "));
    await go(address);
    await drawn();
    for (const race of races) {
      const first = seen(race);
      const [map, count] = ["canvas", "caption"].map((name) => race.querySelector(name));
      const opening = print(map);
      if (/nan|infinity|undefined/i.test(textOf(race))) say("odd text", textOf(race));
      if (count.textContent !== "step 0") say("under way");
      if ([...race.querySelectorAll("canvas")].some(blank)) say("blank");
      press(race, COPY);
      dispatchEvent(new HashChangeEvent("hashchange"));
      await drawn();
      if (seen(race) !== first) say("not what its link shows", location.hash, first, seen(race));
      press(race, STEP);
      await drawn();
      if (count.textContent !== "step 1" || print(map) === opening) say("does not go on");
      dispatchEvent(new HashChangeEvent("hashchange"));
    }
    if (still.map(print).join() !== before) say("another widget changed");
  }
  return wrong;
}"""
# What no page has of its own, whatever its labels say.
HARMED = """() => [window.harmed ?? 0,
  document.querySelectorAll("[onload], [onerror], svg, iframe, [role=alert]").length]"""


def square(**values):
    alt = f"A square; {values}."
    made, ax = figure(width=2, height=1.5, alt=alt)
    ax.set_facecolor([0.2 + 0.2 * (str(value) != HARM[0]) for value in values.values()][:3])
    return made


def hostile_player() -> str:
    """Make a player whose name, labels, options and sentences are hostile."""
    controls = {
        "a": slider_over(HARM[:2], label=HARM[1], unit=HARM[2], start=HARM[0]),
        "b": buttons({HARM[0]: 0, HARM[4]: HARM[1]}, label=HARM[0]),
        "c": dropdown([HARM[3], HARM[5]], label=HARM[3]),
        "constructor": toggle(label=HARM[1]),
    }
    explorable = make_explorable(square, HARM[0] + HARM[2], None, controls)
    return static_outputs(explorable)[0]["text/html"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "a.png").write_bytes(to_png(np.zeros((2, 2, 3), np.uint8)))
    torch.manual_seed(0)
    images, labels = torch.rand(40, 1, 8, 8), torch.arange(40) % 10
    with displayed() as shown:
        optimizer_playground()
        optimizer_playground("beale", (4.5, -1.5), ["AdamW"], lr=1e300, adaptive_lr=5e-324)
        latent_pad(VAE(8, 16, 2), 20 * images - 10, labels, ends=(9, 9))
        draw_a_digit()
    (page,) = POLICY["protected"]({"": bare_page("Hostile", hostile_player(), *shown)}).values()
    (folder / "index.html").write_text(page, "utf-8")
    return folder


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_address_leaves_a_dead_picture(batch, visit, site, browser):
    drawing = browser.new_page()
    addresses = drawing.evaluate(DRAW, [DRAWING.read_text("utf-8"), batch, BATCH])
    drawing.close()
    page_of = (site / "index.html").as_uri()
    visited = visit(f"{page_of}?{addresses[0][:2000]}#{addresses[0]}")  # its frames come by time
    page = visited.page
    page.wait_for_selector(SHOWN)
    assert page.evaluate(FOLLOW, addresses) == []
    page.reload()
    page.wait_for_selector(SHOWN)
    assert page.evaluate(FOLLOW, addresses[:1]) == []
    assert page.evaluate(HARMED) == [0, 0]
    assert visited.errors == [] and visited.outside() == []
    assert {url.split(":")[0] for url in visited.requests} <= {"file", "data"}


def test_hostile_labels_are_only_text_and_every_control_goes_on(shown):
    visited = shown()
    player = visited.page.locator("gb-player")
    assert player.locator(".gb-name").all_text_contents() == [HARM[1], HARM[0], HARM[3], HARM[1]]
    assert player.locator(".gb-value").text_content() == f"{HARM[0]} {HARM[2]}"
    assert player.locator("label span").all_text_contents()[:2] == [HARM[0], HARM[4]]
    assert player.get_by_role("combobox").evaluate("menu => menu.options[1].text") == HARM[5]
    player.get_by_role("slider").fill("1")
    player.get_by_role("radio").nth(1).check()
    player.get_by_role("combobox").select_option(index=1)
    player.get_by_role("checkbox").check()
    values = {"a": HARM[1], "b": HARM[1], "c": HARM[5], "constructor": True}
    assert player.locator(".gb-light img").get_attribute("alt") == f"A square; {values}."
    plane = visited.page.locator(".gb-latent")
    plane.locator(".gb-map").press("ArrowRight")
    assert "at (0.10, 0.00)" in plane.locator(".gb-place").inner_text()
    visited.page.locator(".gb-digit").get_by_role("radio").last.check()
    assert "score of 9" in visited.page.locator(".gb-key").inner_text()
    assert visited.page.evaluate(HARMED) == [0, 0]
    assert visited.errors == [] and visited.outside() == []


def test_what_comes_into_a_page_does_not_run_and_reaches_no_server(shown, serve, site):
    visited, address = shown(), serve(site)
    answers = visited.page.evaluate(
        """async ([harm, address]) => {
          document.body.insertAdjacentHTML("beforeend", harm);
          const script = document.createElement("script");
          script.textContent = "window.harmed = 1";
          document.body.append(script);
          const image = new Image();
          image.src = `${address}/a.png`;
          const pictures = image.decode().then(() => "shown", () => "refused");
          const data = fetch(address, { mode: "no-cors" }).then(() => "had", () => "refused");
          return Promise.all([pictures, data]);
        }""",
        ["".join(HARM), address],
    )
    assert answers == ["refused", "refused"]
    assert visited.page.evaluate("window.harmed") is None
    kinds = ("inline script", "inline event handler", "loading the image", "connecting to")
    for kind in kinds:
        assert any(kind in error.lower() for error in visited.errors), (kind, visited.errors)
