"""Predictions of a trained model, and their loss and accuracy."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_all_finite,
    check_callables,
    check_class_indices,
    check_classifier_output,
    check_floating_point,
    check_modules,
    check_not_empty,
    check_same_shape,
    check_shapes,
    reject_tensor,
)

LossFunction = Callable[[Any, Tensor], Tensor]


@dataclass(frozen=True)
class Evaluation:
    """Loss, accuracy and logits of a model on a set of images.

    Args:
        loss: The loss of all images together; not finite where the logits overflow.
        accuracy: From 0 to 1, nan where a logit is not finite, or ``None`` where the labels are not
            class indices.
        logits: ``(N, K)``, without gradients.
    """

    loss: float
    accuracy: float | None
    logits: Tensor


def evaluate(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    loss_fn: LossFunction = F.cross_entropy,
    batch_size: int = 256,
) -> Evaluation:
    """Measure a model in ``eval`` mode, and restore the modes it was in.

    The loss is taken once over all images, so it does not depend on ``batch_size``.

    Args:
        model: Maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        images: ``(N, C, H, W)``, also an array.
        labels: Class indices ``(N,)`` or soft labels ``(N, K)``, likewise.
        loss_fn: Maps logits and labels to one loss.
        batch_size: How many images go through the model at once.

    Raises:
        ValueError: If there are no images, or not as many labels as images, or a label is not below
            the number of logits.
    """
    images, labels = as_tensor(images=images), as_tensor(labels=labels)
    check_pairs(images, labels)
    check_callables(loss_fn=loss_fn)
    logits = predict(model, images, batch_size)
    labels = labels.to(logits.device)
    if count_correct(logits, labels) is None:
        return Evaluation(loss_fn(logits, labels).item(), None, logits)
    check_class_indices(logits.shape[1], labels=labels)
    loss = loss_fn(logits, labels.long()).item()
    fraction = accuracy(logits, labels) if logits.isfinite().all() else math.nan
    return Evaluation(loss, fraction, logits)


def predict(model: nn.Module, images: Tensor, batch_size: int = 256) -> Tensor:
    """Compute logits ``(N, K)`` in ``eval`` mode without gradients, and restore the modes.

    Args:
        model: Maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        images: ``(N, C, H, W)``, at least one, also an array; numbers of floating point are taken
            in the type of the model.
        batch_size: How many images go through the model at once.

    Raises:
        ValueError: If there are no images, or ``batch_size`` is below 1.
    """
    check_modules(model=model)
    images = as_tensor(images=images)
    check_not_empty(images=images)
    (batch_size,) = as_sizes(batch_size=batch_size)
    weight = next(chain(model.parameters(), model.buffers()), images)
    if images.is_floating_point() and weight.is_floating_point():
        images = images.to(weight.dtype)
    device = weight.device
    with preserve_modes(model), torch.no_grad():
        model.eval()
        return torch.cat([model(batch.to(device)) for batch in images.split(batch_size)])


@contextmanager
def preserve_modes(model: nn.Module) -> Iterator[None]:
    """Restore the ``train`` or ``eval`` mode of every submodule at the end of a block."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def accuracy(logits: Tensor, labels: Tensor) -> float | None:
    """Compute the fraction of images whose largest logit is that of their label.

    Args:
        logits: ``(N, K)``, also an array or a list.
        labels: Class indices ``(N,)``, likewise. Soft labels ``(N, K)`` mix several classes: the
            fraction of right answers is not defined for them.

    Returns:
        From 0 to 1, or ``None`` for soft labels.

    Raises:
        ValueError: If there is no image, the shapes do not fit, a logit is not finite, or a label
            is no class index below the number of logits.
    """
    logits, labels = as_tensor(logits=logits), as_tensor(labels=labels)
    check_classifier_output(logits=logits)
    if labels.is_floating_point() and labels.ndim == 2:
        check_same_shape(logits=logits, labels=labels)
        return None
    check_class_indices(logits.shape[1], labels=labels)
    return count_correct(logits, labels).item() / len(labels)


def count_correct(logits: Tensor, labels: Tensor) -> Tensor | None:
    """Count the images whose largest logit ``(N, K)`` is that of their label, on the device.

    None where there are no class indices to compare with.
    """
    indices = labels.ndim == 1 and not labels.is_floating_point()
    if not (indices and isinstance(logits, Tensor) and logits.ndim == 2):
        return None
    check_shapes(logits=(logits, "N K"), labels=(labels, "N"))  # one label would be broadcast
    return (logits.argmax(1) == labels).sum()


def checked_task(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Give images ``(N, C, H, W)``, finite, and class indices ``(N,)`` as tensors, else refuse."""
    images, labels = as_tensor(images=images), as_tensor(labels=labels)
    check_shapes(images=(images, "N C H W"), labels=(labels, "N"))
    check_not_empty(images=images.flatten())
    check_floating_point(images=images)
    check_all_finite(images=images)
    if labels.is_floating_point() or labels.dtype == torch.bool:
        reject_tensor("labels", labels, "class indices (N,) of an integer type")
    return images, labels


def check_pairs(images: Tensor, labels: Tensor) -> None:
    """Refuse an empty set of images, or another number of labels than of images."""
    check_not_empty(images=images)
    if labels.ndim == 0:
        reject_tensor("labels", labels, "(N, ...)")
    if len(labels) != len(images):
        raise ValueError(f"labels has {len(labels)} entries, expected {len(images)}, as images")
