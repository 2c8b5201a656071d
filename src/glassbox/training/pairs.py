"""Batches, which are pairs of images and labels: what is asked of them, and whose they are."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from torch import Tensor

from glassbox.support.arguments import check_not_empty
from glassbox.training.distributed import check_shares, images_of_process


class ImageBatches(Protocol):
    """Anything with a length that can be iterated for pairs of images and labels."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]: ...


def check_batches(batches: ImageBatches) -> None:
    """Refuse batches that cannot be counted, or of which there are none."""
    if not hasattr(batches, "__len__"):
        raise TypeError(f"batches is a {type(batches).__name__}, which has no len(), expected one")
    check_not_empty(batches=batches)


def is_pair(batch: Any) -> bool:
    """Say whether this is a list or a tuple of two tensors."""
    pair = isinstance(batch, list | tuple) and len(batch) == 2
    return pair and all(isinstance(part, Tensor) for part in batch)


def as_pair(**batches: Any) -> tuple[Tensor, Tensor]:
    """Give one batch, named by what it comes from, as images and labels; else a ``TypeError``."""
    ((name, batch),) = batches.items()
    if is_pair(batch):
        return tuple(batch)
    inside = f" with {', '.join(map(repr, batch))}" if isinstance(batch, dict) else ""
    raise TypeError(
        f"{name} has a {type(batch).__name__}{inside}, expected pairs of two tensors, "
        "images and labels"
    )


def own_pairs(**batches: Iterable) -> Iterator[tuple[Tensor, Tensor]]:
    """Iterate over batches to measure on, without what a ``DistributedSampler`` repeats.

    Raises:
        TypeError: If they are no batches.
        ValueError: If the processes together would not see each image once.
    """
    ((name, given),) = batches.items()
    check_shares(**batches)
    left = images_of_process(given)
    for batch in given:
        images, labels = as_pair(**{name: batch})
        if left >= len(images):
            yield images, labels
        elif left:
            yield images[: int(left)], labels[: int(left)]
        left = max(left - len(images), 0)
