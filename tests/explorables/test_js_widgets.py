"""What is stored and what a page gets of a module that computes where it is seen."""

import base64
import json
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import ANY

import pytest
import torch
from refusals import refuses

from glassbox.chapters.adam.playground import optimizer_playground
from glassbox.explorables import js_widgets as computed
from glassbox.explorables.showing import PLAYER
from glassbox.explorables.static_view import read_bundle
from glassbox.explorables.widget_view import WIDGET
from glassbox.optim import SURFACES
from glassbox.plotting import figure
from glassbox.plotting.colors import DARK_INK, DARK_PAPER

EXTENSION = str(Path(__file__).parents[2] / "book/_ext/players.py")


@pytest.fixture
def shown(monkeypatch):
    """Call show_computed in a mode and get what it displays."""

    def show(mode, state=None, module="playground", name="A race", **options):
        displayed = []
        monkeypatch.setenv("GLASSBOX_EXPLORE", mode)
        monkeypatch.setattr(computed, "display", lambda data, **_: displayed.append(data))
        made, _ = figure(alt="A still <picture>.")
        computed.show_computed(module, state or {}, still=made, name=name, **options)
        return displayed[0]

    return show


def test_a_kernel_gets_a_widget_and_a_still_is_stored(shown):
    data = shown("live", {"numbers": (1, 2.5)})
    assert data["text/plain"] == "A race: A still <picture>."
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data[WIDGET]["model_id"]
    assert PLAYER not in data


def test_the_widget_has_module_style_and_state():
    widget = computed._widget("export default {}", ["a {}", "b {}"], {"x": [1]}, {})
    assert widget.state == {"x": [1]}
    assert widget.get_state()["_esm"] == "export default {}"
    assert widget.get_state()["_css"] == "a {}\nb {}"


def test_a_page_gets_all_in_one_piece(shown):
    data = shown("page", {"text": "</script><b>"}, name='Races & "more"')
    page = data[PLAYER]
    assert page.count("</script>") == 2 and page.count("<style data-shared>") == 3
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.S)[1]
    state = json.loads(found)
    assert state == {"text": "</script><b>", "colors": dict(computed.COLORS)} | {"dark": ANY}
    assert state["dark"].keys() == computed.COLORS.keys()
    assert state["dark"]["paper"] == DARK_PAPER
    assert 'aria-label="Races &amp; &quot;more&quot;"' in page
    assert 'alt="A still &lt;picture&gt;."' in page
    assert not re.search(r'src(set)?="(?!data:)|href=', page)
    assert data["text/plain"] == 'Races & "more": A still <picture>.'


def test_a_page_and_a_kernel_get_the_bundles_that_are_theirs(shown, monkeypatch):
    page = shown("page")[PLAYER]
    script = page.split('<script type="module" data-shared>')[1]
    assert script == f"{read_bundle('playground.page.js')}</script>"
    for style in ("player.css", "playground.css"):
        assert f"<style data-shared>{read_bundle(style)}</style>" in page
    given = []
    monkeypatch.setattr(
        computed, "_widget", lambda *sent: SimpleNamespace(model_id=given.extend(sent))
    )
    shown("live", {"n": 1}, colors={"ground": "#a9bae1"})
    assert given[0] == read_bundle("playground.js")
    assert given[1] == [read_bundle("player.css"), read_bundle("playground.css")]
    assert given[2] == {"n": 1, "colors": {**computed.COLORS, "ground": "#a9bae1"}}


def test_colors_of_a_dark_page_follow_those_of_a_light_one(shown):
    colors = {"ground": "#fdfcf9", "racers": {"SGD": "#23262f"}, "digits": ["#fdfcf9"]}

    def state(**options):
        page = shown("page", colors=colors, **options)[PLAYER]
        return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])

    dark = state()["dark"]
    assert (dark["ground"], dark["racers"], dark["digits"]) == (
        DARK_PAPER,
        {"SGD": DARK_INK},
        [DARK_PAPER],
    )
    assert "dark" not in state(themed=False)


def test_a_file_is_a_script_beside_a_page(shown, tmp_path):
    data = bytes(range(256)) * 3
    page = shown("page", {"n": 1}, files={"numbers": lambda: data})[PLAYER]
    players = SimpleNamespace(**runpy.run_path(EXTENSION))
    context = {"body": page, "pathto": lambda path, _: path}
    players.split(SimpleNamespace(outdir=tmp_path), "page", "", context, None)
    found = re.search(r'<script type="application/json">(.*?)</script>', context["body"], re.S)[1]
    script = (tmp_path / json.loads(found)["files"]["numbers"]).read_text("utf-8")
    told = re.fullmatch(r'document\.currentScript\.dispatchEvent\(.*detail:"(.*)"\}\)\)', script)
    assert base64.b64decode(told[1]) == data


def test_a_kernel_makes_a_file_when_it_is_asked(monkeypatch):
    made, sent = [], []
    widget = computed._widget("", [], {}, {"numbers": lambda: made.append(1) or b"123"})
    monkeypatch.setattr(widget, "send", lambda *message: sent.append(message))
    assert made == [] and "numbers" not in str(widget.get_state())
    for content in ({"file": "letters"}, {}, {"file": "numbers"}):
        widget._handle_custom_msg(content, [])
    assert made == [1] and sent == [({"file": "numbers"}, [b"123"])]


