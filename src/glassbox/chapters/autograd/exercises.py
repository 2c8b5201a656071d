"""Exercises of the chapter on autograd and hooks."""

import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.autograd.scalar_tape import Scalar
from glassbox.chapters.checking import Answer, Case, Exercise


def _gradient(value: float, hook: Callable[[Tensor], Tensor | None]) -> Tensor:
    x = torch.tensor(value, requires_grad=True)
    y = x**2
    y.register_hook(hook)
    (y**3).backward()
    return x.grad


def _count_hooks(answer: Answer, value: float, factor: float) -> dict[str, Any]:
    """See whether a hook of any kind ran: Python that is called from within the backward pass."""
    inside = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and torch._C._current_graph_task_id() != -1:
            inside.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        result = answer(value, factor)
    finally:
        sys.setprofile(before)
    return {"": result, "the number of hooks that ran": int(bool(inside))}


check_scaled_gradient = Exercise(
    "scaled_gradient",
    reference=lambda value, factor: _gradient(value, lambda gradient: factor * gradient),
    observe=_count_hooks,
    cases=[(2.0, 1.0), (2.0, 0.5), (2.0, -1.0), (3.0, 0.0), (-1.0, 2.0)],
    drawn=lambda: (random.uniform(0.5, 2), random.uniform(-2, 2)),
    mistakes={
        "The gradient is scaled when the backward pass is over: a hook on y, registered before "
        "backward(), scales it on its way.": lambda value, factor: factor * 6 * value**5,
        "No hook had an effect: register it on y, before backward().": (
            lambda value, factor: 6 * value**5
        ),
        "The hook ran and changed nothing: it has to return the new gradient.": (
            lambda value, factor: _gradient(value, lambda gradient: None)
        ),
        "This is the gradient of y, which the hook returned: return x.grad.": (
            lambda value, factor: _gradient(value, lambda g: factor * g) / (2 * value)
        ),
    },
)


def _sigmoid(x: Scalar, slope: Callable[[float], float] = lambda s: s * (1 - s)) -> Scalar:
    result = torch.tensor(x.value, dtype=torch.float64).sigmoid().item()
    return Scalar(result, (x, slope(result)))


def _tape_of(answer: Answer, value: float) -> dict[str, Any]:
    """Look at one sigmoid, and at the gradient of a graph in which it stands."""
    x, result = Scalar(value), answer(Scalar(value))
    (answer(x) * x).backward()
    return {
        "the value": result.value,
        "the gradient of sigmoid(x) * x": x.grad,
        "what it is made from": [source.value for source, _ in result.inputs],
    }


check_sigmoid = Exercise(
    "sigmoid",
    reference=_sigmoid,
    observe=_tape_of,
    cases=[Case(f"sigmoid(Scalar({value}))", (value,)) for value in (-3.0, 0.0, 0.7, 40.0)],
    drawn=lambda: (random.uniform(-5, 5),),
    mistakes={
        "The result does not know what it was made from: give Scalar a pair (x, slope) as well.": (
            lambda x: Scalar(_sigmoid(x).value)
        ),
        "These are several operations, each with its own slope: compute the value with math.exp, "
        "and make one Scalar from it.": lambda x: 1 / (1 + (-x).exp()),
        "This is the slope of tanh, 1 - s**2: that of the sigmoid s is s * (1 - s).": (
            lambda x: _sigmoid(x, lambda s: 1 - s**2)
        ),
        "The slope has x where it needs the result s: it is s * (1 - s).": (
            lambda x: _sigmoid(x, lambda s: x.value * (1 - x.value))
        ),
        "The slope is that of 1 / s: by the chain rule, e**-x comes in as well.": (
            lambda x: _sigmoid(x, lambda s: -(s**2))
        ),
    },
)


def _softmax_pull(gradient: Tensor, probabilities: Tensor) -> Tensor:
    """Let autograd do it, with the logarithms of the probabilities as scores."""
    scores = probabilities.log().requires_grad_()
    return torch.autograd.grad(scores.softmax(dim=1), scores, gradient)[0]


