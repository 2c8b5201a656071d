"""Tables of runs: each run is written when it ends, and all are read back seed by seed."""

import csv
import io
import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from glassbox.training.seed_statistics import SeedRuns

Keys = Mapping[str, Callable[[str], Hashable]]


class RunTable:
    """A table on disk that grows by one row a run, and goes on where it was interrupted.

    A row counts when its line is complete. What an interruption left of a line is cut off, so that
    this run, and no other, is missing.

    Args:
        path: A CSV file, in a folder that exists; made where it is missing.
        keys: Names of the columns that tell one run from another.
        measures: Names of the columns of numbers.
        restart: Whether a file that is there is begun anew.

    Raises:
        ValueError: If the file has other columns, or one run twice.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        keys: Iterable[str],
        measures: Iterable[str],
        *,
        restart: bool = False,
    ) -> None:
        self.path, self.keys, self.measures = Path(path), tuple(keys), tuple(measures)
        if restart:
            self.path.unlink(missing_ok=True)
        text = self.path.read_bytes() if self.path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]
        if not whole and (head := _line(self.keys + self.measures)).startswith(text):
            whole = head  # nothing is there yet, or a torn first line
        rows = _rows(whole or text, self.path, self.keys, self.measures)
        self._done = {row[: len(self.keys)] for row in rows}
        with self.path.open("ab") as file:
            file.truncate(min(len(whole), len(text)))
            file.write(whole[len(text) :])

    def __contains__(self, key: Sequence[object]) -> bool:
        """Say whether the run with these keys, in the order of the columns, is in the table."""
        return tuple(map(str, key)) in self._done

    def add(self, key: Sequence[object], values: Iterable[float]) -> None:
        """Write one run, with five digits a number.

        Args:
            key: One entry for each key, of any type whose text names it.
            values: One number for each measure.

        Raises:
            ValueError: If the run is there already, or the number of entries is another.
        """
        texts, numbers = tuple(map(str, key)), [f"{value:.5g}" for value in values]
        if texts in self._done:
            raise ValueError(f"key is {texts}, expected a run that {self.path} does not have yet")
        if (len(texts), len(numbers)) != (len(self.keys), len(self.measures)):
            raise ValueError(
                f"a run has {len(texts)} keys and {len(numbers)} values, expected "
                f"{len(self.keys)} and {len(self.measures)}: {self.keys + self.measures}"
            )
        with self.path.open("ab") as file:
            file.write(_line((*texts, *numbers)))
            file.flush()
            os.fsync(file.fileno())
        self._done.add(texts)


def read_rows(
    path: str | os.PathLike[str], keys: Keys, measures: Iterable[str]
) -> dict[tuple[Any, ...], tuple[float, ...]]:
    """Read a table run by run.

    Args:
        path: A CSV file, such as a :class:`RunTable` wrote.
        keys: Names of its first columns, each with what turns a text into the key, as ``int``.
        measures: Names of the columns behind them.

    Returns:
        The keys of each run to its numbers, in the order of the file.

    Raises:
        ValueError: If the columns are others, one run is there twice, or the last line is torn.
    """
    names, parse = tuple(keys), tuple(keys.values())
    found = {}
    for row in _rows(Path(path).read_bytes(), path, names, tuple(measures)):
        key = tuple(read(text) for read, text in zip(parse, row, strict=False))
        found[key] = tuple(map(float, row[len(names) :]))
    return found


def read_runs(
    path: str | os.PathLike[str], keys: Keys, measures: Iterable[str]
) -> dict[Any, dict[str, SeedRuns]]:
    """Read a table over its seeds.

    Args:
        path: A CSV file, such as a :class:`RunTable` wrote.
        keys: As for :func:`read_rows`; one of them is ``seed``.
        measures: Names of the columns behind them.

    Returns:
        For the other keys of a run, a tuple or the key itself where there is one, each measure
        with one value a seed, in the order of the seeds.

    Raises:
        ValueError: As :func:`read_rows` does; or if runs differ in their seeds, or have only one.
    """
    rows, measures = read_rows(path, keys, measures), tuple(measures)
    at = list(keys).index("seed")
    tables = {
        measure: over_seeds(
            ((key[:at] + key[at + 1 :], key[at]), values[k]) for key, values in rows.items()
        )
        for k, measure in enumerate(measures)
    }
    found = {
        _alone(key): {measure: tables[measure][key] for measure in measures}
        for key in tables[measures[0]]
    }
    seeds = {key: runs[measures[0]].seeds for key, runs in found.items()}
    for key, some in seeds.items():
        if some != (expected := next(iter(seeds.values()))):
            raise ValueError(f"{path} has the seeds {some} for {key!r}, expected {expected}")
    return found


def over_seeds(values: Iterable[tuple[tuple[Any, int], float]]) -> dict[Any, SeedRuns]:
    """Put together what differs in its seed alone.

    Args:
        values: Pairs of a key and a seed, with the value of each.

    Returns:
        Key to one value a seed, in the order of the seeds; the keys in the order given.

    Raises:
        ValueError: If a key has fewer than two seeds.
    """
    found: dict[Any, dict[int, float]] = {}
    for (key, seed), value in values:
        found.setdefault(key, {})[seed] = value
    return {
        key: SeedRuns(tuple(sorted(runs)), tuple(runs[seed] for seed in sorted(runs)))
        for key, runs in found.items()
    }


def split_keys(found: Mapping[tuple[Any, ...], Any], at: int) -> dict[Any, dict[Any, Any]]:
    """Turn ``{(a, b, c): value}`` into ``{(a, b): {c: value}}``.

    Args:
        found: Keys of several parts to anything.
        at: How many parts stand outside.

    Returns:
        The same in the same order; a key of one part stands for itself.
    """
    split: dict[Any, dict[Any, Any]] = {}
    for key, value in found.items():
        split.setdefault(_alone(key[:at]), {})[_alone(key[at:])] = value
    return split


def _alone(key: tuple[Any, ...]) -> Any:
    return key[0] if len(key) == 1 else key


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


def _rows(
    text: bytes, path: str | os.PathLike[str], keys: Sequence[str], measures: Sequence[str]
) -> list[tuple[str, ...]]:
    head, *rows = map(tuple, csv.reader(text.decode().splitlines() or [""]))
    expected = (*keys, *measures)
    if head != expected:
        raise ValueError(f"{path} has the columns {head}, expected {expected}")
    if not text.endswith(b"\n") or any(len(row) != len(expected) for row in rows):
        raise ValueError(f"{path} has a torn line, expected {len(expected)} columns in each")
    twice = len(rows) - len({row[: len(keys)] for row in rows})
    if twice:
        raise ValueError(f"{path} has {twice} runs more than once, expected each only once")
    return rows
