"""Metrics that show the accuracy of rare classes too."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from glassbox.data.class_counts import checked_counts
from glassbox.support.arguments import (
    as_tensor,
    check_class_indices,
    check_classifier_output,
    check_not_empty,
    check_numbers,
    check_shapes,
)


def per_class_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the fraction of correct predictions among the images of each class, its recall.

    Args:
        logits: ``(N, K)``, also an array or a list.
        labels: Class indices ``(N,)`` from 0 to ``K - 1``, likewise.

    Returns:
        From 0 to 1, float64 ``(K,)`` on the CPU; nan for a class that has no image.

    Raises:
        ValueError: If shapes do not fit, there is no image, a logit is not finite, or a label is
            out of range.
    """
    logits, labels = as_tensor(logits=logits), as_tensor(labels=labels)
    check_shapes(logits=(logits, "N K"), labels=(labels, "N"))
    check_not_empty(labels=labels)
    check_classifier_output(logits=logits)
    num_classes = logits.shape[1]
    check_class_indices(num_classes, labels=labels)
    right = labels[logits.argmax(1) == labels].bincount(minlength=num_classes)
    return right.cpu().double() / labels.bincount(minlength=num_classes).cpu()


def balanced_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Average :func:`per_class_accuracy`, with its errors, over the classes that have an image.

    Reference:
        :func:`sklearn.metrics.balanced_accuracy_score`.
    """
    return per_class_accuracy(logits, labels).nanmean().item()


class Groups(NamedTuple):
    """Mean accuracy over the classes with many, medium and few training images.

    From 0 to 1, or ``None`` where no class of the group has a test image.
    """

    many: float | None
    medium: float | None
    few: float | None


def many_medium_few(
    per_class: Tensor, class_counts: Sequence[int] | Tensor, *, many: float = 100, few: float = 20
) -> Groups:
    """Average the accuracy of the classes in three groups by their number of training images.

    Args:
        per_class: Accuracy of each class, ``(K,)`` from 0 to 1, from :func:`per_class_accuracy`;
            classes with nan are left out.
        class_counts: Training images of each class, ``(K,)``, at least 1 in each.
        many: Classes with more training images than this are in the first group.
        few: Classes with fewer training images than this are in the last one.

    Raises:
        ValueError: If shapes differ, an accuracy is no fraction or ``few`` is above ``many``, or as
            :func:`checked_counts`.

    Reference:
        Liu et al. (2019), "Large-Scale Long-Tailed Recognition in an Open World",
        https://arxiv.org/abs/1904.05160, with these thresholds for ImageNet-LT.
    """
    sizes = checked_counts(class_counts)
    check_numbers(many=many, few=few)
    per_class = as_tensor(per_class=per_class).cpu()
    per_class = per_class.to(torch.promote_types(per_class.dtype, torch.float32))
    check_shapes(class_counts=(sizes, "K"), per_class=(per_class, "K"))
    if ((per_class < 0) | (per_class > 1)).any():
        raise ValueError(f"per_class is {per_class.tolist()}, expected fractions or nan")
    if not few <= many:
        raise ValueError(f"few is {few}, expected at most many, which is {many}")
    many, few = float(many), float(few)
    groups = sizes > many, (sizes <= many) & (sizes >= few), sizes < few
    return Groups(*(_mean_or_none(per_class[group]) for group in groups))


def _mean_or_none(values: Tensor) -> float | None:
    present = values[~values.isnan()]
    return present.mean().item() if len(present) else None
