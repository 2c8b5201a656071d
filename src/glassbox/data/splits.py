"""Stratified splits, k folds and long-tailed subsets, as tensors of indices."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from numbers import Integral

import numpy as np
import torch
from torch import Tensor

from glassbox.support.arguments import (
    as_tensor,
    as_whole,
    check_at_least,
    check_choice,
    check_finite,
    check_range,
    reject_tensor,
)
from glassbox.support.seeds import generator_from

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
        One tensor of indices a part, in shuffled order, on the CPU. In each part every class has
        its exact fraction of the part, rounded up or down; what the parts leave over is in none.

    Raises:
        ValueError: If ``labels`` or ``parts`` do not describe a split.
    """
    labels = _checked_labels(labels)
    sizes = _part_sizes(parts, len(labels))
    generator = generator_from(seed)
    order = torch.randperm(len(labels), generator=generator, device="cpu")
    classes = labels[order]
    pools = [order[classes == label] for label in classes.unique()]
    result = []
    for counts in _allotment([len(pool) for pool in pools], sizes):
        chosen = [pool[:count] for pool, count in zip(pools, counts, strict=True)]
        pools = [pool[count:] for pool, count in zip(pools, counts, strict=True)]
        part = torch.cat(chosen)
        result.append(part[torch.randperm(len(part), generator=generator, device="cpu")])
    return tuple(result)


def k_folds(labels: Tensor, k: int, *, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Return the training and test indices of stratified k-fold cross-validation.

    Args:
        labels: Integer labels, ``(N,)``.
        k: Number of folds, from 2 to the number of examples of the rarest class.
        seed: Seed of the random assignment.

    Returns:
        ``k`` pairs ``(train, test)`` of ascending indices, on the CPU. The test parts are disjoint
        and cover the set; their sizes, and their counts of any one class, differ by at most 1.

    Raises:
        ValueError: If ``k`` is out of range.
    """
    labels = _checked_labels(labels)
    rarest = int(labels.unique(return_counts=True)[1].min())
    check_range(2, rarest, k=k)
    (k,) = as_whole(2, k=k)
    order = _shuffled(len(labels), seed)
    by_class = order[labels[order].argsort(stable=True)]
    # Dealing the examples out class after class, like cards, gives every fold its part.
    fold = torch.empty_like(by_class)
    fold[by_class] = torch.arange(len(labels), device="cpu") % k
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
    (n_max,) = as_whole(1, n_max=n_max)
    (num_classes,) = as_whole(2, num_classes=num_classes)
    check_at_least(1, imbalance=imbalance)
    check_finite(imbalance=imbalance)
    imbalance = float(imbalance)  # in float32, 500 / 100 may be below 5
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

    The indices are on the CPU.

    Args:
        labels: Integer labels 0 to ``K - 1``, ``(N,)``, every class present.
        imbalance: Ratio of the largest to the smallest class, at least 1.
        profile: ``"exponential"`` or ``"step"``, see :func:`long_tailed_counts`.
        n_max: Examples of the largest class; by default as many as every class has.
        seed: Seed of the random selection.

    Raises:
        ValueError: If an argument is out of range or a class has too few examples.
    """
    labels = _checked_labels(labels)
    if labels.min() < 0 or labels.max() < 1:
        found = f"{labels.min()} to {labels.max()}"
        raise ValueError(f"labels has {found}, expected at least 0, and at least 2 classes")
    available = torch.bincount(labels).tolist()
    counts = long_tailed_counts(
        min(available) if n_max is None else n_max, len(available), imbalance, profile
    )
    for label, (count, present) in enumerate(zip(counts, available, strict=True)):
        if count > present:
            raise ValueError(f"labels has {present} of class {label}, expected at least {count}")
    order = _shuffled(len(labels), seed)
    classes = labels[order]
    kept = [order[classes == label][:count] for label, count in enumerate(counts)]
    return torch.cat(kept).sort().values


def _checked_labels(labels: Tensor) -> Tensor:
    """Give labels, also those of an array or a list, on the CPU, where indices are drawn."""
    labels = as_tensor(labels=labels)
    integers = not (labels.is_floating_point() or labels.dtype == torch.bool)
    if labels.ndim != 1 or len(labels) == 0 or not integers:
        reject_tensor("labels", labels, "a non-empty vector of integers")
    return labels.cpu()


def _shuffled(count: int, seed: int) -> Tensor:
    generator = generator_from(seed)
    return torch.randperm(count, generator=generator, device="cpu")


def _part_sizes(parts: Sequence[int] | Sequence[float], total: int) -> list[int]:
    if isinstance(parts, Tensor | np.ndarray):
        parts = parts.tolist()
    if not isinstance(parts, Sequence):
        raise TypeError(f"parts is {parts!r}, expected a sequence of sizes or fractions")
    check_finite(**{f"parts[{place}]": part for place, part in enumerate(parts)})
    are_sizes = all(isinstance(part, Integral) for part in parts)
    parts = [int(part) if are_sizes else float(part) for part in parts]
    scale = 1 if are_sizes else total
    # Rounding the borders, not the parts: fractions that sum to 1 then cover the whole.
    borders = [round(border * scale) for border in accumulate(parts, initial=0)]
    sizes = [stop - start for start, stop in pairwise(borders)]
    if not sizes or min(sizes) < 1 or borders[-1] > total:
        expected = f"sizes that sum to at most {total}, or fractions that sum to at most 1"
        raise ValueError(f"parts is {parts}, expected non-empty parts: {expected}")
    return sizes


def _allotment(available: list[int], sizes: list[int]) -> list[list[int]]:
    """Say how many of each class each part gets: its exact share, rounded up or down."""
    counts, left = [], available
    for size in sizes:
        counts.append(_proportional(left, size))
        left = [before - taken for before, taken in zip(left, counts[-1], strict=True)]
    # Part after part is fair to the largest remainders, but the next inherits what one rounds.
    shares = np.outer(sizes, available)
    off = np.abs(np.array(counts) * sum(available) - shares) >= sum(available)
    return _rounded_together(available, sizes) if off.any() else counts


def _rounded_together(available: list[int], sizes: list[int]) -> list[list[int]]:
    """Round all shares at once. Each part has its size: what is rounded up flows to its classes."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    shares, total = np.outer(sizes, available), sum(available)  # (parts, classes), times the total
    down = shares // total
    parts, classes = slice(1, 1 + len(sizes)), slice(1 + len(sizes), -1)
    # From the source, 0, to the parts, from these to the classes, from these to the sink, -1.
    capacities = np.zeros((2 + sum(shares.shape),) * 2, dtype=np.int32)
    capacities[0, parts] = np.array(sizes) - down.sum(1)
    capacities[parts, classes] = shares % total > 0
    capacities[classes, -1] = np.array(available) - down.sum(0)
    flow = maximum_flow(csr_array(capacities), 0, len(capacities) - 1).flow.toarray()
    return (down + flow[parts, classes]).tolist()


def _proportional(available: list[int], size: int) -> list[int]:
    """Apportion ``size`` examples to the classes by the method of largest remainders."""
    total = sum(available)
    counts = [count * size // total for count in available]
    by_remainder = sorted(range(len(counts)), key=lambda i: -(available[i] * size % total))
    for i in by_remainder[: size - sum(counts)]:
        counts[i] += 1
    return counts
