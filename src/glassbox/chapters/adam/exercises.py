"""Checks for the exercises of the chapter on Adam."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.chapters.checking import Candidate, Case, exercise


@exercise
def check_corrected_average(candidate: Candidate) -> Iterator[Case]:
    """Check ``corrected_average(values, beta)``: the corrected average after each value."""
    generator = torch.Generator().manual_seed(0)
    for length, beta in [(1, 0.9), (2, 0.5), (6, 0.9), (40, 0.999), (3, 0.0)]:
        values = torch.randn(length, generator=generator, dtype=torch.float64)
        ages = torch.arange(length)[:, None] - torch.arange(length)
        weights = (beta ** ages.clamp(min=0)).double() * (ages >= 0)
        yield Case(
            f"corrected_average({length} values, {beta})",
            lambda values=values, beta=beta: candidate(values, beta),
            weights @ values / weights.sum(dim=1),
        )


@exercise
def check_steps_to_trust(candidate: Candidate) -> Iterator[Case]:
    """Check ``steps_to_trust(beta2, fraction)``: steps until the plain root is nearly right."""
    for beta2, fraction in [(0.999, 0.01), (0.999, 0.1), (0.99, 0.01), (0.9, 0.2), (0.5, 0.5)]:
        step = 1
        while (1 - beta2**step) ** 0.5 < 1 - fraction:
            step += 1
        yield Case(
            f"steps_to_trust({beta2}, {fraction})",
            lambda beta2=beta2, fraction=fraction: candidate(beta2, fraction),
            step,
        )


@exercise
def check_decay_groups(candidate: Candidate) -> Iterator[Case]:
    """Check ``decay_groups(model, weight_decay)``: only matrices and kernels decay."""
    with torch.random.fork_rng(devices=[]):
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    for frozen in (False, True):
        model[0].weight.requires_grad_(not frozen)
        said = " after the kernels are frozen" * frozen
        for decay in (0.1, 0.02):
            names = ["0.weight"] * (not frozen) + ["3.weight"]
            yield Case(
                f"what decay_groups(model, {decay}) lets decay by {decay}{said}",
                lambda decay=decay: _names(model, candidate(model, decay), decay),
                names,
            )
            yield Case(
                f"what decay_groups(model, {decay}) leaves alone{said}",
                lambda decay=decay: _names(model, candidate(model, decay), 0),
                ["0.bias", "1.bias", "1.weight", "3.bias"],
            )


def _names(model: nn.Module, groups: list[dict[str, Any]], decay: float) -> list[str]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    optimizer = torch.optim.AdamW(groups)
    chosen = [group for group in optimizer.param_groups if group["weight_decay"] == decay]
    return sorted(names[id(parameter)] for group in chosen for parameter in group["params"])


@exercise
def check_corrected_amsgrad(candidate: Candidate) -> Iterator[Case]:
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
        yield Case(
            f"the weights after 30 steps with {name}",
            lambda gradients=gradients: _run(candidate, gradients),
            expected,
        )


@exercise
def check_nadam(candidate: Candidate) -> Iterator[Case]:
    """Check ``nadam(param, gradient, state, lr)`` against ``torch.optim.NAdam``."""
    for steps in (1, 2, 50):
        gradients = _gradients(steps)
        expected = torch.ones(3, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.NAdam([expected], lr=0.1)
        for gradient in gradients:
            expected.grad = gradient
            optimizer.step()
        yield Case(
            f"the weights after {steps} steps" if steps > 1 else "the weights after one step",
            lambda gradients=gradients: _run(candidate, gradients),
            expected.detach(),
        )


def _gradients(steps: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(steps, 3, generator=generator, dtype=torch.float64) + 0.3


def _run(update: Candidate, gradients: Tensor) -> Tensor:
    param, state = torch.ones(3, dtype=torch.float64), {}
    for gradient in gradients:
        update(param, gradient.clone(), state, 0.1)
    return param
