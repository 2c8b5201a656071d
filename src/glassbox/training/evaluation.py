"""Predictions of a trained model, and their loss, accuracy and other metrics."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
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
    check_types,
    has_values,
    reject_tensor,
)
from glassbox.training.distributed import from_all_processes, sampler_of, unwrapped
from glassbox.training.measuring import (
    RunningMean,
    checked_count,
    count_correct,
    ignored_label,
    numbers_of,
    one_number,
    widened,
)
from glassbox.training.metrics import Metric, check_metrics, compute_metrics, for_metrics
from glassbox.training.pairs import own_pairs

LossFunction = Callable[[Any, Tensor], Tensor]


@dataclass(frozen=True)
class Evaluation:
    """Loss, accuracy and logits of a model on a set of images.

    Args:
        loss: The loss of all images together; not finite where the logits overflow.
        accuracy: From 0 to 1, nan where a logit is not finite, or ``None`` where the labels are not
            class indices.
        logits: ``(N, K)``, without gradients; ``None`` where the images came in batches.
        metrics: The value of each metric, by its name.
    """

    loss: float
    accuracy: float | None
    logits: Tensor | None
    metrics: dict[str, float] = field(default_factory=dict)


def evaluate(
    model: nn.Module,
    images: Tensor | Iterable[tuple[Tensor, Tensor]],
    labels: Tensor | None = None,
    *,
    loss_fn: LossFunction = F.cross_entropy,
    batch_size: int = 256,
    metrics: Mapping[str, Metric] | None = None,
) -> Evaluation:
    """Measure a model in ``eval`` mode, and restore the modes it was in.

    Of tensors, the loss is taken once over all images, so it does not depend on ``batch_size``. Of
    batches, as a ``DataLoader`` gives them, it is the mean of their losses, each weighted by its
    number of images; of them nothing is kept but what metrics need: logits and labels.

    The accuracy counts a single logit ``(N, 1)`` as class 1 where it is above 0. Labels that the
    loss ignores (its ``ignore_index``, -100 by default) do not count.

    On several processes a ``DataLoader`` with a ``DistributedSampler`` is measured in parts: all
    processes have to call this, and each gets the result of all images. What the sampler repeats,
    so that the parts are equally long, is left out.

    Args:
        model: Maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        images: ``(N, C, H, W)``, also an array; or, without ``labels``, any iterable of batches,
            which are pairs of images and labels.
        labels: Class indices ``(N,)`` or soft labels ``(N, K)``, likewise.
        loss_fn: Maps logits and labels to one loss.
        batch_size: How many images of a tensor go through the model at once.
        metrics: Functions of all logits ``(N, K)`` and all labels that give a number, by name, such
            as ``{"balanced_accuracy": balanced_accuracy}``. They get both on the CPU, logits in
            ``float32`` or wider, without the labels that the loss ignores.

    Raises:
        TypeError: If there are no labels, and ``images`` are no batches.
        ValueError: If there are no images, or not as many labels as images, or a label is not below
            the number of logits, or a metric fails.
    """
    check_modules(model=model)
    check_callables(loss_fn=loss_fn)
    metrics = check_metrics(metrics)
    if labels is None:
        return _evaluate_batches(unwrapped(model), images, loss_fn, metrics)
    images, labels = as_tensor(images=images), as_tensor(labels=labels)
    check_pairs(images, labels)
    logits = predict(model, images, batch_size)
    labels = labels.to(logits.device)
    ignored = ignored_label(loss_fn)
    loss, counts = _measured(logits, labels, loss_fn, ignored)
    kept = [for_metrics(logits, labels)] if metrics else []
    values = compute_metrics(metrics, kept, ignored)
    if counts is None:
        return Evaluation(loss.item(), None, logits, values)
    correct, counted = (count.item() for count in counts)
    fraction = correct / counted if counted else None
    return Evaluation(loss.item(), fraction, logits, values)


def _measured(
    logits: Any, labels: Tensor, loss_fn: LossFunction, ignored: int
) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
    """Compute the loss and count; where a logit is not finite, nan predictions are right.

    Half types are widened, or the mean of many would be rounded to three digits; a loss whose own
    weights are of a half type needs them as they are.
    """
    counts = checked_count(logits, labels, ignored)
    module = isinstance(loss_fn, nn.Module)
    own = loss_fn.state_dict() if module else getattr(loss_fn, "keywords", {})  # of a partial
    if not any(widened(one) is not one for one in own.values()):
        logits, labels = widened(logits), widened(labels)
    loss = one_number(loss_fn(logits, labels if counts is None else labels.long()))
    if counts is not None and not logits.isfinite().all():
        counts = counts[0] * math.nan, counts[1]
    return loss, counts


def _evaluate_batches(
    model: nn.Module, batches: Iterable, loss_fn: LossFunction, metrics: dict[str, Metric]
) -> Evaluation:
    if isinstance(batches, Tensor | np.ndarray):
        raise TypeError("labels is None, expected those of the images")
    check_types(Iterable, images=batches)
    ignored, mean, kept, seen = ignored_label(loss_fn), RunningMean(), [], 0
    with preserve_modes(model), torch.no_grad():
        model.eval()
        for images, labels in own_pairs(images=batches):
            images, seen = as_input(images, model), seen + len(images)
            logits = model(images)
            labels = labels.to(logits.device if isinstance(logits, Tensor) else images.device)
            loss, counts = _measured(logits, labels, loss_fn, ignored)
            correct, counted = counts or (None, loss.new_tensor(len(images)))
            value, number = numbers_of(loss, counted)
            if number:  # the mean of none is nan
                mean.add(value, number, correct)
            if metrics:
                kept.append(for_metrics(logits, labels))
    in_parts = sampler_of(batches) is not None
    everywhere = from_all_processes((seen, kept)) if in_parts else [(seen, kept)]
    if not any(count for count, _ in everywhere):
        raise ValueError("images is empty, expected at least one batch")
    values = compute_metrics(metrics, [pair for _, pairs in everywhere for pair in pairs], ignored)
    return Evaluation(*mean.averages(over_processes=in_parts), None, values)


def as_input(images: Tensor, model: nn.Module) -> Tensor:
    """Bring images to the device of a model, and numbers of floating point to its type."""
    weight = next(chain(model.parameters(), model.buffers()), images)
    floating = images.is_floating_point() and weight.is_floating_point()
    return images.to(weight.device, weight.dtype if floating else images.dtype)


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
    with preserve_modes(model), torch.no_grad():
        model.eval()
        return torch.cat([model(as_input(batch, model)) for batch in images.split(batch_size)])


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
        logits: ``(N, K)``, also an array or a list. A single logit ``(N, 1)`` says class 1 where it
            is above 0, else class 0.
        labels: Class indices ``(N,)``, likewise. Soft labels ``(N, K)`` mix several classes: the
            fraction of right answers is not defined for them.

    Returns:
        From 0 to 1, or ``None`` for soft labels.

    Raises:
        ValueError: If there is no image, the shapes do not fit, a logit is not finite, or a label
            is no class index below the number of classes.
    """
    logits, labels = as_tensor(logits=logits), as_tensor(labels=labels)
    check_classifier_output(logits=logits)
    if labels.is_floating_point() and labels.ndim == 2:
        check_same_shape(logits=logits, labels=labels)
        return None
    check_class_indices(max(logits.shape[1], 2), labels=labels)  # one logit is of two classes
    return count_correct(logits, labels, None)[0].item() / len(labels)


def checked_task(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Give images ``(N, C, H, W)``, finite, and class indices ``(N,)`` as tensors, else refuse."""
    images, labels = as_tensor(images=images), as_tensor(labels=labels)
    check_shapes(images=(images, "N C H W"), labels=(labels, "N"))
    check_not_empty(images=images.flatten())
    check_floating_point(images=images)
    check_all_finite(images=images)
    if labels.is_floating_point() or labels.dtype == torch.bool:
        reject_tensor("labels", labels, "class indices (N,) of an integer type")
    if has_values(labels) and labels.min() < 0:
        raise ValueError(f"labels is {labels.min()} somewhere, expected class indices from 0")
    return images, labels


def check_pairs(images: Tensor, labels: Tensor) -> None:
    """Refuse an empty set of images, or another number of labels than of images."""
    check_not_empty(images=images)
    if labels.ndim == 0:
        reject_tensor("labels", labels, "(N, ...)")
    if len(labels) != len(images):
        raise ValueError(f"labels has {len(labels)} entries, expected {len(images)}, as images")
