"""Long-tailed class counts: what they weigh, and metrics that they do not hide in.

The profiles themselves, and subsets of a data set that follow them, come from
:mod:`glassbox.splits`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from glassbox.splits import long_tailed as long_tailed
from glassbox.splits import long_tailed_counts as long_tailed_counts


def class_counts(labels: Tensor, num_classes: int) -> tuple[int, ...]:
    """Count the examples of each class.

    Args:
        labels: Class indices ``(N,)`` from 0 to ``num_classes - 1``.
        num_classes: Number of classes, at least 1.

    Returns:
        One count for each class; 0 where a class has no example.

    Raises:
        ValueError: If ``labels`` are no vector of class indices, or one is out of range.
    """
    _check_labels(labels, num_classes)
    return tuple(labels.bincount(minlength=num_classes).tolist())


def checked_counts(counts: Sequence[int] | Tensor) -> Tensor:
    """Refuse counts that no weight or margin can be computed from.

    Args:
        counts: Examples of each class, ``(K,)``, at least two classes and 1 example in each.

    Returns:
        The counts as float64 on the CPU, ``(K,)``.

    Raises:
        ValueError: If there are fewer than two classes, or a class has less than one example.
    """
    values = torch.as_tensor(counts, dtype=torch.float64, device="cpu").detach()
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"class_counts has shape {tuple(values.shape)}, expected (K,) with K > 1")
    for label, value in enumerate(values.tolist()):
        if not 1 <= value < float("inf"):
            raise ValueError(
                f"class_counts holds {value:g} for class {label}, expected at least 1 example"
            )
    return values


def effective_numbers(counts: Sequence[int] | Tensor, beta: float = 0.9999) -> Tensor:
    r"""Count examples as if each new one overlapped a little with those before.

    Computes :math:`E_n = (1 - \beta^n) / (1 - \beta)`: the first example counts 1, the next
    :math:`\beta`, then :math:`\beta^2`; no class counts more than :math:`1 / (1 - \beta)`.

    Args:
        counts: Examples of each class, ``(K,)``, at least 1 in each.
        beta: From 0, where every class counts 1, up to but not including 1, where ``E_n`` would
            be ``n``.

    Returns:
        The effective numbers, ``(K,)``.

    Raises:
        ValueError: If ``beta`` is out of range, or as :func:`checked_counts` does.

    Reference:
        Cui, Jia, Lin, Song and Belongie (2019), "Class-Balanced Loss Based on Effective Number of
        Samples", https://arxiv.org/abs/1901.05555.
    """
    return _effective_numbers(counts, beta).to(torch.get_default_dtype())


def effective_weights(counts: Sequence[int] | Tensor, beta: float = 0.9999) -> Tensor:
    r"""Weigh classes by the inverse of their effective number; the mean weight is 1.

    Computes :math:`w_j = K \, E_{n_j}^{-1} / \sum_k E_{n_k}^{-1}`.

    Args:
        counts: Examples of each class, ``(K,)``, at least 1 in each.
        beta: As in :func:`effective_numbers`: 0 weighs all classes alike, and towards 1 the
            weights approach those by inverse frequency.

    Returns:
        The weights, ``(K,)``; they sum to ``K``.

    Raises:
        ValueError: As :func:`effective_numbers` does.

    Reference:
        Cui, Jia, Lin, Song and Belongie (2019), "Class-Balanced Loss Based on Effective Number of
        Samples", https://arxiv.org/abs/1901.05555.
    """
    inverse = 1 / _effective_numbers(counts, beta)
    return (inverse * len(inverse) / inverse.sum()).to(torch.get_default_dtype())


def per_class_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Give the share of right answers among the images of each class, its recall.

    Args:
        logits: ``(N, K)``.
        labels: Class indices ``(N,)`` from 0 to ``K - 1``.

    Returns:
        From 0 to 1, float64 ``(K,)`` on the CPU; nan for a class that has no image.

    Raises:
        ValueError: If shapes do not fit, there is no image, or a label is out of range.
    """
    if logits.ndim != 2 or len(logits) != len(labels) or len(labels) == 0:
        raise ValueError(
            f"logits and labels have shapes {tuple(logits.shape)} and {tuple(labels.shape)}, "
            "expected (N, K) and (N,) with N at least 1"
        )
    num_classes = logits.shape[1]
    _check_labels(labels, num_classes)
    right = labels[logits.argmax(1) == labels].bincount(minlength=num_classes)
    return (right.double() / labels.bincount(minlength=num_classes)).cpu()


def balanced_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Average the accuracy over classes, so that each counts alike however rare it is.

    Args:
        logits: ``(N, K)``.
        labels: Class indices ``(N,)`` from 0 to ``K - 1``.

    Returns:
        From 0 to 1: the mean over the classes that have an image.

    Raises:
        ValueError: As :func:`per_class_accuracy` does.

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
    per_class: Tensor, counts: Sequence[int] | Tensor, *, many: float = 100, few: float = 20
) -> Groups:
    """Average the accuracy of the classes in three groups by their number of training images.

    Args:
        per_class: Accuracy of each class, ``(K,)``, from :func:`per_class_accuracy`; classes
            with nan are left out.
        counts: Training images of each class, ``(K,)``, at least 1 in each.
        many: Classes with more training images than this are in the first group.
        few: Classes with fewer training images than this are in the last one.

    Returns:
        The three means; each class of a group counts alike.

    Raises:
        ValueError: If shapes differ or ``few`` is above ``many``, or as :func:`checked_counts`.

    Reference:
        Liu et al. (2019), "Large-Scale Long-Tailed Recognition in an Open World",
        https://arxiv.org/abs/1904.05160, with these thresholds for ImageNet-LT.
    """
    sizes = checked_counts(counts)
    if per_class.shape != sizes.shape:
        raise ValueError(f"per_class has shape {tuple(per_class.shape)}, expected ({len(sizes)},)")
    if not few <= many:
        raise ValueError(f"few is {few}, expected at most many, which is {many}")
    groups = sizes > many, (sizes <= many) & (sizes >= few), sizes < few
    return Groups(*(_mean_or_none(per_class.cpu()[group]) for group in groups))


def _effective_numbers(counts: Sequence[int] | Tensor, beta: float) -> Tensor:
    values = checked_counts(counts)
    if not 0 <= beta < 1:
        raise ValueError(f"beta is {beta}, expected at least 0 and below 1")
    # 1 - beta**n without cancellation where beta is close to 1.
    log_beta = torch.tensor(beta, dtype=torch.float64).log()
    return -torch.expm1(values * log_beta) / (1 - beta)


def _mean_or_none(values: Tensor) -> float | None:
    present = values[~values.isnan()]
    return present.mean().item() if len(present) else None


def _check_labels(labels: Tensor, num_classes: int) -> None:
    if labels.ndim != 1 or labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)} and type {labels.dtype}, "
            "expected class indices (N,) of an integer type"
        )
    if len(labels) and not (labels.min() >= 0 and labels.max() < num_classes):
        raise ValueError(
            f"labels lie between {labels.min()} and {labels.max()}, expected 0 to {num_classes - 1}"
        )
