"""Exercises of the page on tracebacks."""

import math
import random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Answer, Case, Exercise

check_half_life = Exercise(
    "half_life",
    reference=lambda decay: next(t for t in range(1, 10_000) if decay**t <= 0.5),
    cases=[(0.5,), (0.9,), (0.99,), (0.9998,)],
    drawn=lambda: (random.uniform(0.3, 0.999),),
    mistakes={
        "Updates are whole: round up, with math.ceil.": (
            lambda decay: math.log(0.5) / math.log(decay)
        ),
        "At this update more than half is left: round up, with math.ceil.": (
            lambda decay: math.floor(math.log(0.5) / math.log(decay))
        ),
        "This is 1 / (1 - decay), how many updates an average remembers: solve decay**t = 1/2.": (
            lambda decay: round(1 / (1 - decay))
        ),
        "log(2) / (1 - decay) is near for a decay close to 1 alone: divide by -log(decay).": (
            lambda decay: math.ceil(math.log(2) / (1 - decay))
        ),
    },
)

_Parts = list[tuple[Tensor, Tensor]]


def _on_the_whole(
    model: nn.Module, parts: _Parts, loss_fn: Any, optimizer: Any, scaler: Any, max_norm: float
) -> Tensor:
    """Take the step on the whole batch at once."""
    images, labels = (torch.cat(some) for some in zip(*parts, strict=True))
    optimizer.zero_grad()
    loss_fn(model(images), labels).backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return norm


class _Accumulates:
    """An answer with one thing left out or put in."""

    def __init__(self, **changed: bool) -> None:
        self.does = {"clear": True, "divide": True, "clip_each": False, "unscale": True} | changed

    def __call__(
        self,
        model: nn.Module,
        parts: _Parts,
        loss_fn: Any,
        optimizer: Any,
        scaler: Any,
        max_norm: float,
    ) -> Tensor:
        """Take the step."""
        if self.does["clear"]:
            optimizer.zero_grad()
        for images, labels in parts:
            loss = loss_fn(model(images), labels) / (len(parts) if self.does["divide"] else 1)
            scaler.scale(loss).backward()
            if self.does["clip_each"]:
                nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        if self.does["unscale"]:
            scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        scaler.step(optimizer)
        return norm


def _step_for_each(
    model: nn.Module, parts: _Parts, loss_fn: Any, optimizer: Any, scaler: Any, max_norm: float
) -> Tensor:
    for part in parts:
        norm = _on_the_whole(model, [part], loss_fn, optimizer, scaler, max_norm)
    return norm


def _take_step(answer: Answer, model: nn.Linear, parts: _Parts, max_norm: float) -> dict[str, Any]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    model.weight.grad = torch.ones_like(model.weight)  # left over from the step before
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    norm = answer(model, parts, F.cross_entropy, optimizer, scaler, max_norm)
    return {"the norm": norm, "the weight after the step": model.weight}


def _batch(count: int, max_norm: float) -> tuple[nn.Linear, _Parts, float]:
    images, labels = torch.randn(4 * count, 5), torch.randint(3, (4 * count,))
    return nn.Linear(5, 3), [*zip(images.split(4), labels.split(4), strict=True)], max_norm


check_accumulate = Exercise(
    "accumulate",
    reference=_on_the_whole,
    observe=_take_step,
    cases=lambda: [
        Case(f"accumulate over {count} parts, max_norm {max_norm:g}", _batch(count, max_norm))
        for count, max_norm in ((1, 100.0), (3, 100.0), (4, 0.1))
    ],
    drawn=lambda: _batch(random.randint(2, 6), random.choice([0.05, 100.0])),
    changes=("model",),
    mistakes={
        "The gradients of the step before are still there: clear them first, with "
        "optimizer.zero_grad().": _Accumulates(clear=False),
        "The gradients add up to that of the sum: divide each loss by the number of parts.": (
            _Accumulates(divide=False)
        ),
        "Each part is clipped: clip once, after all parts and after unscale_.": (
            _Accumulates(clip_each=True)
        ),
        "The norm is that of scaled gradients: call scaler.unscale_(optimizer) before clipping.": (
            _Accumulates(unscale=False)
        ),
        "The optimizer takes a step for each part: take one, after all of them.": _step_for_each,
    },
)
