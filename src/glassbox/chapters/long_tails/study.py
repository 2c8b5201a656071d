"""The study of methods for long tails: its sizes, its tables, and how it is read and compared.

``python -m glassbox.chapters.long_tails.study --size cpu --part rates`` searches for the learning
rate of each method, on seeds and images that are not in the comparison; without ``--part``, the
methods are compared with the rates found, from the same folder or, where it has none, those stored
with the package. ``--part cifar`` trains residual networks on long tails of CIFAR-10.
``--size gpu`` does this in the setting of the paper, and compares all methods on Fashion-MNIST and,
with a ResNet-32, on CIFAR-10; make its rates first.

Networks of one arm are trained together: the first row of a group has the seconds of all.

Each ``load_X`` reads a table from the folder of a study, or the one stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from glassbox.chapters.long_tails.arms import (
    ARMS,
    IMBALANCE,
    LARGEST,
    METHODS,
    RATES,
    WIDER,
    epochs_of,
    load_long_tail,
    logits_of,
    train_arm,
)
from glassbox.chapters.long_tails.cifar import cifar_tail, train_residual
from glassbox.chapters.long_tails.stacked import Member, train_together
from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.data.splits import long_tailed_counts
from glassbox.data.train_test import TrainTest
from glassbox.training.imbalance import many_medium_few, per_class_accuracy
from glassbox.training.run_tables import split_keys
from glassbox.training.seed_statistics import PairedDifference, SeedRuns, paired_difference

STORED = Path(__file__).parent
CLASSES = tuple(f"class {label}" for label in range(10))
_KEYS = {"data": str, "budget": float, "method": str, "mixing": str, "seed": int}
ACCURACIES = study_table(STORED / "accuracies.csv", _KEYS, ("lr", *CLASSES))
# The networks of cross-entropy once more, with the logarithms of the class fractions subtracted
# from their logits after training.
ADJUSTED = study_table(STORED / "adjusted.csv", _KEYS, CLASSES)
TRIED = study_table(
    STORED / "tried.csv",
    {"data": str, "budget": float, "method": str, "mixing": str, "lr": float, "seed": int},
    ("validation accuracy",),
)
CIFAR = study_table(
    STORED / "cifar.csv",
    {"profile": str, "imbalance": int, "depth": int, "epochs": int, "method": str, "seed": int},
    CLASSES,
)
# More images are many, fewer are few.
GROUPS = {"mnist_5k": (100, 20), "fashion_mnist": (300, 50), "cifar10": (1000, 200)}

Setting = tuple[str, float]
Arm = tuple[str, str]
Results = dict[Setting, dict[Arm, Tensor]]
Tried = dict[Setting, dict[Arm, dict[float, float]]]


@dataclass(frozen=True)
class Size:
    """How much is trained: seeds, the budgets of each data set, and what rates are searched for.

    A budget multiplies :data:`~.arms.BASE_STEPS`. A search is data, budget and seeds. The part on
    CIFAR-10 has its own seeds, profiles with imbalances, methods, depth and epochs.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    budgets: tuple[tuple[str, tuple[float, ...]], ...] = (("mnist_5k", (0.5, 1, 4)),)
    searched: tuple[tuple[str, float, tuple[int, ...]], ...] = (
        ("mnist_5k", 1, (98, 99)),
        ("mnist_5k", 4, (98,)),
    )
    length: float = 1.0  # part of the full length of all trainings
    cifar_seeds: tuple[int, ...] = (0,)
    tails: tuple[tuple[str, int], ...] = (("exponential", 100),)
    cifar_methods: tuple[str, ...] = ("cross-entropy", "LDAM-DRW", "logit-adjusted")
    depth: int = 20
    epochs: int = 8
    schedule: str = "one cycle"


SIZES = {
    "smoke": Size(
        (0, 1),
        (("mnist_5k", (1,)),),
        (("mnist_5k", 1, (98,)),),
        length=0.01,
        cifar_methods=(),
        epochs=1,
    ),
    "cpu": Size(),
    "gpu": Size(
        budgets=tuple(product(("fashion_mnist", "cifar10"), [(0.5, 1, 2, 4, 8)])),
        searched=tuple(product(("fashion_mnist", "cifar10"), (1, 4, 8), [(98, 99)])),
        cifar_seeds=(0, 1, 2),
        tails=tuple(product(("exponential", "step"), (100, 10))),
        cifar_methods=tuple(METHODS),
        depth=32,
        epochs=200,
        schedule="steps",
    ),
}


@lru_cache(5)
def _task(data: str, seed: int, search: bool) -> TrainTest:
    return load_long_tail(data, seed, search=search)


