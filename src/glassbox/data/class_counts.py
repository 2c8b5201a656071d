"""Counts of examples per class, and weights that follow from them.

Reference:
    Cui, Jia, Lin, Song and Belongie (2019), "Class-Balanced Loss Based on Effective Number of
    Samples", https://arxiv.org/abs/1901.05555.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_class_indices,
    check_range,
    reject_tensor,
)


def class_counts(labels: Tensor, num_classes: int) -> tuple[int, ...]:
    """Count the examples of each class; a class without any has the count 0.

    Args:
        labels: Class indices ``(N,)`` from 0 to ``num_classes - 1``.
        num_classes: Number of classes, at least 1.

    Raises:
        ValueError: If ``labels`` is not a vector of class indices, or one is out of range.
    """
    labels = as_tensor(labels=labels)
    (num_classes,) = as_sizes(num_classes=num_classes)
    check_class_indices(num_classes, labels=labels)
    return tuple(labels.bincount(minlength=num_classes).tolist())


def checked_counts(counts: Sequence[int] | Tensor) -> Tensor:
    """Convert counts to float64 ``(K,)`` on the CPU, after a check that each is at least 1."""
    values = as_tensor(class_counts=counts).detach().cpu().double()
    if values.ndim != 1 or len(values) < 2:
        reject_tensor("class_counts", values, "(K,) with K of at least 2")
    for label, value in enumerate(values.tolist()):
        if not 1 <= value < float("inf"):
            raise ValueError(f"class_counts[{label}] is {value:g}, expected at least 1")
    return values


def effective_numbers(class_counts: Sequence[int] | Tensor, beta: float = 0.9999) -> Tensor:
    r"""Count examples as if each new one overlapped a little with those before.

    Computes :math:`E_n = (1 - \beta^n) / (1 - \beta)`: the first example counts 1, the next
    :math:`\beta`, then :math:`\beta^2`; no class counts more than :math:`1 / (1 - \beta)`.

    Args:
        class_counts: Examples of each class, ``(K,)``, at least 1 in each.
        beta: From 0, where every class counts 1, up to but not including 1, where ``E_n`` would
            be ``n``.

    Raises:
        ValueError: If ``beta`` is out of range, or as :func:`checked_counts` does.
    """
    return _effective_numbers(class_counts, beta).to(torch.get_default_dtype())


def effective_weights(class_counts: Sequence[int] | Tensor, beta: float = 0.9999) -> Tensor:
    r"""Weigh classes by the inverse of their effective number; the weights ``(K,)`` sum to K.

    Errors are those of :func:`effective_numbers`. Computes
    :math:`w_j = K \, E_{n_j}^{-1} / \sum_k E_{n_k}^{-1}`.

    Args:
        class_counts: Examples of each class, ``(K,)``, at least 1 in each.
        beta: As in :func:`effective_numbers`: 0 weighs all classes alike, and towards 1 the
            weights approach those by inverse frequency.
    """
    inverse = 1 / _effective_numbers(class_counts, beta)
    return (inverse * len(inverse) / inverse.sum()).to(torch.get_default_dtype())


def _effective_numbers(counts: Sequence[int] | Tensor, beta: float) -> Tensor:
    values = checked_counts(counts)
    check_range(0, 1, below=True, beta=beta)
    # 1 - beta**n without cancellation where beta is close to 1.
    log_beta = torch.tensor(beta, dtype=torch.float64, device="cpu").log()
    return -torch.expm1(values * log_beta) / (1 - beta)
