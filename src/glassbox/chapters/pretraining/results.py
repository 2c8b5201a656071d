"""Read the stored comparisons of the page on pretraining: ways to transfer, and stems."""

import csv
from collections import defaultdict
from os import PathLike
from types import MappingProxyType

from glassbox.training.seed_statistics import SeedRuns

COLUMNS = MappingProxyType(
    {
        "transfer.csv": ("strategy", "target", "labels", "seed", "train accuracy", "test accuracy"),
        "stems.csv": ("network", "stem", "seed", "test accuracy"),
    }
)

Transfers = dict[tuple[str, str], dict[int, SeedRuns]]
Stems = dict[str, dict[str, SeedRuns]]


def load_transfers(path: str | PathLike[str], measure: str = "test accuracy") -> Transfers:
    """Read how well each way to use a pretrained network did.

    Args:
        path: ``transfer.csv``, as ``benchmarks/pretraining.py`` wrote it.
        measure: ``"test accuracy"`` or ``"train accuracy"``.

    Returns:
        For each ``(strategy, target)`` and number of labels a class one value a seed, in percent.

    Raises:
        ValueError: If the columns are others, or ``measure`` is unknown.
    """
    if measure not in COLUMNS["transfer.csv"][4:]:
        raise ValueError(f"measure is {measure!r}, expected 'test accuracy' or 'train accuracy'")
    found: dict[tuple[str, str], dict[int, dict[int, float]]] = defaultdict(dict)
    for row in _rows(path, "transfer.csv"):
        runs = found[row["strategy"], row["target"]].setdefault(int(row["labels"]), {})
        runs[int(row["seed"])] = float(row[measure])
    return {
        key: {labels: SeedRuns(tuple(runs), tuple(runs.values())) for labels, runs in each.items()}
        for key, each in found.items()
    }


def load_stems(path: str | PathLike[str]) -> Stems:
    """Read how well each beginning for small images did.

    Args:
        path: ``stems.csv``, as ``benchmarks/pretraining.py`` wrote it.

    Returns:
        For each network and stem one test accuracy a seed, in percent.

    Raises:
        ValueError: If the columns are others.
    """
    found: dict[str, dict[str, dict[int, float]]] = defaultdict(dict)
    for row in _rows(path, "stems.csv"):
        runs = found[row["network"]].setdefault(row["stem"], {})
        runs[int(row["seed"])] = float(row["test accuracy"])
    return {
        network: {stem: SeedRuns(tuple(runs), tuple(runs.values())) for stem, runs in stems.items()}
        for network, stems in found.items()
    }


def _rows(path: str | PathLike[str], name: str) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        table = csv.DictReader(file)
        columns = table.fieldnames or []  # read here: an empty file has none, and is closed below
        rows = list(table)
    if tuple(columns) != COLUMNS[name]:
        raise ValueError(f"{path} has the columns {columns}, expected {COLUMNS[name]}")
    return rows