@lru_cache(1)
def _recalls(
    data: str, budget: float, arm: Arm, networks: tuple[tuple[int, float], ...], search: bool
) -> dict[tuple[int, float], tuple[list[float], list[float]]]:
    """Train a network for each seed and rate; give its recalls as it is, and adjusted afterwards.

    Those of one that diverged are all 0.
    """
    members = [Member(_task(data, seed, search), seed, lr) for seed, lr in networks]
    epochs = epochs_of(members[0].task, budget)
    if data == "cifar10":
        found = [_alone(member, arm, epochs) for member in members]
    else:
        found = train_together(members, *arm, epochs=epochs)
    counts = torch.tensor(members[0].task.counts)
    adjusted = [logits - (counts / counts.sum()).log() for logits in found]
    return {
        network: (_measured(as_is, member.task), _measured(later, member.task))
        for network, member, as_is, later in zip(networks, members, found, adjusted, strict=True)
    }


def _alone(member: Member, arm: Arm, epochs: int) -> Tensor:
    task, seed, lr = member
    try:
        return logits_of(train_arm(task, *arm, seed, lr=lr, epochs=epochs), task)
    except FloatingPointError:
        return torch.full((1, 1), torch.nan)


def _measured(logits: Tensor, task: TrainTest) -> list[float]:
    if not logits.isfinite().all():
        return [0.0] * 10
    return per_class_accuracy(logits, task.test_labels).tolist()


def _try_rate(
    study: Study, data: str, budget: float, method: str, mixing: str, lr: float, seed: int
) -> list[float]:
    size = study.size
    (seeds,) = (seeds for *at, seeds in size.searched if at == [data, budget])
    networks = tuple(product(seeds, RATES)) if lr in RATES else ((seed, lr),)
    found = _recalls(data, size.length * budget, (method, mixing), networks, True)
    return [fmean(found[seed, lr][0])]


def _compare(study: Study, data: str, budget: float, method: str, mixing: str, seed: int) -> Any:
    size, arm = study.size, (method, mixing)
    lr = best_rate(load_tried(_with_tried(study.folder)), data, budget, arm)
    networks = tuple((one, lr) for one in size.seeds)
    as_is, later = _recalls(data, size.length * budget, arm, networks, False)[seed, lr]
    if method == "cross-entropy":
        study.add(ADJUSTED, (data, budget, *arm, seed), later)
    return [lr, *as_is]


def _train_residual(
    study: Study, profile: str, imbalance: int, depth: int, epochs: int, method: str, seed: int
) -> list[float]:
    task = cifar_tail(profile, imbalance, seed)
    options = {"depth": depth, "epochs": epochs, "schedule": study.size.schedule}
    return train_residual(task, method, seed, **options).tolist()


def _with_tried(folder: Path) -> Path | None:
    return folder if (folder / TRIED.path.name).exists() else None


def best_rate(tried: Tried, data: str, budget: float, arm: Arm) -> float:
    """Choose the rate with the best balanced accuracy on the images to choose by.

    For a budget that was not searched, that of the largest smaller one is taken, or of the
    smallest.

    Args:
        tried: From :func:`load_tried`.
        data: One of :data:`~.arms.LARGEST`.
        budget: Multiplies the base number of steps.
        arm: Method and mixing.

    Raises:
        ValueError: If no rate was tried for this data.
    """
    searched = sorted(at for name, at in tried if name == data)
    if not searched:
        raise ValueError(f"tried has no rates for {data}, expected some: make --part rates first")
    nearest = max([at for at in searched if at <= budget] or searched[:1])
    found = tried[data, nearest][arm]
    return max(found, key=found.get)


def _runs(size: Size) -> list[Sequence[Any]]:
    settings = [(data, budget) for data, budgets in size.budgets for budget in budgets]
    return [(*at, *arm, seed) for at, arm, seed in product(settings, ARMS, size.seeds)]


def _searched(size: Size) -> list[Sequence[Any]]:
    return [
        (data, budget, *arm, lr, seed)
        for data, budget, seeds in size.searched
        for arm, seed in product(ARMS, seeds)
        for lr in (*RATES, *WIDER.get(arm, ()))
    ]


def _residual_runs(size: Size) -> list[Sequence[Any]]:
    return [
        (profile, imbalance, size.depth, size.epochs, method, seed)
        for seed, (profile, imbalance) in product(size.cifar_seeds, size.tails)
        for method in size.cifar_methods
    ]


