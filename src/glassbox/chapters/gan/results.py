"""Read the stored numbers of generated digits and of rings."""

import csv
from os import PathLike

from glassbox.training.seed_statistics import SeedRuns


def load_scores(path: str | PathLike[str]) -> dict[str, dict[str, SeedRuns]]:
    """Read a table of numbers by seed, as ``benchmarks/generators.py`` writes them.

    Args:
        path: A table whose first column names what was trained, the second is the seed, and the
            others are numbers.

    Returns:
        For each name and each column the numbers, in the order of their seeds.

    Raises:
        ValueError: If there is no column ``seed``, or names differ in their seeds.
    """
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    if head[1:2] != ["seed"]:
        raise ValueError(f"{path} has the columns {head}, expected a name, seed, and numbers")
    runs: dict[str, dict[int, list[float]]] = {}
    for name, seed, *numbers in rows:
        runs.setdefault(name, {})[int(seed)] = [float(number) for number in numbers]
    if len({tuple(sorted(seeds)) for seeds in runs.values()}) > 1:
        raise ValueError(f"{path} has other seeds for some of {list(runs)}")
    return {
        name: {
            column: SeedRuns(tuple(sorted(seeds)), tuple(seeds[s][k] for s in sorted(seeds)))
            for k, column in enumerate(head[2:])
        }
        for name, seeds in runs.items()
    }
