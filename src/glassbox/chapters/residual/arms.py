"""Plain and residual networks, trained by a common recipe or by the best one that was found."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from glassbox.data.augmentation import compose, random_crop, random_flip
from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.splits import stratified_split
from glassbox.data.train_test import TrainTest
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.processes import distribute, process_share
from glassbox.training.recipes import train_one_cycle
from glassbox.training.state import Callback

DEPTHS = (8, 14, 20, 32, 56)
EPOCHS = 10
BATCH_SIZE = 64
CLIPS = {"clipped": 1.0, "unclipped": None}  # the largest norm of a step's gradient
DIVERGED = 1000.0  # in place of a loss that is no number


@dataclass(frozen=True)
class Arm:
    """One kind of network.

    Args:
        plain: Whether it has no shortcuts.
        norm: Whether a batch normalization follows each convolution.
        zero_init: Whether each block begins by adding nothing.
        lr: The highest learning rate of the common recipe.
    """

    plain: bool = False
    norm: bool = True
    zero_init: bool = False
    lr: float = 0.1

    @property
    def recipe(self) -> "Recipe":
        """The common recipe, which clips."""
        return Recipe("clipped", self.lr)


# Each rate is the best of four for 20 and 56 layers together, on a seed that is not compared.
ARMS = {
    "plain": Arm(plain=True, lr=0.3),
    "residual": Arm(),
    "residual, zero": Arm(zero_init=True, lr=0.3),
    "plain, no norm": Arm(plain=True, norm=False, lr=0.3),
    "residual, no norm": Arm(norm=False),
    "residual, no norm, zero": Arm(norm=False, zero_init=True, lr=0.3),
}


class Recipe(NamedTuple):
    """Two choices in a training that otherwise is the same for all networks.

    Args:
        clip: One of :data:`CLIPS`.
        lr: The highest learning rate.
    """

    clip: str
    lr: float


class Outcome(NamedTuple):
    """How a training ended: means over the last epoch, and what ``eval`` mode gives afterwards."""

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


def digit_task(seed: int) -> TrainTest:
    """Split the digits of 8 x 8 pixels: 1,024 to train on, the other 773 to test with."""
    digits = load("digits")
    train, test = stratified_split(digits.labels, (1024, 773), seed=seed)
    return TrainTest(digits[train], digits[test])


def digit_search(seed: int, *, search: bool = False) -> TrainTest:
    """Split the digits into three: 1,024 to train on, 376 to choose by, 397 to test with.

    Args:
        seed: Decides which of the first 1,400 are for which; the test images are always the same.
        search: Whether those to choose by stand in the place of the test images.
    """
    digits = load("digits")
    others, test = stratified_split(digits.labels, (1400, 397), seed=0)
    train, validation = stratified_split(digits.labels[others], (1024, 376), seed=seed)
    return TrainTest(digits[others[train]], digits[others[validation] if search else test])


def color_task(seed: int) -> TrainTest:
    """Take all of CIFAR-10; the parts are the official ones, whatever the seed."""
    return TrainTest(load("cifar10", split="full_train"), load("cifar10", split="test"))


def color_search(seed: int, *, search: bool = False) -> TrainTest:
    """Take CIFAR-10, and to choose by a tenth of its training images."""
    if search:
        return TrainTest(load("cifar10"), load("cifar10", split="holdout"))
    return color_task(seed)


TASKS = {"digits": digit_task, "cifar10": color_task}
SEARCHES = {"digits": digit_search, "cifar10": color_search}


def make_network(
    arm: str, depth: int, seed: int, *, in_channels: int = 1, width: int = 8
) -> ResidualNetwork:
    """Make a network for the digits, 8 channels wide, or for other images.

    Args:
        arm: One of :data:`ARMS`.
        depth: 6n + 2 layers.
        seed: Decides its weights; a plain network and its residual twin have the same.
        in_channels: Channels of the images.
        width: Channels of the first stage.

    Raises:
        ValueError: If ``arm`` or ``depth`` is none of those.
    """
    check_choice(ARMS, arm=arm)
    chosen = ARMS[arm]
    options = {"norm_layer": nn.BatchNorm2d if chosen.norm else nn.Identity}
    options |= {"plain": chosen.plain, "zero_init": chosen.zero_init}
    with isolated_seed(seed):
        return ResidualNetwork(depth, in_channels=in_channels, width=width, **options)


def train_network(
    model: nn.Module,
    task: TrainTest,
    seed: int,
    recipe: Recipe,
    *,
    epochs: int = EPOCHS,
    callbacks: tuple[Callback, ...] = (),
) -> Outcome:
    """Train a network: the same steps for every arm.

    SGD with momentum, batches of 64, and a learning rate that rises and falls to zero. Images in
    color are shifted by up to an eighth of their side and mirrored by chance.

    Args:
        model: In ``train`` mode; it is changed.
        task: From one of :data:`TASKS`.
        seed: Decides the order of the images.
        recipe: Clipping and highest rate.
        epochs: Of 16 steps each with the digits.
        callbacks: Called after each epoch, as by :func:`glassbox.training.loop.fit`.

    Returns:
        What came out; where the loss stopped being a number, :data:`DIVERGED` and accuracies of 0.
    """
    side = task.images.shape[-1]
    augment = compose(random_crop(side // 8), random_flip()) if task.images.shape[1] == 3 else None
    options = {"seed": seed, "augment": augment, **process_share()}
    batches = Batches(task.images, task.labels, BATCH_SIZE, **options)
    optimizer = torch.optim.SGD(model.parameters(), recipe.lr, momentum=0.9, weight_decay=1e-4)
    options = {"clip_norm": CLIPS[recipe.clip], "callbacks": callbacks, "progress": False}
    options |= {"epochs": epochs, "lr": recipe.lr, "optimizer": optimizer}
    try:
        history = train_one_cycle(distribute(model), batches, **options)
    except FloatingPointError:
        return Outcome(DIVERGED, 0.0, DIVERGED, 0.0)
    test = evaluate(model, task.test_images, task.test_labels)
    model.cpu()
    accuracy = 0.0 if math.isnan(test.accuracy) else float(test.accuracy)
    losses = [_bounded(float(loss)) for loss in (history.train_loss[-1], test.loss)]
    return Outcome(losses[0], history.train_accuracy[-1], losses[1], accuracy)


def _bounded(loss: float) -> float:
    return loss if loss < DIVERGED else DIVERGED  # also where it is no number
