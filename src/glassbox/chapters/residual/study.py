"""The study of plain and residual networks: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.residual.study --size cpu`` trains 155 networks in about 10 minutes
on one core; ``--part rates`` compares learning rates, on a seed that is not in the comparison.
``--size gpu`` does it with CIFAR-10, in 40 epochs.

Each ``load_X`` reads a table from the folder of a study, or the one stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glassbox.chapters.residual.arms import (
    ARMS,
    DEPTHS,
    EPOCHS,
    TASKS,
    Outcome,
    make_network,
    train_network,
)
from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.data.train_test import TrainTest
from glassbox.networks.lesions import lesion_accuracy
from glassbox.networks.loss_slices import loss_slice
from glassbox.networks.residual import ResidualNetwork, block_names
from glassbox.training.run_tables import split_keys
from glassbox.training.seed_statistics import SeedRuns

Lesion = tuple[int, ...]
Results = dict[tuple[str, int, int], dict[str, SeedRuns]]
Lesions = dict[tuple[str, int], dict[Lesion, SeedRuns]]
Slices = dict[tuple[str, int], Tensor]


def _lesion(removed: str) -> Lesion:
    return tuple(map(int, removed.split()))


STORED = Path(__file__).parent
OUTCOMES = study_table(
    STORED / "outcomes.csv",
    {"arm": str, "depth": int, "epochs": int, "seed": int},
    ("train loss", "train accuracy", "test accuracy"),
)
LESIONS = study_table(
    STORED / "lesions.csv",
    {"arm": str, "depth": int, "seed": int, "removed": _lesion},
    ("accuracy",),
)
SLICES = study_table(
    STORED / "slices.csv",
    {"arm": str, "depth": int, "seed": int, "row": int},
    [f"x{i}" for i in range(17)],
)
RATES = study_table(
    STORED / "rates.csv", {"arm": str, "depth": int, "lr": float, "seed": int}, ("train loss",)
)


@dataclass(frozen=True)
class Size:
    """What is trained: on which images, at how many seeds and depths, how long and how wide."""

    data: str = "digits"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    depths: tuple[int, ...] = DEPTHS
    epochs: int = EPOCHS
    rates: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    cut: int = 773  # test images by which lesions are judged
    sliced: int = 256  # training images of a slice
    width: int = 8


SIZES = {
    "smoke": Size(seeds=(0, 1), depths=(20,), epochs=1, rates=(0.1,), cut=4, sliced=4),
    "cpu": Size(),
    "gpu": Size("cifar10", depths=(20, 32, 44, 56, 110), epochs=40, cut=10_000, width=16),
}


@lru_cache(1)
def _task(data: str, seed: int) -> TrainTest:
    return TASKS[data](seed)


def _network(size: Size, task: TrainTest, arm: str, depth: int, seed: int) -> ResidualNetwork:
    channels = task.images.shape[1]
    return make_network(arm, depth, seed, in_channels=channels, width=size.width)


def lesions_of(depth: int, seed: int) -> list[Lesion]:
    """List which blocks are removed from a network, by their numbers from 0, ascending.

    Nothing, then each block by itself. Of 9 blocks, also every choice of at most one a stage; of
    more, also growing numbers of blocks in an order of chance, which ``seed`` decides, the first
    blocks of the stages excepted.
    """
    each = (depth - 2) // 6
    found: list[Lesion] = [(), *((i,) for i in range(3 * each))]
    if each <= 3:
        stages = [[None, *range(stage * each, (stage + 1) * each)] for stage in range(3)]
        found += [tuple(i for i in chosen if i is not None) for chosen in product(*stages)]
    else:
        order = torch.randperm(3 * each, generator=torch.Generator().manual_seed(seed)).tolist()
        others = [i for i in order if i % each]
        found += [tuple(sorted(others[:count])) for count in range(2, len(others) + 1, 2)]
    return list(dict.fromkeys(found))


def _networks(size: Size) -> list[tuple[Any, ...]]:
    longer = ("plain", size.depths[-1], 4 * size.epochs)
    runs = [*product(ARMS, size.depths, (size.epochs,)), longer]
    return [(*run, seed) for seed in size.seeds for run in runs]


def _train(study: Study, arm: str, depth: int, epochs: int, seed: int) -> Outcome:
    """Train a network; cut blocks out of some, and a slice through the loss of some."""
    size, task = study.size, _task(study.size.data, seed)
    model = _network(size, task, arm, depth, seed)
    outcome = train_network(model, task, seed, lr=ARMS[arm].lr, epochs=epochs)
    if epochs == size.epochs and ARMS[arm].norm and depth in (20, 56):
        names, lesions = block_names(model), lesions_of(depth, seed)
        judged = task.test_images[: size.cut], task.test_labels[: size.cut]
        named = [[names[i] for i in lesion] for lesion in lesions]
        for lesion, fraction in zip(lesions, lesion_accuracy(model, *judged, named), strict=True):
            study.add(LESIONS, (arm, depth, seed, " ".join(map(str, lesion))), [fraction])
    if epochs == size.epochs and arm in ("plain", "residual") and seed == 0:
        some = task.images[: size.sliced], task.labels[: size.sliced]
        for row, line in enumerate(loss_slice(model, *some, points=17).tolist()):
            study.add(SLICES, (arm, depth, seed, row), line)
    return outcome


def _try_rate(study: Study, arm: str, depth: int, lr: float, seed: int) -> list[float]:
    size, task = study.size, _task(study.size.data, seed)
    model = _network(size, task, arm, depth, seed)
    return [train_network(model, task, seed, lr=lr, epochs=size.epochs).train_loss]


PARTS = {
    "compare": (Runs(OUTCOMES, _networks, _train, beside=(LESIONS, SLICES)),),
    "rates": (  # of the depths of size cpu, 20 and 56
        Runs(RATES, lambda size: product(ARMS, size.depths[-3::2], size.rates, [99]), _try_rate),
    ),
}

load_outcomes = OUTCOMES.runs  # how the trainings ended, by ``(arm, depth, epochs)``


def by_depth(results: Results, arm: str, measure: str) -> dict[int, SeedRuns]:
    """Take one measure of one arm for all depths, ascending, of trainings of the common length."""
    depths = sorted(depth for name, depth, epochs in results if (name, epochs) == (arm, EPOCHS))
    return {depth: results[arm, depth, EPOCHS][measure] for depth in depths}


def load_lesions(folder: str | Path | None = None) -> Lesions:
    """Read the test accuracy of networks, ``(arm, depth)``, without some of their blocks.

    Choices of blocks that were measured for less than two seeds are left out.
    """
    rows = LESIONS.rows(folder).items()
    found = _over_seeds(((arm, depth, cut), seed, row) for (arm, depth, seed, cut), row in rows)
    return split_keys(found, 2)


def load_removals(folder: str | Path | None = None) -> dict[str, dict[int, SeedRuns]]:
    """Read the test accuracy of the deepest networks, for each arm and number of blocks removed.

    For each seed they are removed in another order.
    """
    rows = LESIONS.rows(folder)
    deepest = max(depth for _, depth, _, _ in rows)
    chosen = (
        ((arm, len(cut)), seed, row)
        for (arm, depth, seed, cut), row in rows.items()
        if depth == deepest and len(cut) != 1
    )
    return split_keys(_over_seeds(chosen), 1)


def _over_seeds(values: Any) -> dict[tuple[Any, ...], SeedRuns]:
    found: dict[tuple[Any, ...], dict[int, float]] = {}
    for key, seed, (accuracy,) in values:
        found.setdefault(key, {})[seed] = accuracy
    return {
        key: SeedRuns(*zip(*sorted(runs.items()), strict=True))
        for key, runs in found.items()
        if len(runs) > 1
    }


def load_slices(folder: str | Path | None = None) -> Slices:
    """Read slices through the loss, ``(17, 17)`` around each network ``(arm, depth)`` of seed 0."""
    networks = split_keys(SLICES.rows(folder), 2)
    return {key: torch.tensor(list(lines.values())) for key, lines in networks.items()}


if __name__ == "__main__":
    run_study("residual", SIZES, PARTS)
