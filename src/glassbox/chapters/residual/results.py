"""Read the stored comparison of plain and residual networks."""

import csv
from collections import defaultdict
from itertools import product
from os import PathLike
from types import MappingProxyType

import torch
from torch import Tensor

from glassbox.chapters.residual.study import EPOCHS
from glassbox.training.seed_statistics import SeedRuns

SLICE_POINTS = 17
COLUMNS = MappingProxyType(
    {
        "results.csv": [
            *("kind", "depth", "epochs", "seed"),
            *("train loss", "train accuracy", "test accuracy"),
        ],
        "lesions.csv": ["kind", "depth", "seed", "removed", "accuracy"],
        "slices.csv": ["kind", "depth", "seed", "row", *(f"x{i}" for i in range(SLICE_POINTS))],
    }
)

Results = dict[tuple[str, int, int], dict[str, SeedRuns]]
Lesion = tuple[int, ...]
Lesions = dict[tuple[str, int], dict[Lesion, SeedRuns]]
Slices = dict[tuple[str, int], Tensor]


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


def load_results(path: str | PathLike[str]) -> Results:
    """Read how the trainings ended.

    Args:
        path: ``results.csv``, as ``benchmarks/residual.py`` wrote it.

    Returns:
        For each ``(kind, depth, epochs)`` and measure one value a seed: ``"train loss"``, and
        ``"train accuracy"`` and ``"test accuracy"`` in percent.

    Raises:
        ValueError: If the columns are others.
    """
    found: dict[tuple[str, int, int], list[list[float]]] = defaultdict(list)
    for kind, depth, epochs, seed, *measures in _rows(path, "results.csv"):
        found[kind, int(depth), int(epochs)].append([int(seed), *map(float, measures)])
    names, factors = COLUMNS["results.csv"][4:], (1, 100, 100)
    results: Results = {}
    for key, runs in found.items():
        seeds, *columns = zip(*sorted(runs), strict=True)
        results[key] = {
            name: SeedRuns(tuple(map(int, seeds)), tuple(factor * value for value in column))
            for name, factor, column in zip(names, factors, columns, strict=True)
        }
    return results


def by_depth(results: Results, kind: str, measure: str) -> dict[int, SeedRuns]:
    """Take one measure of one kind of network, for all depths.

    Args:
        results: From :func:`load_results`.
        kind: Such as ``"plain"``.
        measure: Such as ``"train loss"``.

    Returns:
        Depth to one value a seed, ascending, of the trainings of the common length.
    """
    depths = sorted(depth for name, depth, epochs in results if (name, epochs) == (kind, EPOCHS))
    return {depth: results[kind, depth, EPOCHS][measure] for depth in depths}


def load_lesions(path: str | PathLike[str]) -> Lesions:
    """Read what networks can do without some of their blocks.

    Args:
        path: ``lesions.csv``, as ``benchmarks/residual.py`` wrote it.

    Returns:
        For each ``(kind, depth)`` and choice of blocks the test accuracy of each seed, in percent;
        choices that were measured for less than two seeds are left out.

    Raises:
        ValueError: If the columns are others.
    """
    found: dict[tuple[str, int], dict[Lesion, dict[int, float]]] = {}
    for kind, depth, seed, removed, accuracy in _rows(path, "lesions.csv"):
        lesion = tuple(map(int, removed.split()))
        lesions = found.setdefault((kind, int(depth)), {})
        lesions.setdefault(lesion, {})[int(seed)] = 100 * float(accuracy)
    return {
        key: {
            lesion: SeedRuns(tuple(runs), tuple(runs.values()))
            for lesion, runs in lesions.items()
            if len(runs) > 1
        }
        for key, lesions in found.items()
    }


def load_removals(path: str | PathLike[str]) -> dict[str, dict[int, SeedRuns]]:
    """Read what the deepest networks can do when more and more blocks are missing.

    Args:
        path: ``lesions.csv``, as ``benchmarks/residual.py`` wrote it.

    Returns:
        For each kind and number of blocks, removed in another order for each seed, the test
        accuracy of each seed in percent.

    Raises:
        ValueError: If the columns are others.
    """
    rows = _rows(path, "lesions.csv")
    deepest = max(int(row[1]) for row in rows)
    found: dict[str, dict[int, dict[int, float]]] = {}
    for kind, depth, seed, removed, accuracy in rows:
        count = len(removed.split())
        if int(depth) == deepest and count != 1:
            found.setdefault(kind, {}).setdefault(count, {})[int(seed)] = 100 * float(accuracy)
    return {
        kind: {count: SeedRuns(tuple(runs), tuple(runs.values())) for count, runs in counts.items()}
        for kind, counts in found.items()
    }


def load_slices(path: str | PathLike[str]) -> Slices:
    """Read slices through the loss around trained networks.

    Args:
        path: ``slices.csv``, as ``benchmarks/residual.py`` wrote it.

    Returns:
        For each ``(kind, depth)`` the losses, ``(17, 17)``, the network itself in the middle.

    Raises:
        ValueError: If the columns are others.
    """
    found: dict[tuple[str, int], list[list[float]]] = defaultdict(list)
    for kind, depth, _, _, *losses in _rows(path, "slices.csv"):
        found[kind, int(depth)].append([float(loss) for loss in losses])
    return {key: torch.tensor(lines) for key, lines in found.items()}


def _rows(path: str | PathLike[str], name: str) -> list[list[str]]:
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    if head != COLUMNS[name]:
        raise ValueError(f"{path} has the columns {head}, expected {COLUMNS[name]}")
    return rows