PARTS = {
    "compare": (Runs(ACCURACIES, _runs, _compare, beside=(ADJUSTED,)),),
    "rates": (Runs(TRIED, _searched, _try_rate),),
    "cifar": (Runs(CIFAR, _residual_runs, _train_residual),),
}


def load_accuracies(folder: str | Path | None = None) -> Results:
    """Read the test accuracy of each class.

    Returns:
        For each ``(data, budget)`` and arm ``(method, mixing)``, ``(seeds, classes)``.
    """
    return _by_setting(ACCURACIES.rows(folder), skip=1)


def load_adjusted(folder: str | Path | None = None) -> Results:
    """Read the same of the networks of cross-entropy whose logits were adjusted after training."""
    return _by_setting(ADJUSTED.rows(folder))


def _by_setting(rows: dict[tuple[Any, ...], tuple[float, ...]], skip: int = 0) -> Results:
    seeds: dict[tuple[Any, ...], dict[int, tuple[float, ...]]] = {}
    for (data, budget, *arm, seed), values in rows.items():
        seeds.setdefault((data, budget, tuple(arm)), {})[seed] = values[skip:]
    data = [name for name, _ in SIZES["cpu"].budgets]
    order = sorted(seeds, key=lambda key: (data.index(key[0]) if key[0] in data else -1, key[1]))
    tensors = {
        key: torch.tensor([seeds[key][one] for one in sorted(seeds[key])], dtype=torch.float64)
        for key in order
    }
    return split_keys(tensors, 2)


def load_tried(folder: str | Path | None = None) -> Tried:
    """Read the balanced accuracy on images to choose by, the mean over seeds, by learning rate."""
    found: dict[Setting, dict[Arm, dict[float, list[float]]]] = {}
    for (data, budget, *arm, lr, _), (accuracy,) in TRIED.rows(folder).items():
        arms = found.setdefault((data, budget), {})
        arms.setdefault(tuple(arm), {}).setdefault(lr, []).append(accuracy)
    return {
        setting: {
            arm: {lr: fmean(rates[lr]) for lr in sorted(rates)} for arm, rates in arms.items()
        }
        for setting, arms in found.items()
    }


def load_cifar(folder: str | Path | None = None) -> dict[tuple[str, int], dict[str, Tensor]]:
    """Read the test accuracy of each class of the residual networks, the mean over seeds.

    Returns:
        For each ``(profile, imbalance)`` and method, ``(classes,)``.
    """
    found: dict[tuple[Any, ...], list[tuple[float, ...]]] = {}
    for (profile, imbalance, _, _, method, _), values in CIFAR.rows(folder).items():
        found.setdefault((profile, imbalance, method), []).append(values)
    return split_keys(
        {key: torch.tensor(rows, dtype=torch.float64).mean(0) for key, rows in found.items()}, 2
    )


def balanced(accuracy: Tensor) -> SeedRuns:
    """Average accuracies ``(seeds, classes)`` over the classes: the balanced one of each seed."""
    return SeedRuns(tuple(range(len(accuracy))), tuple(accuracy.mean(1).tolist()))


def gain(arms: dict[Arm, Tensor], arm: Arm, other: Arm) -> PairedDifference:
    """Compare the balanced accuracy of two arms of a setting, of :func:`load_accuracies`."""
    return paired_difference(balanced(arms[arm]), balanced(arms[other]))


def mixing_gain(arms: dict[Arm, Tensor], mixing: str) -> PairedDifference:
    """Compare a mixing with none: the gain in balanced accuracy, the mean over methods.

    There is one number for each seed, which is what varies: methods that saw the same images do
    not count as several.
    """
    mixed = [method for method, name in arms if name == mixing]
    gains = [gain(arms, (method, mixing), (method, "plain")) for method in mixed]
    means = tuple(fmean(values) for values in zip(*(one.values for one in gains), strict=True))
    return PairedDifference(gains[0].seeds, means)


def groups(data: str, accuracy: Tensor) -> tuple[float | None, float | None, float | None]:
    """Average over seeds, and over classes with many, medium and few training images.

    Where many end and few begin, :data:`GROUPS` says.

    Args:
        data: One of :data:`~.arms.LARGEST`.
        accuracy: Of each class, ``(seeds, classes)``.

    Returns:
        Three means from 0 to 1; ``None`` for a group without classes.
    """
    many, few = GROUPS[data]
    counts = long_tailed_counts(LARGEST[data], accuracy.shape[1], IMBALANCE)
    return many_medium_few(accuracy.mean(0), counts, many=many, few=few)


if __name__ == "__main__":
    run_study("long_tails", SIZES, PARTS)
