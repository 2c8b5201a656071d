"""Exercises of the chapter on Adam."""

import math
import random
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.chapters.checking import Answer, Case, Exercise

_State = dict[str, Any]


def _weighted_by_age(values: Tensor, beta: float) -> Tensor:
    ages = torch.arange(len(values))[:, None] - torch.arange(len(values))
    weights = (beta ** ages.clamp(min=0)).double() * (ages >= 0)
    return weights @ values.double() / weights.sum(dim=1)


def _averages(values: Tensor, old: float, new: float) -> Tensor:
    m, averages = torch.zeros_like(values[0]), []
    for value in values:
        m = old * m + new * value
        averages.append(m)
    return torch.stack(averages)


def _corrections(values: Tensor, beta: float, first: int = 1) -> Tensor:
    return 1 - beta ** torch.arange(first, len(values) + first)


check_corrected_average = Exercise(
    "corrected_average",
    reference=_weighted_by_age,
    cases=lambda: [
        (torch.randn(length, dtype=torch.float64), beta)
        for length, beta in [(1, 0.9), (2, 0.5), (6, 0.9), (40, 0.999), (3, 0.0)]
    ],
    drawn=lambda: (torch.randn(random.randint(2, 30)), random.uniform(0.1, 0.99)),
    mistakes={
        "The correction is missing: divide the t-th average by 1 - beta**t.": (
            lambda values, beta: _averages(values, beta, 1 - beta)
        ),
        "This counts from 0, where the correction is 0: the first value belongs to t = 1.": (
            lambda values, beta: _averages(values, beta, 1 - beta) / _corrections(values, beta, 0)
        ),
        "Old and new have each other's weight: beta belongs to the average so far.": (
            lambda values, beta: _averages(values, 1 - beta, beta) / _corrections(values, beta)
        ),
        "This is the last average alone: return one after each value.": (
            lambda values, beta: _weighted_by_age(values, beta)[-1]
        ),
        "This is the average of all values alike: the weight of a value falls by beta with each "
        "step.": lambda values, beta: values.cumsum(0) / torch.arange(1, len(values) + 1),
    },
)


def _first_step(beta2: float, fraction: float) -> int:
    step = 1
    while (1 - beta2**step) ** 0.5 < 1 - fraction:
        step += 1
    return step


def _exact_step(beta2: float, fraction: float) -> float:
    return math.log(1 - (1 - fraction) ** 2) / math.log(beta2)


check_steps_to_trust = Exercise(
    "steps_to_trust",
    reference=_first_step,
    cases=[(0.999, 0.01), (0.999, 0.1), (0.99, 0.01), (0.9, 0.2), (0.5, 0.5)],
    drawn=lambda: (random.uniform(0.5, 0.999), random.uniform(0.01, 0.5)),
    mistakes={
        "Steps are whole: round up, with math.ceil.": _exact_step,
        "At this step it is not there yet: round up, with math.ceil.": (
            lambda beta2, fraction: math.floor(_exact_step(beta2, fraction))
        ),
        "This is the step for v itself: the condition is on its root, so the right side is "
        "(1 - s)**2.": lambda beta2, fraction: math.ceil(math.log(fraction) / math.log(beta2)),
        "1 - (1 - s) is s, but 1 - (1 - s)**2 is not s**2: multiply out the square.": (
            lambda beta2, fraction: math.ceil(math.log(fraction**2) / math.log(beta2))
        ),
    },
)


def _groups(
    model: nn.Module, weight_decay: float, least: int = 2, frozen: bool = False
) -> list[dict[str, Any]]:
    parameters = [one for one in model.parameters() if one.requires_grad or frozen]
    return [
        {"params": [one for one in parameters if one.ndim >= least], "weight_decay": weight_decay},
        {"params": [one for one in parameters if one.ndim < least], "weight_decay": 0.0},
    ]


