"""The study of plain and residual networks: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.residual.study --size cpu`` trains 155 networks in about 10 minutes
on one core; ``--part rates`` compares learning rates, on a seed that is not in the comparison.

Each ``load_X`` reads a table of a study, in ``folder``, or what is stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from collections import Counter
from dataclasses import astuple, dataclass
from functools import cache
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from glassbox.chapters.residual.arms import (
    ARMS,
    DEPTHS,
    EPOCHS,
    digit_task,
    make_network,
    train_network,
)
from glassbox.chapters.studies import Study, run_study
from glassbox.data.train_test import TrainTest
from glassbox.networks.lesions import lesion_accuracy
from glassbox.networks.loss_slices import loss_slice
from glassbox.networks.residual import ResidualNetwork, block_names
from glassbox.training.run_tables import RunTable, over_seeds, read_rows, read_runs, split_keys
from glassbox.training.seed_statistics import SeedRuns

STORED = Path(__file__).parent
OUTCOMES = (
    {"arm": str, "depth": int, "epochs": int, "seed": int},
    ("train loss", "train accuracy", "test accuracy"),
)


def _lesion(removed: str) -> tuple[int, ...]:
    return tuple(map(int, removed.split()))


LESIONS = {"arm": str, "depth": int, "seed": int, "removed": _lesion}, ("accuracy",)
SLICES = {"arm": str, "depth": int, "seed": int, "row": int}, tuple(f"x{i}" for i in range(17))
RATES = {"arm": str, "depth": int, "lr": float, "seed": int}, ("train loss",)

Results = dict[tuple[str, int, int], dict[str, SeedRuns]]
Lesion = tuple[int, ...]
Lesions = dict[tuple[str, int], dict[Lesion, SeedRuns]]
Slices = dict[tuple[str, int], Tensor]


@dataclass(frozen=True)
class Size:
    """How much is trained: at how many seeds and depths, and how long."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    depths: tuple[int, ...] = DEPTHS
    epochs: int = EPOCHS
    rates: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    cut: int = 773  # test images by which lesions are judged
    sliced: int = 256  # training images of a slice


SIZES = {"smoke": Size((0, 1), (8, 20), 1, (0.1, 0.3), 32, 32), "cpu": Size()}


