"""The digits of the chapter, and methods that read them, each with one setting to be searched."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.data.augmentation import Augmentation, compose, random_rotation, random_shift
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.splits import stratified_split
from glassbox.data.train_test import TrainTest
from glassbox.networks.classifiers import LeNet5
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.recipes import train_one_cycle

BATCH, UPDATES = 64, 315  # of the networks: five passes over 4,000 digits
AUGMENT = compose(random_rotation(10), random_shift(2))
_MOVES = random_shift(6)  # a digit is 20 pixels high: it stays within 32
_TEST_MOVES, _SEARCH = 1000, 99  # seeds
_HIDDEN = 59  # with which the MLP has nearly as many parameters as LeNet-5


@lru_cache(8)
def digits_task(
    digits: str = "centered", images: int = 4000, seed: int = 0, *, search: bool = False
) -> TrainTest:
    """Take digits of MNIST 5k to train on, padded to 32 x 32 pixels; the test set is always one.

    Args:
        digits: ``"centered"`` as they are, or ``"moved"``: each, the test digits too, once by up
            to 6 pixels down or up and across.
        images: How many to train on, the classes evenly.
        seed: Decides which, and how those are moved.
        search: Whether a fifth of the training digits takes the place of the test set.

    Raises:
        ValueError: If ``digits`` is unknown.
    """
    check_choice(("centered", "moved"), digits=digits)
    train, test = load("mnist_5k"), load("mnist_5k", split="test")
    if search:
        kept, chosen = stratified_split(train.labels, (0.8, 0.2), seed=_SEARCH)
        train, test = train[kept], train[chosen]
    if images < len(train):
        train = train[stratified_split(train.labels, (images,), seed=seed)[0]]
    seeds = (seed, _TEST_MOVES) if digits == "moved" else (None, None)
    return TrainTest(*map(_padded, (train, test), seeds))


def pad_to_32(images: Tensor) -> Tensor:
    """Put a frame of two zeros around images ``(N, C, 28, 28)``, as LeNet-5 was given them."""
    return F.pad(images, (2, 2, 2, 2))


def _padded(part: Dataset, moved_by: int | None) -> Dataset:
    images = pad_to_32(part.images)
    if moved_by is not None:
        images = _MOVES(images, torch.Generator().manual_seed(moved_by))
    return replace(part, images=images)


@dataclass(frozen=True)
class Method:
    """One way to read digits.

    Args:
        setting: What its one setting is called.
        settings: Its values that are tried, ascending.
        make: Makes a network, or of the setting an estimator of scikit-learn.
        augment: What is done to the batches of a network.
        trained: Whether it is a network, trained by steps.
    """

    setting: str
    settings: tuple[float, ...]
    make: Callable[..., Any]
    augment: Augmentation | None = None
    trained: bool = True


def make_mlp() -> nn.Module:
    """Make a network of two linear layers with 61,075 parameters, about as many as LeNet-5."""
    return nn.Sequential(nn.Flatten(), nn.Linear(1024, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 10))


def _linear(penalty: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=penalty, max_iter=1000)


def _neighbors(count: float) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(int(count))


def _svm(penalty: float) -> Any:
    from sklearn.svm import SVC

    return SVC(C=penalty)


_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
METHODS = {
    "linear": Method("C", (1e-4, 1e-3, 1e-2, 1e-1, 1.0), _linear, trained=False),
    "nearest neighbors": Method("k", (1, 3, 5, 9, 17), _neighbors, trained=False),
    "SVM": Method("C", (0.1, 1.0, 10.0, 100.0, 1000.0), _svm, trained=False),
    "MLP": Method("rate", _RATES, make_mlp),
    "LeNet-5": Method("rate", _RATES, LeNet5),
    "LeNet-5, augmented": Method("rate", _RATES, LeNet5, AUGMENT),
}


def train_reader(
    name: str, task: TrainTest, setting: float, seed: int, *, updates: int = UPDATES
) -> nn.Module:
    """Train one of the networks by Adam, while its rate rises to ``setting`` and falls to zero.

    Args:
        name: A network of :data:`METHODS`.
        task: What to train on, in batches of 64 or of all.
        setting: The highest learning rate.
        seed: Decides the first weights, the batches and the augmentation.
        updates: Steps, up to a whole number of passes.

    Raises:
        ValueError: If the method is unknown, or no network.
    """
    check_choice([name for name, one in METHODS.items() if one.trained], name=name)
    method = METHODS[name]
    with isolated_seed(seed):
        model = method.make()
        batches = Batches(
            task.images,
            task.labels,
            min(BATCH, len(task.labels)),
            seed=seed,
            augment=method.augment,
        )
        epochs = max(1, round(updates / len(batches)))
        train_one_cycle(model, batches, epochs=epochs, lr=setting, progress=False)
    return model


def reading_accuracy(
    name: str, task: TrainTest, setting: float, seed: int, *, updates: int = UPDATES
) -> float:
    """Fit a method, and measure its accuracy on the test digits, from 0 to 1.

    The seed is that of a network; ``updates`` are its steps. Arguments are as for
    :func:`train_reader`, with any of :data:`METHODS`.
    """
    check_choice(METHODS, name=name)
    if METHODS[name].trained:
        model = train_reader(name, task, setting, seed, updates=updates)
        return float(evaluate(model, task.test_images, task.test_labels).accuracy)
    return float((read_classically(name, task, setting) == task.test_labels).float().mean())


def read_classically(name: str, task: TrainTest, setting: float) -> Tensor:
    """Fit a method of scikit-learn on the pixels, and give its answers to the test digits.

    Raises:
        ValueError: If the method is unknown, or a network.
    """
    check_choice([name for name, one in METHODS.items() if not one.trained], name=name)
    fitted = METHODS[name].make(setting).fit(task.images.flatten(1).numpy(), task.labels.numpy())
    return torch.from_numpy(fitted.predict(task.test_images.flatten(1).numpy()))
