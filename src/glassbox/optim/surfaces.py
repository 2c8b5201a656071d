"""Functions of two variables that are hard to optimize, each in its own way."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassbox.support.arguments import (
    as_tensor,
    as_whole,
    check_all_finite,
    check_callables,
    check_floating_point,
    check_numbers,
    check_shapes,
    check_types,
)

Point = tuple[float, float]
_BITS = 0xFFFFFFFF


@dataclass(frozen=True)
class Surface:
    """A function of two variables, and where to look at it.

    Args:
        name: Its key in :data:`SURFACES`.
        title: Its name for readers.
        function: Maps points ``(..., 2)`` of any floating dtype to heights ``(...)``.
        bounds: The part to look at, ``((x from, x to), (y from, y to))``.
        start: A point from which a walk is worth watching.
        lr: A learning rate worth watching for optimizers whose steps grow with the gradient.
        adaptive_lr: The same for those that divide by its recent size: about the length of a step.
        minima: The lowest points inside the bounds.
        noise: Standard deviation of what is added to each component of the gradient.
    """

    name: str
    title: str
    function: Callable[[Tensor], Tensor]
    bounds: tuple[Point, Point]
    start: Point
    lr: float
    adaptive_lr: float
    minima: tuple[Point, ...]
    noise: float = 0.0

    def gradient(self, point: Tensor, step: int = 0, seed: int = 0) -> Tensor:
        """Compute the gradient ``(2,)`` at a point, with the noise of this step and seed."""
        step, seed = as_whole(0, step=step, seed=seed)
        point = as_tensor(point=point)
        check_shapes(point=(point, "2"))
        check_floating_point(point=point)
        check_all_finite(point=point)
        return self._gradient(point, step, seed)

    def _gradient(self, point: Tensor, step: int, seed: int) -> Tensor:
        """Compute the gradient at any point, also where a walk has overflowed."""
        leaf = point.detach().requires_grad_()
        with torch.enable_grad():
            (exact,) = torch.autograd.grad(self.function(leaf), leaf)
        return exact + self.noise * exact.new_tensor(_standard_normals(step, seed))


@dataclass(frozen=True)
class Trajectory:
    """An optimizer's path in float64: points ``(steps + 1, 2)``, and the heights without noise."""

    points: Tensor
    heights: Tensor


def trajectory(
    surface: Surface,
    make_optimizer: Callable[[list[Tensor]], Any],
    start: Point | None = None,
    *,
    steps: int = 100,
    seed: int = 0,
) -> Trajectory:
    """Run an optimizer on a surface, in float64; an overflow leaves infinities and nan.

    Args:
        surface: Where.
        make_optimizer: Makes an optimizer for a list of one parameter, as
            ``lambda params: torch.optim.Adam(params, lr=0.1)`` does.
        start: The first point; by default the surface's own.
        steps: How many steps, at least 0.
        seed: Decides the noise, where the surface has any.

    Raises:
        ValueError: If ``steps`` is no integer of at least 0, or ``start`` no two finite numbers.
    """
    check_types(Surface, surface=surface)
    check_callables(make_optimizer=make_optimizer)
    start = surface.start if start is None else start
    steps, seed = as_whole(0, steps=steps, seed=seed)
    pair = isinstance(start, Sequence | np.ndarray | Tensor) and len(start) == 2
    for number in start if pair else ():
        check_numbers(start=number)
    numbers = [float(number) for number in start] if pair else []
    if not (pair and all(map(math.isfinite, numbers))):
        raise ValueError(f"start is {start}, expected two finite numbers")
    point = torch.tensor(numbers, dtype=torch.float64, device="cpu", requires_grad=True)
    optimizer = make_optimizer([point])
    if not callable(getattr(optimizer, "step", None)):
        raise TypeError(f"make_optimizer gave {optimizer!r}, expected an optimizer")
    points = [point.detach().clone()]
    for step in range(steps):
        point.grad = surface._gradient(point, step, seed)
        optimizer.step()
        points.append(point.detach().clone())
    visited = torch.stack(points)
    return Trajectory(visited, surface.function(visited))


