"""Strokes, curves through points, and the ink of a pen."""

import pytest
import torch
from devices import gives_the_same_on_every_device
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from glassbox.data import read_strokes
from glassbox.data.handwriting import WAYS, ink, smooth


def test_every_way_of_writing_can_be_read_and_lies_in_its_box():
    assert list(WAYS) == list(range(10)) and min(map(len, WAYS.values())) >= 3
    for ways in WAYS.values():
        for way in ways:
            points = torch.cat([smooth(stroke) for stroke in read_strokes(way)])
            assert points.min() > -6 and points.max() < 106
            assert points[:, 1].min() < 8 and points[:, 1].max() > 90  # the whole height


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 7), st.integers(1, 6), st.integers(0, 10**6))
def test_a_curve_goes_through_its_points(count, pieces, seed):
    points = torch.randn(3, count, 2, generator=torch.Generator().manual_seed(seed))
    curve = smooth(points, pieces)
    assert curve.shape == (3, (count - 1) * pieces + 1, 2)
    torch.testing.assert_close(curve[:, ::pieces], points)


def test_points_on_a_line_give_a_line_and_equal_speed_keeps_it_equal():
    points = torch.tensor([[0.0, 0.0], [3.0, 6.0], [6.0, 12.0], [9.0, 18.0]])
    middle = smooth(points, 3)[3:7]  # a piece with neighbors on both sides
    expected = torch.stack(
        [torch.tensor([3.0, 6.0]) * fraction for fraction in (1, 4 / 3, 5 / 3, 2)]
    )
    torch.testing.assert_close(middle, expected)


def test_a_point_that_is_written_twice_is_a_corner():
    corner = torch.tensor([[0.0, 0.0], [6.0, 0.0], [6.0, 0.0], [6.0, 6.0]])
    curve = smooth(corner, 4)
    assert curve[4:9].unique(dim=0).tolist() == [[6.0, 0.0]]
    assert not curve[:5, 1].any() and curve[8:, 0].unique().tolist() == [6.0]


test_strokes_that_cannot_be_read_are_shown = refuses(
    ("5", "way is '5', expected"),
    ("5 5, 6 b", "way is '5 5, 6 b', expected"),
    ("5 5, 6 nan", "way has 1 entries that are nan"),
    by=read_strokes,
)

LINE = torch.tensor([[2.0, 5.0], [8.0, 5.0], [9.0, 1.0]])
test_strokes_are_the_same_on_every_device = gives_the_same_on_every_device(
    ("smooth", smooth, LINE),
    ("ink", lambda line: ink([line], 10, 3.0), LINE),
    ("read_strokes", lambda: read_strokes(WAYS[8][1])),
)


def test_a_curve_of_one_point_is_refused():
    with pytest.raises(ValueError, match=r"points has shape \(1, 2\)"):
        smooth(torch.zeros(1, 2))


def test_ink_is_as_dark_as_a_pixel_lies_within_the_line():
    drawn = ink([torch.tensor([[2.0, 5.0], [8.0, 5.0]])], 10, 3.0)
    # Centers of rows lie 0.5, 1.5 and 2.5 from the middle of the line, whose edge is at 1.5.
    assert drawn[2:8, 5].tolist() == [0, 0.5, 1, 1, 0.5, 0]
    assert drawn[4, 0] == pytest.approx(2 - (1.5**2 + 0.5**2) ** 0.5)  # a round end
    assert drawn[:, 5].equal(drawn[:, 4])


def test_a_single_point_is_a_dot_and_strokes_join():
    dot = ink([torch.tensor([[3.0, 3.0]])], 6, 2.0)
    rows, columns = torch.meshgrid(torch.arange(6) + 0.5, torch.arange(6) + 0.5, indexing="ij")
    expected = (1.5 - torch.hypot(rows - 3, columns - 3)).clamp(0, 1)
    torch.testing.assert_close(dot, expected)
    line = torch.tensor([[0.0, 1.0], [5.0, 1.0]])
    both = ink([torch.tensor([[3.0, 3.0]]), line], 6, 2.0)
    assert both.equal(torch.maximum(dot, ink([line], 6, 2.0)))


def test_a_batch_has_pens_of_its_own():
    lines = torch.tensor([[[1.0, 4.0], [7.0, 4.0]], [[4.0, 1.0], [4.0, 7.0]]])
    drawn = ink([lines], 8, torch.tensor([1.0, 3.0]))
    assert drawn[0].equal(ink([lines[0]], 8, 1.0)) and drawn[1].equal(ink([lines[1]], 8, 3.0))
    torch.testing.assert_close(drawn[1].T, ink([lines[0]], 8, 3.0))
