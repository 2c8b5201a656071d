"""Checks for the exercises of the page on tracebacks."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Case, exercise


@exercise()
def check_half_life() -> Iterator[Case]:
    """Check ``half_life(decay)``: the updates after which half of a start is left, or less."""
    for decay in (0.5, 0.9, 0.99, 0.9998):
        updates = next(t for t in range(1, 10_000) if decay**t <= 0.5)
        yield Case(f"half_life({decay})", (decay,), updates)


@exercise()
def check_accumulate() -> Iterator[Case]:
    """Check ``accumulate(model, parts, loss_fn, optimizer, scaler, max_norm)``.

    The steps on the parts of a batch have to equal the step on the whole.
    """
    for count, max_norm in ((1, 100.0), (3, 100.0), (4, 0.1)):
        torch.manual_seed(count)
        model = nn.Linear(5, 3)
        images, labels = torch.randn(4 * count, 5), torch.arange(4 * count) % 3
        whole = copy.deepcopy(model)
        optimizer = torch.optim.SGD(whole.parameters(), lr=0.5)
        F.cross_entropy(whole(images), labels).backward()
        norm = nn.utils.clip_grad_norm_(whole.parameters(), max_norm)
        optimizer.step()
        parts = list(zip(images.chunk(count), labels.chunk(count), strict=True))
        names = f"{count} parts and max_norm {max_norm:g}"
        yield Case(f"the norm for {names}", _arguments(model, parts, max_norm), norm)
        weights = whole.weight.detach()
        yield Case(
            f"the weights after {names}", lambda _, model=model: model.weight.detach(), weights
        )


def _arguments(
    model: nn.Module, parts: list[tuple[Tensor, Tensor]], max_norm: float
) -> tuple[Any, ...]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    model.weight.grad = torch.ones_like(model.weight)  # left over from the step before
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    return model, parts, F.cross_entropy, optimizer, scaler, max_norm
