"""The study of plain and residual networks: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.residual.study --size cpu`` trains 155 networks in about 10 minutes
on one core, by a common recipe. ``--part rates`` searches for the best recipe of some, on images of
their own; ``--part winners`` trains these, also four times as long; ``--part blocks`` measures what
single blocks do after more or fewer steps, on digits and on CIFAR-10. ``--size gpu`` does it with
CIFAR-10, in 40 epochs; make its rates before its winners.

Each ``load_X`` reads a table from the folder of a study, or the one stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glassbox.chapters.residual.arms import (
    ARMS,
    CLIPS,
    DEPTHS,
    EPOCHS,
    SEARCHES,
    TASKS,
    Recipe,
    make_network,
    train_network,
)
from glassbox.chapters.residual.block_runs import NETWORKS, train_and_measure
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
Rates = Mapping[tuple[Any, ...], tuple[float, ...]]


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
    STORED / "rates.csv",
    {"arm": str, "clip": str, "depth": int, "lr": float, "seed": int},
    ("train loss", "validation loss", "validation accuracy"),
)
WINNERS = study_table(
    STORED / "winners.csv",
    {"arm": str, "clip": str, "depth": int, "epochs": int, "seed": int},
    ("lr", "train loss", "test accuracy"),
)
TRAINED = study_table(
    STORED / "trained.csv",
    {"network": str, "data": str, "updates": int, "seed": int},
    ("train_loss", "accuracy"),
)
BLOCKS = study_table(
    STORED / "blocks.csv",
    {"network": str, "data": str, "updates": int, "seed": int, "block": int},
    ("without", "ratio", "gradient"),
)


@dataclass(frozen=True)
class Size:
    """What is trained: on which images, at how many seeds and depths, how long and how wide."""

    data: str = "digits"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    depths: tuple[int, ...] = DEPTHS
    epochs: int = EPOCHS
    searched: tuple[tuple[str, int], ...] = ()  # kinds of networks whose recipe is, and depths
    clipped_rates: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    unclipped_rates: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3)
    cut: int = 773  # test images by which lesions are judged
    sliced: int = 256  # training images of a slice
    width: int = 8
    measured: tuple[tuple[str, str, int], ...] = ()  # of which networks the blocks are


_SEARCHED = (*product(("plain",), (8, 20, 56)), ("residual", 56))
_MEASURED = (
    *product(("narrow",), ("digits", "cifar10, 8 px"), (160, 1280)),
    ("narrow", "digits, half random", 1280),
    *product(("narrow",), ("cifar10",), (160,)),
    *product(("stored", "stored, around"), ("cifar10",), (0,)),
    ("stored", "cifar10, cut", 0),
)
SIZES = {
    "smoke": Size(
        **{"seeds": (0, 1), "depths": (20,), "epochs": 1, "searched": (("plain", 20),)},
        **{"clipped_rates": (0.1,), "unclipped_rates": (0.1,), "cut": 4, "sliced": 4},
        measured=(("narrow", "digits", 16),),
    ),
    "cpu": Size(searched=_SEARCHED, measured=_MEASURED),
    "gpu": Size(
        **{"data": "cifar10", "depths": (20, 32, 44, 56, 110), "epochs": 40, "cut": 10_000},
        **{"width": 16, "searched": _SEARCHED[1:], "measured": _MEASURED},
    ),
}


@lru_cache(1)
def _task(data: str, seed: int) -> TrainTest:
    return TASKS[data](seed)


def _network(size: Size, task: TrainTest, arm: str, depth: int, seed: int) -> ResidualNetwork:
    channels = task.images.shape[1]
    return make_network(arm, depth, seed, in_channels=channels, width=size.width)


def best_recipe(
    arm: str, depth: int, *, clip: str | None = None, folder: str | Path | None = None
) -> Recipe:
    """Find the recipe whose network had the lowest loss on the images to choose by.

    For a depth that was not searched, that of the nearest is taken.

    Args:
        arm: One of :data:`~.arms.ARMS`.
        depth: Of the network.
        clip: One of :data:`~.arms.CLIPS`; the better one unless given.
        folder: Of a study; the rates stored with the package where it has none.
    """
    here = folder if folder and (Path(folder) / RATES.path.name).exists() else None
    found = {
        (one_depth, Recipe(one_clip, lr)): losses[1]
        for (name, one_clip, one_depth, lr, _), losses in RATES.rows(here).items()
        if name == arm and clip in (None, one_clip)
    }
    nearest = min({at for at, _ in found}, key=lambda one: abs(one - depth))
    return min((loss, recipe) for (at, recipe), loss in found.items() if at == nearest)[1]


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


def _train(study: Study, arm: str, depth: int, epochs: int, seed: int) -> tuple[float, ...]:
    """Train a network; cut blocks out of some, and a slice through the loss of some."""
    size, task = study.size, _task(study.size.data, seed)
    model = _network(size, task, arm, depth, seed)
    outcome = train_network(model, task, seed, ARMS[arm].recipe, epochs=epochs)
    if epochs == size.epochs and ARMS[arm].norm and depth in (20, 56):
        _cut(study, model, task, (arm, depth, seed))
    if epochs == size.epochs and arm in ("plain", "residual") and seed == 0:
        some = task.images[: size.sliced], task.labels[: size.sliced]
        for row, line in enumerate(loss_slice(model, *some, points=17).tolist()):
            study.add(SLICES, (arm, depth, seed, row), line)
    return outcome.train_loss, outcome.train_accuracy, outcome.test_accuracy


def _cut(study: Study, model: ResidualNetwork, task: TrainTest, key: tuple[str, int, int]) -> None:
    names, lesions, count = block_names(model), lesions_of(*key[1:]), study.size.cut
    named = [[names[i] for i in lesion] for lesion in lesions]
    fractions = lesion_accuracy(model, task.test_images[:count], task.test_labels[:count], named)
    for lesion, fraction in zip(lesions, fractions, strict=True):
        study.add(LESIONS, (*key, " ".join(map(str, lesion))), [fraction])


def _recipes(size: Size) -> Iterable[tuple[Any, ...]]:
    """List the trainings of the search, with a seed that no result is reported on."""
    grids = zip(CLIPS, (size.clipped_rates, size.unclipped_rates), strict=True)
    for (arm, depth), (clip, rates) in product(size.searched, grids):
        yield from product((arm,), (clip,), (depth,), rates, (99,))


def _try_recipe(
    study: Study, arm: str, clip: str, depth: int, lr: float, seed: int
) -> tuple[float, ...]:
    task = SEARCHES[study.size.data](seed, search=True)
    model = _network(study.size, task, arm, depth, seed)
    outcome = train_network(model, task, seed, Recipe(clip, lr), epochs=study.size.epochs)
    return outcome.train_loss, outcome.test_loss, outcome.test_accuracy


def _won(size: Size) -> Iterable[tuple[Any, ...]]:
    """List the deepest plain networks, at the best rate with clipping and without, then longer."""
    deepest = max(depth for _, depth in size.searched)
    for epochs, clips in ((size.epochs, CLIPS), (4 * size.epochs, ("clipped",))):
        for seed in size.seeds:
            yield from product(("plain",), clips, (deepest,), (epochs,), (seed,))


def _train_winner(
    study: Study, arm: str, clip: str, depth: int, epochs: int, seed: int
) -> list[float]:
    task = SEARCHES[study.size.data](seed)
    recipe = best_recipe(arm, depth, clip=clip, folder=study.folder)
    model = _network(study.size, task, arm, depth, seed)
    outcome = train_network(model, task, seed, recipe, epochs=epochs)
    return [recipe.lr, outcome.train_loss, outcome.test_accuracy]


def _blocks(size: Size) -> Iterable[tuple[Any, ...]]:
    for network, data, updates in size.measured:
        seeds = (0,) if NETWORKS[network] is None else size.seeds[:2]
        yield from product((network,), (data,), (updates,), seeds)


def _measure(study: Study, *key: Any) -> tuple[float, float]:
    trained, blocks = train_and_measure(*key, count=study.size.cut)
    for number, measures in enumerate(blocks, start=1):
        study.add(BLOCKS, (*key, number), measures)
    return trained


PARTS = {
    "compare": (Runs(OUTCOMES, _networks, _train, beside=(LESIONS, SLICES)),),
    "rates": (Runs(RATES, _recipes, _try_recipe),),
    "winners": (Runs(WINNERS, _won, _train_winner),),
    "blocks": (Runs(TRAINED, _blocks, _measure, beside=(BLOCKS,)),),
}

load_outcomes = OUTCOMES.runs  # how the trainings ended, by ``(arm, depth, epochs)``
load_winners = WINNERS.runs  # likewise, by ``(arm, clip, depth, epochs)``, at the best rates
load_rates = RATES.rows  # losses and accuracy by ``(arm, clip, depth, lr, seed)``
load_trained = TRAINED.rows  # loss and accuracy by ``(network, data, updates, seed)``


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


def load_blocks(
    folder: str | Path | None = None,
) -> dict[tuple[str, str, int], Mapping[str, Tensor]]:
    """Read what was measured of every block, for each ``(network, data, updates)``.

    Each measure is ``(seeds, blocks)``.
    """
    found: dict[tuple[str, str, int], Mapping[str, Tensor]] = {}
    for key, seeds in split_keys(split_keys(BLOCKS.rows(folder), 4), 3).items():
        values = torch.tensor([list(blocks.values()) for blocks in seeds.values()])
        found[key] = dict(zip(BLOCKS.measures, values.unbind(dim=2), strict=True))
    return found


if __name__ == "__main__":
    run_study("residual", SIZES, PARTS)
