"""Surfaces: known values, gradients, minima, noise, and walks equal to torch's."""

import math

import pytest
import torch
from devices import gives_the_same_on_every_device
from refusals import refuses
from scipy import stats

from glassbox import optim
from glassbox.optim import SURFACES, trajectory
from glassbox.optim.surfaces import _standard_normals

each_surface = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
RACERS = {
    "SGD": (optim.SGD, torch.optim.SGD, {}),
    "Momentum": (optim.SGD, torch.optim.SGD, {"momentum": 0.9}),
    "RMSprop": (optim.RMSprop, torch.optim.RMSprop, {}),
    "Adam": (optim.Adam, torch.optim.Adam, {}),
    "AdamW": (optim.AdamW, torch.optim.AdamW, {}),
    "AMSGrad": (optim.Adam, torch.optim.Adam, {"amsgrad": True}),
}


def rate(surface, kind):
    return surface.lr if kind is optim.SGD else surface.adaptive_lr


def test_published_values():
    def height(name, x, y):
        return SURFACES[name].function(torch.tensor([x, y], dtype=torch.float64)).item()

    assert height("rosenbrock", -1.2, 1.0) == pytest.approx(24.2)
    assert height("beale", 1.0, 1.0) == pytest.approx(14.203125)
    assert height("himmelblau", -0.270845, -0.923039) == pytest.approx(181.617, abs=1e-3)
    assert height("ravine", 0.8, 0.6) == pytest.approx(0.1)
    assert height("ravine", -0.6, 0.8) == pytest.approx(5.0)
    assert height("saddle", 0.0, 1.0) == pytest.approx(-0.25)


@each_surface
def test_minima_are_the_lowest_points_inside_the_bounds(surface):
    (x0, x1), (y0, y1) = surface.bounds
    for x, y in (surface.start, *surface.minima):
        assert x0 < x < x1 and y0 < y < y1
    grid = torch.cartesian_prod(
        torch.linspace(x0, x1, 201, dtype=torch.float64),
        torch.linspace(y0, y1, 201, dtype=torch.float64),
    )
    lowest = surface.function(grid).min()
    for minimum in surface.minima:
        leaf = torch.tensor(minimum, dtype=torch.float64, requires_grad=True)
        height = surface.function(leaf)
        (slope,) = torch.autograd.grad(height, leaf)
        assert slope.abs().max() < 1e-9
        assert height <= lowest + 1e-9


@each_surface
def test_gradients_are_right_and_points_come_in_any_shape_and_dtype(surface):
    points = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(surface.function, points)
    for dtype in (torch.float32, torch.float64):
        heights = surface.function(points.detach().to(dtype))
        assert heights.shape == (3, 4) and heights.dtype == dtype


@each_surface
@pytest.mark.parametrize("ours, theirs, options", RACERS.values(), ids=RACERS)
def test_a_walk_of_ours_is_that_of_torch(surface, ours, theirs, options):
    def run(kind):
        return trajectory(
            surface, lambda params: kind(params, lr=rate(surface, ours), **options), steps=200
        )

    mine, expected = run(ours), run(theirs)
    assert mine.points.shape == (201, 2) and mine.heights.shape == (201,)
    assert torch.equal(mine.points, expected.points)
    assert mine.points.isfinite().all(), "the default rate has to suit every optimizer"
    assert mine.heights[-1] < mine.heights[0]


def test_noise_is_normal_independent_and_repeatable():
    draws = torch.tensor([_standard_normals(step) for step in range(20_000)], dtype=torch.float64)
    for axis in range(2):
        assert stats.kstest(draws[:, axis], "norm").pvalue > 1e-3
        assert draws[:, axis].std() == pytest.approx(1, abs=0.02)
    assert abs(torch.corrcoef(draws.T)[0, 1]) < 0.03
    for axis in range(2):
        assert abs(torch.corrcoef(torch.stack([draws[1:, axis], draws[:-1, axis]]))[0, 1]) < 0.03
    assert _standard_normals(7, seed=3) == _standard_normals(7, seed=3)
    assert _standard_normals(7, seed=3) != _standard_normals(7, seed=4)


def test_noise_is_added_to_the_gradient_and_not_to_the_heights():
    surface = SURFACES["noisy_quadratic"]
    point = torch.tensor([1.0, 2.0], dtype=torch.float64)
    exact = torch.tensor([1.0, 20.0], dtype=torch.float64)
    noise = torch.tensor(_standard_normals(4, 2), dtype=torch.float64)
    expected = exact + surface.noise * noise
    torch.testing.assert_close(surface.gradient(point, step=4, seed=2), expected)
    way = trajectory(surface, lambda params: torch.optim.SGD(params, lr=0.01), steps=5, seed=2)
    assert torch.equal(way.heights, surface.function(way.points))
    for step, point in enumerate(way.points[:-1]):
        after = point - 0.01 * surface.gradient(point, step, seed=2)
        torch.testing.assert_close(way.points[step + 1], after)


def test_a_walk_that_diverges_comes_to_an_end():
    way = trajectory(
        SURFACES["rosenbrock"], lambda params: torch.optim.SGD(params, lr=1.0), steps=50
    )
    assert not way.points[-1].isfinite().all()
    assert way.points.shape == (51, 2)


test_walks_and_gradients_are_the_same_on_every_device = gives_the_same_on_every_device(
    ("gradient", SURFACES["noisy_quadratic"].gradient, torch.tensor([0.5, 0.25]), 3),
    (
        "trajectory",
        lambda: trajectory(SURFACES["beale"], lambda p: torch.optim.SGD(p, 0.01), steps=3).points,
    ),
)


def descend(params):
    return torch.optim.SGD(params, lr=0.1)


test_bad_walks_are_refused = refuses(
    ({"steps": -1}, "steps is -1"),
    ({"start": (1.0,)}, r"start is \(1.0,\)"),
    ({"start": (1.0, math.nan)}, "two finite numbers"),
    ({"start": ("1", 2)}, TypeError, "start is '1', expected a number"),
    ({"start": 7}, "start is 7, expected two finite numbers"),
    ({"steps": 1.5}, "steps is 1.5, expected an integer"),
    ({"seed": [0]}, r"seed is \[0\], expected an integer"),
    ({"make_optimizer": lambda params: None}, TypeError, "make_optimizer gave None, expected"),
    ({"surface": "saddle"}, TypeError, "surface is 'saddle', expected Surface"),
    by=lambda options: trajectory(
        **{"surface": SURFACES["saddle"], "make_optimizer": descend} | options
    ),
)
