"""What the player of a page is made of."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from glassbox.explorables import explore, slider_over
from glassbox.explorables.explorable import make_explorable
from glassbox.explorables.showing import PLAYER
from glassbox.explorables.static_view import static_outputs
from glassbox.explorables.widget_view import WIDGET
from glassbox.plotting import figure
from glassbox.plotting.figures import drawing, narrow_page, paint, to_pixels
from glassbox.plotting.page_pictures import encode

DATA_URL = re.compile(r"data:image/(png|webp);base64,([\w+/=]+)")


def draw(height, color="navy"):
    made, ax = figure(height=2, alt=f"A {color} bar of {height}.")
    ax.bar([0], [height], color=color)
    ax.set(ylim=(0, 10))
    return made


def player_of(function, **controls):
    return static_outputs(make_explorable(function, None, None, controls))[0]["text/html"]


def data_of(player):
    (content,) = re.findall(r'<script type="application/json">(.*?)</script>', player, re.DOTALL)
    return json.loads(content)


def decode(url):
    kind, data = DATA_URL.fullmatch(url).groups()
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.format.lower() == kind
    return np.asarray(image.convert("RGB"), dtype=int)


def looks(*values):
    """What a page may show of a state: for a phone and for a wide page, light and then dark."""
    wide = draw(*values)
    with narrow_page():
        narrow = draw(*values)
    return [paint(one, dark=dark).pixels for dark in (False, True) for one in (narrow, wide)]


def test_every_state_has_its_own_picture_and_alt_text():
    data = data_of(player_of(draw, height=(1, 3), color=["navy", "brown"]))
    states = [(height, color) for height in (1, 2, 3) for color in ("navy", "brown")]
    for (height, color), frame, alt in zip(states, data["states"], data["alts"], strict=True):
        assert alt == f"A {color} bar of {height}."
        for url, expected in zip(data["frames"][frame], looks(height, color), strict=True):
            assert np.abs(decode(url) - expected).mean() < 1


def test_what_a_drawing_shows_is_computed_once_for_each_state():
    computed = []

    def compute_and_draw(height):
        computed.append(height)
        return drawing(draw)(height)

    assert data_of(player_of(compute_and_draw, height=(1, 3))) == data_of(
        player_of(draw, height=(1, 3))
    )
    assert computed == [1, 2, 3]


def test_controls_are_described_for_the_page():
    data = data_of(player_of(draw, height=(1, 3), color=["navy", "brown"]))
    assert data["controls"] == [
        {"kind": "slider", "label": "height", "labels": ["1", "2", "3"], "start": 1, "play": False},
        {
            "kind": "dropdown",
            "label": "color",
            "labels": ["navy", "brown"],
            "start": 0,
            "play": False,
        },
    ]


def test_identical_pictures_are_stored_once():
    data = data_of(player_of(lambda height: draw(min(height, 2)), height=(1, 4)))
    assert data["states"] == [0, 1, 1, 1] and len(data["frames"]) == 2


def test_still_picture_is_that_of_the_start():
    player = player_of(draw, height=(1, 3))
    data = data_of(player)
    sources = re.findall(r'<(?:source|img) [^>]*src(?:set)?="(.*?)"', player)
    assert sources == data["frames"][data["states"][1]]
    assert re.findall(r' alt="(.*?)"', player) == ["A navy bar of 2."] * 2


def test_same_explorable_gives_the_same_bytes():
    assert player_of(draw, height=(1, 3)) == player_of(draw, height=(1, 3))


def test_text_of_an_author_cannot_end_the_player_or_become_markup():
    evil = '</script><script>alert("1")</script><!-- & \' "'
    player = player_of(lambda a: figure(width=3, height=2, alt=evil)[0], a={"x": 1, evil: 2})
    assert data_of(player)["alts"] == [evil, evil]
    assert data_of(player)["controls"][0]["labels"] == ["x", evil]
    assert player.count("<script") == player.count("</script>") == 2
    assert "<!--" not in player


def test_grid_of_more_than_100_is_refused_before_anything_is_drawn(monkeypatch):
    calls = []
    monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
    message = r"make 21 x 5 = 105 frames, 5 over the limit of 100"
    with pytest.raises(ValueError, match=message):
        explore(lambda a, b: calls.append(a), a=(0, 20), b=slider_over("abcde"))
    assert calls == []


def test_grid_of_100_is_drawn():
    same, _ = figure(width=2.5, height=1.5, alt="Small and empty axes.")
    assert len(data_of(player_of(lambda a: same, a=(1, 100)))["states"]) == 100


def test_error_in_any_state_is_raised(monkeypatch):
    monkeypatch.setenv("GLASSBOX_EXPLORE", "page")

    def fails(height):
        if height == 3:
            raise RuntimeError("three is too many")
        return draw(height)

    with pytest.raises(RuntimeError, match="three is too many"):
        explore(fails, height=(1, 3), start={"height": 1})


def test_page_gets_one_player_and_one_line_of_text(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(
        "glassbox.explorables.showing.display", lambda data, **_: shown.append(data)
    )
    monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
    explore(draw, name="a bar", height=(1, 3))
    assert set(shown[0]) == {"text/plain", "image/png", WIDGET, PLAYER}
    assert shown[0]["text/plain"] == "Explorable: a bar. Controls: height 1–3. A navy bar of 2."
    assert shown[0][PLAYER].count("<gb-player") == 1


def test_player_asks_for_nothing_from_outside():
    code = DATA_URL.sub("", player_of(draw, height=(1, 3)))
    assert "http" not in code and "url(" not in code


def test_frames_of_charts_and_of_photographs_are_small():
    x = np.linspace(0, 1, 200)
    chart, ax = figure()
    for i in range(4):
        ax.plot(x, np.sin(9 * x + i))
    assert len(encode(to_pixels(chart))) * 3 / 4 < 20_000
    photo = np.indices((240, 320)).sum(0)[..., None] * np.array([0.4, 0.3, 0.2])
    noisy = (photo + np.random.default_rng(0).normal(0, 6, photo.shape)).clip(0, 255)
    assert encode(noisy.astype(np.uint8)).startswith("data:image/webp")
    assert encode(to_pixels(draw(3))).startswith("data:image/png")


def test_code_of_the_player_is_light():
    code = DATA_URL.sub("", player_of(draw, height=(1, 3)))
    assert len(code.encode()) < 14_000
