"""Tasks with few labels, of images that EfficientNet-Lite0 has not seen."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.patches import photo_patches
from glassbox.support.arguments import as_sizes, check_choice, check_range

# All of them together are cut in gray, since some are gray: color alone would tell most apart.
PHOTOS = (
    *("astronaut", "brick", "camera", "cat", "china", "clock", "coffee", "flower"),
    *("grace_hopper", "grass", "gravel", "hubble", "retina", "rocket"),
)
_VALIDATION = 50  # images a class


@dataclass(frozen=True, eq=False)
class Task:
    """Images as bytes: some to train on, others to choose a rate by, others to test with."""

    train: Dataset
    validation: Dataset
    test: Dataset


def few_labels(data: str, labels: int, seed: int, *, side: int = 48, tested: int = 100) -> Task:
    """Take some images of each class to train on, which ones as the seed has it.

    Args:
        data: ``"cifar10"``, whose images are enlarged; those to choose by and to test with are the
            same for all seeds. Or ``"patches"`` of 14 photographs in gray, one class a
            photograph: to train on and to choose by from its left half, to test with from its
            right half.
        labels: Images of each class to train on, 1 to 4,400.
        seed: Decides which.
        side: Pixels a side.
        tested: Images of each class to test with, 1 to 500.

    Raises:
        ValueError: If ``data`` is unknown, or a number is out of range.
    """
    check_choice(_TASKS, data=data)
    check_range(1, 4400, labels=labels)
    check_range(1, 500, tested=tested)
    return _TASKS[data](labels, seed, side, tested)


def enlarge(data: Dataset, side: int, *, mode: str = "bicubic") -> Dataset:
    """Resize images to ``side`` pixels a side and three channels.

    Args:
        data: Images of one channel or three.
        side: Pixels a side.
        mode: ``"bicubic"`` or ``"bilinear"``, antialiased where images shrink.
    """
    (side,) = as_sizes(side=side)
    resized = [_resize(some, side, mode) for some in data.images.split(1000)]
    return replace(data, images=torch.cat(resized).expand(-1, 3, -1, -1))


def _resize(images: Tensor, side: int, mode: str) -> Tensor:
    if images.shape[-1] == side:
        return images
    resized = F.interpolate(images.float(), (side, side), mode=mode, antialias=True)
    return resized.round_().clamp_(0, 255).byte()


def _cifar10(labels: int, seed: int, side: int, tested: int) -> Task:
    train, holdout = load("cifar10", split="train"), load("cifar10", split="holdout")
    generator = torch.Generator().manual_seed(seed)
    known = [_of_class(train, label) for label in range(10)]
    rest = [some[:-_VALIDATION] for some in known]
    drawn = [some[torch.randperm(len(some), generator=generator)[:labels]] for some in rest]
    chosen = [some[-_VALIDATION:] for some in known]
    asked = [_of_class(holdout, label)[:tested] for label in range(10)]
    parts = train[torch.cat(drawn)], train[torch.cat(chosen)], holdout[torch.cat(asked)]
    return Task(*(enlarge(part, side) for part in parts))


def _of_class(data: Dataset, label: int) -> Tensor:
    return (data.labels == label).nonzero()[:, 0]


def _patches(labels: int, seed: int, side: int, tested: int) -> Task:
    count = labels + _VALIDATION
    found = photo_patches(*PHOTOS, size=side, train_count=count, test_count=tested, seed=seed)
    first = labels * len(PHOTOS)  # the classes take turns
    parts = found.train[:first], found.train[first:], found.test
    return Task(*(enlarge(part, side) for part in parts))


_TASKS: dict[str, Callable[[int, int, int, int], Task]] = {
    "cifar10": _cifar10,
    "patches": _patches,
}
