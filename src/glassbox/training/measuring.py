"""How many predictions are right, and means over batches and processes."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glassbox.support.arguments import check_class_indices, check_shapes
from glassbox.training.distributed import sum_over_processes


def ignored_label(loss_fn: Callable) -> int:
    """Give the label that a loss leaves out: its ``ignore_index``, or else PyTorch's -100."""
    given = getattr(loss_fn, "keywords", {})  # of a functools.partial
    return given.get("ignore_index", getattr(loss_fn, "ignore_index", -100))


def are_classes(logits: Any, labels: Tensor) -> bool:
    """Say whether logits ``(N, K)`` and class indices ``(N,)`` can be compared."""
    indices = labels.ndim == 1 and not labels.is_floating_point()
    return indices and isinstance(logits, Tensor) and logits.ndim == 2


def counting(labels: Tensor, ignored: int | None) -> Tensor:
    """Mark the class indices that a loss does not ignore; with ``None`` it ignores none."""
    labels = labels.long()  # as a byte, -100 would be 156
    return torch.ones_like(labels, dtype=torch.bool) if ignored is None else labels != ignored


def widened(values: Any) -> Any:
    """Give a tensor of a half type as ``float32``, and all else as it is."""
    half = isinstance(values, Tensor) and values.dtype in (torch.float16, torch.bfloat16)
    return values.float() if half else values


def count_correct(logits: Any, labels: Tensor, ignored: int | None) -> tuple[Tensor, Tensor] | None:
    """Count right predictions and the labels that count, both on the device.

    A prediction is the largest logit ``(N, K)``; a single logit ``(N, 1)`` says class 1 where it is
    above 0. None where there are no class indices to compare with.
    """
    if not are_classes(logits, labels):
        return None
    check_shapes(logits=(logits, "N K"), labels=(labels, "N"))  # one label would be broadcast
    predicted = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)
    counts = counting(labels, ignored)
    return ((predicted == labels) & counts).sum(), counts.sum()


def checked_count(logits: Any, labels: Tensor, ignored: int | None) -> tuple[Tensor, Tensor] | None:
    """Count as :func:`count_correct`, and refuse a label that is not below the number of classes.

    One logit is of two classes.
    """
    counts = count_correct(logits, labels, ignored)
    if counts is not None:
        named = labels[counting(labels, ignored)]
        check_class_indices(max(logits.shape[1], 2), labels=named)
    return counts


def one_number(loss: Any) -> Tensor:
    """Refuse what a loss function gave, unless it is a single number in a tensor."""
    if not isinstance(loss, Tensor):
        raise TypeError(f"loss_fn gave a {type(loss).__name__}, expected a tensor")
    if loss.numel() != 1:
        raise ValueError(f"loss_fn gave shape {tuple(loss.shape)}, expected one number, the mean")
    return loss


def numbers_of(first: Tensor, *others: Tensor) -> list[float]:
    """Read single numbers at once, so that an accelerator is waited for once."""
    kind = torch.promote_types(first.dtype, torch.float32)
    single = [one.detach().reshape(()).to(first.device, kind) for one in (first, *others)]
    return torch.stack(single).tolist()


class RunningMean:
    """The mean loss and the accuracy of many images, added up batch by batch."""

    def __init__(self) -> None:
        self.loss = 0.0
        self.images = 0.0
        self.correct: Tensor | int = 0
        self.classified = 0.0

    def add(self, loss: float, images: float, correct: Tensor | None) -> None:
        """Add a batch by its mean loss; ``correct`` is None where there is no accuracy."""
        self.loss += loss * images
        self.images += images
        if correct is not None:
            self.correct = self.correct + correct  # stays on its device: no waiting for a GPU
            self.classified += images

    def averages(self, *, over_processes: bool = True) -> tuple[float, float | None]:
        """Average loss and accuracy, if any, over all images; the loss of none is nan."""
        sums = [self.loss, self.images, float(self.correct), self.classified]
        loss, images, correct, classified = sum_over_processes(sums) if over_processes else sums
        return loss / images if images else math.nan, correct / classified if classified else None