def _rows(shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    return torch.randn(shape), torch.randn(shape).softmax(dim=1)


check_softmax_pull = Exercise(
    "softmax_pull",
    reference=_softmax_pull,
    cases=lambda: map(_rows, [(1, 2), (1, 5), (3, 4), (6, 1)]),
    drawn=lambda: _rows((random.randint(2, 8), random.randint(2, 8))),
    mistakes={
        "This is the diagonal of the Jacobian alone: each score changes all probabilities of its "
        "row.": lambda gradient, probabilities: gradient * probabilities * (1 - probabilities),
        "The sum runs over the whole matrix: sum each row, with dim=1 and keepdim=True.": (
            lambda gradient, probabilities: (
                probabilities * (gradient - (gradient * probabilities).sum())
            )
        ),
        "The sum runs over the columns: sum each row, with dim=1 and keepdim=True.": (
            lambda gradient, probabilities: (
                probabilities * (gradient - (gradient * probabilities).sum(0, keepdim=True))
            )
        ),
        "The mean of the gradient is weighted: its weights are the probabilities.": (
            lambda gradient, probabilities: (
                probabilities * (gradient - gradient.mean(1, keepdim=True))
            )
        ),
        "The factor in front is missing: the whole bracket is multiplied by the probabilities.": (
            lambda gradient, probabilities: (
                gradient - (gradient * probabilities).sum(1, keepdim=True)
            )
        ),
    },
)


def _hard_sign(x: Tensor, allowed: Callable[[Tensor], Tensor] = lambda x: x.abs() <= 1) -> Tensor:
    """Give x the gradient of x where that is allowed, and the value of its sign."""
    passed = x * allowed(x)
    return passed + (x.sign() - passed).detach()


def _hard_sign_of_ones(x: Tensor) -> Tensor:
    y = _hard_sign(x)
    y.register_hook(torch.ones_like)
    return y


def _value_and_gradient(answer: Answer, x: Tensor, weights: Tensor) -> dict[str, Any]:
    x.requires_grad_()
    y = answer(x)
    gradient = None
    if y.requires_grad:
        (gradient,) = torch.autograd.grad((y * weights).sum(), x, allow_unused=True)
    return {"": y, "the gradient of a weighted sum of it": gradient}


check_hard_sign = Exercise(
    "hard_sign",
    reference=_hard_sign,
    observe=_value_and_gradient,
    cases=lambda: [
        Case(
            f"hard_sign of {dtype}",
            (
                torch.tensor([-2.0, -1.0, -0.3, 0.0, 0.4, 1.0, 1.7], dtype=dtype),
                torch.arange(1, 8, dtype=dtype),
            ),
        )
        for dtype in (torch.float32, torch.float64)
    ],
    drawn=lambda: (2 * torch.randn(9), torch.randn(9)),
    changes=("x",),
    mistakes={
        "The gradient of PyTorch's own sign is 0: yours has to be returned by backward.": (
            torch.sign
        ),
        "The gradient passes beyond -1 and 1 as well: multiply it by (x.abs() <= 1).": (
            lambda x: _hard_sign(x, torch.ones_like)
        ),
        "At -1 and 1 themselves the gradient passes: compare with <= in place of <.": (
            lambda x: _hard_sign(x, lambda x: x.abs() < 1)
        ),
        "The gradient that arrives is lost: multiply it by (x.abs() <= 1).": (
            lambda x: _hard_sign_of_ones(x)
        ),
    },
)


class _Breaking(nn.Module):
    """A layer that can be told to raise."""

    armed = False

    def forward(self, x: Tensor) -> Tensor:
        if self.armed:
            raise ArithmeticError("the layer behind broke")
        return x


def _zeros_of(
    model: nn.Module,
    layer: str,
    images: Tensor,
    count: Callable[[Tensor], Tensor] = lambda output: (output == 0).float().mean(),
    safe: bool = True,
) -> Tensor:
    found = []
    handle = model.get_submodule(layer).register_forward_hook(
        lambda module, inputs, output: found.append(count(output))
    )
    try:
        model(images)
    except ArithmeticError:
        if safe:
            handle.remove()
        raise
    handle.remove()
    return found[0]


def _error_or_zeros(answer: Answer, model: nn.Module, layer: str, images: Tensor) -> dict[str, Any]:
    """Take the fraction, or of a model that raises whether its error comes through."""
    if not model[4].armed:
        return {"": answer(model, layer, images)}
    try:
        answer(model, layer, images)
    except ArithmeticError:
        return {"the error of the model": "raised"}
    return {"the error of the model": "swallowed"}


def _model(armed: bool = False) -> nn.Module:
    layers = nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 4), nn.Hardshrink(0.1), _Breaking()
    model = nn.Sequential(*layers).eval()
    model[4].armed = armed
    return model


check_fraction_of_zeros = Exercise(
    "fraction_of_zeros",
    reference=_zeros_of,
    observe=_error_or_zeros,
    cases=lambda: [
        *((_model(), layer, torch.randn(50, 6)) for layer in ("1", "3")),
        Case("fraction_of_zeros of a model that raises", (_model(True), "1", torch.randn(50, 6))),
    ],
    drawn=lambda: (_model(), random.choice("13"), torch.randn(random.randint(5, 60), 6)),
    mistakes={
        "Numbers below 0 are counted as well: compare with == 0.": (
            lambda *given: _zeros_of(*given, lambda output: (output <= 0).float().mean())
        ),
        "This is the fraction of numbers that are not 0: compare with == 0.": (
            lambda *given: _zeros_of(*given, lambda output: (output != 0).float().mean())
        ),
        "These are zeros counted, not their fraction: take the mean in place of the sum.": (
            lambda *given: _zeros_of(*given, lambda output: (output == 0).sum())
        ),
        "This is the fraction of units that are zero for every image: take the mean over all "
        "numbers.": (
            lambda *given: _zeros_of(*given, lambda output: (output == 0).all(0).float().mean())
        ),
        "remove() is not reached if the model raises: call it in a `finally`, or use the handle in "
        "a `with` block.": lambda *given: _zeros_of(*given, safe=False),
    },
)


def _root_by_parts(x: Tensor) -> Tensor:
    """Compute the root where x is above 0 alone."""
    above = x > 0
    return torch.zeros_like(x).masked_scatter(above, x[above].sqrt())


def _root_and_gradient(answer: Answer, x: Tensor) -> dict[str, Any]:
    found = _value_and_gradient(answer, x, torch.ones_like(x))
    return {"": found[""], "the gradient of its sum": [*found.values()][1]}


check_root_or_zero = Exercise(
    "root_or_zero",
    reference=_root_by_parts,
    observe=_root_and_gradient,
    cases=lambda: [
        (torch.tensor(numbers),) for numbers in ([1.0, 4.0, 0.25], [0.0, 1.0, -3.0], [0.0] * 3)
    ],
    drawn=lambda: (torch.randn(6),),
    changes=("x",),
    mistakes={
        "Where x <= 0 the root has an infinite slope or none, and 0 times infinity is nan: give "
        "the root a harmless number there.": lambda x: torch.where(x > 0, x.sqrt(), 0),
        "At 0 itself the root has an infinite slope, which clamp and x >= 0 let pass: the root "
        "needs something harmless there too.": lambda x: x.clamp(min=0).sqrt(),
        "The result is cut off from x: no detach(), .data or torch.no_grad() here.": (
            lambda x: x.detach().clamp(min=0).sqrt()
        ),
    },
)
