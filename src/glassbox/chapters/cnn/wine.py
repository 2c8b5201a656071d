"""The wine question: a network of 11, 22 and 44 units that learns a score in three ways."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.data.datasets import load
from glassbox.data.splits import k_folds
from glassbox.support.seeds import isolated_seed

FOLDS, STEPS = 10, 100


class Guess(NamedTuple):
    """What a model says of wines: the score to expect, floating point, and one score, ``(N,)``."""

    expected: Tensor
    score: Tensor


class Rows(NamedTuple):
    """Measurements ``(N, F)`` and scores, ``int64 (N,)``."""

    features: Tensor
    scores: Tensor

    def take(self, chosen: Tensor) -> "Rows":
        """Give the rows with these indices."""
        return Rows(self.features[chosen], self.scores[chosen])


@lru_cache(4)
def wine_rows(name: str = "wine_quality", *, copies: bool = False) -> Rows:
    """Read a table of wines in the order of the file, each row once unless there are ``copies``."""
    table = load(name)
    features, scores = table.features.double(), table.targets
    if not copies:
        both = torch.cat([features, scores[:, None].double()], dim=1).numpy()
        first = np.sort(np.unique(both, axis=0, return_index=True)[1])
        features, scores = features[first], scores[first]
    return Rows(features, scores)


def wine_folds(scores: Tensor, split: int) -> list[tuple[Tensor, Tensor]]:
    """Cut rows into ten folds, as ``split`` has it: alike in scores, the rarest counted as one."""
    return k_folds(strata(scores), FOLDS, seed=split)


def strata(scores: Tensor) -> Tensor:
    """Merge scores that fewer than 20 rows have with the next one toward the middle."""
    counts = scores.bincount()
    often = (counts >= 20).nonzero()[:, 0]
    return scores.clamp(int(often.min()), int(often.max()))


class Standard(NamedTuple):
    """Mean and deviation of each column of the rows to train on."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, rows: Tensor) -> "Standard":
        """Measure rows ``(N, F)``."""
        return cls(rows.mean(dim=0), rows.std(dim=0).clamp(min=1e-12))

    def __call__(self, rows: Tensor) -> Tensor:
        """Shift and scale rows, ``(N, F)``."""
        return (rows - self.mean) / self.std


def wine_network(features: int, outputs: int) -> nn.Sequential:
    """Make the network of the question: 22 and 44 units with ReLU, then the outputs."""
    first = [nn.Linear(features, 22), nn.ReLU(), nn.Linear(22, 44), nn.ReLU()]
    return nn.Sequential(*first, nn.Linear(44, outputs))


class Goal(NamedTuple):
    """What a network learns: how many outputs, its loss, and how outputs are read.

    ``loss`` takes outputs and the index of each score among ``K``; ``read`` gives from outputs the
    expected index and one index.
    """

    outputs: Callable[[int], int]
    loss: Callable[[Tensor, Tensor], Tensor]
    read: Callable[[Tensor, int], tuple[Tensor, Tensor]]


def squared_error(outputs: Tensor, index: Tensor) -> Tensor:
    """Compute the mean squared error of one output ``(N, 1)`` a row."""
    return F.mse_loss(outputs[:, 0], index.to(outputs.dtype))


def ordinal_loss(outputs: Tensor, index: Tensor) -> Tensor:
    """Compute the loss of ``K - 1`` questions, is it more than the k-th score?, ``(N, K - 1)``.

    Each is a logistic regression of its own on the same hidden units.

    Reference:
        Cheng (2007), "A Neural Network Approach to Ordinal Regression",
        https://arxiv.org/abs/0704.1028.
    """
    above = index[:, None] > torch.arange(outputs.shape[1])
    return F.binary_cross_entropy_with_logits(outputs, above.to(outputs.dtype))


def _read_number(outputs: Tensor, scores: int) -> tuple[Tensor, Tensor]:
    value = outputs[:, 0]
    return value, value.round().clamp(0, scores - 1).long()


def _read_chances(chances: Tensor) -> tuple[Tensor, Tensor]:
    return chances @ torch.arange(chances.shape[1], dtype=chances.dtype), chances.argmax(dim=1)


def read_above(above: Tensor) -> tuple[Tensor, Tensor]:
    """Read the chances that a score is above each but the last: their sum, and the median."""
    return above.sum(dim=1), (above > 0.5).sum(dim=1)


GOALS = {
    "regression": Goal(lambda scores: 1, squared_error, _read_number),
    "classification": Goal(
        lambda scores: scores,
        F.cross_entropy,
        lambda outputs, scores: _read_chances(outputs.softmax(dim=1)),
    ),
    "ordinal": Goal(
        lambda scores: scores - 1,
        ordinal_loss,
        lambda outputs, scores: read_above(outputs.sigmoid()),
    ),
}


def train_wine_network(
    goal: str, train: Rows, test: Tensor, lr: float, seed: int, *, steps: int = STEPS
) -> Guess:
    """Train the network on all rows at once by Adam, as its rate rises to ``lr`` and falls to zero.

    Args:
        goal: One of :data:`GOALS`.
        train: To train on.
        test: Measurements to guess the scores of, ``(M, F)``.
        lr: The highest learning rate.
        seed: Decides the first weights.
        steps: Of the optimizer.
    """
    one, standard = GOALS[goal], Standard.of(train.features)
    lowest = int(train.scores.min())
    index = train.scores - lowest
    count = int(index.max()) + 1
    inputs, asked = standard(train.features).float(), standard(test).float()
    shift = index.float().mean() if goal == "regression" else 0.0  # begin at the mean score
    with isolated_seed(seed):
        net = wine_network(inputs.shape[1], one.outputs(count))
    optimizer = torch.optim.Adam(net.parameters(), lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps)
    for _ in range(steps):
        loss = one.loss(net(inputs) + shift, index)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        expected, found = one.read(net(asked) + shift, count)
    return Guess(expected + lowest, found + lowest)
