import io
import itertools
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from glassbox.plotting import Figure, figure
from glassbox.plotting.colors import DARK_PALETTE, DARK_PAPER, PALETTE, PAPER
from glassbox.plotting.figures import (
    _DPI,
    _to_palette,
    book_style,
    display_size,
    to_pixels,
    to_png,
)

# What people with a missing cone see of linear RGB (Machado, Oliveira and Fernandes, 2009).
VISION = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(color):
    values = np.array(matplotlib.colors.to_rgb(color))
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x, y, z = TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(a, b):
    low, high = sorted(TO_XYZ[1] @ linear(color) for color in (a, b))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [PALETTE, DARK_PALETTE], ids=["light", "dark"])
@pytest.mark.parametrize("vision", VISION)
def test_palette_stays_apart_for_every_kind_of_color_vision(vision, palette):
    seen = [lab(VISION[vision] @ linear(color)) for color in palette]
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
    assert min(distances) > 20


def test_palette_stands_out_from_the_paper():
    for palette, paper in ((PALETTE, PAPER), (DARK_PALETTE, DARK_PAPER)):
        assert min(contrast(color, paper) for color in palette) >= 3
        assert min(contrast(color, paper) for color in palette[:3]) >= 4.5


def example():
    fig, ax = figure(alt="A line that rises.")
    ax.plot([0, 1], [0, 1])
    ax.set(xlabel="x", ylabel="y")
    ax.set_title("Rising")
    return fig


def test_drawing_leaves_the_global_style_alone():
    before = dict(matplotlib.rcParams)
    to_pixels(example())
    assert dict(matplotlib.rcParams) == before
    with pytest.raises(ZeroDivisionError), book_style():
        raise ZeroDivisionError
    assert dict(matplotlib.rcParams) == before


def test_look_does_not_depend_on_the_global_style():
    expected = to_pixels(example())
    with matplotlib.rc_context({"axes.titlesize": 30, "lines.linewidth": 9, "xtick.color": "red"}):
        assert np.array_equal(to_pixels(example()), expected)


def test_pyplot_is_neither_imported_nor_told():
    code = (
        "import sys, glassbox.plotting.figures as f; f.to_pixels(f.figure()[0]);"
        "assert not {'matplotlib.pyplot', 'torch', 'ipywidgets'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_picture_has_the_size_of_the_canvas_whatever_is_drawn_on_it():
    fig, ax = figure(width=5, height=3)
    ax.set_ylabel("a label that is much too long for the height of the axes", labelpad=80)
    assert to_pixels(fig).shape == (3 * _DPI, 5 * _DPI, 3)
    assert display_size(to_pixels(example())) == {"width": 700, "height": 360}


def test_axes_of_two_figures_of_one_size_coincide():
    first, ax = figure()
    second, other = figure()
    other.plot([0, 1], [0, 1e9])
    other.set(title="Title", ylabel="label")
    for fig in (first, second):
        to_pixels(fig)
    assert ax.get_position().bounds == other.get_position().bounds


def test_margins_are_what_was_asked_for_in_inches():
    _, ax = figure(width=6, height=4, left=1, right=0.5, top=0.25, bottom=1)
    left, bottom, width, height = ax.get_position().bounds
    assert np.allclose([left * 6, bottom * 4, width * 6, height * 4], [1, 1, 4.5, 2.75])


def test_spaces_are_fractions_of_the_mean_size_of_the_axes():
    _, axes = figure(2, 2, wspace=0.5, hspace=0.25)
    first, right, below = (ax.get_position() for ax in (axes[0, 0], axes[0, 1], axes[1, 0]))
    assert np.isclose(right.x0 - first.x1, 0.5 * first.width)
    assert np.isclose(first.y0 - below.y1, 0.25 * first.height)


def test_axes_have_few_ticks():
    _, ax = figure()
    ax.plot([0, 1], [-1, 1])
    assert len(ax.get_yticks()) <= 9 and np.allclose(np.diff(ax.get_yticks()), 0.5)


def test_same_figure_is_the_same_bytes():
    assert to_png(to_pixels(example())) == to_png(to_pixels(example()))


def test_notebook_gets_a_png_at_a_fixed_size_and_the_alt_sentence():
    shell = InteractiveShell.instance()
    data, metadata = shell.display_formatter.format(example())
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"] == "A line that rises."
    assert Image.open(io.BytesIO(data["image/png"])).size == (840, 432)
    assert metadata["image/png"] == {"width": 700, "height": 360}


def test_figure_without_alt_text_says_so():
    assert repr(figure()[0]) == "<Figure without alt text>"


def test_descriptions_of_panels_are_joined():
    fig, _ = figure(1, 2)
    for sentence in ("Left.", "", "Right."):
        fig.describe(sentence)
    assert fig.alt == "Left. Right."


def test_image_has_no_grid_over_it():
    fig, ax = figure()
    ax.imshow(np.zeros((2, 2)), cmap="gray")
    pixels = to_pixels(fig)
    box = ax.get_window_extent().padded(-3)
    inside = pixels[::-1][int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
    assert inside.size > 10_000 and (inside == 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 0}, "rows must be 1 or more, got 0"),
        ({"cols": -1}, "cols must be 1 or more, got -1"),
        ({"width": 0.9}, "leave no room for 1 x 1 axes"),
        ({"rows": 4}, "leave no room for 4 x 1 axes"),
    ],
)
def test_wrong_layouts_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        figure(**arguments)


def test_other_projections_keep_working():
    fig = Figure()
    assert fig.add_subplot(projection="polar").name == "polar"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 16, 64, 256]))
def test_palette_keeps_the_first_pixel_exact_and_the_others_near(seed, colors):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (12, 15, 3), dtype=np.uint8)
    reduced = _to_palette(pixels, colors)
    assert np.array_equal(np.asarray(reduced.convert("RGB"))[0, 0], pixels[0, 0])
    assert len(np.unique(np.asarray(reduced))) <= colors


def test_png_of_a_chart_looks_like_the_chart():
    pixels = to_pixels(example())
    for colors, worst in ((256, 6.0), (64, 8.0)):
        back = np.asarray(Image.open(io.BytesIO(to_png(pixels, colors))).convert("RGB"))
        error = np.abs(back.astype(int) - pixels)
        assert error.mean() < 0.5
        assert np.sqrt((error**2).mean()) < worst
