"""What the space of codes is given, what of it is stored, and what it refuses."""

import base64
import io
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from refusals import refuses

from glassbox.chapters.autoencoders.code_space import show_codes_in_space
from glassbox.chapters.autoencoders.code_space_figure import show_code_space
from glassbox.chapters.autoencoders.figures import project, same_neighbor
from glassbox.data import load
from glassbox.explorables import js_widgets as computed
from glassbox.explorables.showing import PLAYER

DRAWN = torch.Generator().manual_seed(0)
CODES = torch.randn(40, 3, generator=DRAWN)
LABELS = torch.arange(40) % 10
IMAGES = torch.rand(40, 8, 8, generator=DRAWN)


def repeated(times):
    """Give all that is shown several times over."""
    return [torch.cat([one] * times) for one in (CODES, LABELS, IMAGES)]


@pytest.fixture
def shown_state(monkeypatch):
    """Show codes as a page does: their state, and the HTML."""
    shown = []
    monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
    monkeypatch.setattr(computed, "display", lambda data, **_: shown.append(data[PLAYER]))

    def show(codes=CODES, labels=LABELS, images=IMAGES, **options):
        show_codes_in_space(codes, labels, images, **options)
        found = re.search(r'<script type="application/json">(.*?)</script>', shown[-1], re.S)[1]
        return json.loads(found), shown[-1]

    return show


def stored_images(state) -> np.ndarray:
    """Read the images from their sheet, from 0 to 1."""
    data = base64.b64decode(state["sheet"].removeprefix("data:image/png;base64,"))
    sheet = np.asarray(Image.open(io.BytesIO(data)).convert("L")) / 255
    side, columns = state["size"], state["columns"]
    tiles = sheet.reshape(-1, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)
    return tiles[: len(state["points"])]


def test_the_state_holds_codes_to_four_digits_and_images_to_sixteen_grays(shown_state):
    state, page = shown_state(view=(-30, 40))
    points = torch.tensor(state["points"], dtype=torch.float64)
    torch.testing.assert_close(points[:, :3], CODES.double(), rtol=5e-4, atol=0)
    assert points[:, 3].tolist() == LABELS.tolist()
    assert np.abs(stored_images(state) - IMAGES.numpy()).max() < 0.5 / 15 + 1e-3
    assert state["view"] == [330, 40]
    assert "40 digits at the places of their codes in space, turned by 330 degrees" in page


def test_300_digits_are_light(shown_state):
    digits = load("mnist_5k", split="test")
    codes = 10 * torch.randn(300, 3, generator=DRAWN)
    state, _ = shown_state(codes, digits.labels[:300], digits.images[:300])
    assert len(base64.b64decode(state["sheet"].split(",")[1])) < 40_000
    assert len(json.dumps(state)) < 60_000


def test_what_means_the_same_looks_the_same(shown_state):
    expected, _ = shown_state()
    assert shown_state(CODES.numpy(), LABELS.tolist(), IMAGES[:, None].tolist())[0] == expected
    assert shown_state(CODES, LABELS.to(torch.uint8), 2 * IMAGES - 1, low=-1)[0] == expected
    grays = (15 * IMAGES).round()
    of_bytes, _ = shown_state(images=(17 * grays).byte())
    assert of_bytes["sheet"] == shown_state(images=grays / 15)[0]["sheet"] == expected["sheet"]
    tracked, _ = shown_state(
        CODES.clone().requires_grad_(), LABELS, IMAGES.clone().requires_grad_()
    )
    assert tracked == expected


def test_at_first_the_code_in_the_middle_is_shown_from_the_broad_side(shown_state):
    along = torch.linspace(-5, 5, 40)
    codes = torch.stack([along, along, torch.zeros(40)], 1) + 0.1 * CODES
    state, _ = shown_state(codes)
    turned, above = state["view"]
    assert turned == pytest.approx(315, abs=2) and above == 20
    seen = project(codes.double(), turned, 0)[0][:, 0].std()
    assert seen > max(project(codes.double(), k, 0)[0][:, 0].std() for k in range(0, 180, 5)) - 0.01
    assert state["shown"] in (19, 20)


