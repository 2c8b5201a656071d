import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path
from scipy.spatial import ConvexHull

from glassbox.data.scenes.silhouettes import SILHOUETTES, Plane, common, union, without

SIDE = 200


def plane(side: int = SIDE, reach: float = 1.3) -> Plane:
    position = ((torch.arange(side) + 0.5) / side * 2 - 1) * reach
    return Plane(position.expand(side, side), position[:, None].expand(side, side))


def test_a_polygon_agrees_with_points_on_its_border_and_with_matplotlibs_inside():
    corners = ((-0.7, -0.6), (0.8, -0.3), (0.1, 0.0), (0.6, 0.9), (-0.4, 0.5))
    points = plane(60)
    distance = points.polygon(*corners)
    fraction = torch.linspace(0, 1, 2000)[:, None]
    ends = [torch.tensor(corner) for corner in (*corners, corners[0])]
    border = torch.cat([a + (b - a) * fraction for a, b in itertools.pairwise(ends)])
    where = torch.stack([points.x, points.y], -1).view(-1, 2)
    nearest = torch.cdist(where, border).amin(1).view_as(distance)
    torch.testing.assert_close(distance.abs(), nearest, rtol=0, atol=1e-3)
    inside = torch.from_numpy(Path(corners).contains_points(where.numpy())).view_as(distance)
    certain = nearest > 1e-3
    assert torch.equal((distance < 0)[certain], inside[certain])


@given(st.permutations(range(5)))
@settings(max_examples=10, deadline=None)
def test_a_polygon_may_start_anywhere_and_run_either_way(order):
    corners = [(-0.7, -0.6), (0.8, -0.3), (0.1, 0.0), (0.6, 0.9), (-0.4, 0.5)]
    start = order[0]
    turned = corners[start:] + corners[:start]
    turned = turned[::-1] if order[1] > order[2] else turned
    torch.testing.assert_close(plane(40).polygon(*turned), plane(40).polygon(*corners))


def test_primitives_have_their_distances():
    p = Plane(torch.tensor([0.0, 1.0, 0.0, 3.0]), torch.tensor([0.0, 0.0, 2.0, 4.0]))
    torch.testing.assert_close(p.disk(0, 0, 0.5), torch.tensor([-0.5, 0.5, 1.5, 4.5]))
    torch.testing.assert_close(p.ring(0, 0, 1, 0.2), torch.tensor([0.8, -0.2, 0.8, 3.8]))
    torch.testing.assert_close(p.box(0, 0, 1, 1), torch.tensor([-1, 0, 1, math.hypot(2, 3)]))
    torch.testing.assert_close(p.box(0, 0, 1, 1, 1), p.disk(0, 0, 1))
    torch.testing.assert_close(
        p.bar((0, 0), (0, 2), 0.1), torch.tensor([-0.1, 0.9, -0.1, 3.5055513])
    )
    torch.testing.assert_close(p.ellipse(0, 0, 0.5, 0.5)[1:], p.disk(0, 0, 0.5)[1:])
    torch.testing.assert_close(p.above(1.0), torch.tensor([-1.0, -1.0, 1.0, 3.0]))


def test_shapes_are_joined_cut_and_pierced():
    left, right = plane().disk(-0.3, 0, 0.5), plane().disk(0.3, 0, 0.5)
    assert torch.equal(union(left, right) < 0, (left < 0) | (right < 0))
    assert torch.equal(common(left, right) < 0, (left < 0) & (right < 0))
    assert torch.equal(without(left, right) < 0, (left < 0) & (right > 0))


def test_a_moved_plane_moves_the_shape():
    torch.testing.assert_close(
        plane().moved(0.2, -0.3).disk(0, 0, 0.4), plane().disk(0.2, -0.3, 0.4)
    )
    turned = plane().moved(0, 0, 90).bar((0, 0), (0, -1), 0.1)
    torch.testing.assert_close(turned, plane().bar((0, 0), (1, 0), 0.1))


def test_a_repeated_shape_looks_the_same_from_each_side():
    star = plane().turned_to_one_of(5).disk(0, -0.7, 0.2)
    again = plane().moved(0, 0, 72).turned_to_one_of(5).disk(0, -0.7, 0.2)
    torch.testing.assert_close(star, again, rtol=0, atol=1e-5)
    assert plane().turned_to_one_of(5).disk(0, -0.7, 0.2)[46, SIDE // 2] < 0


@pytest.mark.parametrize("name", SILHOUETTES)
def test_a_shape_fits_its_square_and_its_distances_are_distances(name):
    points = plane()
    shape = SILHOUETTES[name](points)
    covered = shape.outline < 0
    assert not covered[torch.maximum(points.x.abs(), points.y.abs()) > 1.02].any()
    assert 0.12 < covered.sum() * (2.6 / SIDE) ** 2 / 4 < 0.7
    assert torch.isfinite(shape.outline).all()
    step = 2.6 / SIDE
    slope = torch.hypot(*(part / step for part in torch.gradient(shape.outline)))
    assert slope[shape.outline.abs() < 0.1].quantile(0.98) < 1.2
    assert slope[shape.outline.abs() < 0.1].median() > 0.95


@pytest.mark.parametrize("name", SILHOUETTES)
def test_an_accent_covers_part_of_its_shape(name):
    shape = SILHOUETTES[name](plane())
    if shape.accent is not None:
        covered, accent = shape.outline < 0, shape.accent < 0
        assert 0.01 < (covered & accent).sum() / covered.sum() < 0.7


def test_shapes_are_different_and_most_are_not_convex():
    shapes = {name: (draw(plane()).outline < 0).numpy() for name, draw in SILHOUETTES.items()}
    assert len(shapes) >= 30
    for (one, a), (other, b) in itertools.combinations(shapes.items(), 2):
        assert (a & b).sum() / (a | b).sum() < 0.85, (one, other)
    solid = [a.sum() / ConvexHull(np.argwhere(a)).volume for a in shapes.values()]
    assert sum(fraction < 0.9 for fraction in solid) >= 20
