"""The figures of the chapter on Grad-CAM show what they are given, and say so."""

import numpy as np
import pytest
import torch
from drawn import named, panel

from glassbox.chapters.gradcam import faithfulness_figures as worth
from glassbox.chapters.gradcam import figures as maps
from glassbox.chapters.gradcam import mark_figures as marks
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


def test_a_map_is_shown_in_both_color_maps_over_its_image_and_in_gray():
    heat, picture = peaked(1, 1), image()
    fig = maps.show_two_colormaps(picture, heat)
    shown = [ax.images[0].get_array() for ax in fig.axes]
    pixels = np.moveaxis(picture.numpy(), 0, -1) / 255
    for row, name in zip((shown[:4], shown[4:]), ("jet", "heat"), strict=True):
        colors = maps.colors_named(name)(heat.numpy())[..., :3]
        assert np.allclose(row[0], pixels) and np.allclose(row[1], colors)
        assert np.allclose(row[2], 0.4 * colors + 0.6 * pixels)
        assert np.allclose(row[3], maps.brightness(maps.colors_named(name), heat.numpy()))
    assert "The peak lies at the top left; its brightness is 0.15 in jet" in fig.alt
    to_pixels(fig)


@pytest.mark.parametrize("value, ending", [(1.0, "at the top right."), (0.0, "zero everywhere.")])
def test_a_question_gives_the_logit_and_says_if_there_is_nothing(value, ending):
    logits = torch.tensor([1.0, -2.5, 0.5])
    fig = maps.show_question(image(), value * peaked(0, 7, 8), logits, ("x", "y", "z"), 1)
    assert "takes the image for x. The map for y, whose logit is -2.5" in fig.alt
    assert fig.alt.endswith(ending)
    (bar,) = named(panel(fig, "logits"), "y")
    assert bar.get_width() == -2.5
    to_pixels(fig)


def test_quarters_are_framed_and_give_their_fractions():
    heats = [torch.zeros(32, 32) for _ in range(4)]
    for heat, (row, column) in zip(heats, ((1, 1), (1, 1), (30, 2), (30, 2)), strict=True):
        heat[row, column] = 1
    fig = maps.show_quarters(image(), heats, ["a", "b", "c", "d"])
    assert "a: 100% of the map is in its quarter. b: 0%" in fig.alt
    assert "c: 100% of the map is in its quarter. d: 0%" in fig.alt
    (frame,) = panel(fig, "c").patches
    assert frame.get_bbox().bounds == (-0.5, 15.5, 16, 16)
    to_pixels(fig)


def test_methods_stand_in_columns():
    heats = {"one": torch.stack([peaked(1, 1), peaked(16, 16)]), "two": torch.zeros(2, 32, 32)}
    fig = maps.show_methods(torch.stack([image(0), image(1)]), heats, ["x", "y"])
    assert len(fig.axes) == 6
    assert "by one at the top left, in the middle; by two nowhere, nowhere." in fig.alt
    to_pixels(fig)


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


def test_what_is_forgotten_is_told_for_each_method():
    curves = {
        name: {"none": SeedRuns((0, 1), (1.0, 1.0)), "classifier": five(mean), "conv1": five(0.1)}
        for name, mean in (("a", 0.3), ("b", 0.9))
    }
    fig = worth.show_forgetting(curves)
    assert "a: 0.30 with a new classifier, 0.10 in the end. b: 0.90" in fig.alt
    to_pixels(fig)


def test_a_marked_image_frames_the_mark():
    values = torch.zeros(8, 8)
    values[7, 7] = 1
    measures = dict.fromkeys(marks.MEASURES, five(0.5))
    fig = marks.show_marked(image(), values, measures, 0.2)
    assert "strength 0.2" in fig.alt and "100% lies in the lower right quarter" in fig.alt
    for title, bounds in (
        ("mark of strength 0.2", (25.5, 25.5, 5, 5)),
        ("mean map", (6, 6, 1.25, 1.25)),
    ):
        (frame,) = panel(fig, title).patches
        assert frame.get_bbox().bounds == bounds
    to_pixels(fig)


def test_cures_are_told_in_percent():
    measures = dict.fromkeys(marks.MEASURES, five(0.5))
    fig = marks.show_cures({"before": measures, "after": measures | {"fooled": five(0.02)}})
    assert "fish found without it: before 50, after 50." in fig.alt
    assert "others that it turns into fish: before 50, after 2." in fig.alt
    to_pixels(fig)
