"""What a small ResNet is pretrained on, drawn scenes, and the tasks with few labels behind it."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.pixels import channel_statistics, resize
from glassbox.data.scenes.backgrounds import BACKGROUNDS
from glassbox.data.scenes.scene import DEFAULT_CLASSES, draw_scenes
from glassbox.data.scenes.silhouettes import SILHOUETTES
from glassbox.data.splits import stratified_split
from glassbox.data.train_test import TrainTest
from glassbox.support.arguments import check_choice, check_range

SIZE = 16
LABELS = (1, 2, 5, 10, 20, 50)
TARGETS = ("scenes", "digits")
UPSTREAM = {"things": 21, "grounds": 5}
THINGS = tuple(name for name in SILHOUETTES if name not in DEFAULT_CLASSES)
# Half of the backgrounds are seen upstream, half downstream, and no palette is seen in both.
GROUNDS = tuple(BACKGROUNDS)[::2]
OTHER_GROUNDS = tuple(BACKGROUNDS)[1::2]
PALETTES = ("vivid", "pastel", "dusk")


def upstream_scenes(kind: str, n: int, *, seed: int, split: str = "train") -> Dataset:
    """Draw what a network is pretrained on: the same kind of scenes, with one of two questions.

    Args:
        kind: ``"things"`` asks which of 21 things is seen, ``"grounds"`` which of 5 backgrounds.
        n: Number of images, a multiple of 15 for an equal fraction of each.
        seed: Decides which.
        split: ``"train"``, ``"validation"`` or ``"test"``.

    Raises:
        ValueError: If ``kind`` is unknown.
    """
    check_choice(UPSTREAM, kind=kind)
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
    """Measure the mean and std of each channel of upstream scenes, by which all is normalized."""
    return channel_statistics(upstream_scenes("things", 1500, seed=0).images)


def target_scenes(n: int, *, seed: int, split: str = "train") -> Dataset:
    """Draw ten things that were not seen upstream, in another palette, on other backgrounds."""
    return _draw(n, seed, split, DEFAULT_CLASSES, "natural", OTHER_GROUNDS)


def target_task(target: str, labels: int, seed: int) -> TrainTest:
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
    check_choice(TARGETS, target=target)
    check_range(1, 50, labels=labels)
    if target == "scenes":
        train = target_scenes(500, seed=seed)
        test = target_scenes(1000, seed=seed, split="test")
    else:
        digits = load("digits")
        train, test = (digits[p] for p in stratified_split(digits.labels, (700, 1000), seed=seed))
    chosen = torch.cat([(train.labels == c).nonzero()[:labels, 0] for c in range(10)])
    parts = (
        replace(part, images=resize(part.images, SIZE).expand(-1, 3, -1, -1))
        for part in (train[chosen], test)
    )
    return TrainTest(*parts, upstream_statistics())
