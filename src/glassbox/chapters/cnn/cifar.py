"""The three-block CNN on CIFAR-10: as in the article, without its augmentation, and otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from glassbox.data.augmentation import (
    Augmentation,
    color_jitter,
    compose,
    random_crop,
    random_flip,
    random_rotation,
)
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.pixels import normalize, to_float
from glassbox.data.splits import stratified_split
from glassbox.networks.classifiers import ThreeBlockCNN
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.history import History
from glassbox.training.loop import fit
from glassbox.training.processes import process_device
from glassbox.training.recipes import train_one_cycle
from glassbox.training.state import TrainingState

MEAN, STD = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2023, 0.1994, 0.2010])
_SEARCH = 99  # seed


def _normalized(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    return normalize(images, MEAN, STD)


def _as_floats(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    return to_float(images)


_CHANGES = (random_crop(4), random_flip())
# The article also changes the hue, by up to a tenth of the circle.
_ARTICLES = (*_CHANGES, _as_floats, color_jitter(0.2, 0.2, 0.2), random_rotation(15))


def _adam(model: nn.Module, lr: float) -> Optimizer:
    return torch.optim.Adam(model.parameters(), lr, weight_decay=1e-4)


def _nesterov(model: nn.Module, lr: float) -> Optimizer:
    options = {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
    return torch.optim.SGD(model.parameters(), lr, **options)


@dataclass(frozen=True)
class Recipe:
    """How the three-block CNN is trained.

    Args:
        rates: That are tried.
        augment: What is done to each batch, before normalization.
        batch: Images a batch.
        optimizer: Makes it, of a model and a rate.
        one_cycle: Whether the rate rises to its value and falls to zero, or stays.
        batch_norm: Whether a batch normalization follows each convolution.
    """

    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2)
    augment: tuple[Augmentation, ...] = _ARTICLES
    batch: int = 64
    optimizer: Callable[[nn.Module, float], Optimizer] = _adam
    one_cycle: bool = False
    batch_norm: bool = False


_MODERN = (0.03, 0.1, 0.3, 1.0)
RECIPES = {
    "without augmentation": Recipe(augment=()),
    "article": Recipe(),
    "modern": Recipe(_MODERN, _CHANGES, 128, _nesterov, one_cycle=True, batch_norm=True),
    "modern, constant rate": Recipe(_MODERN, _CHANGES, 128, _nesterov, batch_norm=True),
    "modern, no batch norm": Recipe(_MODERN, _CHANGES, 128, _nesterov, one_cycle=True),
    "modern, article's augmentation": Recipe(
        _MODERN, _ARTICLES, 128, _nesterov, one_cycle=True, batch_norm=True
    ),
    "article, one cycle": Recipe(one_cycle=True),
}


@lru_cache(2)
def color_task(data: str, *, share: float = 1.0, search: bool = False) -> tuple[Dataset, Dataset]:
    """Read images to train on and others to test with, which are those held out.

    Args:
        data: ``"cifar10"``, or ``"scenes"`` to try things.
        share: Of the images to train on, above 0, at most 1.
        search: Whether a tenth of the former takes the place of the latter.
    """
    if data == "scenes":
        train, test = load("scenes", n=400, seed=0), load("scenes", split="test", n=200, seed=1)
    else:
        train, test = load(data), load(data, split="holdout")
    if search:
        kept, chosen = stratified_split(train.labels, (0.9, 0.1), seed=_SEARCH)
        train, test = train[kept], train[chosen]
    if share < 1:
        train = train[stratified_split(train.labels, (share,), seed=_SEARCH)[0]]
    return train, test


def train_colors(
    data: str,
    name: str,
    epochs: int,
    lr: float,
    seed: int,
    *,
    share: float = 1.0,
    search: bool = False,
    watch: Callable[[TrainingState], Any] | None = None,
) -> History:
    """Train the network by one of the :data:`RECIPES`, measuring it after each pass.

    Convolutions compute in bfloat16, laid out channels last, which takes a CPU a third of the time.

    Args:
        data: As for :func:`color_task`, as are ``share`` and ``search``.
        name: Of the recipe.
        epochs: Passes over the images.
        lr: The learning rate, or the highest.
        seed: Decides the weights, the batches and the augmentation.
        share: Of the images to train on.
        search: Whether to measure on training images.
        watch: Called after each pass.

    Raises:
        ValueError: If the recipe is unknown.
    """
    check_choice(RECIPES, name=name)
    recipe, device = RECIPES[name], process_device()
    train, test = color_task(data, share=share, search=search)
    with isolated_seed(seed):
        model = ThreeBlockCNN(num_classes=train.num_classes, batch_norm=recipe.batch_norm)
        model = model.to(device)
        augment = compose(*recipe.augment, _normalized)
        options = {"augment": augment, "seed": seed, "device": device, "channels_last": True}
        batches = Batches(train.images, train.labels, recipe.batch, **options)
        optimizer = recipe.optimizer(model, lr)
        learn = {"epochs": epochs, "channels_last": True, "progress": False}
        learn["autocast"] = torch.bfloat16
        learn["validation"] = _normalized(test.images), test.labels
        learn["callbacks"] = [watch] if watch else []
        if recipe.one_cycle:
            return train_one_cycle(model, batches, lr=lr, optimizer=optimizer, **learn)
        return fit(model, batches, optimizer, **learn)
