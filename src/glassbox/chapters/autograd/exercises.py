"""Checks for the exercises of the chapter on autograd and hooks."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from glassbox.autograd.scalar_tape import Scalar
from glassbox.chapters.checking import Candidate, Case, exercise


@exercise(read=float)
def check_scaled_gradient() -> Iterator[Case]:
    """Check ``scaled_gradient(value, factor)``: x.grad where a hook scales the gradient of x²."""
    for given in [(2.0, 1.0), (2.0, 0.5), (2.0, -1.0), (3.0, 0.0), (-1.0, 2.0)]:
        value, factor = given
        yield Case(f"scaled_gradient{given}", given, factor * 6 * value**5)


@exercise()
def check_sigmoid() -> Iterator[Case]:
    """Check ``sigmoid(x)`` on the scalar tape: a value, a slope, and a place in a graph."""
    for value in (-3.0, 0.0, 0.7, 40.0):
        x = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        (x.sigmoid() * x).backward()
        yield Case(
            f"the value of sigmoid(Scalar({value}))",
            lambda candidate, value=value: candidate(Scalar(value)).value,
            x.sigmoid().item(),
        )
        yield Case(
            f"the gradient of sigmoid(x) * x at {value}",
            lambda candidate, value=value: _gradient(lambda s: candidate(s) * s, value),
            x.grad.item(),
        )
    yield Case(
        "the inputs that one sigmoid takes down",
        lambda candidate: [source.value for source, _ in candidate(Scalar(1.5)).inputs],
        [1.5],
    )


def _gradient(function: Candidate, value: float) -> float:
    x = Scalar(value)
    function(x).backward()
    return x.grad


@exercise()
def check_softmax_pull() -> Iterator[Case]:
    """Check ``softmax_pull(gradient, probabilities)``, the backward of a softmax over rows."""
    for shape in [(1, 2), (1, 5), (3, 4), (6, 1)]:
        scores, gradient = torch.randn(shape, requires_grad=True), torch.randn(shape)
        probabilities = scores.softmax(dim=1)
        (expected,) = torch.autograd.grad(probabilities, scores, gradient)
        text = f"softmax_pull(gradient {shape}, probabilities {shape})"
        yield Case(text, (gradient, probabilities.detach()), expected)


@exercise()
def check_hard_sign() -> Iterator[Case]:
    """Check ``hard_sign(x)``: the sign forward, a straight line within -1 to 1 backward."""
    for dtype in (torch.float32, torch.float64):
        x = torch.tensor([-2.0, -1.0, -0.3, 0.0, 0.4, 1.0, 1.7], dtype=dtype, requires_grad=True)
        weights = torch.arange(1, 8, dtype=dtype)
        yield Case(f"hard_sign of {dtype}", (x,), x.detach().sign())
        yield Case(
            f"the gradient of a weighted sum of hard_sign, {dtype}",
            lambda candidate, x=x, weights=weights: _gradient_of_sum(candidate, x, weights),
            weights * (x.detach().abs() <= 1),
        )


def _gradient_of_sum(candidate: Candidate, x: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    return torch.autograd.grad((candidate(x) * weights).sum(), x)[0]


class _Breaking(nn.Module):
    """A layer that can be told to raise."""

    def __init__(self) -> None:
        super().__init__()
        self.armed = False

    def forward(self, x: Tensor) -> Tensor:
        if self.armed:
            raise ArithmeticError("the layer behind broke")
        return x


@exercise()
def check_fraction_of_zeros() -> Iterator[Case]:
    """Check ``fraction_of_zeros(model, layer, images)``: its value, and that no hook stays."""
    model = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 4), nn.ReLU(), _Breaking())
    images = torch.randn(50, 6)
    for layer, depth in (("1", 2), ("3", 4)):
        with torch.no_grad():
            fraction = (model[:depth](images) == 0).float().mean().item()
        yield Case(
            f"fraction_of_zeros(model, {layer!r}, images)",
            lambda candidate, layer=layer: float(candidate(model, layer, images)),
            fraction,
        )
        yield Case("hooks left on the layer", lambda _: _hooks(model), 0)
    model[4].armed = True
    yield Case(
        "the error of a broken model", lambda candidate: _error(candidate, model, images), "raised"
    )
    yield Case("hooks left after an error in the model", lambda _: _hooks(model), 0)


def _hooks(model: nn.Module) -> int:
    return sum(len(layer._forward_hooks) for layer in model.modules())


def _error(candidate: Candidate, model: nn.Module, images: Tensor) -> str:
    try:
        candidate(model, "1", images)
    except ArithmeticError:
        return "raised"
    return "swallowed"


@exercise()
def check_root_or_zero() -> Iterator[Case]:
    """Check ``root_or_zero(x)``: the root above 0, else 0, with a finite gradient everywhere."""
    for numbers in ([1.0, 4.0, 0.25], [0.0, 1.0, -3.0], [0.0, 0.0, 0.0]):
        x = torch.tensor(numbers, requires_grad=True)
        roots = x.detach().clamp(min=0).sqrt()
        yield Case(f"root_or_zero({numbers})", (x,), roots)
        yield Case(
            f"the gradient of its sum at {numbers}",
            lambda candidate, x=x: _gradient_of_sum(candidate, x),
            torch.tensor([0.5 / root if root else 0.0 for root in roots.tolist()]),
        )