def test_a_page_without_files_says_nothing_of_them(shown):
    page = shown("page")[PLAYER]
    assert '"files"' not in page.partition('<script type="application/json">')[2][:200]


def test_nothing_stored_changes_from_run_to_run(shown):
    kept = [{k: v for k, v in shown("page").items() if k != WIDGET} for _ in range(2)]
    assert kept[0] == kept[1]


def test_what_a_kernel_gets_is_put_out_beside_what_a_page_gets(shown):
    page, live = shown("page"), shown("live")
    assert page.keys() - live.keys() == {PLAYER}
    assert all(page[form] == live[form] for form in ("text/plain", "image/png"))


@pytest.mark.parametrize(
    "options, error",
    [
        ({"module": "no such"}, FileNotFoundError),
        ({"state": {"x": {1}}}, TypeError),
        ({"state": {"x": float("nan")}}, ValueError),
    ],
)
def test_what_cannot_be_shown_is_refused(shown, options, error):
    with pytest.raises(error):
        shown("page", **options)


def test_two_on_a_page_share_style_and_script_and_their_stills_are_files(shown, tmp_path):
    players = SimpleNamespace(**runpy.run_path(EXTENSION))
    page = "".join(shown("page", {"n": n})[PLAYER] for n in range(2))
    context = {"body": page, "pathto": lambda path, _: path}
    players.split(SimpleNamespace(outdir=tmp_path), "page", "", context, None)
    made = context["body"]
    assert made.count("<style") == 3 and made.count('<script type="module"') == 1
    assert made.count('<script type="application/json">') == 2
    assert "data:image" not in made and len(list(tmp_path.rglob("*.png"))) == 2  # light and dark


def test_the_playground_tells_the_page_of_all_surfaces(monkeypatch):
    told = {}
    monkeypatch.setattr(
        "glassbox.chapters.adam.playground.show_computed",
        lambda module, state, **more: told.update(state, module=module, **more),
    )
    optimizer_playground("beale", start=(2, 1), racers=["Adam", "SGD"])
    assert told["module"] == "playground" and told["surface"] == "beale"
    assert told["start"] == [2, 1] and told["racers"] == ["Adam", "SGD"]
    assert [surface["name"] for surface in told["surfaces"]] == list(SURFACES)
    own = [
        (s["start"], s["lr"], s["adaptiveLr"]) for s in told["surfaces"] if s["name"] == "saddle"
    ]
    assert own == [((-1.7, 0.001), 0.05, 0.05)]
    assert re.search(r"Beale.* 2 optimizers .* Adam [\d.e-]+, SGD [\d.e-]+", told["still"].alt)


def test_a_playground_begins_at_the_learning_rates_it_is_given(monkeypatch):
    told = {}
    monkeypatch.setattr(
        "glassbox.chapters.adam.playground.show_computed",
        lambda _, state, **more: told.update(state, **more),
    )
    optimizer_playground(racers=["Adam", "SGD"])
    usual = told["still"].alt
    optimizer_playground(racers=["Adam", "SGD"], lr=0.21, adaptive_lr=0.3)
    rates = {s["name"]: (s["lr"], s["adaptiveLr"]) for s in told["surfaces"]}
    assert rates["ravine"] == (0.21, 0.3) and rates["saddle"] == (0.05, 0.05)
    assert told["still"].alt != usual and SURFACES["ravine"].lr == 0.1


def test_a_playground_takes_what_it_can_read(monkeypatch):
    told = {}
    monkeypatch.setattr(
        "glassbox.chapters.adam.playground.show_computed",
        lambda _, state, **more: told.update(state, **more),
    )
    twice = (name for name in ["SGD", "Adam", "SGD"])
    optimizer_playground(start=torch.tensor([1, 2]), racers=twice, lr=torch.tensor(0.25))
    assert told["racers"] == ["SGD", "Adam"] and told["start"] == [1, 2]
    assert json.loads(json.dumps(told["surfaces"]))[0]["lr"] == 0.25
    optimizer_playground(lr=1e300, adaptive_lr=1e300)
    assert "optimizers" in told["still"].alt


test_a_playground_refuses_what_it_does_not_know = refuses(
    ({"surface": "moon"}, "surface is 'moon', expected one of ravine"),
    ({"racers": ["Adam", "Lion"]}, "racer is 'Lion'"),
    ({"racers": ()}, "racers is empty, expected at least one entry"),
    ({"racers": 5}, TypeError, "racers is 5, expected a list of names"),
    ({"start": (1.0,)}, r"start is \(1.0,\)"),
    ({"start": (9, 9)}, r"start is \(9, 9\), expected 2 numbers, -5.5 to 2.5 and -4.5 to 3.0"),
    ({"start": "ab"}, TypeError, "start is 'ab', expected numbers"),
    ({"lr": 0}, "^lr is 0, expected above 0"),
    ({"adaptive_lr": float("nan")}, "adaptive_lr is nan, expected above 0"),
    by=lambda options: optimizer_playground(**options),
)