def _standard_normals(step: int, seed: int = 0) -> Point:
    """Draw two standard normal numbers for a step, the same on every machine.

    The step and the seed are mixed into the state of the generator mulberry32, whose numbers the
    Box-Muller transform turns into normal ones. It needs nothing but 32-bit integers, so that a
    page can repeat it in JavaScript.

    Reference:
        Box and Muller (1958), "A Note on the Generation of Random Normal Deviates",
        https://doi.org/10.1214/aoms/1177706645.
    """
    # The multipliers spread neighboring steps and seeds over all 32 bits.
    state = (step * 0x9E3779B1 + seed * 0x85EBCA6B + 1) & _BITS
    first, second = _mulberry32(state), _mulberry32(state + 0x6D2B79F5)
    radius = math.sqrt(-2 * math.log((first + 1) / (_BITS + 1)))
    angle = 2 * math.pi * second / (_BITS + 1)
    return radius * math.cos(angle), radius * math.sin(angle)


def _mulberry32(state: int) -> int:
    state = (state + 0x6D2B79F5) & _BITS
    mixed = ((state ^ state >> 15) * (state | 1)) & _BITS
    mixed ^= (mixed + (((mixed ^ mixed >> 7) * (mixed | 61)) & _BITS)) & _BITS
    return mixed ^ mixed >> 14


def _rosenbrock(point: Tensor) -> Tensor:
    """Compute Rosenbrock's function ``(...)`` of ``(..., 2)``: a long curved valley, nearly flat.

    Reference:
        Rosenbrock (1960), https://doi.org/10.1093/comjnl/3.3.175.
    """
    x, y = point.unbind(-1)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _beale(point: Tensor) -> Tensor:
    """Compute Beale's function of ``(..., 2)``: a plain between steep walls.

    Reference:
        Beale (1958), "On an Iterative Method for Finding a Local Minimum of a Function of More
        Than One Variable", Princeton University, Statistical Techniques Research Group.
    """
    x, y = point.unbind(-1)
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _himmelblau(point: Tensor) -> Tensor:
    """Compute Himmelblau's function of ``(..., 2)``: four minima of equal height.

    Reference:
        Himmelblau (1972), "Applied Nonlinear Programming", McGraw-Hill.
    """
    x, y = point.unbind(-1)
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _ravine(point: Tensor) -> Tensor:
    """Compute a rotated quadratic bowl of ``(..., 2)``, fifty times as steep across as along.

    The turn matters: methods that scale each coordinate by itself can't straighten it.
    """
    x, y = point.unbind(-1)
    along, across = 0.8 * x + 0.6 * y, 0.8 * y - 0.6 * x
    return 0.1 * along**2 + 5 * across**2


def _saddle(point: Tensor) -> Tensor:
    """Compute a saddle of ``(..., 2)`` with a minimum on either side."""
    x, y = point.unbind(-1)
    return x**2 / 2 - y**2 / 2 + y**4 / 4


def _bowl(point: Tensor) -> Tensor:
    """Compute a quadratic bowl of ``(..., 2)``, ten times as steep in y as in x."""
    x, y = point.unbind(-1)
    return x**2 / 2 + 5 * y**2


SURFACES = {
    surface.name: surface
    for surface in (
        Surface(
            "ravine",
            "Ravine",
            _ravine,
            ((-5.5, 2.5), (-4.5, 3.0)),
            (-4.5, -2.0),
            0.1,
            0.02,
            ((0.0, 0.0),),
        ),
        Surface(
            "rosenbrock",
            "Rosenbrock's valley",
            _rosenbrock,
            ((-2.0, 2.0), (-1.0, 3.0)),
            (-1.2, 1.0),
            0.0015,
            0.05,
            ((1.0, 1.0),),
        ),
        Surface(
            "beale",
            "Beale's plain",
            _beale,
            ((-1.0, 4.5), (-1.5, 1.5)),
            (1.0, 1.2),
            0.01,
            0.05,
            ((3.0, 0.5),),
        ),
        Surface(
            "himmelblau",
            "Himmelblau's four minima",
            _himmelblau,
            ((-5.0, 5.0), (-5.0, 5.0)),
            (-0.5, -1.0),
            0.01,
            0.1,
            (
                (3.0, 2.0),
                (-2.805118086952745, 3.131312518250573),
                (-3.779310253377747, -3.283185991286170),
                (3.584428340330492, -1.848126526964404),
            ),
        ),
        Surface(
            "saddle",
            "Saddle",
            _saddle,
            ((-2.0, 2.0), (-1.6, 1.6)),
            (-1.7, 0.001),
            0.05,
            0.05,
            ((0.0, 1.0), (0.0, -1.0)),
        ),
        Surface(
            "noisy_quadratic",
            "Noisy bowl",
            _bowl,
            ((-3.0, 3.0), (-2.0, 2.0)),
            (-2.5, 1.5),
            0.05,
            0.1,
            ((0.0, 0.0),),
            noise=2.0,
        ),
    )
}
"""The surfaces by name."""
