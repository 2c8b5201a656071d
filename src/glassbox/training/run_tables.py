"""Tables of runs: each run is written when it ends, and all are read back seed by seed."""

import csv
import io
import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glassbox.support.arguments import as_path, check_callables, check_finite, check_types
from glassbox.support.files import locked, replacing
from glassbox.training.seed_statistics import SeedRuns


@dataclass(frozen=True, eq=False)
class RunTable:
    """A CSV file that grows by one row a run, and goes on where it was interrupted.

    Several processes may add runs, each of its own. A row counts when its line is complete. When a
    run is added, what an interruption left of a line is cut off, so that this run, and no other, is
    missing. Every method raises a ``ValueError`` if the file has other columns, or one run twice.

    Args:
        path: Where it is stored, or will be.
        keys: Names of the columns that tell one run from another, each with what turns a text
            into the key, such as ``int``.
        measures: Names of the columns of numbers behind them.
    """

    path: Path
    keys: Mapping[str, Callable[[str], Hashable]]
    measures: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", as_path(path=self.path))
        check_types(Mapping, keys=self.keys)
        check_types(list, tuple, measures=self.measures)
        check_callables(**{f"keys[{name!r}]": read for name, read in self.keys.items()})
        for name in self.keys:
            check_types(str, keys=name)
        for name in self.measures:
            check_types(str, measures=name)

    def within(self, folder: str | os.PathLike[str] | None) -> "RunTable":
        """Name the table of the same columns in another folder; ``None`` is its own."""
        if folder is None:
            return self
        return replace(self, path=as_path(folder=folder) / self.path.name)

    def __contains__(self, key: Sequence[object]) -> bool:
        """Say whether the run with these keys, in the order of the columns, is in the table."""
        check_types(Iterable, key=key)
        return tuple(map(str, key)) in self._keys(self._whole())

    def add(self, key: Sequence[object], values: Iterable[float]) -> None:
        """Write one run, with five digits a number.

        Raises:
            ValueError: If the run is there already, the number of entries is another, or a value
                is not finite.
        """
        check_types(Iterable, key=key, values=values)
        texts, numbers = tuple(map(str, key)), list(values)
        for value in numbers:
            check_finite(values=value)
        for name, entries, columns in (
            ("key", texts, self.keys),
            ("values", numbers, self.measures),
        ):
            if len(entries) != len(columns):
                raise ValueError(f"{name} is {entries}, expected one of each of {list(columns)}")
        with locked(self.path):
            whole = self._whole()
            if texts in self._keys(whole):
                raise ValueError(
                    f"key is {texts}, expected a run that {self.path} does not have yet"
                )
            with replacing(self.path) as partial:
                partial.write_bytes(whole + _line((*texts, *(f"{value:.5g}" for value in numbers))))

    def rows(
        self, folder: str | os.PathLike[str] | None = None
    ) -> dict[tuple[Any, ...], tuple[float, ...]]:
        """Read the keys of each run and its numbers, in the order of the file.

        Raises:
            ValueError: If the last line is torn, too.
        """
        found = {}
        for row in self.within(folder)._parse():
            texts = zip(self.keys.values(), row, strict=False)
            numbers = map(float, row[len(self.keys) :])
            found[tuple(read(text) for read, text in texts)] = tuple(numbers)
        return found

    def runs(self, folder: str | os.PathLike[str] | None = None) -> dict[Any, dict[str, SeedRuns]]:
        """Read each measure over the seeds, for the other keys of a run; a single one is no tuple.

        Raises:
            ValueError: As for :meth:`rows`; or if runs differ in their seeds, or have only one.
        """
        at, grouped = list(self.keys).index("seed"), {}
        for key, values in self.rows(folder).items():
            grouped.setdefault(_alone(key[:at] + key[at + 1 :]), {})[key[at]] = values
        expected, found = tuple(sorted(next(iter(grouped.values()), ()))), {}
        for key, by_seed in grouped.items():
            seeds, rows = zip(*sorted(by_seed.items()), strict=True)
            if seeds != expected:
                raise ValueError(
                    f"{self.path.name} has the seeds {seeds} for {key!r}, expected {expected}"
                )
            columns = zip(self.measures, zip(*rows, strict=True), strict=True)
            found[key] = {name: SeedRuns(seeds, values) for name, values in columns}
        return found

    @property
    def _columns(self) -> tuple[str, ...]:
        return (*self.keys, *self.measures)

    def _whole(self) -> bytes:
        """Read the complete lines; where there is none yet, they are the columns."""
        text = self.path.read_bytes() if self.path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]
        if not whole and (head := _line(self._columns)).startswith(text):
            whole = head  # nothing is there yet, or a torn first line
        return whole or text

    def _keys(self, text: bytes) -> set[tuple[str, ...]]:
        return {row[: len(self.keys)] for row in self._parse(text)}

    def _parse(self, text: bytes | None = None) -> list[tuple[str, ...]]:
        text, expected = self.path.read_bytes() if text is None else text, self._columns
        head, *rows = map(tuple, csv.reader(text.decode().splitlines() or [""]))
        if head != expected:
            raise ValueError(f"{self.path} has the columns {head}, expected {expected}")
        if not text.endswith(b"\n") or any(len(row) != len(expected) for row in rows):
            raise ValueError(
                f"{self.path} has a torn line, expected {len(expected)} columns in each"
            )
        if twice := len(rows) - len({row[: len(self.keys)] for row in rows}):
            raise ValueError(f"{self.path} has {twice} runs more than once, expected each once")
        return rows


def split_keys(found: Mapping[tuple[Any, ...], Any], at: int) -> dict[Any, dict[Any, Any]]:
    """Turn ``{(a, b, c): value}`` into ``{(a, b): {c: value}}``, where ``at`` is 2.

    The order stays, and a key of one part stands for itself.
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