def _decays(answer: Answer, model: nn.Module, weight_decay: float) -> dict[str, list[str]]:
    """Name the parameters that an optimizer with the groups decays by so much, and not at all."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    optimizer = torch.optim.AdamW(answer(model, weight_decay))
    found: dict[float, list[str]] = {weight_decay: [], 0: []}
    for group in optimizer.param_groups:
        found.setdefault(group["weight_decay"], []).extend(names[id(p)] for p in group["params"])
    text = "what decays by {:.4g}"
    return {text.format(decay): sorted(named) for decay, named in found.items()}


def _decaying(frozen: bool, norm: type[nn.Module] = nn.BatchNorm2d) -> nn.Module:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), norm(4), nn.Flatten(), nn.Linear(4, 2))
    model[0].weight.requires_grad_(not frozen)
    return model


check_decay_groups = Exercise(
    "decay_groups",
    reference=_groups,
    observe=_decays,
    cases=lambda: [
        Case(
            f"decay_groups(model, {decay})" + " with frozen kernels" * frozen,
            (_decaying(frozen), decay),
        )
        for frozen in (False, True)
        for decay in (0.1, 0.02)
    ],
    drawn=lambda: (
        _decaying(random.random() < 0.5, random.choice([nn.BatchNorm2d, nn.InstanceNorm2d])),
        random.uniform(0.001, 0.5),
    ),
    mistakes={
        "One group holds all parameters: ask each for its ndim, and make two lists.": (
            lambda model, decay: _groups(model, decay, least=0, frozen=True)[:1]
        ),
        "Biases and the scales of normalization decay too: they have one dimension, so ask for "
        "parameter.ndim >= 2.": lambda model, decay: _groups(model, decay, least=1),
        "Frozen parameters are in the groups: leave out those whose requires_grad is false.": (
            lambda model, decay: _groups(model, decay, frozen=True)
        ),
        "What does not decay is in no group, so that it would never be trained: give it one with a "
        "weight_decay of 0.": lambda model, decay: _groups(model, decay)[:1],
        "The two groups are exchanged: matrices and kernels decay, the others do not.": (
            lambda model, decay: [
                {**group, "weight_decay": decay - group["weight_decay"]}
                for group in _groups(model, decay)
            ]
        ),
    },
)


def _amsgrad(param: Tensor, gradient: Tensor, state: _State, lr: float, late: bool = False) -> None:
    """Take a step of AMSGrad; with ``late``, the largest is corrected, as PyTorch has it."""
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
    v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
    correction = 1 - 0.999**t
    candidate = v if late else v / correction
    largest = state["largest"] = torch.maximum(state.get("largest", candidate), candidate)
    root = (largest / correction if late else largest).sqrt()
    param -= lr * m / (1 - 0.9**t) / (root + 1e-8)


def _adam(param: Tensor, gradient: Tensor, state: _State, lr: float) -> None:
    _by_torch(torch.optim.Adam, param, gradient, state, lr)


def _by_torch(kind: Any, param: Tensor, gradient: Tensor, state: _State, lr: float) -> None:
    optimizer = state.setdefault("optimizer", kind([param], lr=lr))
    param.grad = gradient
    optimizer.step()


def _gradients(steps: int, first: float = 1.0) -> Tensor:
    gradients = torch.randn(steps, 3, dtype=torch.float64) + 0.3
    gradients[0] *= first
    return gradients


def _run(update: Answer, gradients: Tensor) -> dict[str, Tensor]:
    """Update weights of 1 with each gradient, with a learning rate of 0.1."""
    param: Tensor = torch.ones(3, dtype=torch.float64)
    state: _State = {}
    for gradient in gradients:
        update(param, gradient.clone(), state, 0.1)
    return {"the tensor of weights": param}


def _does_nothing(param: Tensor, gradient: Tensor, state: _State, lr: float) -> None:
    return


_NOT_IN_PLACE = (
    "The weights are as they were: `param = ...` makes a new tensor, and `param -= ...` changes "
    "the one that was given."
)

check_corrected_amsgrad = Exercise(
    "corrected_amsgrad",
    reference=_amsgrad,
    observe=_run,
    cases=lambda: [
        Case("corrected_amsgrad, 30 steps with even gradients", (_gradients(30),)),
        Case(
            "corrected_amsgrad, 30 steps, the first gradient 10 times as large",
            (_gradients(30, 10.0),),
        ),
    ],
    drawn=lambda: (_gradients(random.randint(5, 40), random.uniform(1, 20)),),
    mistakes={
        "This is Adam: the root is taken of v, not of the largest v so far.": _adam,
        "The largest is taken before the correction, as PyTorch has it: correct v first.": (
            partial(_amsgrad, late=True)
        ),
        _NOT_IN_PLACE: _does_nothing,
    },
)


def _nadam(
    param: Tensor,
    gradient: Tensor,
    state: _State,
    lr: float,
    shrink: float = 0.96,
    ahead: bool = True,
) -> None:
    """Take a step of NAdam, with two places to go wrong."""
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
    v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
    now, then = (0.9 * (1 - 0.5 * shrink ** (0.004 * step)) for step in (t, t + 1))
    product = state["product"] = state.get("product", 1.0) * now
    step = then * m / (1 - product * (then if ahead else 1)) + (1 - now) * gradient / (1 - product)
    param -= lr * step / ((v / (1 - 0.999**t)).sqrt() + 1e-8)


check_nadam = Exercise(
    "nadam",
    reference=partial(_by_torch, torch.optim.NAdam),
    observe=_run,
    cases=lambda: [
        Case(f"nadam, {text}", (_gradients(steps),))
        for text, steps in {"one step": 1, "2 steps": 2, "50 steps": 50}.items()
    ],
    drawn=lambda: (_gradients(random.randint(3, 30)),),
    mistakes={
        "This is Adam: replace its corrected m by the two terms of the formula.": _adam,
        "The first term is divided by 1 minus the product of all mu up to t + 1, which has one "
        "factor more than the second.": partial(_nadam, ahead=False),
        "mu is 0.9 in every step: it is smaller at first and grows with t.": (
            partial(_nadam, shrink=0.0)
        ),
        _NOT_IN_PLACE: _does_nothing,
    },
)
