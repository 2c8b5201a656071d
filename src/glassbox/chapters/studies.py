"""What all studies share: a command line, runs that go on where they stopped, and a record."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from glassbox.support.progress import progress_bar
from glassbox.training.run_tables import RunTable

PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn")


@dataclass
class Study:
    """One part of a study in one size, and where its tables are.

    Each session that adds runs is noted in the record, with its versions, device and seconds.

    Args:
        part: What is compared; the record is ``PART.json``, beside the tables.
        size: A frozen dataclass of numbers, such as ``seeds`` and ``epochs``.
        folder: Where the tables are, or will be.
        restart: Whether what lies there is begun anew.

    Raises:
        ValueError: If the record in the folder is of another size.
    """

    part: str
    size: Any
    folder: Path
    restart: bool = False
    _sessions: list[dict[str, Any]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.restart:
            self._record.unlink(missing_ok=True)
        if self._record.exists():
            stored = json.loads(self._record.read_text("utf-8"))
            if stored["size"] != _plain(self.size):
                raise ValueError(
                    f"size is {self.size}, expected {stored['size']} as {self._record}"
                )
            self._sessions = stored["sessions"]
        self._started = time.monotonic()
        self._sessions.append(_describe_machine())

    @property
    def _record(self) -> Path:
        return self.folder / f"{self.part}.json"

    def table(self, name: str, keys: Iterable[str], measures: Iterable[str]) -> RunTable:
        """Open a table, to go on with it or, after ``--restart``, to begin it anew.

        Args:
            name: Of the file, without its ending.
            keys: As for :class:`glassbox.training.run_tables.RunTable`.
            measures: Likewise.

        Returns:
            The table.

        Raises:
            ValueError: If the file has other columns.
        """
        return RunTable(self.folder / f"{name}.csv", keys, measures, restart=self.restart)

    def fill(
        self,
        table: RunTable,
        runs: Iterable[tuple[Any, ...]],
        measure: Callable[..., Iterable[float]],
    ) -> None:
        """Make the runs that a table lacks; each is written, recorded and printed when it ends.

        Args:
            table: From :meth:`table`.
            runs: The keys of each run.
            measure: Takes the keys of a run, and returns its numbers.
        """
        missing = [run for run in runs if run not in table]
        with progress_bar(len(missing)) as advance:
            for run in missing:
                values = list(measure(*run))
                table.add(run, values)
                self.write_record()
                print(*run, *(f"{value:.4g}" for value in values[:10]), flush=True)
                advance(f"{self.part}: {' '.join(map(str, run))}")

    def write_record(self) -> None:
        """Note size, versions, device, commit and the seconds since this session began."""
        self._sessions[-1]["seconds"] = round(time.monotonic() - self._started, 1)
        record = {"part": self.part, "size": _plain(self.size), "sessions": self._sessions}
        write_text(self._record, json.dumps(record, indent=1) + "\n")


def run_study(
    chapter: str,
    sizes: Mapping[str, Any],
    parts: Mapping[str, Callable[[Study], None]],
    arguments: Sequence[str] | None = None,
) -> None:
    """Read the command line of a study and run one of its parts.

    Args:
        chapter: Its name, as in ``glassbox.chapters.NAME``.
        sizes: ``"smoke"`` and ``"cpu"``, each with a frozen dataclass of numbers.
        parts: Name to what runs it; the first is run where none is named.
        arguments: Those of the command line unless given.
    """
    parser = argparse.ArgumentParser(prog=f"python -m glassbox.chapters.{chapter}.study")
    parser.add_argument("--size", choices=sizes, required=True)
    parser.add_argument("--part", choices=parts, default=next(iter(parts)))
    parser.add_argument("--folder", type=Path, help=f"default: studies/{chapter}/SIZE")
    parser.add_argument("--restart", action="store_true", help="begin anew, over what is there")
    given = parser.parse_args(arguments)
    folder = given.folder or Path("studies", chapter, given.size)
    torch.set_num_threads(1)  # the networks are small: threads would wait for each other
    try:
        study = Study(given.part, sizes[given.size], folder, given.restart)
    except ValueError as error:
        parser.error(f"{error}; choose another --folder, or --restart")
    parts[given.part](study)
    print(f"{given.part}: all runs of size {given.size} are in {folder}")


def write_text(path: Path, text: str) -> None:
    """Write a file as a whole or not at all.

    Args:
        path: Where; what is there is replaced.
        text: What it will hold.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, "utf-8")
    os.replace(partial, path)


def _plain(size: Any) -> dict[str, Any]:
    """Give a size as it comes back from JSON."""
    return json.loads(json.dumps(asdict(size)))


def _describe_machine() -> dict[str, Any]:
    commit = None
    if shutil.which("git"):
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
        commit = found.stdout.strip() or None
    return {
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in PACKAGES},
        "device": f"cpu {platform.machine()}, {torch.get_num_threads()} thread",
        "commit": commit,
    }
