"""Read the stored comparison of losses on long tails, and compare its trainings in pairs."""

import csv
from os import PathLike

import torch
from torch import Tensor

from glassbox.chapters.long_tails.study import LARGEST
from glassbox.data.splits import long_tailed_counts
from glassbox.training.imbalance import many_medium_few
from glassbox.training.seed_statistics import PairedDifference, SeedRuns, paired_difference

Setting = tuple[str, str, int]
Results = dict[Setting, dict[str, Tensor]]
COLUMNS = ["data", "profile", "imbalance", "seed", "method"]
GROUPS = {"scenes": (100, 20), "digits": (30, 10)}


def load_results(path: str | PathLike[str]) -> Results:
    """Read what ``benchmarks/long_tails.py`` wrote.

    Args:
        path: A table with the columns data, profile, imbalance, seed, method and the test
            accuracy of each class.

    Returns:
        For each ``(data, profile, imbalance)`` and method the accuracies, ``(seeds, classes)``.

    Raises:
        ValueError: If the columns are others, or methods of a setting have different seeds.
    """
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    if head[: len(COLUMNS)] != COLUMNS:
        raise ValueError(f"{path} has the columns {head}, expected {COLUMNS} and the classes")
    found: dict[Setting, dict[str, dict[int, list[float]]]] = {}
    for data, profile, imbalance, seed, method, *accuracy in rows:
        runs = found.setdefault((data, profile, int(imbalance)), {}).setdefault(method, {})
        runs[int(seed)] = [float(fraction) for fraction in accuracy]
    for setting, methods in found.items():
        if len({tuple(sorted(runs)) for runs in methods.values()}) > 1:
            raise ValueError(f"{path} has different seeds for the methods of {setting}")
    return {
        setting: {
            method: torch.tensor([runs[seed] for seed in sorted(runs)], dtype=torch.float64)
            for method, runs in methods.items()
        }
        for setting, methods in found.items()
    }


def balanced(accuracy: Tensor) -> SeedRuns:
    """Give the balanced accuracy of each seed.

    Args:
        accuracy: Of each class, from 0 to 1, ``(seeds, classes)``.

    Returns:
        One value a seed, in percent.
    """
    return SeedRuns(tuple(range(len(accuracy))), tuple((100 * accuracy.mean(1)).tolist()))


def gain(methods: dict[str, Tensor], method: str, other: str = "cross-entropy") -> PairedDifference:
    """Compare the balanced accuracy of two methods seed by seed.

    Args:
        methods: The accuracies of a setting, from :func:`load_results`.
        method: The one that is asked about.
        other: The one that it is compared with.

    Returns:
        The differences in percentage points.
    """
    return paired_difference(balanced(methods[method]), balanced(methods[other]))


def groups(setting: Setting, accuracy: Tensor) -> tuple[float | None, float | None, float | None]:
    """Average over seeds, and over classes with many, medium and few training images.

    Many are more than 100 ``scenes`` or 30 ``digits``, few are less than 20 or 10.

    Args:
        setting: Data, profile and imbalance.
        accuracy: Of each class, ``(seeds, classes)``.

    Returns:
        Three means from 0 to 1; ``None`` for a group without classes.
    """
    data, profile, imbalance = setting
    many, few = GROUPS[data]
    counts = long_tailed_counts(LARGEST[data], accuracy.shape[1], imbalance, profile)
    return many_medium_few(accuracy.mean(0), counts, many=many, few=few)