@pytest.mark.parametrize("scale, digits", [(1e-3, 5), (1, 2), (20, 1), (5e3, 0), (1e30, 0)])
def test_numbers_are_shown_with_the_decimals_that_matter(scale, digits, shown_state):
    codes = torch.tensor([[0, 0, 0], [1, -1, 1], [-1, 1, -1]]) * scale
    assert shown_state(codes, LABELS[:3], IMAGES[:3])[0]["digits"] == digits


@pytest.mark.parametrize("codes", [CODES[:1], 0 * CODES, CODES * torch.tensor([1, 0, 0])])
def test_codes_without_extent_are_shown(codes, shown_state):
    count = len(codes)
    state, page = shown_state(codes, LABELS[:count], IMAGES[:count])
    assert all(map(np.isfinite, state["view"])) and f"{count} digits" in page


def test_the_sentence_says_how_many_neighbors_are_of_one_class():
    codes = torch.cat([torch.zeros(4, 3), 5 + torch.zeros(4, 3)]) + 0.1 * CODES[:8]
    labels = torch.tensor([8] * 4 + [1] * 4)
    fig = show_code_space(codes.double(), labels, IMAGES[:8], (15, -30), 0, 2)
    assert same_neighbor(codes, labels) == 1 and "100 percent have a nearest" in fig.alt
    assert (
        "seen from 30 degrees below; beside them the image of an 8 at (-0.11, -0.12, -0.03)"
        in fig.alt
    )
    mixed = show_code_space(codes.double(), torch.arange(8), IMAGES[:8], (15, 30), 5, 2)
    assert " 0 percent have a nearest" in mixed.alt and "of a 5 at (" in mixed.alt


def test_in_the_still_picture_each_digit_has_its_place_and_its_class():
    fig = show_code_space(CODES.double(), LABELS, IMAGES, (0, 0), 7, 2)
    drawn = sum(len(one.get_offsets()) for one in fig.axes[0].collections)
    assert drawn == 20 + 2 * 20  # from 5 on there is a disk under each
    names = {text.get_text() for text in fig.axes[0].texts}
    assert names == {"first", "second", "third"}


test_what_is_no_space_is_named = refuses(
    ({"codes": CODES[:, :2]}, r"codes has shape \(40, 2\) .* expected \(N, 3\)"),
    ({"codes": CODES[1:]}, r"labels has shape \(40,\) .* expected \(39,\)"),
    ({"codes": CODES / 0}, "codes has 0 entries that are nan and 120 that are infinite"),
    ({"codes": CODES.double() * 1e200}, "codes is from .* expected numbers whose result"),
    ({"codes": None}, TypeError, "codes is None, expected a tensor"),
    ({"codes": CODES[:0], "labels": LABELS[:0], "images": IMAGES[:0]}, "is empty, expected"),
    (
        {
            "codes": CODES.repeat(13, 1),
            "labels": LABELS.repeat(13),
            "images": IMAGES.repeat(13, 1, 1),
        },
        "codes has 520 rows, expected at most 500",
    ),
    ({"labels": LABELS + 1}, "labels is between 1 and 10, expected 0 to 9"),
    ({"labels": LABELS / 2}, "labels has .* expected class indices"),
    ({"images": IMAGES[:, :5]}, r"images has shape \(40, 5, 8\) .* expected \(N, side, side\)"),
    ({"images": IMAGES[1:]}, r"images has shape \(39, 8, 8\) .* expected \(40, side, side\)"),
    ({"images": IMAGES[:, None].expand(40, 3, 8, 8)}, r"expected \(N, 1, side, side\)"),
    ({"images": 2 * IMAGES - 1}, "images is between -.* expected 0 to 1"),
    ({"images": 255 * IMAGES}, "images is between .* expected 0 to 1"),
    ({"images": IMAGES / 0}, "images has .* infinite"),
    ({"low": 1}, "low is 1, expected below 1"),
    ({"low": "dark"}, TypeError, "low is 'dark', expected a number"),
    ({"view": (0, 91)}, r"view is \(0, 91\), expected 2 numbers, -360 to 360 and -90 to 90"),
    ({"view": (0, torch.nan)}, r"view is \(0, nan\), expected 2 numbers"),
    ({"view": 30}, TypeError, "view is 30, expected numbers"),
    by=lambda changes: show_codes_in_space(
        **{"codes": CODES, "labels": LABELS, "images": IMAGES} | changes
    ),
)