def lesions_of(depth: int, seed: int) -> list[Lesion]:
    """List which blocks are removed from a network, by their numbers from 0.

    Nothing, then each block by itself. Of 9 blocks, also every choice of at most one a stage; of
    more, also growing numbers of blocks in an order of chance, the first blocks of the stages
    excepted.

    Args:
        depth: Of the network, 6n + 2.
        seed: Decides the order.

    Returns:
        Tuples of ascending numbers, each only once.
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


def compare(study: Study) -> None:
    """Train all arms at all depths; cut blocks out of some, and slices through some losses."""
    size, task_of = study.size, cache(digit_task)
    outcomes = study.table("outcomes", *OUTCOMES)
    lesions, slices = study.table("lesions", *LESIONS), study.table("slices", *SLICES)

    def run(arm: str, depth: int, epochs: int, seed: int) -> tuple[float, ...]:
        task, model = task_of(seed), make_network(arm, depth, seed)
        outcome = train_network(model, task, seed, lr=ARMS[arm].lr, epochs=epochs)
        if epochs == size.epochs and ARMS[arm].norm and depth in (20, 56):
            _remove(lesions, (arm, depth, seed), model, task, size.cut)
        if epochs == size.epochs and arm in ("plain", "residual") and seed == 0:
            some = task.images[: size.sliced], task.labels[: size.sliced]
            losses = loss_slice(model, *some, points=17)
            for row, line in enumerate(losses.tolist()):
                if (key := (arm, depth, seed, row)) not in slices:
                    slices.add(key, line)
        return astuple(outcome)

    runs = [
        *product(ARMS, size.depths, (size.epochs,)),
        ("plain", size.depths[-1], 4 * size.epochs),
    ]
    study.fill(outcomes, [(*run, seed) for seed in size.seeds for run in runs], run)


def _remove(
    table: RunTable, run: tuple[str, int, int], model: ResidualNetwork, task: TrainTest, count: int
) -> None:
    names, chosen = block_names(model), lesions_of(*run[1:])
    judged = task.test_images[:count], task.test_labels[:count]
    named = [[names[i] for i in lesion] for lesion in chosen]
    fractions = lesion_accuracy(model, *judged, named)
    for lesion, fraction in zip(chosen, fractions, strict=True):
        if (key := (*run, " ".join(map(str, lesion)))) not in table:
            table.add(key, [fraction])


def rates(study: Study) -> None:
    """Compare learning rates of all arms, on a seed that is not in the comparison."""
    task, size = digit_task(99), study.size

    def run(arm: str, depth: int, lr: float, seed: int) -> list[float]:
        model = make_network(arm, depth, seed)
        return [train_network(model, task, seed, lr=lr, epochs=size.epochs).train_loss]

    depths = size.depths[-3::2]  # 20 and 56 of all five
    runs = product(ARMS, depths, size.rates, (99,))
    study.fill(study.table("rates", *RATES), runs, run)


def load_outcomes(folder: str | Path = STORED) -> Results:
    """Read how the trainings ended, by ``(arm, depth, epochs)``."""
    return read_runs(Path(folder, "outcomes.csv"), *OUTCOMES)


def by_depth(results: Results, arm: str, measure: str) -> dict[int, SeedRuns]:
    """Take one measure of one arm, for all depths.

    Args:
        results: From :func:`load_outcomes`.
        arm: Such as ``"plain"``.
        measure: Such as ``"train loss"``.

    Returns:
        Depth to one value a seed, ascending, of the trainings of the common length.
    """
    depths = sorted(depth for name, depth, epochs in results if (name, epochs) == (arm, EPOCHS))
    return {depth: results[arm, depth, EPOCHS][measure] for depth in depths}


def load_lesions(folder: str | Path = STORED) -> Lesions:
    """Read what networks can do without some of their blocks.

    Args:
        folder: Of a study.

    Returns:
        For each ``(arm, depth)`` and choice of blocks the test accuracy of each seed; choices that
        were measured for less than two seeds are left out.
    """
    rows = read_rows(Path(folder, "lesions.csv"), *LESIONS)
    often = Counter((arm, depth, lesion) for arm, depth, _, lesion in rows)
    runs = over_seeds(
        ((key, seed), accuracy)
        for (arm, depth, seed, lesion), (accuracy,) in rows.items()
        if often[key := (arm, depth, lesion)] > 1
    )
    return split_keys(runs, 2)


def load_removals(folder: str | Path = STORED) -> dict[str, dict[int, SeedRuns]]:
    """Read what the deepest networks can do when more and more blocks are missing.

    Args:
        folder: Of a study.

    Returns:
        For each arm and number of blocks, removed in another order for each seed, the test
        accuracy of each seed.
    """
    rows = read_rows(Path(folder, "lesions.csv"), *LESIONS)
    deepest = max(depth for _, depth, _, _ in rows)
    runs = over_seeds(
        (((arm, len(lesion)), seed), accuracy)
        for (arm, depth, seed, lesion), (accuracy,) in rows.items()
        if depth == deepest and len(lesion) != 1
    )
    return split_keys(runs, 1)


def load_slices(folder: str | Path = STORED) -> Slices:
    """Read slices through the loss, ``(17, 17)`` around each network ``(arm, depth)`` of seed 0."""
    networks = split_keys(read_rows(Path(folder, "slices.csv"), *SLICES), 2)
    return {key: torch.tensor(list(lines.values())) for key, lines in networks.items()}


if __name__ == "__main__":
    run_study("residual", SIZES, {"compare": compare, "rates": rates})
