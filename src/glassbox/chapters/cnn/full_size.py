"""LeNet-5 at full size: MNIST and Fashion-MNIST, with the settings of the question and ours."""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor, nn

from glassbox.chapters.cnn.digits import pad_to_32
from glassbox.chapters.cnn.question import scaled
from glassbox.data.augmentation import Augmentation, random_flip, random_shift
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.splits import stratified_split
from glassbox.networks.classifiers import LeNet5
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.loop import fit
from glassbox.training.processes import process_device
from glassbox.training.recipes import train_one_cycle

BATCH, RATES, NEIGHBORS = 128, (1e-3, 3e-3, 1e-2, 3e-2), (1, 3, 5, 9)
_SEARCH = 99  # seed
_AUGMENT = {  # a shirt may be mirrored, a digit may not
    "fashion_mnist": random_flip(),
}


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    Args:
        scale: Of the pixels, one of :data:`~.question.SCALES`.
        lr: The constant rate of SGD, or ``None`` for Adam whose rate rises and falls, up to one
            that is searched.
        augmented: Whether digits are moved by up to a pixel, and clothes mirrored.
    """

    scale: str
    lr: float | None = None
    augmented: bool = False


RECIPES = {
    "as asked": Recipe("0 to 255", 0.01),
    "scaled": Recipe("0 to 1", 0.01),
    "normalized": Recipe("normalized", 0.01),
    "ours": Recipe("normalized", augmented=True),
    "linear": Recipe("normalized"),
}


@lru_cache(2)
def full_task(data: str, *, search: bool = False) -> tuple[Dataset, Dataset]:
    """Read images to train on, padded to 32 x 32, and the test set.

    With ``search``, a tenth of the former takes the place of the latter.
    """
    train, test = load(data), load(data, split="test")
    if search:
        kept, chosen = stratified_split(train.labels, (0.9, 0.1), seed=_SEARCH)
        train, test = train[kept], train[chosen]
    return tuple(replace(part, images=pad_to_32(part.images)) for part in (train, test))


def _network(name: str) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(1024, 10)) if name == "linear" else LeNet5()


def _augmentation(data: str, recipe: Recipe) -> Augmentation | None:
    return _AUGMENT.get(data, random_shift(1)) if recipe.augmented else None


def train_full(
    data: str, name: str, epochs: int, lr: float, seed: int, *, search: bool = False
) -> float:
    """Train by one of the :data:`RECIPES`, and measure the accuracy on the test set, from 0 to 1.

    Convolutions compute in bfloat16, laid out channels last, which takes a CPU half of the time.

    Args:
        data: ``"mnist"``, ``"fashion_mnist"``, or ``"mnist_5k"`` to try things.
        name: Of the recipe; ``"linear"`` trains one linear layer, the others LeNet-5.
        epochs: Passes over the images.
        lr: The highest rate, where the recipe has none of its own.
        seed: Decides the weights, the batches and the augmentation.
        search: Whether to measure on a tenth of the training images.

    Raises:
        ValueError: If the recipe is unknown.
    """
    check_choice(RECIPES, name=name)
    recipe, device = RECIPES[name], process_device()
    train, test = full_task(data, search=search)
    inputs = scaled(train.images, recipe.scale, train.images)
    with isolated_seed(seed):
        model = _network(name).to(device)
        augment = _augmentation(data, recipe)
        options = {"seed": seed, "augment": augment, "device": device}
        batches = Batches(inputs, train.labels, BATCH, channels_last=True, **options)
        learn = {"epochs": epochs, "progress": False, "channels_last": True}
        learn["autocast"] = torch.bfloat16
        if recipe.lr is None:
            train_one_cycle(model, batches, lr=lr, **learn)
        else:
            fit(model, batches, torch.optim.SGD(model.parameters(), recipe.lr), **learn)
    asked = scaled(test.images, recipe.scale, train.images)
    return float(evaluate(model, asked, test.labels.to(device)).accuracy)


def nearest_neighbors(data: str) -> tuple[int, float]:
    """Choose the number of neighbors on a tenth of the training images, and test with it.

    Returns:
        The number, and the accuracy on the test set, from 0 to 1.
    """
    found = vote(*full_task(data, search=True))
    best = max(found, key=found.get)
    return best, vote(*full_task(data))[best]


def vote(train: Dataset, test: Dataset) -> dict[int, float]:
    """Measure the accuracy with each number of neighbors that is tried."""
    known, labels = train.images.flatten(1).float() / 255, train.labels
    half = known.square().sum(dim=1) / 2
    asked = (some.flatten(1).float() / 255 for some in test.images.split(250))
    nearest = [_nearest(some, known, half) for some in asked]
    votes = labels[torch.cat(nearest)]
    return {
        count: float((votes[:, :count].mode(dim=1).values == test.labels).float().mean())
        for count in NEIGHBORS
    }


def _nearest(asked: Tensor, known: Tensor, half: Tensor) -> Tensor:
    return (half - asked @ known.T).topk(max(NEIGHBORS), dim=1, largest=False).indices
