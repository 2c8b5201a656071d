import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgba
from refusals import refuses
from scipy import stats

from glassbox.plotting import (
    confusion_matrix,
    curves,
    feature_maps,
    figure,
    image_grid,
    image_rows,
)
from glassbox.plotting.charts import _spread, interval
from glassbox.plotting.colors import BLUE, GREEN, PAPER, RUST, SIGNED
from glassbox.plotting.figures import to_pixels
from glassbox.plotting.images import show_image
from glassbox.plotting.marks import label_ends


def texts(fig):
    return [text.get_text() for ax in fig.axes for text in ax.texts]


def test_grid_shows_every_image_unchanged():
    images = torch.rand(5, 3, 4, 6)
    fig = image_grid(images, cols=3)
    shown = [image.get_array() for image in fig.axes[0].images]
    assert np.allclose(np.stack(shown), images.permute(0, 2, 3, 1))
    assert "5 images of 4 × 6 pixels" in fig.alt


@pytest.mark.parametrize("images", [torch.rand(2, 1, 5, 4), np.random.rand(2, 5, 4)])
def test_grid_takes_gray_images_with_and_without_a_channel(images):
    fig = image_grid(images)
    assert np.allclose(
        np.stack([i.get_array() for i in fig.axes[0].images]).ravel(), images.ravel()
    )


def test_grid_scales_bytes_by_255_and_not_by_their_range():
    fig = image_grid(np.full((1, 2, 2), 51, dtype=np.uint8))
    assert np.allclose(fig.axes[0].images[0].get_array(), 0.2)


def test_tiles_do_not_overlap_and_keep_their_shape():
    fig = image_grid(torch.rand(7, 3, 4, 8), ["x"] * 7, cols=3)
    boxes = [image.get_extent() for image in fig.axes[0].images]
    for i, (left, right, bottom, top) in enumerate(boxes):
        assert math.isclose((bottom - top) / (right - left), 0.5)
        for other in boxes[i + 1 :]:
            assert right <= other[0] or other[1] <= left or bottom <= other[3]
    (x0, x1), (y1, y0) = fig.axes[0].get_xlim(), fig.axes[0].get_ylim()
    assert all(x0 <= b[0] and b[1] <= x1 + 1e-9 and y0 <= b[3] and b[2] <= y1 + 1e-9 for b in boxes)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.rand(4, 4), {}, r"images must be .*got \(4, 4\)"),
        (torch.rand(2, 2, 4, 4), {}, "images must be"),
        (torch.rand(0, 4, 4), {}, "one image or more"),
        (torch.full((1, 4, 4), 2.0), {}, "undo a normalization"),
        (torch.full((1, 4, 4), math.nan), {}, "got nan to nan"),
        (torch.rand(2, 4, 4), {"titles": ["a"]}, "titles must have one entry for each of 2 images"),
    ],
)
def test_grid_refuses_what_are_no_images(images, options, message):
    with pytest.raises(ValueError, match=message):
        image_grid(images, **options)


def test_zero_is_the_color_of_the_paper_on_every_feature_map():
    fig = feature_maps(torch.tensor([[[0.0, 2.0]], [[0.0, 0.0]]]))
    image = fig.axes[0].images[0]
    assert np.allclose(image.to_rgba(image.get_array())[0, 0], to_rgba(PAPER), atol=0.01)
    assert np.allclose(image.to_rgba(image.get_array())[0, 1], to_rgba(RUST), atol=0.01)
    assert np.allclose(SIGNED(0.0), to_rgba(BLUE), atol=0.01)


def test_feature_maps_share_one_scale_and_say_what_is_in_them():
    fig = feature_maps(torch.tensor([[[1.0, -4.0]], [[0.0, 0.0]], [[2.0, 3.0]]]))
    assert {image.get_clim() for image in fig.axes[0].images} == {(-4.0, 4.0)}
    for said in ("3 feature maps of 1 × 2", "from -4 to 3", "largest in 0", "1 zero everywhere"):
        assert said in fig.alt
    assert {"-4", "3"} <= set(texts(fig))  # the key to the colors


