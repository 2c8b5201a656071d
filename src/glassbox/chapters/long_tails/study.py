"""Train one small network on a long tail with any of the losses that chapter 4 compares."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from glassbox.data.batches import Batches
from glassbox.data.class_counts import class_counts
from glassbox.data.datasets import load
from glassbox.data.pixels import channel_statistics, normalize
from glassbox.data.splits import long_tailed, stratified_split
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
from glassbox.mixing.whole_batch import Mixup
from glassbox.networks.cosine_classifier import CosineClassifier
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict
from glassbox.training.imbalance import per_class_accuracy
from glassbox.training.loop import fit

BATCH_SIZE = 32
LARGEST = {"scenes": 300, "digits": 100}
IMAGES_SEEN = {"scenes": 15_000, "digits": 8_000}
PLAIN = {"size": 16, "occlusion": 0, "clutter": 0}


@dataclass(frozen=True)
class LongTail:
    """Images to train on, class 0 the most frequent, and a balanced set to test on.

    Args:
        images: Normalized, ``(N, C, H, W)``.
        labels: ``(N,)``.
        test_images: Normalized by the statistics of ``images``.
        test_labels: About as many of each class.
        epochs: How often the images are trained on.
    """

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    epochs: int

    @property
    def counts(self) -> tuple[int, ...]:
        """Training images of each of the ten classes."""
        return class_counts(self.labels, 10)

    @property
    def deferred(self) -> int:
        """The epoch that begins deferred weights, which have the last fifth, as in the paper."""
        return round(0.8 * self.epochs) + 1


def load_long_tail(name: str, profile: str, imbalance: float, seed: int) -> LongTail:
    """Cut a long tail out of a balanced data set, and keep other images for the test.

    The largest class has 300 images of ``scenes``, here of 16 x 16 pixels with nothing lying
    about, and 100 of ``digits``, which has no more than about 180 and needs some for the test.
    The number of epochs is such that every training sees about 15,000 scenes or 8,000 digits,
    however long the tail is.

    Args:
        name: ``"scenes"`` or ``"digits"``.
        profile: ``"exponential"`` or ``"step"``.
        imbalance: Ratio of the largest to the smallest class, at least 1.
        seed: Decides which images stay, and of ``digits`` also which are for the test.

    Returns:
        The normalized images.

    Raises:
        ValueError: If an argument is unknown or out of range.
    """
    if name not in LARGEST:
        raise ValueError(f"name is {name!r}, expected one of {', '.join(LARGEST)}")
    if name == "scenes":
        pool = load("scenes", n=3000, **PLAIN)
        test = load("scenes", n=1000, split="test", **PLAIN)
    else:
        digits = load("digits")
        pool, test = (
            digits[part] for part in stratified_split(digits.labels, (1040, 757), seed=seed)
        )
    kept = pool[long_tailed(pool.labels, imbalance, profile, n_max=LARGEST[name], seed=seed)]
    statistics = channel_statistics(kept.images)
    images, test_images = (normalize(part.images, *statistics) for part in (kept, test))
    epochs = round(IMAGES_SEEN[name] / len(kept))
    return LongTail(images, kept.labels, test_images, test.labels, epochs)


def small_network(channels: int, head: nn.Module | None = None) -> nn.Sequential:
    """Make three convolutions with batch normalization, an average over each map, and a head.

    Args:
        channels: Channels of the images.
        head: Maps features ``(B, 64)`` to logits ``(B, 10)``; a linear layer unless given.

    Returns:
        The network; it takes images of at least 8 x 8 pixels.
    """
    layers: list[nn.Module] = []
    for before, after in ((channels, 16), (16, 32), (32, 64)):
        convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), head or nn.Linear(64, 10)]
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class Method:
    """What one side of the comparison does otherwise than the others.

    Args:
        loss: Makes the loss from the class counts.
        cosine: Scale of a cosine classifier, or ``None`` for a linear one.
        deferred: Whether the loss is re-weighted in the last fifth of the epochs.
        mixup: The alpha of Mixup, or 0 for none.
        lr: The highest learning rate.
    """

    loss: Callable[[tuple[int, ...]], ClassLoss]
    cosine: float | None = None
    deferred: bool = False
    mixup: float = 0.0
    lr: float = 0.1


# Each rate is the better one of 0.03 and 0.1: see benchmarks/long_tails.py.
METHODS = {
    "cross-entropy": Method(lambda counts: CrossEntropy()),
    "re-weighted": Method(BalancedCrossEntropy, lr=0.03),
    "focal": Method(lambda counts: FocalLoss()),
    "logit-adjusted": Method(LogitAdjustedLoss),
    "deferred weights": Method(lambda counts: CrossEntropy(), deferred=True),
    "cosine": Method(lambda counts: CrossEntropy(), cosine=30, lr=0.03),
    "LDAM": Method(LDAMLoss, cosine=1, lr=0.03),
    "LDAM-DRW": Method(LDAMLoss, cosine=1, deferred=True, lr=0.03),
    "LDAM-DRW, Mixup": Method(LDAMLoss, cosine=1, deferred=True, mixup=0.4, lr=0.03),
}


def train(task: LongTail, method: Method, seed: int) -> Tensor:
    """Train the small network by one method and measure each class.

    SGD with momentum, batches of 32, and a learning rate that rises and falls to zero, as long
    for each method.

    Args:
        task: The long tail.
        method: Such as one of ``METHODS``.
        seed: Decides the first weights, the order of the images and what Mixup draws.

    Returns:
        Test accuracy of each class, ``(10,)``.
    """
    loss: nn.Module = method.loss(task.counts)
    if method.deferred:
        loss = DeferredReweighting(loss, task.counts, task.deferred)
    batches = Batches(task.images, task.labels, BATCH_SIZE, seed=seed, channels_last=True)
    with isolated_seed(seed):
        head = None if method.cosine is None else CosineClassifier(64, 10, method.cosine)
        model = small_network(task.images.shape[1], head).to(memory_format=torch.channels_last)
        mixup = Mixup(method.mixup, num_classes=10) if method.mixup else None
        mixed = MixedBatches(batches, mixup, seed=seed) if mixup else batches
        optimizer = torch.optim.SGD(
            model.parameters(), method.lr, 0.9, weight_decay=5e-4, nesterov=True
        )
        cycle = OneCycleLR(optimizer, method.lr, task.epochs * len(batches))
        options = {"loss_fn": loss, "step_scheduler": cycle, "progress": False}
        fit(model, mixed, optimizer, epochs=task.epochs, **options)
    test_images = task.test_images.contiguous(memory_format=torch.channels_last)
    return per_class_accuracy(predict(model, test_images), task.test_labels)
