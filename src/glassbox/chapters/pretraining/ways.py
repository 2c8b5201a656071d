"""Six ways to use EfficientNet-Lite0, which knows ImageNet, for another task."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from glassbox.data.augmentation import Augmentation
from glassbox.data.dataset import Dataset
from glassbox.data.pixels import normalize
from glassbox.networks.imagenet import imagenet_network
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.freezing import (
    check_optimizer,
    freeze,
    parameter_groups,
    train_keeping_frozen,
    unfreeze,
)
from glassbox.training.processes import (
    distribute,
    process_device,
    process_share,
    weigh_by_images,
)

_HALF = torch.full((3,), 0.5)  # mean and deviation that the network was trained with
_BATCH = 16


@dataclass(frozen=True)
class Way:
    """One way to use the network.

    Args:
        pretrained: Whether it begins with its ImageNet weights, or with random ones.
        frozen: Fraction of the updates, from the first on, in which only the new head learns.
        body_rate: Learning rate of all but the head, as a multiple of the head's.
        rates: Of the head, from which :mod:`~glassbox.chapters.pretraining.study` chooses.
        batch_statistics: Whether batch normalization, where it is not frozen, uses the mean and
            deviation of each batch and follows them, or keeps those of ImageNet.
    """

    pretrained: bool
    frozen: float
    body_rate: float
    rates: tuple[float, ...]
    batch_statistics: bool = True


_HEAD_RATES = (3e-3, 1e-2, 3e-2, 1e-1)
_BODY_RATES = (3e-4, 1e-3, 3e-3, 1e-2)
WAYS = {
    "scratch": Way(False, 0.0, 1.0, _BODY_RATES),
    "probe": Way(True, 1.0, 0.1, _HEAD_RATES),
    "thawed": Way(True, 0.3, 0.1, _HEAD_RATES),
    "thawed in eval": Way(True, 0.3, 0.1, _BODY_RATES, batch_statistics=False),
    "fine-tuned": Way(True, 0.0, 1.0, _BODY_RATES),
    "two rates": Way(True, 0.0, 0.1, _HEAD_RATES),
}


def start_network(classes: int, seed: int, *, pretrained: bool = True) -> nn.Module:
    """Make EfficientNet-Lite0 with a new head, in ``train`` mode and laid out channels last.

    On a CPU this layout takes its convolutions little more than half of the time.

    Args:
        classes: Logits of the head.
        seed: Decides the head, which is the same with pretrained weights and without, and what
            else is random.
        pretrained: Whether all but the head has the weights from ImageNet.
    """
    from timm import create_model

    with isolated_seed(seed):
        model = create_model("tf_efficientnet_lite0", num_classes=0)
        features = model.num_features
        head = nn.Linear(features, classes)
    if pretrained:
        model = imagenet_network()
    model.classifier = head
    return model.train().to(memory_format=torch.channels_last)


def backbone(model: nn.Module) -> list[nn.Module]:
    """List the parts of EfficientNet-Lite0 that come before its head."""
    return [part for name, part in model.named_children() if name != "classifier"]


def keep_statistics(model: nn.Module) -> None:
    """Put batch normalization into ``eval`` mode; its weights still learn, if they are thawed."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()


def train_way(
    name: str,
    images: Tensor,
    labels: Tensor,
    seed: int,
    *,
    classes: int,
    lr: float,
    updates: int,
    augment: Augmentation | None = None,
) -> nn.Module:
    """Use the network for a task in one of the ways.

    Args:
        name: One of :data:`WAYS`.
        images: Bytes, ``(N, 3, S, S)``.
        labels: Theirs, ``(N,)``.
        seed: Decides the head, random weights, the batches and the augmentation.
        classes: How many there are.
        lr: First learning rate of the head.
        updates: Steps of Adam.
        augment: What is done to each batch, after normalization.

    Returns:
        The trained network, on the CPU.

    Raises:
        ValueError: If the way is unknown.
    """
    check_choice(WAYS, name=name)
    way = WAYS[name]
    model = start_network(classes, seed, pretrained=way.pretrained)
    return train_network(model, way, images, labels, seed, lr=lr, updates=updates, augment=augment)


def train_network(
    model: nn.Module,
    way: Way,
    images: Tensor,
    labels: Tensor,
    seed: int,
    *,
    lr: float,
    updates: int,
    augment: Augmentation | None = None,
) -> nn.Module:
    """Train the network by Adam on batches of up to 16; arguments as for :func:`train_way`.

    Both rates follow half a cosine from their first value down to 0.
    """
    groups = parameter_groups(model.classifier, model, lr, lr * way.body_rate)
    optimizer = torch.optim.Adam(groups, weight_decay=1e-4)
    schedule = half_cosine(optimizer, updates)
    batches = shuffled_batches(len(labels), updates, seed)
    generator = torch.Generator().manual_seed(seed)

    def learn(some: Tensor) -> None:
        if not way.batch_statistics:
            keep_statistics(model)
        shared = distribute(model)  # anew after a thaw, for what was frozen is not shared
        for batch in some:
            inputs = to_inputs(images[batch])
            inputs = augment(inputs, generator) if augment else inputs
            take_step(shared, optimizer, inputs, labels[batch])
            schedule.step()

    thaw = round(way.frozen * updates)
    if thaw:
        freeze(*backbone(model))
        train_keeping_frozen(model)
        learn(batches[:thaw])
        unfreeze(*backbone(model))
    learn(batches[thaw:])
    check_optimizer(model, optimizer)
    return model.cpu()


def take_step(model: nn.Module, optimizer: Optimizer, images: Tensor, labels: Tensor) -> None:
    """Take one step on a batch, of which each process sees its share."""
    share, device = process_share(), process_device()
    mine = slice(share["rank"], None, share["world_size"])
    loss = F.cross_entropy(model(images[mine].to(device)), labels[mine].to(device))
    optimizer.zero_grad()
    weigh_by_images(loss, len(labels[mine])).backward()
    optimizer.step()


def half_cosine(optimizer: Optimizer, updates: int) -> LRScheduler:
    """Let all rates fall to 0 over a number of updates, as half a cosine does."""
    return LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / updates)))


def shuffled_batches(count: int, updates: int, seed: int) -> Tensor:
    """Draw images for all updates, each seen once before any is seen twice.

    Returns:
        Indices, ``(updates, B)`` with ``B`` of 16, or of ``count`` where there are fewer.
    """
    generator = torch.Generator().manual_seed(seed)
    size = min(_BATCH, count)
    rounds = -(-updates * size // count)
    order = torch.cat([torch.randperm(count, generator=generator) for _ in range(rounds)])
    return order[: updates * size].view(updates, size)


def to_inputs(images: Tensor) -> Tensor:
    """Turn bytes ``(N, 3, S, S)`` into what the network was trained on: numbers from -1 to 1."""
    return normalize(images, _HALF, _HALF)


def accuracy_on(model: nn.Module, data: Dataset) -> float:
    """Measure the accuracy of a network, from 0 to 1."""
    device = process_device()
    model = model.to(device)
    parts = zip(data.images.split(500), data.labels.split(500), strict=True)
    batches = [(to_inputs(images).to(device), labels.to(device)) for images, labels in parts]
    found = float(evaluate(model, batches).accuracy)
    model.cpu()
    return found