@pytest.mark.parametrize(
    "maps", [torch.rand(3, 3), torch.rand(0, 2, 2), torch.full((1, 2, 2), math.inf)]
)
def test_feature_maps_refuse_what_are_no_maps(maps):
    with pytest.raises(ValueError, match="maps must be"):
        feature_maps(maps)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(1, 9), st.integers(0, 2**31))
def test_interval_is_that_of_student(runs, steps, seed):
    values = np.random.default_rng(seed).normal(3, 2, (runs, steps))
    mean, half = interval(values)
    low, high = stats.t.interval(0.95, runs - 1, values.mean(0), stats.sem(values, axis=0))
    assert np.allclose(mean - half, low) and np.allclose(mean + half, high)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_curves_draw_the_mean_and_its_band(dtype):
    runs = torch.rand(4, 6, dtype=dtype, requires_grad=True)
    fig = curves({"validation": runs}, ylabel="loss")
    mean, half = interval(runs)
    (line,), (band,) = fig.axes[0].lines, fig.axes[0].collections
    assert np.allclose(line.get_ydata(), mean)
    heights = band.get_paths()[0].vertices[:, 1]
    assert math.isclose(heights.max(), (mean + half).max(), rel_tol=1e-6)
    assert math.isclose(heights.min(), (mean - half).min(), rel_tol=1e-6)


def test_curves_are_named_at_their_ends_in_their_colors():
    fig = curves({"training": [3, 1], "validation": [4, 2]}, ylabel="loss", title="Loss")
    ax = fig.axes[0]
    assert texts(fig) == ["training", "validation"]
    assert [t.get_color() for t in ax.texts] == [line.get_color() for line in ax.lines]
    assert ax.get_legend() is None and ax.get_title(loc="left") == "Loss"
    for said in ("loss over epoch from 1 to 2", "training goes from 3 to 1", "from 4 to 2"):
        assert said in fig.alt


def test_names_of_curves_that_end_together_do_not_overlap():
    fig = curves({f"series {i}": [0, 1 + i / 1000] for i in range(6)})
    renderer = fig.canvas.get_renderer()
    to_pixels(fig)
    boxes = sorted((t.get_window_extent(renderer) for t in fig.axes[0].texts), key=lambda b: b.y0)
    assert all(below.y1 <= above.y0 + 1 for below, above in itertools.pairwise(boxes))
    assert max(box.x1 for box in boxes) <= fig.bbox.x1


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), st.floats(1, 50))
def test_spread_keeps_order_middle_and_distance(spots, step):
    spots = np.array(spots)
    moved = _spread(spots, step)
    order = np.argsort(spots, kind="stable")
    assert (np.diff(moved[order]) >= step - 1e-6).all()
    assert math.isclose(moved.mean(), spots.mean(), abs_tol=1e-6)


def test_spread_leaves_alone_what_is_apart():
    assert list(_spread(np.array([30.0, 0.0, 100.0]), 20)) == [30, 0, 100]


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        ({}, {}, "series must be 1 to 6, got 0"),
        ({"a": [1, 2], "b": [1]}, {}, "'b' must have 2 numbers, got 1"),
        ({"a": [1, 2]}, {"x": [1, 2, 3]}, "'a' must have 3 numbers, got 2"),
    ],
)
def test_curves_refuse_series_that_do_not_fit(series, options, message):
    with pytest.raises(ValueError, match=message):
        curves(series, **options)


def test_confusion_matrix_colors_errors_and_not_the_diagonal():
    fig = confusion_matrix([[50, 2], [0, 40]], ["cat", "dog"])
    diagonal, errors = (image.get_array() for image in fig.axes[0].images)
    assert np.isfinite(np.diag(diagonal)).all()
    assert errors.mask.tolist() == [[True, False], [True, True]]
    assert texts(fig) == ["50", "2", "40", "recall", "96%", "100%"]
    assert "90 of 92 right (97.8%)" in fig.alt and "cat taken for dog, 2 times" in fig.alt


def test_confusion_matrix_says_that_there_are_no_errors():
    fig = confusion_matrix(np.diag([3, 0]))
    assert "3 of 3 right (100.0%), no errors" in fig.alt


