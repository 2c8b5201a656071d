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


def _honest(validation: list[float], test: list[float]) -> float:
    return test[max(range(len(validation)), key=lambda epoch: (validation[epoch], -epoch))]


def _draw_epochs() -> tuple[list[float], list[float]]:
    tenths = [[random.randint(3, 9) / 10 for _ in range(8)] for _ in range(2)]
    return tenths[0], [one + random.uniform(-0.05, 0.05) for one in tenths[1]]


check_honest_accuracy = Exercise(
    "honest_accuracy",
    reference=_honest,
    cases=[
        ([0.4, 0.7, 0.6], [0.45, 0.61, 0.66]),
        ([0.5, 0.8, 0.8, 0.7], [0.52, 0.71, 0.75, 0.64]),
        ([0.9, 0.5, 0.6], [0.7, 0.8, 0.3]),
    ],
    drawn=_draw_epochs,
    mistakes={
        "This is the best accuracy on the test, which has then picked its own epoch: let the "
        "validation pick.": lambda validation, test: max(test),
        "This is the test accuracy of the last epoch: look for the one that is best on the "
        "validation.": lambda validation, test: test[-1],
        "This is the accuracy on the validation, which flatters where it has picked: report that "
        "on the test.": lambda validation, test: max(validation),
        "This is the place of the epoch in the list: return the test accuracy at this place.": (
            lambda validation, test: validation.index(max(validation))
        ),
        "Of equal epochs this takes the last: the first one counts, so compare with > and not "
        "with >=.": lambda validation, test: test[
            max(range(len(validation)), key=lambda epoch: (validation[epoch], epoch))
        ],
    },
)


def _soft_ldam(cosines: Tensor, labels: Tensor, margins: Tensor, scale: float) -> Tensor:
    """Take the loss of each class in turn, with its own margin and its part of the label."""
    total = torch.zeros((), dtype=torch.float64)
    for k, margin in enumerate(margins):
        logits = cosines.double().clone()
        logits[:, k] -= margin
        total = total - (labels[:, k] * (scale * logits).log_softmax(1)[:, k]).mean()
    return total


def _plain(cosines: Tensor, labels: Tensor, margins: Tensor, scale: float) -> Tensor:
    return F.cross_entropy(scale * cosines, labels)


def _soft_batch(classes: int, smoothing: float, scale: float) -> tuple[Tensor, ...]:
    cosines = 2 * torch.rand(5, classes, dtype=torch.float64) - 1
    rows = F.one_hot(torch.randint(classes, (2, 5)), classes).double()
    labels = 0.7 * rows[0] + 0.3 * rows[1]
    labels = (1 - smoothing) * labels + smoothing / classes
    margins = torch.linspace(0.1, 0.5, classes, dtype=torch.float64)
    return cosines, labels, margins, scale


check_soft_ldam = Exercise(
    "soft_ldam",
    reference=_soft_ldam,
    cases=lambda: [
        Case(f"soft_ldam of {text}", _soft_batch(*given))
        for text, given in {
            "mixed pairs": (4, 0.0, 30.0),
            "mixed and smoothed labels": (3, 0.1, 10.0),
        }.items()
    ],
    drawn=lambda: _soft_batch(random.randint(2, 6), random.random() / 2, random.uniform(5, 30)),
    mistakes={
        "Each logit is lowered by a part of its margin at once: each class has a loss of its own, "
        "with its whole margin.": lambda cosines, labels, margins, scale: F.cross_entropy(
            scale * (cosines - labels * margins), labels
        ),
        "All margins are taken off at once: in the loss of a class only the logit of that class is "
        "lowered.": lambda cosines, labels, margins, scale: F.cross_entropy(
            scale * (cosines - margins), labels
        ),
        "The margins have no effect: a number that is taken off all logits of an image cancels in "
        "the softmax.": _plain,
        "Only the likeliest class counts: sum over all classes, each with its part of the label.": (
            lambda cosines, labels, margins, scale: _soft_ldam(
                cosines, F.one_hot(labels.argmax(1), len(margins)).double(), margins, scale
            )
        ),
        "The margins are not scaled: take them off the cosines, and multiply the difference.": (
            lambda cosines, labels, margins, scale: _soft_ldam(
                cosines, labels, margins / scale, scale
            )
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
