"""What all studies share: a command line, runs that go on where they stopped, and a record."""

import argparse
import json
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from glassbox.support.files import write_text
from glassbox.support.progress import progress_bar
from glassbox.training.distributed import from_first_process, process_count, process_rank
from glassbox.training.processes import process_device, process_group
from glassbox.training.run_tables import RunTable

RECORD = ("size", "seconds", "device", "versions", "commit")


def study_table(
    path: Path, keys: Mapping[str, Callable[[str], Hashable]], measures: Sequence[str]
) -> RunTable:
    """Name a table of a study, in which each run says how it was made.

    Its columns behind the measures are :data:`RECORD`: the name of the size; the seconds since the
    run began, with other runs at work or not; the device and how many processes shared the run; the
    versions of Python and the packages that compute; and the commit of the code.
    """
    return RunTable(path, keys, measures, RECORD)


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

    Beside them, ``PART.json`` holds the numbers of the size, so that no run of another one is added
    to them. Of several processes, all make each run together, and the first one writes.

    Args:
        part: Its name.
        runs: What is made, in this order.
        size: A frozen dataclass of numbers, such as ``seeds`` and ``epochs``.
        folder: Where the tables are, or will be.
        called: The name of the size.
        restart: Whether what lies there is begun anew.

    Raises:
        ValueError: If what lies in the folder is of another size.
    """

    def __init__(
        self,
        part: str,
        runs: Sequence[Runs],
        size: Any,
        folder: Path,
        *,
        called: str = "custom",
        restart: bool = False,
    ) -> None:
        self.part, self.runs, self.size, self.folder = part, runs, size, folder
        self.called, self.restart = called, restart
        tables = [table.within(folder) for one in runs for table in (one.table, *one.beside)]
        self._tables = {table.path.name: table for table in tables}
        self._session, self._began = _describe_session(), 0.0
        problem = from_first_process(self._prepare() if process_rank() == 0 else None)
        if problem:
            raise ValueError(problem)

    def _prepare(self) -> str | None:
        """Make the folder ready for this size, or say what does not fit in it."""
        try:
            self._begin()
        except ValueError as error:  # to be raised in all processes
            return str(error)
        return None

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        record, size = self.folder / f"{self.part}.json", json.loads(json.dumps(asdict(self.size)))
        if self.restart:
            for path in (record, *(table.path for table in self._tables.values())):
                path.unlink(missing_ok=True)
        if record.exists() and (stored := json.loads(record.read_text("utf-8"))) != size:
            raise ValueError(f"size is {size}, expected {stored} as {record}")
        for table in self._tables.values():
            table.mend()
            made = table.records().values() if table.path.exists() else ()
            if others := {run["size"] for run in made} - {self.called}:
                found = ", ".join(sorted(others))
                raise ValueError(f"size is {self.called}, expected {found} as {table.path}")
        write_text(record, json.dumps(size) + "\n")

    def add(self, table: RunTable, key: Sequence[Any], values: Iterable[float]) -> None:
        """Write a row of one of the tables, unless an interrupted run has written it before."""
        mine = self._tables[table.path.name]
        if process_rank() == 0 and key not in mine:
            made = {**self._session, "size": self.called}
            made["seconds"] = f"{time.monotonic() - self._began:.1f}"
            mine.add(key, values, [made[name] for name in RECORD])

    def train(self) -> None:
        """Make the runs that are missing; each is written and printed when it ends."""
        missing = from_first_process(self._missing() if process_rank() == 0 else [])
        first = process_rank() == 0
        if first:
            print(f"{self.part}: {len(missing)} runs to make", flush=True)
        with progress_bar(len(missing), show=first) as advance:
            for number, run in missing:
                one, self._began = self.runs[number], time.monotonic()
                values = from_first_process([float(value) for value in one.run(self, *run)])
                self.add(one.table, run, values)
                if first:
                    print(*run, *(f"{value:.4g}" for value in values[:10]), flush=True)
                advance(f"{self.part}: {' '.join(map(str, run))}")

    def _missing(self) -> list[tuple[int, Sequence[Any]]]:
        return [
            (number, run)
            for number, one in enumerate(self.runs)
            for run in one.of(self.size)
            if run not in self._tables[one.table.path.name]
        ]


def run_study(
    chapter: str,
    sizes: Mapping[str, Any],
    parts: Mapping[str, Sequence[Runs]],
    arguments: Sequence[str] | None = None,
) -> None:
    """Read the command line of a study and train one of its parts, or all.

    Args:
        chapter: Its name, as in ``glassbox.chapters.NAME``.
        sizes: ``"smoke"``, ``"cpu"`` and ``"gpu"``, each with a frozen dataclass of numbers.
        parts: The runs of each; the first part is trained where none is named.
        arguments: Those of the command line unless given.
    """
    parser = argparse.ArgumentParser(prog=f"python -m glassbox.chapters.{chapter}.study")
    parser.add_argument("--size", choices=sizes, required=True)
    parser.add_argument("--part", choices=(*parts, "all"), default=next(iter(parts)))
    parser.add_argument("--folder", type=Path, help=f"default: studies/{chapter}/SIZE")
    parser.add_argument("--device", help="default: cuda where there is a GPU, else cpu")
    parser.add_argument("--restart", action="store_true", help="begin anew, over what is there")
    given = parser.parse_args(arguments)
    folder = given.folder or Path("studies", chapter, given.size)
    torch.set_num_threads(1)  # the networks are small: threads would wait for each other
    with process_group(given.device):
        for part in parts if given.part == "all" else (given.part,):
            try:
                options = {"called": given.size, "restart": given.restart}
                study = Study(part, parts[part], sizes[given.size], folder, **options)
            except ValueError as error:
                parser.error(f"{error}; choose another --folder, or --restart")
            study.train()
            if process_rank() == 0:
                print(f"{part}: all runs of size {given.size} are in {folder}", flush=True)


def _describe_session() -> dict[str, str]:
    packages = ("torch", "torchvision", "numpy", "scikit-learn")
    versions = [f"python {platform.python_version()}", *(f"{p} {version(p)}" for p in packages)]
    return {"device": _name_device(), "versions": "; ".join(versions), "commit": _find_commit()}


def _name_device() -> str:
    device, count = process_device(), process_count()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{device.type} {platform.machine()}"
    return f"{name}; {count} process{'es' if count > 1 else ''}"


def _find_commit() -> str:
    """Name the commit of this package, or its release where it isn't in a repository of its own."""
    here, git = Path(__file__), shutil.which("git")
    asked = (
        ["ls-files", "--error-unmatch", here.name],
        ["describe", "--always", "--dirty", "--abbrev=12"],
    )
    if git:
        commands = ([git, "-C", str(here.parent), *words] for words in asked)
        found = [subprocess.run(one, capture_output=True, text=True) for one in commands]
        if not any(one.returncode for one in found):
            return found[1].stdout.strip()
    return f"release {version('glassbox-book')}"
