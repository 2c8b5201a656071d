"""The network that reads drawn digits, and the way from a drawing to what it sees."""

from importlib.resources import files

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from glassbox.chapters.gradcam import digit_reader
from glassbox.chapters.gradcam.digit_reader import (
    FIT,
    LAST_CONVOLUTION,
    NETWORK_SIDE,
    center,
    load_reader,
    place,
)
from glassbox.data import load, read_strokes, stratified_split, to_float
from glassbox.data.handwriting import WAYS, ink, smooth


@pytest.fixture(scope="module")
def reader():
    return load_reader()


@pytest.fixture(scope="module")
def held_out():
    digits = load("digits")
    _, unseen = stratified_split(digits.labels, [0.8, 0.2])
    return to_float(digits.images[unseen]), digits.labels[unseen]


def write(way, move=0.0, size=0.8, pen=8.0):
    strokes = [112 * (0.1 + move + size * smooth(points) / 100) for points in read_strokes(way)]
    return ink(strokes, 112, pen)[None, None]


def test_the_weights_are_small_and_half_precise(reader):
    assert files(digit_reader.__package__).joinpath(digit_reader.WEIGHTS).stat().st_size < 65_000
    for parameter in reader.parameters():
        assert parameter.equal(parameter.half().float()) and not parameter.requires_grad
    assert not reader.training


def test_at_least_95_of_100_digits_that_were_held_out_are_read(reader, held_out):
    images, labels = held_out
    right = int((reader(center(place(images))).argmax(1) == labels).sum())
    interval = binomtest(right, len(labels)).proportion_ci(method="wilson")
    assert right / len(labels) > 0.97 and interval.low > 0.95


@pytest.mark.parametrize("move, size, pen", [(0, 0.8, 8), (0.2, 0.4, 8), (0, 0.8, 14), (0, 0.8, 4)])
def test_drawings_are_read_wherever_they_are_and_with_thick_and_thin_pens(reader, move, size, pen):
    guesses = [
        (int(reader(center(write(way, move, size, pen))).argmax()), digit)
        for digit, ways in WAYS.items()
        for way in ways
    ]
    assert sum(guess == digit for guess, digit in guesses) / len(guesses) > 0.95


def test_a_page_of_maps_has_the_layer_that_is_named(reader):
    kept = []
    handle = reader.get_submodule(LAST_CONVOLUTION).register_forward_hook(
        lambda *call: kept.append(call[2])
    )
    logits = reader(torch.rand(2, 1, NETWORK_SIDE, NETWORK_SIDE))
    handle.remove()
    assert kept[0].shape == (2, 56, NETWORK_SIDE // 2, NETWORK_SIDE // 2)
    expected = reader.classifier(kept[0].mean((2, 3)))
    assert logits.equal(expected)


@settings(deadline=None, max_examples=20)
@given(st.integers(-12, 12), st.integers(-12, 12), st.floats(0.2, 1))
def test_what_is_seen_depends_neither_on_the_place_nor_on_the_darkness(down, right, darkness):
    drawing = write(WAYS[5][0], size=0.5, move=0.15)
    moved = darkness * drawing.roll((down, right), (2, 3))
    torch.testing.assert_close(center(moved), center(drawing), rtol=0, atol=1e-4)


def test_the_longer_side_has_its_length_and_the_mass_is_in_the_middle():
    for size in (0.3, 0.5, 0.8):
        seen = center(write(WAYS[7][2], size=size))[0, 0]
        dark = (seen > 0.5).nonzero()
        height = int(dark[:, 0].max() - dark[:, 0].min()) + 1
        assert abs(height - FIT) <= 1 and seen.max() == 1
        places = torch.arange(NETWORK_SIDE) + 0.5
        middle = (seen.sum(1) @ places) / seen.sum(), (seen.sum(0) @ places) / seen.sum()
        assert torch.tensor(middle).sub(NETWORK_SIDE / 2).abs().max() < 0.3


def test_each_drawing_of_a_batch_is_centered_by_itself():
    drawings = torch.cat(
        [write(WAYS[1][0]), write(WAYS[0][0], size=0.4), torch.zeros(1, 1, 112, 112)]
    )
    seen = center(drawings)
    for alone, together in zip(drawings, seen, strict=True):
        torch.testing.assert_close(center(alone[None])[0], together)
    assert not seen[2].any()


def test_digits_are_placed_as_squares():
    digit = torch.rand(1, 1, 8, 8)
    placed = place(digit)
    assert placed.shape == (1, 1, 112, 112)
    assert placed[..., 21:101:10, 21:101:10].equal(digit)
    assert placed.sum() == pytest.approx(100 * digit.sum().item(), rel=1e-4)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"drawings has shape \(2, 3, 8, 8\)"):
        center(torch.zeros(2, 3, 8, 8))
