"""The study of losses on long tails: its sizes, its table, and how it is read and compared.

``python -m glassbox.chapters.long_tails.study --size cpu`` makes 540 trainings in about 12 minutes
on one core; ``--part rates`` compares the two learning rates that the arms chose from, on seeds
that are not in the comparison. ``--size gpu`` takes long tails of CIFAR-10 and a ResNet-32.
Fractions are 0 to 1.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glassbox.chapters.long_tails.arms import (
    ARMS,
    LARGEST,
    Arm,
    epochs_of,
    load_long_tail,
    train_arm,
)
from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.data.splits import long_tailed_counts
from glassbox.training.imbalance import many_medium_few
from glassbox.training.run_tables import split_keys
from glassbox.training.seed_statistics import PairedDifference, SeedRuns, paired_difference

STORED = Path(__file__).parent
CLASSES = tuple(f"class {label}" for label in range(10))
ACCURACIES = study_table(
    STORED / "accuracies.csv",
    {"data": str, "profile": str, "imbalance": int, "seed": int, "arm": str},
    CLASSES,
)
RATES = study_table(STORED / "rates.csv", {"arm": str, "lr": float, "seed": int}, CLASSES)
# More images are many, fewer are few.
GROUPS = {"scenes": (100, 20), "digits": (30, 10), "cifar10": (1000, 200)}

Setting = tuple[str, str, int]
Results = dict[Setting, dict[str, Tensor]]


@dataclass(frozen=True)
class Size:
    """How much is trained: seeds, settings, and which fraction of the full length."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    data: tuple[str, ...] = ("scenes", "digits")
    profiles: tuple[str, ...] = ("exponential", "step")
    imbalances: tuple[int, ...] = (100, 50, 10)
    length: float = 1.0


SIZES = {
    "smoke": Size((0, 1), ("digits",), ("step",), (100,), 0.01),
    "cpu": Size(),
    "gpu": Size((0, 1, 2), ("cifar10",)),
}

_task = lru_cache(2)(load_long_tail)


def _runs(size: Size) -> list[tuple[Any, ...]]:
    settings = product(size.seeds, size.data, size.profiles, size.imbalances)
    return [(*setting, seed, arm) for seed, *setting in settings for arm in ARMS]


def _train(study: Study, *key: Any) -> list[float]:
    *setting, name = key
    return _accuracies(study, ARMS[name], *setting)


def _try_rate(study: Study, name: str, lr: float, seed: int) -> list[float]:
    size = study.size
    data, profile, imbalance = (one[0] for one in (size.data, size.profiles, size.imbalances))
    return _accuracies(study, replace(ARMS[name], lr=lr), data, profile, imbalance, seed)


def _accuracies(study: Study, arm: Arm, *setting: Any) -> list[float]:
    task = _task(*setting)
    epochs = max(1, round(study.size.length * epochs_of(task)))
    return train_arm(task, arm, setting[-1], epochs=epochs).tolist()


PARTS = {
    "compare": (Runs(ACCURACIES, _runs, _train),),
    "rates": (Runs(RATES, lambda size: product(ARMS, (0.03, 0.1), (98, 99)), _try_rate),),
}


def load_accuracies(folder: str | Path | None = None) -> Results:
    """Read the test accuracy of each class, from the folder of a study or as stored.

    Returns:
        For each ``(data, profile, imbalance)`` and arm the accuracies, ``(seeds, classes)``.

    Raises:
        ValueError: If the table is another one or lacks runs.
    """
    classes = {
        key: torch.tensor([one.values for one in found.values()], dtype=torch.float64).T
        for key, found in ACCURACIES.runs(folder).items()
    }
    return split_keys(classes, 3)


def balanced(accuracy: Tensor) -> SeedRuns:
    """Average accuracies ``(seeds, classes)`` over the classes: the balanced one of each seed."""
    return SeedRuns(tuple(range(len(accuracy))), tuple(accuracy.mean(1).tolist()))


def gain(arms: dict[str, Tensor], arm: str, other: str = "cross-entropy") -> PairedDifference:
    """Compare the balanced accuracy of two arms of a setting, of :func:`load_accuracies`."""
    return paired_difference(balanced(arms[arm]), balanced(arms[other]))


def groups(setting: Setting, accuracy: Tensor) -> tuple[float | None, float | None, float | None]:
    """Average over seeds, and over classes with many, medium and few training images.

    Many are more than 100 ``scenes`` or 30 ``digits``, few are less than 20 or 10; see
    :data:`GROUPS`.

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


if __name__ == "__main__":
    run_study("long_tails", SIZES, PARTS)
