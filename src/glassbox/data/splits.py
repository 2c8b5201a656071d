"""Stratified splits, k folds and long-tailed subsets, as tensors of indices."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from numbers import Integral

import torch
from torch import Tensor

from glassbox.support.arguments import (
    check_at_least,
    check_choice,
    check_finite,
    check_range,
    reject_tensor,
)

PROFILES = ("exponential", "step")


def stratified_split(
    labels: Tensor, parts: Sequence[int] | Sequence[float], *, seed: int = 0
) -> tuple[Tensor, ...]:
    """Split a labeled set into disjoint parts with the class proportions of the whole.

    Args:
        labels: Integer labels, ``(N,)``.
        parts: Sizes (integers that sum to at most ``N``) or fractions (floats in (0, 1]
            that sum to at most 1).
        seed: Seed of the random assignment.

    Returns:
        One tensor of indices a part, in shuffled order. In each part every class has its
        exact fraction of the part, rounded up or down; what the parts leave over is in none.

    Raises:
        ValueError: If ``labels`` or ``parts`` do not describe a split.
    """
    _check_labels(labels)
    sizes = _part_sizes(parts, len(labels))
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    classes = labels.cpu()[order]
    pools = [order[classes == label] for label in classes.unique()]
    result = []
    for size in sizes:
        counts = _proportional([len(pool) for pool in pools], size)
        chosen = [pool[:count] for pool, count in zip(pools, counts, strict=True)]
        pools = [pool[count:] for pool, count in zip(pools, counts, strict=True)]
        part = torch.cat(chosen)
        result.append(part[torch.randperm(size, generator=generator)])
    return tuple(result)


def k_folds(labels: Tensor, k: int, *, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Return the training and test indices of stratified k-fold cross-validation.

    Args:
        labels: Integer labels, ``(N,)``.
        k: Number of folds, from 2 to the number of examples of the rarest class.
        seed: Seed of the random assignment.

    Returns:
        ``k`` pairs ``(train, test)`` of ascending indices. The test parts are disjoint and
        cover the set; their sizes, and their counts of any one class, differ by at most 1.

    Raises:
        ValueError: If ``k`` is out of range.
    """
    _check_labels(labels)
    rarest = int(labels.unique(return_counts=True)[1].min())
    check_range(2, rarest, k=k)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    by_class = order[labels.cpu()[order].argsort(stable=True)]
    # Dealing the examples out class after class, like cards, gives every fold its part.
    fold = torch.empty_like(by_class)
    fold[by_class] = torch.arange(len(labels)) % k
    return [((fold != i).nonzero()[:, 0], (fold == i).nonzero()[:, 0]) for i in range(k)]


def long_tailed_counts(
    n_max: int, num_classes: int, imbalance: float, profile: str = "exponential"
) -> tuple[int, ...]:
    r"""Compute the K class counts of a long-tailed set, largest class first.

    With the exponential profile class :math:`j` of :math:`K` keeps
    :math:`n_j = n_{max} \, \rho^{-j / (K - 1)}` examples, rounded down; with the step
    profile the first half of the classes keeps :math:`n_{max}` and the second half
    :math:`n_{max} / \rho`, rounded down (with odd :math:`K` the first half is the larger).

    Args:
        n_max: Examples of the largest class.
        num_classes: Number of classes ``K``, at least 2.
        imbalance: Ratio ``rho`` of the largest to the smallest class, at least 1.
        profile: ``"exponential"`` or ``"step"``.

    Raises:
        ValueError: If an argument is out of range or a class would be left empty.

    Reference:
        Cao et al., Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss
        (2019), and the authors' code, whose counts these are.
    """
    check_choice(PROFILES, profile=profile)
    check_at_least(2, num_classes=num_classes)
    check_at_least(1, imbalance=imbalance)
    check_finite(imbalance=imbalance)
    exponents = {
        "exponential": [j / (num_classes - 1.0) for j in range(num_classes)],
        "step": [float(2 * j >= num_classes) for j in range(num_classes)],
    }[profile]
    counts = tuple(int(n_max * (1 / imbalance) ** exponent) for exponent in exponents)
    if counts[-1] < 1:
        raise ValueError(f"imbalance is {imbalance}, expected at most n_max, which is {n_max}")
    return counts


def long_tailed(
    labels: Tensor,
    imbalance: float,
    profile: str = "exponential",
    *,
    n_max: int | None = None,
    seed: int = 0,
) -> Tensor:
    """Choose a long-tailed subset of a labeled set: ascending indices, class 0 the largest.

    Args:
        labels: Integer labels 0 to ``K - 1``, ``(N,)``, every class present.
        imbalance: Ratio of the largest to the smallest class, at least 1.
        profile: ``"exponential"`` or ``"step"``, see :func:`long_tailed_counts`.
        n_max: Examples of the largest class; by default as many as every class has.
        seed: Seed of the random selection.

    Raises:
        ValueError: If an argument is out of range or a class has too few examples.
    """
    _check_labels(labels)
    available = torch.bincount(labels.cpu()).tolist()
    counts = long_tailed_counts(
        min(available) if n_max is None else n_max, len(available), imbalance, profile
    )
    for label, (count, present) in enumerate(zip(counts, available, strict=True)):
        if count > present:
            raise ValueError(f"labels has {present} of class {label}, expected at least {count}")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    classes = labels.cpu()[order]
    kept = [order[classes == label][:count] for label, count in enumerate(counts)]
    return torch.cat(kept).sort().values


def _check_labels(labels: Tensor) -> None:
    if labels.ndim != 1 or len(labels) == 0 or labels.is_floating_point():
        reject_tensor("labels", labels, "a non-empty vector of integers")


def _part_sizes(parts: Sequence[int] | Sequence[float], total: int) -> list[int]:
    are_sizes = all(isinstance(part, Integral) for part in parts)
    scale = 1 if are_sizes else total
    # Rounding the borders, not the parts: fractions that sum to 1 then cover the whole.
    borders = [round(border * scale) for border in accumulate(parts, initial=0)]
    sizes = [stop - start for start, stop in pairwise(borders)]
    if not sizes or min(sizes) < 1 or borders[-1] > total:
        expected = f"sizes that sum to at most {total}, or fractions that sum to at most 1"
        raise ValueError(f"parts is {parts}, expected non-empty parts: {expected}")
    return sizes


def _proportional(available: list[int], size: int) -> list[int]:
    """Apportion ``size`` examples to the classes by the method of largest remainders."""
    total = sum(available)
    counts = [count * size // total for count in available]
    by_remainder = sorted(range(len(counts)), key=lambda i: -(available[i] * size % total))
    for i in by_remainder[: size - sum(counts)]:
        counts[i] += 1
    return counts
