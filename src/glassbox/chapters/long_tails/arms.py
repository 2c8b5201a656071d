"""One small network, trained on a long tail with any of the losses that chapter 4 compares."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassbox.data.batches import Batches
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
from glassbox.mixing.whole_batch import Mixup
from glassbox.networks.cosine_classifier import CosineClassifier
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict
from glassbox.training.imbalance import per_class_accuracy
from glassbox.training.processes import distribute, process_device, process_share
from glassbox.training.recipes import train_one_cycle

BATCH_SIZE = {"scenes": 32, "digits": 32, "cifar10": 128}
LARGEST = {"scenes": 300, "digits": 100, "cifar10": 5000}
IMAGES_SEEN = {"scenes": 15_000, "digits": 8_000, "cifar10": 50 * 12_406}
PLAIN = {"size": 16, "occlusion": 0, "clutter": 0}


def load_long_tail(name: str, profile: str, imbalance: float, seed: int) -> TrainTest:
    """Cut a long tail out of a balanced data set, and keep other images for the test.

    The largest class has 300 images of ``scenes``, here of 16 x 16 pixels with nothing lying
    about, and 100 of ``digits``, which has no more than about 180 and needs some for the test. That
    of ``cifar10`` has all 5,000, and the test is the official one.

    Args:
        name: ``"scenes"``, ``"digits"`` or ``"cifar10"``.
        profile: ``"exponential"`` or ``"step"``.
        imbalance: Ratio of the largest to the smallest class, at least 1.
        seed: Decides which images stay, and of ``digits`` also which are for the test.

    Returns:
        Both parts, class 0 the most frequent of the first; the second is balanced.

    Raises:
        ValueError: If an argument is unknown or out of range.
    """
    check_choice(LARGEST, name=name)
    if name == "scenes":
        pool = load("scenes", n=3000, **PLAIN)
        test = load("scenes", n=1000, split="test", **PLAIN)
    elif name == "cifar10":
        pool, test = load(name, split="full_train"), load(name, split="test")
    else:
        digits = load("digits")
        parts = stratified_split(digits.labels, (1040, 757), seed=seed)
        pool, test = (digits[part] for part in parts)
    kept = pool[long_tailed(pool.labels, imbalance, profile, n_max=LARGEST[name], seed=seed)]
    return TrainTest(kept, test)


def epochs_of(task: TrainTest) -> int:
    """Count the epochs in which a training sees 15,000 scenes or 8,000 digits of a long tail.

    Of CIFAR-10 it sees as many images as 50 epochs of the exponential tail of 100 have.
    """
    return round(IMAGES_SEEN[task.train.name] / len(task.labels))


def deferred_start(epochs: int) -> int:
    """Name the epoch, from 1, that begins deferred weights: they have the last fifth."""
    return round(0.8 * epochs) + 1


def small_network(channels: int, head: nn.Module | None = None) -> nn.Sequential:
    """Make three convolutions with batch normalization, an average over each map, and a head.

    Args:
        channels: Of the images, which have at least 8 x 8 pixels.
        head: Maps features ``(B, 64)`` to logits ``(B, 10)``; a linear layer unless given.
    """
    layers: list[nn.Module] = []
    for before, after in ((channels, 16), (16, 32), (32, 64)):
        convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), head or nn.Linear(64, 10)]
    return nn.Sequential(*layers)


def network_for(task: TrainTest, head: nn.Module | None = None) -> nn.Module:
    """Make the network of the comparison: a small one, or a ResNet-32 for CIFAR-10.

    Both have 64 features.
    """
    if task.train.name != "cifar10":
        return small_network(task.images.shape[1], head)
    model = ResidualNetwork(32)
    model.fc = head or model.fc
    return model


@dataclass(frozen=True)
class Arm:
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


# Each rate is the better one of two on seeds that are not compared: `--part rates` of the study.
ARMS = {
    "cross-entropy": Arm(lambda counts: CrossEntropy()),
    "re-weighted": Arm(BalancedCrossEntropy, lr=0.03),
    "focal": Arm(lambda counts: FocalLoss()),
    "logit-adjusted": Arm(LogitAdjustedLoss),
    "deferred weights": Arm(lambda counts: CrossEntropy(), deferred=True),
    "cosine": Arm(lambda counts: CrossEntropy(), cosine=30, lr=0.03),
    "LDAM": Arm(LDAMLoss, cosine=1, lr=0.03),
    "LDAM-DRW": Arm(LDAMLoss, cosine=1, deferred=True, lr=0.03),
    "LDAM-DRW, Mixup": Arm(LDAMLoss, cosine=1, deferred=True, mixup=0.4, lr=0.03),
}


def train_arm(task: TrainTest, arm: Arm, seed: int, *, epochs: int | None = None) -> Tensor:
    """Train the network by one arm and measure each class.

    SGD with momentum, batches of 32 or, with CIFAR-10, 128, and a learning rate that rises and
    falls to zero, as long for each arm.

    Args:
        task: From :func:`load_long_tail`.
        arm: Such as one of :data:`ARMS`.
        seed: Decides the first weights, the order of the images and what Mixup draws.
        epochs: How often the images are seen; as :func:`epochs_of` says unless given.

    Returns:
        Test accuracy of each class, ``(10,)``.
    """
    epochs = epochs or epochs_of(task)
    loss: nn.Module = arm.loss(task.counts)
    if arm.deferred:
        loss = DeferredReweighting(loss, task.counts, deferred_start(epochs))
    options = {"seed": seed, "channels_last": True, **process_share()}
    batches = Batches(task.images, task.labels, BATCH_SIZE[task.train.name], **options)
    with isolated_seed(seed):
        head = None if arm.cosine is None else CosineClassifier(64, 10, arm.cosine)
        model = network_for(task, head).to(memory_format=torch.channels_last)
        if arm.mixup:
            batches = MixedBatches(batches, Mixup(arm.mixup, num_classes=10), seed=seed)
        optimizer = torch.optim.SGD(
            model.parameters(), arm.lr, 0.9, weight_decay=5e-4, nesterov=True
        )
        options = {"loss_fn": loss.to(process_device()), "progress": False}
        options |= {"optimizer": optimizer, "epochs": epochs, "lr": arm.lr}
        train_one_cycle(distribute(model), batches, **options)
    test_images = task.test_images.contiguous(memory_format=torch.channels_last)
    return per_class_accuracy(predict(model, test_images).cpu(), task.test_labels)
