"""Execute chapters: each in its own kernel, several at a time, and only those that need it."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import nbformat
from chapters import BOOK, ROOT, canonical, code_cells, code_hash, may_raise, read, write_text
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

EXECUTED = ROOT / "_build" / "executed"
DATA = (".js", ".css", ".csv", ".json")  # what the package reads beside its modules
CELL_TIMEOUT = 300  # seconds
PACKAGES = ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "matplotlib", "jupyter-book")
# Run after a chapter: prints the files of the modules that it loaded.
LOADED = """
import json as _json, sys as _sys
_files = [getattr(_module, "__file__", None) for _module in list(_sys.modules.values())]
print(_json.dumps([_file for _file in _files if _file]))
"""


class ChapterError(Exception):
    """A chapter did not run as it should."""


def execute(path: Path, mode: str) -> tuple[NotebookNode, dict]:
    """Run a notebook in a new kernel, in its own folder, as for a reader.

    Args:
        path: The notebook.
        mode: What ``explore`` does: ``live``, or ``page`` for what a page needs beside it.

    Returns:
        The notebook in canonical form, and its record.

    Raises:
        ChapterError: A cell raises, or a cell tagged ``raises-exception`` does not.
    """
    notebook = without_outputs(read(path))
    notebook.cells.append(nbformat.v4.new_code_cell(LOADED))
    times: list[float] = []
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lambda cell, cell_index: times.append(time.perf_counter()),
        on_cell_executed=lambda cell, cell_index, execute_reply: times.append(time.perf_counter()),
    )
    log = EXECUTED / f"{path.stem}.log"  # of the kernel itself, without what cells print
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("w") as stderr:
            client.execute(env=environment(mode), stderr=stderr)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise ChapterError(f"{path.name}: {_where(notebook, times)}\n{error}") from error
    loaded = notebook.cells.pop().outputs[0].text
    for cell in code_cells(notebook):
        if may_raise(cell) and all(output.output_type != "error" for output in cell.outputs):
            raise ChapterError(f"{path.name}: this cell should raise and does not:\n{cell.source}")
    seconds = [end - start for start, end in zip(times[::2], times[1::2], strict=True)][:-1]
    return canonical(notebook), record_of(seconds, loaded)


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """Clear a notebook to be executed, and note in it which code that will be."""
    notebook.metadata["glassbox"] = {"code": code_hash(notebook)}
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    return notebook


def environment(mode: str) -> dict[str, str]:
    """Give the environment of a chapter's kernel.

    One thread: the networks are small, chapters run side by side, and where cores are shared
    threads that wait for each other take many times as long.
    """
    settings = {"GLASSBOX_EXPLORE": mode, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    return os.environ | settings


def record_of(seconds: list[float], loaded: str) -> dict:
    """Put down how a chapter ran.

    Args:
        seconds: Of each code cell.
        loaded: What ``LOADED`` printed at the end.

    Returns:
        Seconds in all and of the slowest cell, the files of this repository that the kernel
        loaded, and the versions it ran with.
    """
    return {
        "seconds": sum(seconds),
        "slowest": max(seconds, default=0.0),
        "cells": len(seconds),
        "files": _ours(json.loads(loaded)),
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in PACKAGES},
    }


def _where(notebook: NotebookNode, times: list[float]) -> str:
    number = (len(times) + 1) // 2
    return f"code cell {number} of {len(code_cells(notebook)) - 1} fails"


def _ours(files: Iterable[str]) -> list[str]:
    """List the files that are in this repository but not in the environment inside it."""
    inside = (Path(file).resolve() for file in files)
    relative = (path.relative_to(ROOT) for path in inside if path.is_relative_to(ROOT))
    return sorted(str(path) for path in relative if not path.parts[0].startswith((".", "_")))


def _inputs(path: Path, notebook: NotebookNode, files: Iterable[str]) -> dict[str, str]:
    """Hash everything that the outputs of a chapter depend on.

    That is its code; the package's modules that it loaded, and all of the package that is no
    module: scripts, styles, tables and weights; the pinned requirements and the installed versions;
    this module; and environment settings.
    """
    package = [file for file in (ROOT / "src").rglob("*") if file.suffix in DATA]
    fixed = [ROOT / "requirements.txt", ROOT / "tools/execution.py", *package]
    hashes = {"code": code_hash(notebook)}
    hashes |= {str(file.relative_to(ROOT)): _file_hash(file) for file in fixed}
    hashes |= {file: _file_hash(ROOT / file) for file in files}
    hashes |= {name: version(name) for name in PACKAGES} | {"python": sys.version}
    hashes |= {k: v for k, v in os.environ.items() if k.startswith("GLASSBOX_")}
    return hashes


def _file_hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "absent"


def keep(path: Path, notebook: NotebookNode, record: dict, start: float) -> None:
    """Keep an execution for as long as it would come out the same.

    Args:
        path: The chapter.
        notebook: The same, executed in the mode ``page``, in canonical form.
        record: How that went; what its outputs depend on is added.
        start: When it began, in seconds since the epoch.

    Raises:
        ChapterError: A file changed that it had perhaps loaded already.
    """
    edited = [file for file in record["files"] if (ROOT / file).stat().st_mtime > start]
    if edited:
        raise ChapterError(f"{path.name}: {', '.join(edited)} changed while it ran: start again.")
    record["inputs"] = _inputs(path, notebook, record["files"])
    discard(path)
    write_text(kept(path, ".ipynb"), nbformat.writes(notebook))
    write_text(kept(path, ".json"), json.dumps(record, indent=1))


def discard(path: Path) -> None:
    """Forget the kept execution of a chapter."""
    kept(path, ".json").unlink(missing_ok=True)


def kept(path: Path, suffix: str) -> Path:
    """Name a file that is kept of a chapter's execution."""
    return EXECUTED / path.relative_to(BOOK).with_suffix(suffix)


def _valid(path: Path) -> tuple[NotebookNode, dict] | None:
    """Give the kept execution of a chapter if it would come out the same now."""
    notebook, record = kept(path, ".ipynb"), kept(path, ".json")
    if not (notebook.exists() and record.exists()):
        return None
    content = json.loads(record.read_text("utf-8"))
    if content["inputs"] != _inputs(path, read(path), content["files"]):
        return None
    return read(notebook), content


def _run(path: Path) -> tuple[NotebookNode, dict]:
    print(f"  {path.stem}: executing", flush=True)
    start = time.time()
    notebook, record = execute(path, "page")
    keep(path, notebook, record, start)
    print(f"  {path.stem}: {record['cells']} cells in {record['seconds']:.1f} s", flush=True)
    return notebook, record


def executed(paths: list[Path]) -> dict[Path, tuple[NotebookNode, dict]]:
    """Execute the chapters whose outputs may have changed, for a page without kernels.

    As many run at once as there are cores.

    Args:
        paths: The chapters.

    Returns:
        A dict from each chapter to its executed notebook and its record.

    Raises:
        ChapterError: One or more chapters failed; the others have been run and are kept.
    """
    results = {path: _valid(path) for path in paths}
    missing = [path for path in paths if results[path] is None]
    print(f"{len(missing)} of {len(paths)} chapters to execute", flush=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {path: pool.submit(_run, path) for path in missing}
    failures = [str(run.exception()) for run in runs.values() if run.exception()]
    if failures:
        raise ChapterError("\n\n".join(failures))
    return results | {path: run.result() for path, run in runs.items()}
