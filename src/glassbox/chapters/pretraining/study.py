"""Pretrain a small ResNet on drawn scenes, and transfer it to tasks with few labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.pixels import channel_statistics, normalize, resize
from glassbox.data.scenes.backgrounds import BACKGROUNDS
from glassbox.data.scenes.scene import DEFAULT_CLASSES, draw_scenes
from glassbox.data.scenes.silhouettes import SILHOUETTES
from glassbox.data.splits import stratified_split
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.freezing import check_optimizer, freeze, train_keeping_frozen, unfreeze
from glassbox.training.loop import fit

SIZE = 16
UPDATES = 100
FROZEN = 30  # updates before the thaw
LABELS = (1, 2, 5, 10, 20, 50)
TARGETS = ("scenes", "digits")
UPSTREAM = {"things": 21, "grounds": 5}
THINGS = tuple(name for name in SILHOUETTES if name not in DEFAULT_CLASSES)
# Half of the backgrounds are seen upstream, half downstream, and no palette is seen in both.
GROUNDS = tuple(BACKGROUNDS)[::2]
OTHER_GROUNDS = tuple(BACKGROUNDS)[1::2]
PALETTES = ("vivid", "pastel", "dusk")


@dataclass(frozen=True)
class Strategy:
    """One way to use a network that was trained on something else.

    Args:
        upstream: What it was trained on, a key of :data:`UPSTREAM`; ``None`` for weights of chance.
        lr: Learning rate of Adam.
        thawed_lr: The rate of everything from update ``FROZEN`` on; 0 if the backbone stays frozen,
            ``None`` if it is never frozen.
    """

    upstream: str | None
    lr: float
    thawed_lr: float | None = None


# Each rate is the best of six on a seed that is not compared: see benchmarks/pretraining.py.
STRATEGIES = {
    "scratch": Strategy(None, 1e-3),
    "probe": Strategy("things", 1e-1, 0.0),
    "thawed": Strategy("things", 3e-2, 3e-3),
    "fine-tuned": Strategy("things", 3e-3),
    "probe, grounds": Strategy("grounds", 3e-1, 0.0),
    "fine-tuned, grounds": Strategy("grounds", 3e-3),
}


@dataclass(frozen=True)
class Task:
    """Images of three channels, normalized by the statistics of the scenes.

    Args:
        images: To train on, ``(N, 3, S, S)``.
        labels: Theirs, ``(N,)``.
        test_images: Others.
        test_labels: Theirs.
        class_names: What the labels stand for.
    """

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]


def upstream_scenes(kind: str, n: int, *, seed: int, split: str = "train") -> Dataset:
    """Draw what a network is pretrained on: the same kind of scenes, with one of two questions.

    Args:
        kind: ``"things"`` asks which of 21 things is seen, ``"grounds"`` which of 5 backgrounds.
        n: Number of images, a multiple of 15 for an equal fraction of each.
        seed: Decides which.
        split: ``"train"``, ``"validation"`` or ``"test"``.

    Returns:
        The scenes, in three palettes and on five backgrounds.

    Raises:
        ValueError: If ``kind`` is unknown.
    """
    if kind not in UPSTREAM:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(UPSTREAM)}")
    count = -(-n // (len(PALETTES) * len(GROUNDS)))
    images, labels = [], []
    for i, palette in enumerate(PALETTES):
        for ground, name in enumerate(GROUNDS):
            part = _draw(count, 100 * seed + 10 * i + ground, split, THINGS, palette, (name,))
            images.append(part.images)
            asked = part.labels if kind == "things" else torch.full_like(part.labels, ground)
            labels.append(asked)
    names = THINGS if kind == "things" else GROUNDS
    order = torch.randperm(15 * count, generator=torch.Generator().manual_seed(seed))[:n]
    return Dataset("scenes", torch.cat(images)[order], torch.cat(labels)[order], names)


def _draw(
    n: int, seed: int, split: str, classes: Sequence[str], palette: str, grounds: Sequence[str]
) -> Dataset:
    options = {"palette": palette, "backgrounds": grounds, "occlusion": 0.0, "clutter": 1}
    return draw_scenes(n, size=SIZE, seed=seed, split=split, classes=classes, **options)


def upstream_statistics() -> tuple[Tensor, Tensor]:
    """Measure mean and standard deviation of the upstream scenes, by which all is normalized.

    Returns:
        One number a channel, ``(3,)`` each.
    """
    return channel_statistics(upstream_scenes("things", 1500, seed=0).images)


def pretrain(kind: str, seed: int, *, n: int = 7500, epochs: int = 8) -> ResidualNetwork:
    """Train a ResNet-8 on upstream scenes.

    Args:
        kind: A key of :data:`UPSTREAM`.
        seed: Decides scenes, weights and order.
        n: Number of scenes.
        epochs: How often they are seen.

    Returns:
        The network in ``train`` mode.
    """
    scenes = upstream_scenes(kind, n, seed=seed)
    with isolated_seed(seed):
        model = ResidualNetwork(8, num_classes=scenes.num_classes)
    images = normalize(scenes.images, *upstream_statistics())
    batches = Batches(images, scenes.labels, 64, seed=seed)
    optimizer = torch.optim.SGD(model.parameters(), 0.2, 0.9, weight_decay=1e-4, nesterov=True)
    cycle = OneCycleLR(optimizer, 0.2, epochs * len(batches))
    fit(model, batches, optimizer, epochs=epochs, step_scheduler=cycle, progress=False)
    return model


def upstream_accuracy(model: nn.Module, kind: str, n: int = 1500) -> float:
    """Measure a pretrained network on scenes that nobody has seen.

    Args:
        model: From :func:`pretrain`.
        kind: What it was trained on.
        n: Number of scenes.

    Returns:
        Accuracy from 0 to 1.
    """
    scenes = upstream_scenes(kind, n, seed=0, split="test")
    images = normalize(scenes.images, *upstream_statistics())
    return float(evaluate(model, images, scenes.labels).accuracy)


def target_scenes(n: int, *, seed: int, split: str = "train") -> Dataset:
    """Draw ten things that were not seen upstream, in another palette, on other backgrounds.

    Args:
        n: Number of images.
        seed: Decides which.
        split: ``"train"``, ``"validation"`` or ``"test"``.

    Returns:
        The scenes, as many of each class as can be.
    """
    return _draw(n, seed, split, DEFAULT_CLASSES, "natural", OTHER_GROUNDS)


def target_task(target: str, labels: int, seed: int) -> Task:
    """Take a task with few labels: things not seen upstream, or real digits.

    Args:
        target: ``"scenes"`` or ``"digits"``.
        labels: Labelled images a class, 1 to 50.
        seed: Decides which.

    Returns:
        The task; its ten classes have ``labels`` images each, and about 100 to test on.

    Raises:
        ValueError: If ``target`` is unknown or ``labels`` is out of range.
    """
    if target not in TARGETS:
        raise ValueError(f"target is {target!r}, expected one of {', '.join(TARGETS)}")
    if not 1 <= labels <= 50:
        raise ValueError(f"labels is {labels}, expected 1 to 50")
    if target == "scenes":
        train = target_scenes(500, seed=seed)
        test = target_scenes(1000, seed=seed, split="test")
    else:
        digits = load("digits")
        train, test = (digits[p] for p in stratified_split(digits.labels, (700, 1000), seed=seed))
    chosen = torch.cat([(train.labels == c).nonzero()[:labels, 0] for c in range(10)])
    statistics = upstream_statistics()
    images, test_images = (
        normalize(resize(part.images, SIZE).expand(-1, 3, -1, -1), *statistics)
        for part in (train[chosen], test)
    )
    return Task(images, train.labels[chosen], test_images, test.labels, train.class_names)


def transfer(
    strategy: Strategy, upstream: dict[str, Tensor] | None, task: Task, seed: int
) -> nn.Module:
    """Train on a target: ``UPDATES`` steps of Adam on batches of up to 32.

    Args:
        strategy: What is trained, and how fast.
        upstream: The weights to begin with; ``None`` for weights of chance.
        task: From :func:`target_task`.
        seed: Decides the head, the weights of chance and the batches.

    Returns:
        The trained network.

    Raises:
        ValueError: If the strategy needs ``upstream`` and there is none, or the other way round.
    """
    if not strategy.upstream and upstream is not None:
        raise ValueError("upstream is given, expected None for a strategy that begins by chance")
    if strategy.upstream and upstream is None:
        raise ValueError(f"upstream is None, expected the weights of {strategy.upstream}")
    model = start_network(upstream, seed)
    backbone = [module for name, module in model.named_children() if name != "fc"]
    if strategy.thawed_lr is not None:
        freeze(*backbone)
    optimizer = torch.optim.Adam(model.parameters(), strategy.lr, weight_decay=1e-4)
    train_keeping_frozen(model)
    for step, batch in enumerate(shuffled_batches(len(task.labels), UPDATES, seed)):
        if strategy.thawed_lr and step == FROZEN:
            unfreeze(*backbone)
            for group in optimizer.param_groups:
                group["lr"] = strategy.thawed_lr
        loss = F.cross_entropy(model(task.images[batch]), task.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    check_optimizer(model, optimizer)
    return model


def start_network(upstream: dict[str, Tensor] | None, seed: int) -> ResidualNetwork:
    """Make the network that a transfer begins with: a body that may know something, a new head.

    Args:
        upstream: A state dict of a pretrained network; its head is left out.
        seed: Decides all weights of chance; the head is the same with ``upstream`` and without.

    Returns:
        The network in ``train`` mode.
    """
    with isolated_seed(seed):
        model = ResidualNetwork(8)
    if upstream is not None:
        body = {name: w for name, w in upstream.items() if not name.startswith("fc.")}
        missing = model.load_state_dict(body, strict=False)
        assert missing.missing_keys == ["fc.weight", "fc.bias"]
    return model


def shuffled_batches(count: int, updates: int, seed: int) -> Tensor:
    """Draw images for all updates, each seen once before any is seen twice.

    Args:
        count: Number of images.
        updates: Number of batches.
        seed: Decides the order.

    Returns:
        Indices, ``(updates, B)`` with ``B`` of 32, or of ``count`` where there are fewer.
    """
    generator = torch.Generator().manual_seed(seed)
    size = min(32, count)
    rounds = -(-updates * size // count)
    order = torch.cat([torch.randperm(count, generator=generator) for _ in range(rounds)])
    return order[: updates * size].view(updates, size)
