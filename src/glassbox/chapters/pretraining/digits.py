"""Readers of digits that learn from a few labels: from pixels, from features of photographs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from glassbox.chapters.pretraining.tasks import enlarge
from glassbox.chapters.pretraining.ways import to_inputs
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.pixels import to_float
from glassbox.data.splits import stratified_split
from glassbox.networks.classifiers import LeNet5
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.recipes import train_one_cycle

PARTS = ("pool", "others", "unseen")
SIDE = 64  # pixels of a digit that the network of photographs sees
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # C, the inverse strength of a regularization
RATES = (1e-3, 3e-3, 1e-2, 3e-2)  # of LeNet-5
_UPDATES = 100  # of LeNet-5


@dataclass(frozen=True, eq=False)
class Digits:
    """Digits of MNIST, and what two readers make of them.

    Args:
        pool: 800, of which the labels of a few are known.
        others: 500 to choose by.
        unseen: 1,000 to test with.
        features: Those of a network for photographs, ``(N, 1280)`` for each part.
        pixels: From 0 to 1, ``(N, 784)`` for each part.
    """

    pool: Dataset
    others: Dataset
    unseen: Dataset
    features: dict[str, Tensor]
    pixels: dict[str, Tensor]


@torch.no_grad()
def features_of(data: Dataset, model: nn.Module) -> Tensor:
    """Give the features of images ``(N, 3, S, S)`` in bytes, ``(N, 1280)``, in ``eval`` mode."""
    model = model.eval().to(memory_format=torch.channels_last)
    parts = (to_inputs(some) for some in data.images.split(200))
    return torch.cat([model.global_pool(model.forward_features(part)) for part in parts])


def digit_parts() -> dict[str, Dataset]:
    """Load the digits: 800 as ``pool``, 500 as ``others``, 1,000 as ``unseen``."""
    digits = load("mnist_5k")
    pool, others = (digits[part] for part in stratified_split(digits.labels, (800, 500)))
    return dict(zip(PARTS, (pool, others, load("mnist_5k", split="test")), strict=True))


def few_digits(model: nn.Module) -> Digits:
    """Load the digits, and compute their features once: a frozen backbone never changes them."""
    parts = digit_parts()
    features = {name: features_of(enlarge(part, SIDE), model) for name, part in parts.items()}
    pixels = {name: to_float(part.images).flatten(1) for name, part in parts.items()}
    return Digits(**parts, features=features, pixels=pixels)


def draw_digits(pool: Dataset, count: int, seed: int) -> Tensor:
    """Draw ``count`` of each of ten classes from a pool: their numbers in it."""
    labels = pool.labels
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return torch.cat([order[labels[order] == label][:count] for label in range(10)])


def _nearest(digits: Digits, chosen: Tensor, seed: int, setting: None, part: str) -> float:
    distances = torch.cdist(digits.pixels[part], digits.pixels["pool"][chosen])
    guessed = digits.pool.labels[chosen][distances.argmin(dim=1)]
    return (guessed == getattr(digits, part).labels).float().mean().item()


def _regression(
    digits: Digits,
    chosen: Tensor,
    seed: int,
    setting: float,
    part: str,
    *,
    view: str,
    scaled_by: str = "",
) -> float:
    """Fit a logistic regression; ``scaled_by`` the ``"drawn"`` digits or the whole ``"pool"``."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    here, there = (getattr(digits, view)[name] for name in ("pool", part))
    if scaled_by:
        scaler = StandardScaler().fit(here if scaled_by == "pool" else here[chosen])
        here, there = (torch.from_numpy(scaler.transform(one)) for one in (here, there))
    model = LogisticRegression(C=setting, max_iter=1000)
    model.fit(here[chosen], digits.pool.labels[chosen])
    return float(model.score(there, getattr(digits, part).labels))


def _lenet(digits: Digits, chosen: Tensor, seed: int, setting: float, part: str) -> float:
    known, asked = digits.pool[chosen], getattr(digits, part)
    with isolated_seed(seed):
        model = LeNet5(size=28)
        few = Batches(to_float(known.images), known.labels, 32, seed=seed)
        epochs = _UPDATES // len(few)
        train_one_cycle(model, few, epochs=epochs, lr=setting, progress=False)
    return evaluate(model, to_float(asked.images), asked.labels).accuracy


@dataclass(frozen=True)
class Reader:
    """A way to read digits, and the settings among which other digits choose."""

    learn: Callable[[Digits, Tensor, int, float | None, str], float]
    settings: tuple[float | None, ...]


READERS = {
    "pixels, nearest": Reader(_nearest, (None,)),
    "pixels, regression": Reader(partial(_regression, view="pixels"), STRENGTHS),
    "probe": Reader(partial(_regression, view="features"), STRENGTHS),
    "probe, scaled": Reader(partial(_regression, view="features", scaled_by="drawn"), STRENGTHS),
    "probe, scaled by the pool": Reader(
        partial(_regression, view="features", scaled_by="pool"), STRENGTHS
    ),
    "LeNet-5": Reader(_lenet, RATES),
}


def read_digits(
    name: str, digits: Digits, count: int, seed: int, setting: float | None, part: str = "unseen"
) -> float:
    """Let a reader learn from ``count`` labeled digits a class, and measure its accuracy.

    Args:
        name: One of :data:`READERS`.
        digits: From :func:`few_digits`.
        count: Labels a class, at most 80.
        seed: Decides which digits, and what else is random.
        setting: One of the reader's.
        part: ``"unseen"``, or ``"others"``, which choose the setting.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: If the reader or the part is unknown.
    """
    check_choice(READERS, name=name)
    check_choice(PARTS[1:], part=part)
    return READERS[name].learn(digits, draw_digits(digits.pool, count, seed), seed, setting, part)
