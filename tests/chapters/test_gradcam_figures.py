"""The figures of the chapter on Grad-CAM show what they are given, and say so."""

import numpy as np
import pytest
import torch
from drawn import named, panel

from glassbox.chapters.gradcam import faithfulness_figures as worth
from glassbox.chapters.gradcam import figures as maps
from glassbox.plotting.figures import to_pixels
from glassbox.training import SeedRuns


def image(seed=0, width=32):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (3, 32, width), generator=generator).to(torch.uint8)


def peaked(row, column, size=32):
    heat = torch.zeros(size, size)
    heat[row, column] = 1
    return heat


def five(mean):
    return SeedRuns(tuple(range(5)), tuple(mean + 0.01 * (seed - 2) for seed in range(5)))


def test_an_overlay_is_the_gray_image_where_the_map_is_zero_and_bright_where_it_is_one():
    dark = torch.full((3, 32, 32), 10, dtype=torch.uint8)
    shown = maps.overlay(dark, peaked(3, 4))
    assert shown.shape == (32, 32, 3) and shown.min() >= 0 and shown.max() <= 1
    assert np.ptp(shown[20, 20]) < 1e-9
    assert shown[3, 4].sum() > shown[20, 20].sum() + 1
    gray = maps.overlay(dark[:1], peaked(3, 4))
    np.testing.assert_allclose(gray, shown)


def test_the_books_colors_get_brighter_and_jet_does_not():
    line = np.linspace(0, 1, 100)
    heat, jet = (maps.brightness(maps.colors_named(name), line) for name in ("heat", "jet"))
    assert (np.diff(heat) > -1e-3).all() and heat[-1] - heat[0] > 0.7
    assert jet.argmax() < 70 and jet[-1] < 0.2


def test_rows_name_the_places_of_the_peaks():
    heats = torch.stack([peaked(2, 2), peaked(16, 16), torch.zeros(32, 32)])
    fig = maps.show_rows(torch.stack([image(i) for i in range(3)]), heats, ["a", "b", "c"])
    assert "for a, b, c. The peaks lie at the top left, in the middle, nowhere." in fig.alt
    second = [ax.images[0].get_array() for ax in fig.axes[3:6]]
    assert np.array_equal(second, heats)


def test_one_column_can_be_drawn():
    fig = maps.show_rows(image()[None], peaked(30, 30)[None], ["a"])
    assert "at the bottom right" in fig.alt
    to_pixels(fig)


def test_the_brightness_of_both_color_maps_is_shown():
    heat = peaked(1, 1)
    shown = [ax.images[0].get_array() for ax in maps.show_two_colormaps(heat).axes[1:4:2]]
    for pixels, name in zip(shown, ("jet", "heat"), strict=True):
        assert np.allclose(pixels, maps.brightness(maps.colors_named(name), heat.numpy()))


@pytest.mark.parametrize("value, ending", [(1.0, "at the top right."), (0.0, "zero everywhere.")])
def test_a_question_gives_the_logit_and_says_if_there_is_nothing(value, ending):
    logits = torch.tensor([1.0, -2.5, 0.5])
    fig = maps.show_question(image(), value * peaked(0, 7, 8), logits, ("x", "y", "z"), 1)
    assert "takes the image for x. The map for y, whose logit is -2.5" in fig.alt
    assert fig.alt.endswith(ending)
    (bar,) = named(panel(fig, "logits"), "y")
    assert bar.get_width() == -2.5
    to_pixels(fig)


def test_confidence_shows_both_peaks():
    factors = torch.tensor([0.1, 1.0, 10.0])
    logit = torch.stack([f * peaked(4, 4, 8) for f in factors])
    fig = maps.show_confidence(image(), {"logit": logit, "probability": 0 * logit}, factors, 2)
    assert fig.alt.endswith("multiplied by 10 the peaks of the maps are logit 10, probability 0.")
    assert [text.get_text() for text in panel(fig, "from the probability").texts] == ["zero"]
    to_pixels(fig)


def test_halves_give_the_fraction_on_the_left():
    heats = [torch.zeros(32, 64), torch.zeros(32, 64)]
    heats[0][3, 3], heats[1][5, 40] = 1, 1
    fig = maps.show_halves(image(width=64), heats, ["first", "second"])
    assert "first: 100% of the map" in fig.alt and "second: 0% of the map" in fig.alt


def test_curves_give_their_areas():
    falling = torch.linspace(1, 0, 9).expand(20, 9)
    curves = {"deletion": {"a": falling}, "insertion": {"a": falling.flip(1) ** 2}}
    fig = worth.show_curves(curves)
    assert "deletion: a 0.50." in fig.alt and "insertion: a 0.34." in fig.alt
    to_pixels(fig)


def test_scores_name_the_best_by_the_sense_of_each_measure():
    table = {
        name: {"IoU": five(value), "deletion": five(value)}
        for name, value in (("Grad-CAM", 0.6), ("center", 0.4), ("random", 0.2))
    }
    fig = worth.show_scores(table)
    assert "By IoU: Grad-CAM 0.60, center 0.40, random 0.20, best is Grad-CAM." in fig.alt
    assert fig.alt.endswith("best is random.")
    to_pixels(fig)


@pytest.mark.parametrize("at, start", [(0, "Nothing new yet"), (1, "New down to conv4")])
def test_a_cascade_says_how_far_it_went(at, start):
    curve = {"none": SeedRuns((0, 1), (1.0, 1.0)), "features.conv4": five(0.3)}
    fig = worth.show_cascade(image(), (peaked(1, 1), peaked(2, 2)), curve, at)
    assert fig.alt.startswith(start) and f"{(1, 0.3)[at]:.2f}" in fig.alt
    to_pixels(fig)


def test_a_marked_image_frames_the_mark():
    values = torch.zeros(8, 8)
    values[7, 7] = 1
    measures = dict.fromkeys(worth.MEASURES, five(0.5))
    fig = worth.show_marked(image(), values, measures, 0.2)
    assert "strength 0.2" in fig.alt and "100% lies in the lower right quarter" in fig.alt
    for title, bounds in (
        ("mark of strength 0.2", (25.5, 25.5, 5, 5)),
        ("mean map", (6, 6, 1.25, 1.25)),
    ):
        (frame,) = panel(fig, title).patches
        assert frame.get_bbox().bounds == bounds
    to_pixels(fig)


def test_mean_maps_share_one_scale():
    even, corner = torch.full((8, 8), 1 / 64), torch.zeros(8, 8)
    corner[6, 6] = 1
    fig = worth.show_mend({"before": corner, "after": even})
    assert "before: 100%" in fig.alt and "after: 25%" in fig.alt
    assert {ax.images[0].get_clim() for ax in fig.axes} == {(0, 1)}
    to_pixels(fig)
