"""A reader's own picture in a real browser: its numbers, its sources, its looks, its silence."""

import base64
import random
import re
import runpy
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bare_page import bare_page, displayed, pixels
from network_files import logits_of, read_network_file
from PIL import Image
from playwright.sync_api import expect

import glassbox
from glassbox.attribution import class_activation_maps, deletion_curves, rank_correlation
from glassbox.autograd import capture
from glassbox.chapters.gradcam.photo_cam.pack import SHOWN, network_file
from glassbox.chapters.gradcam.photo_cam.photo_cam import see_your_picture
from glassbox.data import photographs
from glassbox.networks import imagenet_classes, imagenet_inputs, imagenet_network

pytestmark = pytest.mark.browser

EXTENSIONS = Path(__file__).parents[2] / "book" / "_ext"
POLICY, PLAYERS = (runpy.run_path(str(EXTENSIONS / f"{name}.py")) for name in ("policy", "players"))
OWN = "/chapters/gradcam/photo_cam"
CROPS = 50


@pytest.fixture(scope="module")
def data() -> bytes:
    return network_file()


@pytest.fixture(scope="module")
def network():
    return imagenet_network()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two widgets on a page, as the book makes it: large things in files, and its policy."""
    folder = tmp_path_factory.mktemp("photo")
    with displayed() as shown:
        see_your_picture()
        see_your_picture("coffee")
    context = {"body": "".join(shown), "pathto": lambda path, _: path}
    PLAYERS["split"](SimpleNamespace(outdir=folder), "index", "", context, None)
    page = bare_page("Photo", context["body"], width=740)
    page = page.replace("<title>", '<link rel="icon" href="data:,"><title>')  # none is asked for
    (page,) = POLICY["protected"]({"index": page}).values()
    (folder / "index.html").write_text(page, "utf-8")
    without = page.replace(" 'wasm-unsafe-eval'", "")
    (folder / "plain.html").write_text(without, "utf-8")
    return folder


@pytest.fixture(scope="module")
def computing(shared_visit, serve, data):
    """A page in which the network runs with and without SIMD: `answer(bytes, label)`."""
    page = shared_visit(serve(glassbox.__path__[0])).page
    page.evaluate(
        """async ([own, base64]) => {
          const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const [{ readNetwork, makeRunner, fillInput, activationMap }, { makeSimd }] =
            await Promise.all(["network", "simd"].map((name) => import(`${own}/${name}.js`)));
          const { layers } = readNetwork(bytesOf(base64).buffer);
          const ways = [undefined, makeSimd(layers)];
          const runners = ways.map((kernels) => makeRunner(layers, kernels));
          window.answer = (picture, label) => runners.map(({ input, run }) => {
            fillInput(input, bytesOf(picture));
            const { logits, features } = run();
            return [logits, activationMap(layers.at(-1), features, label)].map((a) => [...a]);
          });
        }""",
        [OWN, base64.b64encode(data).decode()],
    )
    return page


def to_bytes(inputs: torch.Tensor) -> torch.Tensor:
    """Give images of -1 to 1 as bytes."""
    return ((inputs + 1) * 127.5).round().to(torch.uint8)


def all_seen() -> torch.Tensor:
    """Give what the network sees of all photographs, and of parts of them: bytes (B, 3, S, S)."""
    whole = [imagenet_inputs(photo.image) for photo in photographs().values()]
    draw, parts = random.Random(0), []
    photos = list(photographs().values())
    for _ in range(CROPS):
        image = draw.choice(photos).image
        side = draw.randint(112, min(image.shape[1:]))
        top, left = (draw.randint(0, length - side) for length in image.shape[1:])
        parts.append(imagenet_inputs(image[:, top : top + side, left : left + side]))
    return to_bytes(torch.cat([*whole, *parts]))


def rgba(image: torch.Tensor) -> str:
    opaque = torch.cat([image, torch.full_like(image[:1], 255)])
    return base64.b64encode(opaque.permute(1, 2, 0).contiguous().numpy().tobytes()).decode()


@torch.no_grad()
def test_probabilities_and_maps_are_torchs_and_both_ways_agree(computing, network, data):
    images = all_seen()
    inputs = images / 127.5 - 1
    with capture(network, ["bn2"]) as outputs:
        expected = network(inputs)
    labels = expected.argmax(1)
    maps = class_activation_maps(outputs["bn2"][0], network.classifier.weight, labels)
    found = [
        computing.evaluate("([image, label]) => answer(image, label)", [rgba(image), int(label)])
        for image, label in zip(images, labels, strict=True)
    ]
    plain, simd = (torch.tensor([way[k][0] for way in found]) for k in (0, 1))
    assert (plain - simd).abs().max() < 1e-3
    assert (plain.softmax(1) - simd.softmax(1)).abs().max() < 1e-5
    assert (plain.softmax(1) - expected.softmax(1)).abs().max() < 0.05
    exact = logits_of(read_network_file(data), inputs[:10])  # from the same weights
    torch.testing.assert_close(plain[:10], exact, rtol=0, atol=1e-4)
    for own in (torch.tensor([way[k][1] for way in found]) for k in (0, 1)):
        for one, other in zip(own, maps.flatten(1), strict=True):
            assert torch.corrcoef(torch.stack([one, other]))[0, 1] > 0.99


# ---- the widget ------------------------------------------------------------------------------


def cam(visited, number=0):
    return visited.page.locator(".gb-photo").nth(number)


def wait_for_answer(visited, number=0):
    first = cam(visited, number).locator(".gb-share").first
    expect(first).to_have_text(re.compile(r"\d%"), timeout=60_000)


def start(visited, number=0):
    cam(visited, number).get_by_role("button", name="Start").click()
    wait_for_answer(visited, number)


@pytest.fixture
def started(visit, site, serve):
    """Open the page from a server, and start its first widget."""

    def opened(name="index", **options):
        visited = visit(f"{serve(site)}/{name}.html", **options)
        start(visited)
        return visited

    return opened


def show_photograph(visited, name: str) -> None:
    photo = photographs(name)[name]
    cam(visited).get_by_role("button", name=photo.subject).click()
    expect(cam(visited).locator(".gb-source")).to_contain_text(photo.credit)
    wait_for_answer(visited)


def answer(visited, number=0) -> dict[str, float]:
    """Read the five classes and their probabilities, in percent."""
    rows = cam(visited, number).locator(".gb-class")
    names, shares = (rows.locator(tag).all_inner_texts() for tag in ("b", ".gb-share"))
    return {
        name: float(share.rstrip("%")) for name, share in zip(names, shares, strict=True) if name
    }


def answer_after(visited, act) -> dict[str, float]:
    """Do something, and wait for an answer that is another."""
    bars = cam(visited).locator(".gb-bars")
    before = bars.inner_text()
    act()
    expect(bars).not_to_have_text(before, use_inner_text=True)
    wait_for_answer(visited)
    return answer(visited)


def give(visited, name: str, content: bytes, kind: str = "image/png") -> str:
    """Choose a file, wait until the widget has made something of it, and read what it says."""
    source = cam(visited).locator(".gb-source")
    chosen = {"name": name, "mimeType": kind, "buffer": content}
    source.evaluate("source => source.replaceChildren()")
    cam(visited).locator("input[type=file]").set_input_files(chosen)
    expect(source).to_have_text(re.compile(r"\.$"), timeout=60_000)  # a sentence, not "Looking …"
    if source.inner_text().startswith("Your picture"):
        wait_for_answer(visited)
    return source.inner_text()


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def picture_of(name: str) -> Image.Image:
    image = photographs(name)[name].image
    return Image.fromarray(image.expand(3, -1, -1).permute(1, 2, 0).numpy())


def exactly(name: str) -> bytes:
    """Make a picture of which the network sees the very bytes that PyTorch does, 224 of 256."""
    picture = Image.new("RGB", (256, 256))
    seen = to_bytes(imagenet_inputs(photographs(name)[name].image))[0]
    picture.paste(Image.fromarray(seen.permute(1, 2, 0).numpy()), (16, 16))
    return encoded(picture)


@torch.no_grad()
def best(network, name: str) -> tuple[str, float]:
    seen = to_bytes(imagenet_inputs(photographs(name)[name].image)) / 127.5 - 1
    odds = network(seen).softmax(1)[0]
    return imagenet_classes()[odds.argmax()], 100 * float(odds.max())


@pytest.mark.parametrize("way", ["http", "file"])
def test_it_answers_as_pytorch_does_and_asks_for_nothing_but_the_weights(
    visit, site, serve, network, way
):
    visited = visit((serve(site) if way == "http" else site.as_uri()) + "/index.html")
    visited.page.wait_for_load_state("networkidle")
    before = len(visited.requests)
    start(visited)
    loaded = beyond(visited, before)
    assert len(loaded) == 1 and loaded[0].endswith(".js"), loaded
    for name in SHOWN:
        show_photograph(visited, name)
        label, probability = best(network, name)
        assert label in answer(visited), (name, answer(visited))  # of a smaller copy
        give(visited, "mine.png", exactly(name))
        assert abs(answer(visited)[label] - probability) < 4, (name, answer(visited))
        assert "which is its logit" in cam(visited).locator(".gb-sum").inner_text()
    run_test(visited)
    assert beyond(visited, before) == loaded  # nothing has left the machine, nor come
    assert visited.errors == [] and visited.outside() == []


def beyond(visited, before: int) -> list[str]:
    return [url for url in visited.requests[before:] if not url.startswith("blob:")]


def run_test(visited) -> str:
    cam(visited).get_by_role("button", name="Is the map true?").click()
    found = cam(visited).locator(".gb-found > p")
    expect(found).to_be_visible(timeout=60_000)
    return found.inner_text()


def test_without_simd_it_gives_the_same(started):
    fast, slow = started(), started("plain")
    ways = [cam(visited).get_attribute("data-simd") for visited in (fast, slow)]
    assert ways == ["true", "false"]
    assert answer(fast) == pytest.approx(answer(slow), abs=1.01)  # a step of what is rounded
    cam(slow).locator(".gb-board").focus()
    moved = answer_after(slow, lambda: slow.page.keyboard.press("Shift+ArrowLeft"))
    assert moved and cam(slow).locator(".gb-sum").inner_text()


def test_a_class_that_is_chosen_has_its_own_map(started):
    visited = started()
    board, told = cam(visited).locator(".gb-board"), cam(visited).locator(".gb-sum")
    seen, sums = [pixels(board)], [told.inner_text()]
    cam(visited).get_by_role("radio").nth(4).check()
    seen.append(pixels(board))
    sums.append(told.inner_text())
    assert np.abs(seen[1] - seen[0]).max() > 20 and sums[1] != sums[0]
    cam(visited).get_by_role("radio").nth(4).press("ArrowUp")
    assert cam(visited).get_by_role("radio").nth(3).is_checked()
    expect(cam(visited).get_by_role("status")).to_have_text(re.compile(r"^Map for .*%\.$"))


def test_another_part_is_chosen_by_keys_by_dragging_and_by_the_slider(started):
    visited = started()
    board, mouse = cam(visited).locator(".gb-board"), visited.page.mouse
    board.focus()
    answer_after(visited, lambda: visited.page.keyboard.press("Shift+ArrowRight"))
    box = board.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag():
        mouse.move(*middle)
        mouse.down()
        mouse.move(middle[0] + 90, middle[1], steps=5)
        mouse.up()

    answer_after(visited, drag)
    slider = cam(visited).get_by_role("slider", name="closer")
    answer_after(visited, lambda: slider.fill("28"))
    expect(slider).to_have_attribute("aria-valuetext", "30%")
    assert visited.errors == []


def test_a_finger_moves_the_picture(started):
    visited = started(has_touch=True, width=390)
    box = cam(visited).locator(".gb-board").bounding_box()
    session = visited.page.context.new_cdp_session(visited.page)

    def touch(kind, *places):
        points = [{"x": box["x"] + x, "y": box["y"] + y} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def drag():
        touch("touchStart", (200, 150))
        for x in range(180, 40, -20):
            touch("touchMove", (x, 150))
        touch("touchEnd")

    answer_after(visited, drag)
    assert visited.overflow() <= 0 and visited.errors == []


def gray(side: int) -> Image.Image:
    return Image.new("RGB", (side, side), "gray")


def test_what_is_no_picture_gets_a_sentence_and_leaves_nothing_of_the_last_one(started):
    visited = started()
    photo = encoded(picture_of("coffee"), "JPEG")
    drawing = (
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><path d='M0 0h9'/></svg>"
    )
    for name, content, kind, reason in (
        ("notes.txt", b"no picture", "text/plain", "is no picture"),
        ("broken.jpg", b"\xff\xd8\xff\xe0" + bytes(500), "image/jpeg", "is no picture"),
        ("empty.png", b"", "image/png", "is empty"),
        ("drawing.svg", drawing, "image/svg+xml", "is no picture"),
        ("<img src=x onerror=alert(1)>.pdf", b"%PDF-1.4", "application/pdf", "is no picture"),
    ):
        give(visited, "good.jpg", photo, "image/jpeg")
        said = give(visited, name, content, kind)
        assert reason in said and name in said, said
        assert answer(visited) == {} and cam(visited).locator(".gb-sum").inner_text() == ""
        assert len(np.unique(pixels(cam(visited).locator(".gb-board"))[9:-9, 9:-9])) == 1
        assert cam(visited).get_by_role("button", name="Is the map true?").is_disabled()
    assert "Your picture" in give(visited, "good.jpg", photo, "image/jpeg")
    assert visited.errors == []


def test_odd_pictures_get_an_answer(started):
    visited = started()
    coffee = picture_of("coffee")
    frames = {"save_all": True, "append_images": [gray(64)]}
    for name, content in {
        "one pixel.png": encoded(gray(1)),
        "tiny.png": encoded(coffee.resize((9, 6))),
        "wide.png": encoded(coffee.resize((9000, 12))),
        "gray.png": encoded(coffee.convert("L")),
        "deep.png": encoded(coffee.convert("L").convert("I;16")),
        "palette.png": encoded(coffee.convert("P")),
        "print.jpg": encoded(coffee.convert("CMYK"), "JPEG"),
        "moving.gif": encoded(coffee.resize((64, 64)), "GIF", **frames),
        "no name": encoded(coffee),
        "large.jpg": encoded(coffee.resize((7500, 5000)), "JPEG"),
        "cut.jpg": encoded(coffee, "JPEG")[:9000],
    }.items():
        said = give(visited, name, content, "")
        assert said.startswith("Your picture") or "is no picture" in said, (name, said)
        assert bool(answer(visited)) == said.startswith("Your picture"), name
        if name in ("no name", "large.jpg", "palette.png"):
            assert "espresso" in answer(visited), (name, answer(visited))
    assert visited.errors == []


def test_a_picture_is_turned_as_its_camera_was(started):
    visited = started()
    coffee = picture_of("coffee")
    turned = coffee.transpose(Image.Transpose.ROTATE_90)  # as a sensor has it
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned to the right
    given = {}
    for name, picture, options in (
        ("upright", coffee, {}),
        ("turned", turned, {"exif": exif}),
        ("not told", turned, {}),
    ):
        give(visited, f"{name}.jpg", encoded(picture, "JPEG", quality=95, **options), "image/jpeg")
        given[name] = answer(visited)
    assert given["turned"] == pytest.approx(given["upright"], abs=3)
    assert given["not told"] != given["upright"]


def test_what_is_transparent_is_white(started):
    visited = started()
    coffee = picture_of("coffee")
    mask = Image.new("L", coffee.size, 0)
    mask.paste(255, (100, 50, 500, 380))
    white = Image.composite(coffee, Image.new("RGB", coffee.size, "white"), mask)
    clear = coffee.copy()
    clear.putalpha(mask)
    given = []
    for name, picture in (("white", white), ("clear", clear)):
        give(visited, f"{name}.png", encoded(picture))
        given.append(answer(visited))
    assert given[0] == pytest.approx(given[1], abs=1.01)


def test_a_picture_is_dropped_or_pasted(started):
    visited = started()
    for way, kind in (("drop", "DragEvent"), ("paste", "ClipboardEvent")):
        content = base64.b64encode(encoded(picture_of("coffee"), "WEBP")).decode()
        show_photograph(visited, "cat")
        cam(visited).evaluate(
            """(el, [way, kind, content]) => {
              const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
              const carried = new DataTransfer();
              carried.items.add(new File([bytes], "cup.webp", { type: "image/webp" }));
              const more = { bubbles: true, cancelable: true };
              const about = { dataTransfer: carried, clipboardData: carried, ...more };
              const at = way === "paste" ? document.body : el.querySelector(".gb-board");
              at.dispatchEvent(new window[kind](way, about));
            }""",
            [way, kind, content],
        )
        expect(cam(visited).locator(".gb-source")).to_contain_text("Your picture")
        wait_for_answer(visited)
        assert "espresso" in answer(visited), way
    expect(cam(visited, 1).get_by_role("button", name="Start")).to_be_visible()  # it heard nothing


def test_only_the_last_of_pictures_that_come_fast_is_answered(started):
    visited = started()
    names = [photographs(name)[name].subject for name in (*SHOWN, "coffee")]
    cam(visited).evaluate(
        """async (el, names) => {
          window.told = new Set();
          const watch = new MutationObserver(() => {
            const name = el.querySelector(".gb-class b").textContent;
            if (name) told.add(name);
          });
          watch.observe(el.querySelector(".gb-bars"), { subtree: true, childList: true });
          for (const name of names) {
            await new Promise((done) => setTimeout(done)); // the last one is being decoded
            el.querySelector(`[title="${name}"]`).click();
            told.clear();
          }
        }""",
        names,
    )
    wait_for_answer(visited)
    assert visited.page.evaluate("[...told]") == ["espresso"]
    expect(cam(visited).locator(".gb-source")).to_contain_text(
        photographs("coffee")["coffee"].credit
    )


@torch.no_grad()
def test_the_test_of_a_map_is_that_of_the_package(started, network, data):
    visited = started()
    give(visited, "mine.png", exactly("coffee"))
    said = run_test(visited)
    file = read_network_file(data)

    class AsInThePage(torch.nn.Module):
        def forward(self, images):
            return logits_of(file, images)

    model = AsInThePage()
    seen = to_bytes(imagenet_inputs(photographs("coffee")["coffee"].image)) / 127.5 - 1
    with capture(network, ["bn2"]) as outputs:
        label = network(seen).argmax(1)
    maps = class_activation_maps(outputs["bn2"][0], network.classifier.weight, label)
    covered = seen.repeat(49, 1, 1, 1)
    for place in range(49):
        top, left = 32 * (place // 7), 32 * (place % 7)
        covered[place, :, max(top - 32, 0) : top + 64, max(left - 32, 0) : left + 64] = 0
    drops = (model(seen) - model(covered))[:, label[0]].view(1, 7, 7)
    expected = rank_correlation(maps, drops).item()
    found = float(re.search(r"correlation (−?[\d.]+)\.", said)[1].replace("−", "-"))
    assert abs(found - expected) < 0.03
    squares = maps.repeat_interleave(32, 1).repeat_interleave(32, 2)
    curve = deletion_curves(model, seen, label, squares, torch.zeros(1), 7)[0]
    drawn = cam(visited).locator("polyline.gb-by-map").get_attribute("points")
    heights = torch.tensor([float(point.split(",")[1]) for point in drawn.split()])
    top = cam(visited).locator(".gb-chart p").first.inner_text()
    most = float(re.search(r"to ([\d.]+)%", top)[1]) / 100
    assert (most * (1 - heights / 130) - curve).abs().max() < 0.01


def test_a_test_ends_where_something_else_is_asked(started):
    visited = started()
    test, found = (
        cam(visited).get_by_role("button", name="Is the map true?"),
        cam(visited).locator(".gb-found"),
    )
    visited.page.evaluate(
        """() => {
          const post = Worker.prototype.postMessage;
          window.covered = 0;
          Worker.prototype.postMessage = function (message, ...more) {
            covered += message.what === "cover";
            return post.call(this, message, ...more);
          };
        }"""
    )
    for stop in (
        lambda: cam(visited).get_by_role("radio").nth(1).check(),
        lambda: cam(visited).locator(".gb-board").press("ArrowLeft"),
        lambda: show_photograph(visited, "china"),
    ):
        test.click()
        expect(cam(visited).locator("progress")).to_be_visible()
        stop()
        expect(cam(visited).locator("progress")).to_be_hidden()
        wait_for_answer(visited)
        expect(found).to_be_hidden()
        asked = visited.page.evaluate("covered")
        visited.page.wait_for_timeout(300)
        assert visited.page.evaluate("covered") == asked > 0
    run_test(visited)
    cam(visited).get_by_role("radio").nth(2).check()
    expect(found).to_be_hidden()
    assert visited.errors == []


def test_a_file_that_cannot_be_had_is_said_and_asked_for_again(visit, site, serve):
    visited = visit(f"{serve(site)}/index.html")
    visited.page.route("**/*.js", lambda route: route.abort())
    cam(visited).get_by_role("button", name="Start").click()
    source = cam(visited).locator(".gb-source")
    expect(source).to_have_text("The network could not be loaded: it could not be read.")
    visited.page.unroute("**/*.js")
    start(visited)


def test_two_on_a_page_are_apart(started):
    visited = started()
    assert answer(visited, 1) == {}
    start(visited, 1)
    assert "espresso" in answer(visited, 1) and "espresso" not in answer(visited)
    cam(visited, 1).get_by_role("radio").nth(2).check()
    assert cam(visited).get_by_role("radio").nth(0).is_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(scheme, width, started, violations):
    visited = started(scheme=scheme, width=width)
    run_test(visited)
    assert violations(visited.page) == []
    assert visited.overflow() <= 0
    assert visited.errors == []


def test_without_javascript_there_is_a_still_picture(visit, site):
    visited = visit((site / "index.html").as_uri(), java_script_enabled=False)
    still = visited.page.locator(".gb-card img").first
    assert "takes it for" in still.get_attribute("alt") and still.bounding_box()["height"] > 150


# ---- the camera: a moving test picture of Chromium's -----------------------------------------


def test_the_camera_is_followed_live_and_its_last_picture_stays(started):
    visited = started()
    source, board = (cam(visited).locator(one) for one in (".gb-source", ".gb-board"))
    cam(visited).get_by_role("button", name="Use the camera").click()
    expect(source).to_contain_text("pictures a second", timeout=60_000)
    before = pixels(board)
    assert len(answer(visited)) == 5
    assert cam(visited).get_by_role("button", name="Is the map true?").is_disabled()
    visited.page.wait_for_timeout(300)
    assert np.abs(pixels(board) - before).max() > 20  # it moves
    board.press("ArrowLeft")
    cam(visited).get_by_role("button", name="Stop the camera").click()
    expect(source).to_contain_text("It stays on this machine. Looks like")
    still, last = pixels(board), answer(visited)
    visited.page.wait_for_timeout(300)
    assert np.array_equal(pixels(board), still) and answer(visited) == last
    assert "rank correlation" in run_test(visited)
    assert visited.errors == [] and visited.outside() == []


def test_a_photograph_takes_the_place_of_the_camera(started):
    visited = started()
    cam(visited).get_by_role("button", name="Use the camera").click()
    expect(cam(visited).locator(".gb-source")).to_contain_text("pictures a second", timeout=60_000)
    show_photograph(visited, "coffee")
    assert "espresso" in answer(visited)
    visited.page.wait_for_timeout(300)
    assert "espresso" in answer(visited)
    expect(cam(visited).get_by_role("button", name="Use the camera")).to_be_visible()


def test_without_a_camera_there_is_a_sentence(started):
    visited = started()
    source = cam(visited).locator(".gb-source")
    visited.page.evaluate("""() => { navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("Permission denied", "NotAllowedError"); } }""")  # a reader's no
    cam(visited).get_by_role("button", name="Use the camera").click()
    expect(source).to_contain_text("The camera was not allowed.")
    visited.page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    cam(visited).get_by_role("button", name="Use the camera").click()
    expect(source).to_contain_text("only to pages whose address begins with https")
    assert answer(visited) == {} and visited.errors == []
