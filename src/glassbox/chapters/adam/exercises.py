"""Checks for the exercises of the chapter on Adam."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.chapters.checking import Candidate, Case, exercise


@exercise()
def check_corrected_average() -> Iterator[Case]:
    """Check ``corrected_average(values, beta)``: the corrected average after each value."""
    for length, beta in [(1, 0.9), (2, 0.5), (6, 0.9), (40, 0.999), (3, 0.0)]:
        values = torch.randn(length, dtype=torch.float64)
        ages = torch.arange(length)[:, None] - torch.arange(length)
        weights = (beta ** ages.clamp(min=0)).double() * (ages >= 0)
        expected = weights @ values / weights.sum(dim=1)
        yield Case(f"corrected_average({length} values, {beta})", (values, beta), expected)


@exercise()
def check_steps_to_trust() -> Iterator[Case]:
    """Check ``steps_to_trust(beta2, fraction)``: steps until the plain root is nearly right."""
    for beta2, fraction in [(0.999, 0.01), (0.999, 0.1), (0.99, 0.01), (0.9, 0.2), (0.5, 0.5)]:
        step = 1
        while (1 - beta2**step) ** 0.5 < 1 - fraction:
            step += 1
        yield Case(f"steps_to_trust({beta2}, {fraction})", (beta2, fraction), step)


@exercise()
def check_decay_groups() -> Iterator[Case]:
    """Check ``decay_groups(model, weight_decay)``: only matrices and kernels decay."""
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    for frozen in (False, True):
        model[0].weight.requires_grad_(not frozen)
        said = " after the kernels are frozen" * frozen
        decaying = ["0.weight"] * (not frozen) + ["3.weight"]
        others = ["0.bias", "1.bias", "1.weight", "3.bias"]
        for decay in (0.1, 0.02):
            call = f"what decay_groups(model, {decay})"
            names = partial(_names, model, decay)
            yield Case(f"{call} lets decay by {decay}{said}", partial(names, decay), decaying)
            yield Case(f"{call} leaves alone{said}", partial(names, 0), others)


def _names(model: nn.Module, weight_decay: float, decay: float, candidate: Candidate) -> list[str]:
    """Name the parameters that an optimizer with the candidate's groups decays by ``decay``."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    optimizer = torch.optim.AdamW(candidate(model, weight_decay))
    chosen = [group for group in optimizer.param_groups if group["weight_decay"] == decay]
    return sorted(names[id(parameter)] for group in chosen for parameter in group["params"])


@exercise()
def check_corrected_amsgrad() -> Iterator[Case]:
    """Check ``corrected_amsgrad(param, gradient, state, lr)``, with the largest corrected v."""
    for name, scale in (("even gradients", 1.0), ("a first gradient ten times as large", 10.0)):
        gradients = _gradients(steps=30)
        gradients[0] *= scale
        expected, m, v, largest = torch.ones(3, dtype=torch.float64), 0.0, 0.0, torch.zeros(3)
        for t, gradient in enumerate(gradients, start=1):
            m = 0.9 * m + 0.1 * gradient
            v = 0.999 * v + 0.001 * gradient**2
            largest = torch.maximum(largest, v / (1 - 0.999**t))
            expected = expected - 0.1 * m / (1 - 0.9**t) / (largest.sqrt() + 1e-8)
        yield Case(f"the weights after 30 steps with {name}", partial(_run, gradients), expected)


@exercise()
def check_nadam() -> Iterator[Case]:
    """Check ``nadam(param, gradient, state, lr)`` against ``torch.optim.NAdam``."""
    for steps, text in ((1, "one step"), (2, "2 steps"), (50, "50 steps")):
        gradients = _gradients(steps)
        expected = torch.ones(3, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.NAdam([expected], lr=0.1)
        for gradient in gradients:
            expected.grad = gradient
            optimizer.step()
        yield Case(f"the weights after {text}", partial(_run, gradients), expected.detach())


def _gradients(steps: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(steps, 3, generator=generator, dtype=torch.float64) + 0.3


def _run(gradients: Tensor, update: Candidate) -> Tensor:
    """Update weights of 1 with each gradient, with a learning rate of 0.1."""
    param: Tensor = torch.ones(3, dtype=torch.float64)
    state: dict[str, Any] = {}
    for gradient in gradients:
        update(param, gradient.clone(), state, 0.1)
    return param
