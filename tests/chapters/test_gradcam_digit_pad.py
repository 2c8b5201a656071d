"""What the page in which a digit is drawn is given."""

import json
import re

import pytest
import torch

from glassbox.chapters.gradcam.digit_figure import _drawing_of
from glassbox.chapters.gradcam.digit_pad import PEN, REAL, draw_a_digit, examples
from glassbox.chapters.gradcam.digit_reader import center, load_reader
from glassbox.data import load, stratified_split
from glassbox.explorables import js_widgets as computed
from glassbox.explorables.showing import PLAYER
from glassbox.explorables.tiny_network import unpack


@pytest.fixture
def shown(monkeypatch):
    """Call draw_a_digit and get the page and the state in it."""

    def show(*arguments):
        pages = []
        monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
        monkeypatch.setattr(computed, "display", lambda data, **_: pages.append(data))
        draw_a_digit(*arguments)
        page = pages[0][PLAYER]
        found = re.search(r'<script type="application/json">(.*?)</script>', page, re.S)[1]
        return pages[0], json.loads(found)

    return show


def test_the_page_has_the_weights_and_stays_small(shown):
    data, state = shown("4 or 9")
    assert state["start"] == "4 or 9"
    assert len(re.sub(r"data:image[^\"]*", "", data[PLAYER])) < 130_000
    reader = load_reader()
    for name, tensor in unpack(state["weights"]).items():
        assert tensor.equal(reader.state_dict()[name])
    assert re.search(r"Draw a digit: A drawn digit.* takes for a 4 with \d\d%", data["text/plain"])


def test_real_examples_were_held_out_and_show_each_digit():
    digits = load("digits")
    _, unseen = stratified_split(digits.labels, [0.8, 0.2])
    assert set(REAL) <= set(unseen.tolist())
    assert digits.labels[list(REAL)].tolist() == list(range(10))


def test_the_network_agrees_with_the_names_and_is_torn_by_puzzles():
    reader = load_reader()
    for example in examples():
        odds = reader(center(_drawing_of(example["marks"], PEN))).softmax(1)[0]
        named = [int(digit) for digit in re.findall(r"\d", example["name"])]
        if example["group"] == "puzzles" and named:
            assert sorted(odds.topk(2).indices.tolist()) == named
            assert odds.min() < 0.01 and odds.max() < 0.8
        elif named:
            assert odds.argmax() == named[0] and odds.max() > 0.75
        else:
            assert odds.max() > 0.6  # it has no word for "none of these"


def test_strokes_fit_the_drawing_and_names_differ():
    known = examples()
    assert len({example["name"] for example in known}) == len(known)
    for example in known:
        drawing = _drawing_of(example["marks"], PEN)
        assert drawing.shape == (1, 1, 112, 112) and drawing.max() > 0.9
        edges = torch.cat([drawing[..., 0, :], drawing[..., -1, :]], -1)
        assert not edges.any()


def test_an_unknown_start_is_named():
    with pytest.raises(ValueError, match="start is 'moon', expected one of"):
        draw_a_digit("moon")
