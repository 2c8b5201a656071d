"""Checks for the exercises of the chapter on autograd and hooks."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.autograd.scalar_tape import Scalar
from glassbox.chapters.checking import Candidate, Case, exercise


@exercise
def check_scaled_gradient(candidate: Candidate) -> Iterator[Case]:
    """Check ``scaled_gradient(value, factor)``: x.grad where a hook scales the gradient of x²."""
    for value, factor in [(2.0, 1.0), (2.0, 0.5), (2.0, -1.0), (3.0, 0.0), (-1.0, 2.0)]:
        yield Case(
            f"scaled_gradient({value}, {factor})",
            lambda value=value, factor=factor: float(candidate(value, factor)),
            factor * 6 * value**5,
        )


@exercise
def check_sigmoid(candidate: Candidate) -> Iterator[Case]:
    """Check ``sigmoid(x)`` on the scalar tape: a value, a slope, and a place in a graph."""
    for value in (-3.0, 0.0, 0.7, 40.0):
        x = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        (x.sigmoid() * x).backward()
        yield Case(
            f"the value of sigmoid(Scalar({value}))",
            lambda value=value: candidate(Scalar(value)).value,
            x.sigmoid().item(),
        )
        yield Case(
            f"the gradient of sigmoid(x) * x at {value}",
            lambda value=value: _gradient(lambda s: candidate(s) * s, value),
            x.grad.item(),
        )
    slopes = [source.value for source, _ in _inputs(candidate)]
    yield Case("the inputs that one sigmoid takes down", lambda: slopes, [1.5])


def _gradient(function: Candidate, value: float) -> float:
    x = Scalar(value)
    function(x).backward()
    return x.grad


def _inputs(candidate: Candidate) -> tuple[Any, ...]:
    try:
        return candidate(Scalar(1.5)).inputs
    except Exception:  # an earlier case has told the reader
        return ()


@exercise
def check_softmax_pull(candidate: Candidate) -> Iterator[Case]:
    """Check ``softmax_pull(gradient, probabilities)``, the backward of a softmax over rows."""
    generator = torch.Generator().manual_seed(0)
    for rows, columns in [(1, 2), (1, 5), (3, 4), (6, 1)]:
        scores = torch.randn(rows, columns, generator=generator, requires_grad=True)
        gradient = torch.randn(rows, columns, generator=generator)
        probabilities = scores.softmax(dim=1)
        (expected,) = torch.autograd.grad(probabilities, scores, gradient)
        given = gradient, probabilities.detach()
        yield Case(
            f"softmax_pull(gradient {rows, columns}, probabilities {rows, columns})",
            lambda given=given: candidate(*given),
            expected,
        )


@exercise
def check_hard_sign(candidate: Candidate) -> Iterator[Case]:
    """Check ``hard_sign(x)``: the sign forward, a straight line within -1 to 1 backward."""
    for dtype in (torch.float32, torch.float64):
        x = torch.tensor([-2.0, -1.0, -0.3, 0.0, 0.4, 1.0, 1.7], dtype=dtype, requires_grad=True)
        weights = torch.arange(1, 8, dtype=dtype)
        yield Case(f"hard_sign of {dtype}", lambda x=x: candidate(x).detach(), x.detach().sign())
        yield Case(
            f"the gradient of a weighted sum of hard_sign, {dtype}",
            lambda x=x, weights=weights: torch.autograd.grad((candidate(x) * weights).sum(), x)[0],
            weights * (x.detach().abs() <= 1),
        )


class Breaking(nn.Module):
    """A layer that can be told to raise."""

    def __init__(self) -> None:
        super().__init__()
        self.armed = False

    def forward(self, x: Tensor) -> Tensor:
        """Return the input, or raise."""
        if self.armed:
            raise ArithmeticError("the layer behind broke")
        return x


@exercise
def check_fraction_of_zeros(candidate: Candidate) -> Iterator[Case]:
    """Check ``fraction_of_zeros(model, layer, images)``: its value, and that no hook stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 4), nn.ReLU(), Breaking())
        images = torch.randn(50, 6)
    for layer, depth in (("1", 2), ("3", 4)):
        with torch.no_grad():
            fraction = (model[:depth](images) == 0).float().mean().item()
        yield Case(
            f"share_of_zeros(model, {layer!r}, images)",
            lambda layer=layer: float(candidate(model, layer, images)),
            fraction,
        )
        yield Case("hooks left on the layer", lambda: _hooks(model), 0)
    model[4].armed = True
    yield Case("the error of a broken model", lambda: _error(candidate, model, images), "raised")
    yield Case("hooks left after an error in the model", lambda: _hooks(model), 0)


def _hooks(model: nn.Module) -> int:
    return sum(len(layer._forward_hooks) for layer in model.modules())


def _error(candidate: Candidate, model: nn.Module, images: Tensor) -> str:
    try:
        candidate(model, "1", images)
    except ArithmeticError:
        return "raised"
    return "swallowed"


@exercise
def check_root_or_zero(candidate: Candidate) -> Iterator[Case]:
    """Check ``root_or_zero(x)``: the root above 0, else 0, with a finite gradient everywhere."""
    for numbers in ([1.0, 4.0, 0.25], [0.0, 1.0, -3.0], [0.0, 0.0, 0.0]):
        x = torch.tensor(numbers, requires_grad=True)
        roots = x.detach().clamp(min=0).sqrt()
        yield Case(f"root_or_zero({numbers})", lambda x=x: candidate(x).detach(), roots)
        yield Case(
            f"the gradient of its sum at {numbers}",
            lambda x=x: torch.autograd.grad(candidate(x).sum(), x)[0],
            torch.tensor([0.5 / root if root else 0.0 for root in roots.tolist()]),
        )
