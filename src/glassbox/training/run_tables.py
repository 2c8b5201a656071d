"""Tables of runs: each run is written when it ends, and all are read back seed by seed."""

import csv
import io
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
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
    missing. Every method raises a ``ValueError`` if the file lacks a column, has another one or
    another order, which it names, or has one run twice.

    Args:
        path: Where it is stored, or will be.
        keys: Names of the columns that tell one run from another, each with what turns a text
            into the key, such as ``int``.
        measures: Names of the columns of numbers behind them.
        record: Names of the columns of text behind these, which say how a run was made.
    """

    path: Path
    keys: Mapping[str, Callable[[str], Hashable]]
    measures: Sequence[str]
    record: Sequence[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", as_path(path=self.path))
        check_types(Mapping, keys=self.keys)
        check_types(list, tuple, measures=self.measures, record=self.record)
        check_callables(**{f"keys[{name!r}]": read for name, read in self.keys.items()})
        for name in self.keys:
            check_types(str, keys=name)
        for name in self.measures:
            check_types(str, measures=name)
        for name in self.record:
            check_types(str, record=name)

    def within(self, folder: str | os.PathLike[str] | None) -> "RunTable":
        """Name the table of the same columns in another folder; ``None`` is its own."""
        if folder is None:
            return self
        return replace(self, path=as_path(folder=folder) / self.path.name)

    def __contains__(self, key: Sequence[object]) -> bool:
        """Say whether the run with these keys, in the order of the columns, is in the table."""
        check_types(Iterable, key=key)
        return tuple(map(str, key)) in self._keys(self._whole())

    def add(
        self, key: Sequence[object], values: Iterable[float], record: Sequence[object] = ()
    ) -> None:
        """Write one run, with five digits a number.

        Raises:
            ValueError: If the run is there already, the number of entries is another, or a value
                is not finite.
        """
        check_types(Iterable, key=key, values=values, record=record)
        texts, numbers, record = tuple(map(str, key)), list(values), tuple(map(str, record))
        for value in numbers:
            check_finite(values=value)
        for name, entries, columns in (
            ("key", texts, self.keys),
            ("values", numbers, self.measures),
            ("record", record, self.record),
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
                shown = (f"{value:.5g}" for value in numbers)
                partial.write_bytes(whole + _line((*texts, *shown, *record)))

    def mend(self) -> None:
        """Cut off what an interruption has left of a line; where there is no file, none is made."""
        if not self.path.exists():
            return
        with locked(self.path):
            whole = self._whole()
            self._parse(whole)
            if whole != self.path.read_bytes():
                with replacing(self.path) as partial:
                    partial.write_bytes(whole)

    def rows(
        self, folder: str | os.PathLike[str] | None = None
    ) -> dict[tuple[Any, ...], tuple[float, ...]]:
        """Read the keys of each run and its numbers, in the order of the file.

        Raises:
            ValueError: If the last line is torn, too.
        """
        return {key: numbers for key, numbers, _ in self.within(folder)._read()}

    def records(
        self, folder: str | os.PathLike[str] | None = None
    ) -> dict[tuple[Any, ...], dict[str, str]]:
        """Read how each run was made: the texts by the names of their columns.

        Raises:
            ValueError: If the last line is torn, too.
        """
        return {key: record for key, _, record in self.within(folder)._read()}

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
        return (*self.keys, *self.measures, *self.record)

    def _read(self) -> Iterator[tuple[tuple[Any, ...], tuple[float, ...], dict[str, str]]]:
        for row in self._parse():
            texts = iter(row)
            key = tuple(self._value(name, read, next(texts)) for name, read in self.keys.items())
            numbers = tuple(self._value(name, float, next(texts)) for name in self.measures)
            yield key, numbers, dict(zip(self.record, texts, strict=True))

    def _value(self, column: str, read: Callable[[str], Any], text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            message = f"{self.path} has {text!r} in the column {column!r}, expected {read.__name__}"
            raise ValueError(message) from error

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
            raise ValueError(f"{self.path} has {_difference(head, expected)}")
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


def _difference(head: tuple[str, ...], expected: tuple[str, ...]) -> str:
    """Name the columns that are missing and those that should not be there, or show the order."""
    lacking = [name for name in expected if name not in head]
    others = [name for name in head if name not in expected]
    if not lacking and not others:
        return f"the columns {head}, expected {expected}"
    told = []
    if lacking:
        told.append(f"no column {', '.join(map(repr, lacking))}")
    if others:
        told.append(f"{', '.join(map(repr, others))}, expected no such column")
    return " and ".join(told)


def _alone(key: tuple[Any, ...]) -> Any:
    return key[0] if len(key) == 1 else key


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
