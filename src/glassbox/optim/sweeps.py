"""One optimizer, several learning rates, several seeds: trained, scored, and the best one chosen.

All seeds of one setting lie in shared tensors. SGD, RMSprop and Adam treat each number by itself,
so that it makes no difference to them whether a tensor holds one network or ten. It makes one to
the clock.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.support.arguments import (
    as_sizes,
    check_at_least,
    check_callables,
    check_finite,
    check_not_empty,
    check_types,
)
from glassbox.training.seed_statistics import SeedRuns

_MakeOptimizer = Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer]


@dataclass(frozen=True)
class Task:
    """A training task for each of R seeds, with a score.

    Args:
        name: What it is.
        seeds: R seeds, each with its own split, weights and batches.
        inputs: Training, validation and test inputs, ``(R, N, D)`` each.
        targets: Their targets, ``(R, N, ...)`` each.
        make_model: Makes a network for each seed.
        loss: Maps outputs ``(R, B, K)`` and targets to the mean loss of each network, ``(R,)``.
        score: Maps the same to a score of each network, ``(R,)``.
        best: ``max`` if a larger score is better, else ``min``.
    """

    name: str
    seeds: tuple[int, ...]
    inputs: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]
    make_model: Callable[[Sequence[int]], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor]
    score: Callable[[Tensor, Tensor], Tensor]
    best: Callable[..., Any]


@dataclass(frozen=True)
class Sweep:
    """The scores of one optimizer with several learning rates.

    Args:
        task: What was learned.
        lrs: L learning rates.
        validation: Scores on the validation part, ``(L, R)``.
        test: Scores on the test part, ``(L, R)``.
    """

    task: Task
    lrs: tuple[float, ...]
    validation: Tensor
    test: Tensor

    @property
    def chosen(self) -> int:
        """Index of the learning rate whose mean score on the validation part is best.

        A mean that is nan, as after a training that diverged, is never the best.

        Raises:
            ValueError: If all are nan.
        """
        means = self.validation.mean(dim=1).tolist()
        comparable = [mean for mean in means if not math.isnan(mean)]
        if not comparable:
            raise ValueError(f"validation has {len(means)} means that are nan, expected a number")
        return means.index(self.task.best(comparable))

    @property
    def result(self) -> SeedRuns:
        """Scores on the test part, with the chosen learning rate, one for each seed."""
        return SeedRuns(self.task.seeds, tuple(self.test[self.chosen].tolist()))


def sweep(
    task: Task,
    make_optimizer: _MakeOptimizer,
    lrs: Sequence[float],
    *,
    steps: int,
    batch_size: int = 64,
) -> Sweep:
    """Train with each learning rate, and score on the validation and the test part.

    Args:
        task: What to learn.
        make_optimizer: Takes parameters and a learning rate; must treat each number by itself.
        lrs: Learning rates, finite and at least 0.
        steps: Steps of each training, at least 1.
        batch_size: Examples in a batch, at least 1.

    Raises:
        ValueError: If there is no learning rate, or ``steps`` or ``batch_size`` is below 1.
    """
    check_types(Task, task=task)
    check_callables(make_optimizer=make_optimizer)
    check_types(Iterable, lrs=lrs)
    lrs = list(lrs)
    check_not_empty(lrs=lrs)
    for lr in lrs:
        check_at_least(0, lrs=lr)
        check_finite(lrs=lr)
    lrs = list(map(float, lrs))
    steps, batch_size = as_sizes(steps=steps, batch_size=batch_size)
    scores = [_train_and_score(task, make_optimizer, lr, steps, batch_size) for lr in lrs]
    validation, test = map(torch.stack, zip(*scores, strict=True))
    return Sweep(task, tuple(lrs), validation, test)


def _train_and_score(
    task: Task, make_optimizer: _MakeOptimizer, lr: float, steps: int, batch_size: int
) -> tuple[Tensor, Tensor]:
    model = task.make_model(task.seeds)
    optimizer = make_optimizer(model.parameters(), lr)
    if not callable(getattr(optimizer, "step", None)):
        raise TypeError(f"make_optimizer gave {optimizer!r}, expected an optimizer")
    inputs, targets = task.inputs[0], task.targets[0]  # (R, N, ...)
    network = torch.arange(len(task.seeds), device="cpu")[:, None]  # (R, 1), beside batches (R, B)
    for batch in random_batches(task.seeds, inputs.shape[1], steps, batch_size):
        loss = task.loss(model(inputs[network, batch]), targets[network, batch]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        validation, test = map(task.score, map(model, task.inputs[1:]), task.targets[1:])
    return validation, test


def random_batches(seeds: Sequence[int], count: int, steps: int, batch_size: int) -> Tensor:
    """Draw the indices of all batches, ``(steps, R, batch_size)``, separately for each of R seeds.

    One of the ``count`` examples may be drawn twice.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    shape = steps, batch_size
    drawn = [torch.randint(count, shape, generator=one, device="cpu") for one in generators]
    return torch.stack(drawn, dim=1)
