"""One small network, trained on a long tail with any of the methods that chapter 4 compares."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from glassbox.data.augmentation import compose, random_crop, random_flip
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.splits import long_tailed, stratified_split
from glassbox.data.train_test import TrainTest
from glassbox.losses.core import ClassLoss
from glassbox.losses.cross_entropy import (
    BalancedCrossEntropy,
    CrossEntropy,
    FocalLoss,
    LogitAdjustedLoss,
)
from glassbox.losses.deferred import DeferredReweighting
from glassbox.losses.ldam import LDAMLoss
from glassbox.mixing.batches import MixedBatches
from glassbox.mixing.whole_batch import CutMix, Mixup
from glassbox.networks.cosine_classifier import CosineClassifier
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict
from glassbox.training.processes import distribute, process_device, process_share
from glassbox.training.recipes import train_one_cycle

LARGEST = {"mnist_5k": 300, "fashion_mnist": 1000, "cifar10": 5000}
HELD_OUT = {"mnist_5k": 1000, "fashion_mnist": 2000, "cifar10": 2000}  # to choose a rate by
BATCH_SIZE = {"mnist_5k": 32, "fashion_mnist": 32, "cifar10": 128}
BASE_STEPS = {"mnist_5k": 480, "fashion_mnist": 480, "cifar10": 2425}
IMBALANCE = 100
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)


# More rates of arms for which the lowest or the highest of those was the best.
WIDER = {("balanced", "plain"): (0.0003, 0.001)}


def load_long_tail(
    name: str, seed: int, *, imbalance: float = IMBALANCE, search: bool = False
) -> TrainTest:
    """Cut an exponential long tail out of the training images of a balanced data set.

    The largest class has as many images as :data:`LARGEST` says. Which class is the largest, which
    comes next, and which images are kept, is drawn anew for each seed; the classes are numbered by
    their size, most frequent first. The test images are the official ones, all of them.

    Args:
        name: ``"mnist_5k"``, ``"fashion_mnist"`` or ``"cifar10"``.
        seed: Decides all draws.
        imbalance: Ratio of the largest to the smallest class, at least 1.
        search: Whether the second part is not the test images, but as many training images as
            :data:`HELD_OUT` says, the same number of each class, to choose a learning rate by.

    Raises:
        ValueError: If an argument is unknown or out of range.
    """
    check_choice(LARGEST, name=name)
    pool = load(name, split="full_train" if name == "cifar10" else "train")
    if search:
        parts = len(pool) - HELD_OUT[name], HELD_OUT[name]
        pool, second = (pool[part] for part in stratified_split(pool.labels, parts, seed=seed))
    else:
        second = load(name, split="test")
    order = torch.randperm(pool.num_classes, generator=torch.Generator().manual_seed(seed))
    pool, second = _renumbered(pool, order), _renumbered(second, order)
    kept = long_tailed(pool.labels, imbalance, n_max=LARGEST[name], seed=seed)
    return TrainTest(pool[kept], second)


def _renumbered(data: Dataset, order: Tensor) -> Dataset:
    """Give the classes new numbers: ``order[0]`` becomes class 0."""
    names = tuple(data.class_names[old] for old in order.tolist())
    return Dataset(data.name, data.images, order.argsort()[data.labels], names)


def small_network(head: nn.Module | None = None) -> nn.Sequential:
    """Make a small LeNet for gray images of 28 x 28 pixels, with strides in place of poolings.

    Args:
        head: Maps features ``(B, 64)`` to logits ``(B, 10)``; a linear layer unless given.
    """
    return nn.Sequential(
        nn.Conv2d(1, 8, kernel_size=5, stride=2),  # (B, 8, 12, 12)
        nn.ReLU(),
        nn.Conv2d(8, 16, kernel_size=5, stride=2),  # (B, 16, 4, 4)
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 64),
        nn.ReLU(),
        head or nn.Linear(64, 10),
    )


def network_for(task: TrainTest, head: nn.Module | None = None) -> nn.Module:
    """Make the network of the comparison: the small one, or a ResNet-32 for images in color.

    Both have 64 features.
    """
    if task.train.images.shape[1] == 1:
        return small_network(head)
    model = ResidualNetwork(32)
    model.fc = head or model.fc
    return model


@dataclass(frozen=True)
class Method:
    """What one side of the comparison does otherwise than the others.

    Args:
        loss: Makes the loss from the class counts.
        cosine: Scale of a cosine classifier, or ``None`` for a linear one.
        deferred: Whether the loss is re-weighted in the last fifth of the epochs.
    """

    loss: Callable[[tuple[int, ...]], ClassLoss]
    cosine: float | None = None
    deferred: bool = False


METHODS = {
    "cross-entropy": Method(lambda counts: CrossEntropy()),
    "balanced": Method(BalancedCrossEntropy),
    "focal": Method(lambda counts: FocalLoss()),
    "logit-adjusted": Method(LogitAdjustedLoss),
    "DRW": Method(lambda counts: CrossEntropy(), deferred=True),
    "LDAM": Method(LDAMLoss, cosine=1),
    "LDAM-DRW": Method(LDAMLoss, cosine=1, deferred=True),
    "cosine": Method(lambda counts: CrossEntropy(), cosine=30),
}
CONTROL = "cosine"  # LDAM without its margins, which is not mixed
MIXERS = {
    "plain": None,
    "Mixup": Mixup(0.4, num_classes=10),
    "CutMix": CutMix(1.0, num_classes=10),
}
ARMS = tuple(
    (method, mixing)
    for method, mixing in product(METHODS, MIXERS)
    if method != CONTROL or mixing == "plain"
)


def epochs_of(task: TrainTest, budget: float = 1) -> int:
    """Count the epochs that have about as many steps as :data:`BASE_STEPS` says, times a budget."""
    name = task.train.name
    batches = -(-len(task.labels) // BATCH_SIZE[name])
    return max(1, round(budget * BASE_STEPS[name] / batches))


def deferred_start(epochs: int) -> int:
    """Name the epoch, from 1, that begins deferred weights: they have the last fifth."""
    return round(0.8 * epochs) + 1


def train_arm(
    task: TrainTest, method: str, mixing: str, seed: int, *, lr: float, epochs: int
) -> nn.Module:
    """Train the network by one arm: the same steps for each.

    SGD with Nesterov momentum, a weight decay of 5e-4, and a learning rate that rises and falls to
    zero. Images in color are shifted by up to 4 pixels and mirrored by chance.

    Args:
        task: From :func:`load_long_tail`.
        method: One of :data:`METHODS`.
        mixing: One of :data:`MIXERS`.
        seed: Decides the first weights, the order of the images and how they are mixed.
        lr: The highest learning rate.
        epochs: How often the images are seen; see :func:`epochs_of`.

    Raises:
        FloatingPointError: If the training diverges.
        ValueError: If a name is unknown.
    """
    check_choice(METHODS, method=method)
    check_choice(MIXERS, mixing=mixing)
    arm = METHODS[method]
    loss: nn.Module = arm.loss(task.counts)
    if arm.deferred:
        loss = DeferredReweighting(loss, task.counts, deferred_start(epochs))
    augment = compose(random_crop(4), random_flip()) if task.images.shape[1] == 3 else None
    options = {"seed": seed, "augment": augment, **process_share()}
    batches = Batches(task.images, task.labels, BATCH_SIZE[task.train.name], **options)
    mixer = MIXERS[mixing]
    with isolated_seed(seed):
        head = None if arm.cosine is None else CosineClassifier(64, 10, arm.cosine)
        model = network_for(task, head)
        optimizer = torch.optim.SGD(model.parameters(), lr, 0.9, weight_decay=5e-4, nesterov=True)
        train_one_cycle(
            distribute(model),
            batches if mixer is None else MixedBatches(batches, mixer, seed=seed),
            **{"epochs": epochs, "lr": lr, "optimizer": optimizer, "progress": False},
            loss_fn=loss.to(process_device()),
        )
    return model


def logits_of(model: nn.Module, task: TrainTest) -> Tensor:
    """Compute the logits of all images of the second part, ``(M, 10)``, on the CPU."""
    return predict(model, task.test_images).cpu()
