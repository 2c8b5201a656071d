"""The study of losses on long tails: its sizes, its table, and how it is read and compared.

``python -m glassbox.chapters.long_tails.study --size cpu`` makes 540 trainings in about 12 minutes
on one core; ``--part rates`` compares the two learning rates that the arms chose from, on seeds
that are not in the comparison.

Each ``load_X`` reads a table of a study, in ``folder``, or what is stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from glassbox.chapters.long_tails.arms import ARMS, LARGEST, epochs_of, load_long_tail, train_arm
from glassbox.chapters.studies import Study, run_study
from glassbox.data.splits import long_tailed_counts
from glassbox.training.imbalance import many_medium_few
from glassbox.training.run_tables import read_runs, split_keys
from glassbox.training.seed_statistics import PairedDifference, SeedRuns, paired_difference

STORED = Path(__file__).parent
CLASSES = tuple(f"class {label}" for label in range(10))
ACCURACIES = (
    {"data": str, "profile": str, "imbalance": int, "seed": int, "arm": str},
    CLASSES,
)
RATES = {"arm": str, "lr": float, "seed": int}, CLASSES
GROUPS = {"scenes": (100, 20), "digits": (30, 10)}

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


SIZES = {"smoke": Size((0, 1), ("digits",), ("step",), (100,), 0.02), "cpu": Size()}


def compare(study: Study) -> None:
    """Train all arms in all settings."""
    size, task_of = study.size, lru_cache(1)(load_long_tail)

    def run(data: str, profile: str, imbalance: int, seed: int, arm: str) -> list[float]:
        task = task_of(data, profile, imbalance, seed)
        epochs = max(1, round(size.length * epochs_of(task)))
        return train_arm(task, ARMS[arm], seed, epochs=epochs).tolist()

    settings = product(size.seeds, size.data, size.profiles, size.imbalances)
    runs = [(*setting, seed, arm) for seed, *setting in settings for arm in ARMS]
    study.fill(study.table("accuracies", *ACCURACIES), runs, run)


def rates(study: Study) -> None:
    """Compare learning rates of all arms, on seeds that are not in the comparison."""
    tasks = {seed: load_long_tail("scenes", "exponential", 100, seed) for seed in (98, 99)}

    def run(arm: str, lr: float, seed: int) -> list[float]:
        epochs = max(1, round(study.size.length * epochs_of(tasks[seed])))
        return train_arm(tasks[seed], replace(ARMS[arm], lr=lr), seed, epochs=epochs).tolist()

    study.fill(study.table("rates", *RATES), product(ARMS, (0.03, 0.1), tasks), run)


def load_accuracies(folder: str | Path = STORED) -> Results:
    """Read the test accuracy of each class.

    Args:
        folder: Of a study.

    Returns:
        For each ``(data, profile, imbalance)`` and arm the accuracies, ``(seeds, classes)``.
    """
    runs = read_runs(Path(folder, "accuracies.csv"), *ACCURACIES)
    classes = {
        key: torch.tensor([one.values for one in found.values()], dtype=torch.float64).T
        for key, found in runs.items()
    }
    return split_keys(classes, 3)


def balanced(accuracy: Tensor) -> SeedRuns:
    """Give the balanced accuracy of each seed.

    Args:
        accuracy: Of each class, from 0 to 1, ``(seeds, classes)``.

    Returns:
        One value a seed, from 0 to 1.
    """
    return SeedRuns(tuple(range(len(accuracy))), tuple(accuracy.mean(1).tolist()))


def gain(arms: dict[str, Tensor], arm: str, other: str = "cross-entropy") -> PairedDifference:
    """Compare the balanced accuracy of two arms seed by seed.

    Args:
        arms: The accuracies of a setting, from :func:`load_accuracies`.
        arm: The one that is asked about.
        other: The one that it is compared with.

    Returns:
        The differences, from -1 to 1.
    """
    return paired_difference(balanced(arms[arm]), balanced(arms[other]))


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


if __name__ == "__main__":
    run_study("long_tails", SIZES, {"compare": compare, "rates": rates})
