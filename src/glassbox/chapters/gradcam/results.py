"""Read the stored measures of the chapter on Grad-CAM: maps, randomized networks, marks."""

import csv
from collections import defaultdict
from os import PathLike
from types import MappingProxyType

import torch
from torch import Tensor

from glassbox.chapters.gradcam.measures import MEASURES
from glassbox.training.seed_statistics import SeedRuns

CELLS = 8  # a side of a map
MARK_MEASURES = ("as_trained", "unmarked", "first_unmarked", "fooled", "share", "corner")
COLUMNS = MappingProxyType(
    {
        "maps.csv": ["seed", "map", *MEASURES],
        "halves.csv": ["seed", "map", "share"],
        "cascade.csv": ["seed", "layer", "correlation"],
        "marks.csv": [
            *("kind", "strength", "seed", *MARK_MEASURES),
            *(f"m{i}" for i in range(CELLS**2)),
        ],
    }
)

Table = dict[str, dict[str, SeedRuns]]
Marked = dict[tuple[str, float], dict[str, SeedRuns]]


def load_measures(path: str | PathLike[str], name: str) -> Table:
    """Read ``maps.csv``, ``halves.csv`` or ``cascade.csv``.

    Args:
        path: Folder that ``benchmarks/gradcam.py`` wrote to.
        name: Name of the file.

    Returns:
        For each map or layer, in the order of the file, and each measure one value a seed.

    Raises:
        ValueError: If the columns are others.
    """
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for seed, key, *numbers in _rows(path, name):
        found[key].append((float(seed), *map(float, numbers)))
    return {key: _repeats(runs, COLUMNS[name][2:]) for key, runs in found.items()}


def load_marks(path: str | PathLike[str]) -> tuple[Marked, dict[tuple[str, float], Tensor]]:
    """Read ``marks.csv``.

    Args:
        path: Folder that ``benchmarks/gradcam.py`` wrote to.

    Returns:
        For each kind and strength each of :data:`MARK_MEASURES`, one value a seed; and the mean
        map over seeds, ``(8, 8)``, with the sum 1 where no map is zero.

    Raises:
        ValueError: If the columns are others.
    """
    runs: dict[tuple[str, float], list[tuple[float, ...]]] = defaultdict(list)
    for kind, strength, *numbers in _rows(path, "marks.csv"):
        runs[kind, float(strength)].append(tuple(map(float, numbers)))
    end = 1 + len(MARK_MEASURES)
    measures = {
        key: _repeats([run[:end] for run in rows], MARK_MEASURES) for key, rows in runs.items()
    }
    maps = {
        key: torch.tensor([run[end:] for run in rows]).mean(0).view(CELLS, CELLS)
        for key, rows in runs.items()
    }
    return measures, maps


def _repeats(
    runs: list[tuple[float, ...]], names: list[str] | tuple[str, ...]
) -> dict[str, SeedRuns]:
    seeds, *columns = zip(*sorted(runs), strict=True)
    whole = tuple(int(seed) for seed in seeds)
    return {name: SeedRuns(whole, column) for name, column in zip(names, columns, strict=True)}


def _rows(path: str | PathLike[str], name: str) -> list[list[str]]:
    with open(f"{path}/{name}", newline="") as file:
        head, *rows = csv.reader(file)
    if head != COLUMNS[name]:
        raise ValueError(f"{path}/{name} has the columns {head}, expected {COLUMNS[name]}")
    return rows
