"""Figures on a dark page."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.colors import to_rgb

from glassbox.plotting import confusion_matrix, curves, feature_maps, figure
from glassbox.plotting.colors import (
    BLUE,
    DARK_INK,
    DARK_PALETTE,
    DARK_PAPER,
    INK,
    ON_PICTURE,
    PALETTE,
    PAPER,
    SIGNED,
    TRACK,
)
from glassbox.plotting.dark import turned, turned_color
from glassbox.plotting.figures import paint


def test_paper_and_ink_become_those_of_a_dark_page():
    assert turned_color(PAPER) == DARK_PAPER
    assert turned_color(INK) == DARK_INK


@given(arrays.arrays(float, (5, 4), elements=st.floats(0, 1)))
def test_every_color_becomes_one_and_keeps_its_opacity(colors):
    made = turned(colors)
    assert made.shape == colors.shape and np.array_equal(made[:, 3], colors[:, 3])
    assert np.isfinite(made).all() and made.min() >= 0 and made.max() <= 1
    assert np.allclose(turned(colors[:, :3]), made[:, :3])


def test_light_and_dark_change_places_and_hues_stay():
    grays = np.linspace(0, 1, 12)[:, None].repeat(3, axis=1)
    assert (np.diff(turned(grays).sum(1)) < 0).all()
    for color in ("#8a6208", "#96330f", "#8f9bb8"):
        order = np.argsort(to_rgb(color))
        assert (np.argsort(to_rgb(turned_color(color))) == order).all(), color


def test_the_palette_becomes_that_of_a_dark_page():
    assert [turned_color(color) for color in PALETTE] == list(DARK_PALETTE)


def near(pixels, color):
    """Say for each pixel whether it has a color, but for a few steps."""
    return (np.abs(pixels - 255 * np.array(to_rgb(color))) < 4).all(-1)


def contour(ax):
    x = np.linspace(-1, 1, 9)
    ax.contourf(x, x, x[:, None] * x, colors=[PAPER, TRACK])


PARTS = {
    "lines": lambda ax: ax.plot([0, 1], [0, 1], marker="o", mfc=PAPER, ms=30, label="a"),
    "one kind of dots": lambda ax: ax.scatter([0, 1], [0, 1], s=2000, color=PAPER),
    "dots of two colors": lambda ax: ax.scatter([0, 1], [0, 1], s=2000, color=[PAPER, TRACK]),
    "bars": lambda ax: ax.bar([0, 1], [1, 2], color=[PAPER, TRACK]),
    "bands": lambda ax: ax.fill_between([0, 1], [1, 2], color=PAPER),
    "contours": contour,
    "a mesh": lambda ax: ax.pcolormesh([[0.0, 1.0], [1.0, 0.0]], cmap=SIGNED, vmin=-1, vmax=1),
    "triangles": lambda ax: ax.tripcolor([0, 1, 0], [0, 0, 1], [0.0, 0, 0], shading="gouraud",
                                         cmap=SIGNED, vmin=-1, vmax=1),
    "a framed text": lambda ax: ax.text(0.3, 0.5, "text", size=40, bbox={"facecolor": PAPER}),
    "a legend": lambda ax: ax.plot([], label="a") and ax.legend(frameon=True, facecolor=PAPER),
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_nothing_that_was_paper_stays_light(part):
    fig, ax = figure()
    PARTS[part](ax)
    light, dark = paint(fig).pixels, paint(fig, dark=True).pixels
    assert near(light, PAPER).mean() > 0.3
    assert near(dark, DARK_PAPER)[0, 0] and near(dark, PAPER).sum() == 0
    assert np.array_equal(paint(fig).pixels, light)


def test_what_was_ink_is_light_on_a_dark_page():
    fig = curves({"one": [1, 2, 3]}, title="A title")
    assert near(paint(fig).pixels, INK).sum() > 200
    assert near(paint(fig, dark=True).pixels, INK).sum() == 0
    assert near(paint(fig, dark=True).pixels, DARK_INK).sum() > 200


def test_a_photograph_and_what_lies_over_it_stay_as_they_are():
    rng = np.random.default_rng(0)
    fig, ax = figure()
    ax.imshow(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8), aspect="auto")
    ax.plot([5, 25], [5, 15], color=BLUE, gid=ON_PICTURE)
    ax.set_axis_off()
    box = ax.get_window_extent().padded(-3)
    light, dark = (
        paint(fig, dark=dark).pixels[::-1][int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
        for dark in (False, True)
    )
    assert near(light, BLUE).sum() > 100
    assert np.array_equal(light, dark)


def test_a_color_bar_stays_that_of_its_picture():
    fig, ax = figure()
    bar = fig.colorbar(ax.imshow([[0.0, 1.0]], aspect="auto"), ax=ax)
    paint(fig)  # which gives it its place
    box = bar.ax.get_window_extent()
    middle = int((box.x0 + box.x1) / 2)
    light, dark = (paint(fig, dark=dark).pixels[::-1, middle] for dark in (False, True))
    inside = slice(int(box.y0) + 3, int(box.y1) - 3)
    assert np.array_equal(light[inside], dark[inside]) and np.ptp(light[inside]) > 100


def test_zero_is_paper_on_the_maps_of_a_dark_page_too_and_the_figure_stays_as_it_was():
    fig = feature_maps(np.array([[[0.0, 2.0]], [[0.0, 0.0]]]))
    assert near(paint(fig).pixels, PAPER).mean() > 0.8
    assert near(paint(fig, dark=True).pixels, PAPER).sum() == 0
    assert all(image.cmap is SIGNED for image in fig.axes[0].images)


def test_a_confusion_matrix_has_no_light_cells_on_a_dark_page():
    pixels = paint(confusion_matrix([[5, 1], [0, 7]]), dark=True).pixels
    assert near(pixels, TRACK).sum() == near(pixels, PAPER).sum() == 0


def test_the_smallest_text_is_found_among_what_is_seen():
    fig, ax = figure()
    ax.text(0.5, 0.5, "small", size=6)
    ax.text(0.5, 0.5, " ", size=2)
    ax.text(0.5, 0.5, "hidden", size=1, visible=False)
    assert paint(fig).smallest == paint(fig, dark=True).smallest == 6
    ax.clear()
    ax.set_axis_off()
    assert paint(fig).smallest == np.inf


@pytest.mark.parametrize("angle", [0, 30, 90, 180, 270])
@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_how_far_a_text_leaves_the_picture_is_measured(angle, side):
    fig, ax = figure()
    ax.set_axis_off()
    text = fig.text(0.5, 0.5, "beyond", rotation=angle)
    assert paint(fig).overhang == 0
    box = text.get_window_extent()
    width, height = fig.bbox.size
    moved = {"left": -box.x0, "right": width - box.x1, "top": height - box.y1, "bottom": -box.y0}
    sign = 1 if side in ("right", "top") else -1
    by = (moved[side] + sign * 20) / (width if side in ("left", "right") else height)
    text.set_position((0.5 + by, 0.5) if side in ("left", "right") else (0.5, 0.5 + by))
    assert paint(fig).overhang == pytest.approx(20, abs=2)
    assert paint(fig, dark=True).overhang == pytest.approx(20, abs=2)