@pytest.mark.parametrize(
    ("counts", "names", "message"),
    [
        ([[1, 2, 3]], None, r"counts must be \(K, K\), got \(1, 3\)"),
        ([[1, -1], [0, 1]], None, "whole numbers"),
        ([[0.5, 0.5], [0, 1]], None, "whole numbers"),
        ([[1, 0], [0, 1]], ["a"], "class_names must have"),
    ],
)
def test_confusion_matrix_refuses_what_is_none(counts, names, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(counts, names)


def test_given_alt_text_replaces_the_computed_one():
    assert image_grid(torch.rand(1, 8, 8), alt="Noise.").alt == "Noise."


def test_show_image_takes_gray_from_black_to_white_and_hides_the_axes():
    _, ax = figure()
    show_image(ax, torch.tensor([[0.0, 0.5]]), "Image")
    assert ax.images[0].get_clim() == (0, 1) and not ax.axison
    assert ax.get_title(loc="left") == "Image"


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_labels_at_ends_stand_in_order_and_apart(scale):
    _, ax = figure()
    ax.set(yscale=scale, xlim=(0, 1), ylim=(1, 100))
    ends = {"low": 20, "high": 90, "middle": 20.1}
    label_ends(ax, ends, [BLUE, GREEN, RUST], x=1, gap=0.1)
    place = {text.get_text(): text.get_position() for text in ax.texts}
    low, middle, high = (
        ax.transAxes.inverted().transform(ax.transData.transform(place[name]))[1]
        for name in ("low", "middle", "high")
    )
    assert place["low"] == pytest.approx((1, 20)) and place["high"] == pytest.approx((1, 90))
    assert middle == pytest.approx(low + 0.1) and high >= middle + 0.1
    assert {text.get_text(): text.get_color() for text in ax.texts}["high"] == GREEN


def test_plots_do_not_import_torch_or_pyplot():
    code = (
        "import sys, glassbox.plotting.charts;"
        "assert not {'torch', 'matplotlib.pyplot', 'ipywidgets', 'scipy.stats'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


test_numbers_that_cannot_be_drawn_are_named = refuses(
    (lambda: curves({"a": [1, math.nan]}), "series 'a' must be finite, got 1 that are nan or inf"),
    (lambda: curves({"a": [1, 2]}, x=[0, math.inf]), "x must be finite"),
    (lambda: curves({"a": ["b"]}), TypeError, "series 'a' has type <U1, expected real numbers"),
    (lambda: curves({"a": [0, 0]}, yscale="log"), "series 'a' has nothing above 0"),
    (lambda: curves({"a": [1, 2]}, yscale="logs"), "yscale is 'logs', expected linear or log"),
    (lambda: confusion_matrix([[math.inf, 0], [0, 1]]), "counts must be whole numbers"),
    (lambda: feature_maps([[[1], [2, 3]]]), "maps has no shape"),
    (lambda: image_grid(torch.rand(2, 4, 4), cols=0), "cols must be 1 or more, got 0"),
    (lambda: image_grid(torch.rand(2, 4, 4), [1, 2]), TypeError, r"titles is \[1, 2\], expected"),
    (lambda: figure(width=math.nan), "width is nan, expected a finite number"),
    (lambda: figure(rows=1.5), TypeError, "rows is 1.5, expected an integer"),
    (lambda: image_rows({"a": torch.full((2, 4, 4), math.nan)}, alt=""), "rows.'a'. must be fin"),
    (lambda: image_rows({"a": torch.rand(2, 3, 4, 4)}, alt=""), "rows have shape .2, 3, 4, 4."),
    (lambda: image_rows({"a": torch.rand(2, 4, 4)}, alt="", low=1), "low is 1, expected below 1"),
)


def test_half_types_arrays_and_lists_are_drawn_as_tensors_are():
    maps = torch.rand(2, 4, 4).bfloat16()
    assert feature_maps(maps).alt == feature_maps(maps.float().tolist()).alt
    rows = {"a": torch.rand(2, 1, 4, 4)}
    for same in (rows["a"].numpy(), rows["a"].tolist()):
        drawn = image_rows({"a": same}, alt="").axes[0].images[0].get_array()
        assert np.ma.allclose(drawn, image_rows(rows, alt="").axes[0].images[0].get_array())
