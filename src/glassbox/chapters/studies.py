"""What all studies share: a command line, runs that go on where they stopped, and a record."""

import argparse
import json
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from glassbox.support.files import write_text
from glassbox.support.progress import progress_bar
from glassbox.training.run_tables import RunTable


@dataclass(frozen=True)
class Runs:
    """The runs behind a table; one part of a study is one of these, or a few.

    Args:
        table: Each run writes a row of it when it ends.
        of: Takes the size of a study, and gives the keys of each run, in the order of training.
        run: Takes the study and the keys of a run, and gives its numbers.
        beside: Other tables that a run writes into, by :meth:`Study.add`.
    """

    table: RunTable
    of: Callable[[Any], Iterable[Sequence[Any]]]
    run: Callable[..., Iterable[float]]
    beside: tuple[RunTable, ...] = ()


class Study:
    """One part of a study in one size, and the folder of its tables.

    The record beside them, ``PART.json``, has the size, and versions, device, commit and seconds
    of each session that added runs.

    Args:
        part: Its name.
        runs: What is made, in this order.
        size: A frozen dataclass of numbers, such as ``seeds`` and ``epochs``.
        folder: Where the tables are, or will be.
        restart: Whether what lies there is begun anew.

    Raises:
        ValueError: If the record in the folder is of another size.
    """

    def __init__(
        self, part: str, runs: Sequence[Runs], size: Any, folder: Path, *, restart: bool = False
    ) -> None:
        self.runs, self.size, self.folder, self.restart = runs, size, folder, restart
        folder.mkdir(parents=True, exist_ok=True)
        tables = [table.within(folder) for one in runs for table in (one.table, *one.beside)]
        self._tables = {table.path.name: table for table in tables}
        self._record = folder / f"{part}.json"
        if restart:
            for path in (self._record, *(table.path for table in tables)):
                path.unlink(missing_ok=True)
        self._notes = {"part": part, "size": json.loads(json.dumps(asdict(size))), "sessions": []}
        if self._record.exists():
            stored = json.loads(self._record.read_text("utf-8"))
            if stored["size"] != self._notes["size"]:
                raise ValueError(f"size is {size}, expected {stored['size']} as {self._record}")
            self._notes = stored

    def add(self, table: RunTable, key: Sequence[Any], values: Iterable[float]) -> None:
        """Write a row of one of the tables, unless an interrupted run has written it before."""
        mine = self._tables[table.path.name]
        if key not in mine:
            mine.add(key, values)

    def train(self) -> None:
        """Make the runs that are missing; each is written, recorded and printed when it ends."""
        started, session = time.monotonic(), _describe_machine()
        self._notes["sessions"].append(session)
        for one in self.runs:
            table = self._tables[one.table.path.name]
            missing = [run for run in one.of(self.size) if run not in table]
            with progress_bar(len(missing)) as advance:
                for run in missing:
                    values = list(one.run(self, *run))
                    table.add(run, values)
                    session["seconds"] = round(time.monotonic() - started, 1)
                    write_text(self._record, json.dumps(self._notes, indent=1) + "\n")
                    print(*run, *(f"{value:.4g}" for value in values[:10]), flush=True)
                    advance(f"{self._notes['part']}: {' '.join(map(str, run))}")


def run_study(
    chapter: str,
    sizes: Mapping[str, Any],
    parts: Mapping[str, Sequence[Runs]],
    arguments: Sequence[str] | None = None,
) -> None:
    """Read the command line of a study and train one of its parts.

    Args:
        chapter: Its name, as in ``glassbox.chapters.NAME``.
        sizes: ``"smoke"`` and ``"cpu"``, each with a frozen dataclass of numbers.
        parts: The runs of each; the first part is trained where none is named.
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
    part, size = parts[given.part], sizes[given.size]
    try:
        study = Study(given.part, part, size, folder, restart=given.restart)
    except ValueError as error:
        parser.error(f"{error}; choose another --folder, or --restart")
    study.train()
    print(f"{given.part}: all runs of size {given.size} are in {folder}")


def _describe_machine() -> dict[str, Any]:
    commit = None
    if shutil.which("git"):
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
        commit = found.stdout.strip() or None
    versions = {name: version(name) for name in ("torch", "torchvision", "numpy", "scikit-learn")}
    return {
        "versions": {"python": platform.python_version(), **versions},
        "device": f"cpu {platform.machine()}, {torch.get_num_threads()} thread",
        "commit": commit,
    }
