"""The study of pretraining: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.pretraining.study --size cpu`` uses a network that knows ImageNet in
six ways for CIFAR-10, with 1 to 100 labels a class, in about forty minutes on one quiet core;
``--part longer`` does so with four times the updates. The learning rates are those that were best
on images to choose by, with a seed that is not in the comparison: ``--part rates`` makes the table
of that search, and the comparison reads the one stored with the package. ``--size gpu`` takes more
labels, larger images and longer trainings.

Each ``load_X`` reads a table from the folder of a study, or the one stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import log
from pathlib import Path
from statistics import fmean
from typing import Any

from glassbox.chapters.pretraining.tasks import few_labels
from glassbox.chapters.pretraining.ways import WAYS, accuracy_on, train_way
from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.data.augmentation import compose, random_crop, random_flip
from glassbox.training.run_tables import split_keys
from glassbox.training.seed_statistics import SeedRuns

STORED = Path(__file__).parent
RATES = study_table(
    STORED / "rates.csv",
    {"way": str, "labels": int, "lr": float, "seed": int},
    ("validation accuracy",),
)
_KEYS = {"way": str, "labels": int, "updates": int, "seed": int}
CIFAR = study_table(STORED / "cifar.csv", _KEYS, ("lr", "test accuracy"))
LONGER = study_table(STORED / "longer.csv", _KEYS, ("lr", "test accuracy"))

Found = dict[str, dict[int, SeedRuns]]
Tried = dict[str, dict[int, dict[float, float]]]


@dataclass(frozen=True)
class Size:
    """How much is trained: on what, with how many labels, how long, and how many rates."""

    seeds: tuple[int, ...] = (0, 1, 2)
    data: str = "cifar10"
    side: int = 48
    labels: tuple[int, ...] = (1, 5, 20, 100)
    longer: tuple[int, ...] = (100,)  # labels a class, with four times the updates
    longer_seeds: tuple[int, ...] = (0,)
    updates: int = 48
    tested: int = 100
    searched: tuple[int, ...] = (5, 100)
    rates: int = 4


SIZES = {
    "smoke": Size((0, 1), "patches", 32, (1,), (1,), (0,), 2, 2, (1,), 1),
    "cpu": Size(),
    "gpu": Size(
        tuple(range(5)),
        side=128,
        labels=(1, 5, 20, 100, 500, 4400),
        longer=(20, 500, 4400),
        longer_seeds=tuple(range(5)),
        updates=2000,
        tested=500,
        searched=(1, 5, 20, 100, 500, 4400),
    ),
}

_task = lru_cache(2)(few_labels)


def best_rate(tried: Mapping[str, Mapping[int, Mapping[float, float]]], way: str, n: int) -> float:
    """Choose the rate that was best with the number of labels nearest to ``n`` that was tried."""
    nearest = min(tried[way], key=lambda count: abs(log(count / n)))
    return max(tried[way][nearest], key=tried[way][nearest].get)


def _train(
    study: Study, way: str, labels: int, lr: float, updates: int, seed: int, part: str
) -> float:
    size = study.size
    task = _task(size.data, labels, seed, side=size.side, tested=size.tested)
    options = {"classes": task.train.num_classes, "lr": lr, "updates": updates}
    options["augment"] = compose(random_crop(size.side // 8), random_flip())
    model = train_way(way, task.train.images, task.train.labels, seed, **options)
    return accuracy_on(model, getattr(task, part))


def _try_rate(study: Study, way: str, labels: int, lr: float, seed: int) -> list[float]:
    return [_train(study, way, labels, lr, study.size.updates, seed, "validation")]


def _compare(study: Study, way: str, labels: int, updates: int, seed: int) -> list[float]:
    lr = best_rate(load_rates(), way, labels)
    return [lr, _train(study, way, labels, lr, updates, seed, "test")]


def _runs(size: Size) -> list[Sequence[Any]]:
    return [
        (way, labels, size.updates, seed)
        for seed, labels, way in product(size.seeds, size.labels, WAYS)
    ]


def _longer(size: Size) -> list[Sequence[Any]]:
    return [
        (way, labels, 4 * size.updates, seed)
        for seed, labels, way in product(size.longer_seeds, size.longer, WAYS)
    ]


def _searched(size: Size) -> list[Sequence[Any]]:
    return [
        (way, labels, lr, 99)
        for labels, way in product(size.searched, WAYS)
        for lr in WAYS[way].rates[: size.rates]
    ]


PARTS = {
    "compare": (Runs(CIFAR, _runs, _compare),),
    "longer": (Runs(LONGER, _longer, _compare),),
    "rates": (Runs(RATES, _searched, _try_rate),),
}


def load_cifar(folder: str | Path | None = None) -> Found:
    """Read the test accuracy of each way, by labels a class."""
    runs = {(way, labels): found for (way, labels, _), found in CIFAR.runs(folder).items()}
    return split_keys({key: found["test accuracy"] for key, found in runs.items()}, 1)


def load_longer(folder: str | Path | None = None) -> dict[str, dict[int, float]]:
    """Read the test accuracy of each way after four times the updates, the mean over seeds."""
    found: dict[tuple[str, int], list[float]] = {}
    for (way, labels, *_), (_, accuracy) in LONGER.rows(folder).items():
        found.setdefault((way, labels), []).append(accuracy)
    return split_keys({key: fmean(values) for key, values in found.items()}, 1)


def load_rates(folder: str | Path | None = None) -> Tried:
    """Read the validation accuracy of each way, by labels a class, then by learning rate."""
    tried: Tried = {}
    for (way, labels, lr, _), (accuracy,) in RATES.rows(folder).items():
        tried.setdefault(way, {}).setdefault(labels, {})[lr] = accuracy
    return tried


if __name__ == "__main__":
    run_study("pretraining", SIZES, PARTS)
