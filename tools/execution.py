"""Execute chapters: each in its own kernel, several at a time, and only those that need it."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from importlib.metadata import version
from pathlib import Path

import nbformat
from chapters import (
    BOOK,
    ROOT,
    ChapterError,
    canonical,
    code_cells,
    code_hash,
    may_raise,
    read,
    write_text,
)
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode

EXECUTED = ROOT / "_build" / "executed"
DATA = (".js", ".css", ".csv", ".json", ".pyi")  # what the package reads beside its modules
FIXED = ("requirements.txt", "requirements.lock", "tools/execution.py")  # what all depend on
PATIENCE = 300  # seconds, for a cell, the start of a kernel and each of its answers
PACKAGES = ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "matplotlib", "jupyter-book")
# Run after a chapter: prints the files of the modules that it loaded.
LOADED = """
import json as _json, sys as _sys
_files = [getattr(_module, "__file__", None) for _module in list(_sys.modules.values())]
print(_json.dumps([_file for _file in _files if _file]))
"""


def execute(path: Path, mode: str) -> tuple[NotebookNode, dict]:
    """Run a notebook in a new kernel, in its own folder, as for a reader.

    Args:
        path: The notebook.
        mode: What ``explore`` does: ``live``, or ``page`` for what a page needs beside it.

    Returns:
        The notebook in canonical form, and its record.

    Raises:
        ChapterError: A cell raises, or a cell tagged ``raises-exception`` does not, or something
            changed that the chapter had perhaps loaded already.
    """
    before = hashes()
    notebook = without_outputs(read(path))
    notebook.cells.append(nbformat.v4.new_code_cell(LOADED))
    times: list[float] = []
    client = NotebookClient(
        notebook,
        timeout=PATIENCE,
        startup_timeout=PATIENCE,
        iopub_timeout=PATIENCE,  # after 4 s nbclient would go on without the outputs
        raise_on_iopub_timeout=True,
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
    except (CellExecutionError, CellTimeoutError, RuntimeError) as error:  # or no kernel, or dead
        raise ChapterError(f"{path.name}: {_where(notebook, times)}\n{error}") from error
    loaded = notebook.cells.pop().outputs[0].text
    for cell in code_cells(notebook):
        if may_raise(cell) and all(output.output_type != "error" for output in cell.outputs):
            raise ChapterError(f"{path.name}: this cell should raise and does not:\n{cell.source}")
    seconds = [end - start for start, end in zip(times[::2], times[1::2], strict=True)][:-1]
    return canonical(notebook), record_of(path, notebook, seconds, loaded, before)


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


def record_of(
    path: Path, notebook: NotebookNode, seconds: list[float], loaded: str, before: dict[str, str]
) -> dict:
    """Put down how a chapter ran.

    Args:
        path: The chapter.
        notebook: What was executed.
        seconds: Of each code cell.
        loaded: What ``LOADED`` printed at the end.
        before: The ``hashes`` of all files when it began.

    Returns:
        Seconds in all and of the slowest cell, the files of this repository that the kernel
        loaded, what the outputs depend on, and the versions it ran with.

    Raises:
        ChapterError: Something changed while it ran.
    """
    files = _ours(json.loads(loaded))
    then, now = (_inputs(notebook, files, found) for found in (before, hashes()))
    edited = sorted(name for name in then | now if then.get(name) != now.get(name))
    if edited:
        raise ChapterError(f"{path.name}: {', '.join(edited)} changed while it ran: start again.")
    return {
        "seconds": sum(seconds),
        "slowest": max(seconds, default=0.0),
        "cells": len(seconds),
        "files": files,
        "inputs": now,
        "versions": {"python": sys.version.split()[0]} | {name: version(name) for name in PACKAGES},
    }


def _where(notebook: NotebookNode, times: list[float]) -> str:
    number = (len(times) + 1) // 2
    return f"code cell {number} of {len(code_cells(notebook)) - 1} fails"


def _ours(files: Iterable[str]) -> list[str]:
    """List the files that are in this repository but not in the environment inside it."""
    inside = (Path(file).resolve() for file in files)
    relative = (path.relative_to(ROOT) for path in inside if path.is_relative_to(ROOT))
    return sorted(str(path) for path in relative if _is_ours(path.parts[0]))


def _is_ours(name: str) -> bool:
    """Tell a folder of this repository from what is installed in it, as by a reader's own venv."""
    installed = any((ROOT / name / mark).exists() for mark in ("pyvenv.cfg", "conda-meta"))
    return not (installed or name.startswith((".", "_")) or name == "node_modules")


def hashes() -> dict[str, str]:
    """Hash all files that the outputs of some chapter depend on: modules, data and pins."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and _is_ours(path.name)]
    modules = [file for folder in folders for file in folder.rglob("*.py")]
    data = [file for file in (ROOT / "src").rglob("*") if file.suffix in DATA]
    files = {*modules, *data, *(ROOT / name for name in FIXED)}
    return {str(file.relative_to(ROOT)): _file_hash(file) for file in files}


def _file_hash(file: Path) -> str:
    try:
        return _hash(file.read_bytes())
    except FileNotFoundError:
        return "absent"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _inputs(notebook: NotebookNode, files: list[str], found: dict[str, str]) -> dict[str, str]:
    """List everything that the outputs of a chapter depend on.

    That is its code; the modules that it loaded, and all of the package that is no module: scripts,
    styles, tables and weights; the pinned requirements and the installed versions; this module; and
    environment settings.
    """
    data = [name for name in found if not name.endswith(".py")]
    inputs = {name: found.get(name, "absent") for name in (*FIXED, *data, *files)}
    inputs |= {name: version(name) for name in PACKAGES} | {"python": sys.version}
    inputs |= {k: v for k, v in os.environ.items() if k.startswith("GLASSBOX_")}
    return inputs | {"code": code_hash(notebook)}


def keep(path: Path, notebook: NotebookNode, record: dict) -> None:
    """Keep an execution for as long as it would come out the same.

    Args:
        path: The chapter.
        notebook: The same, executed in the mode ``page``, in canonical form.
        record: How that went.
    """
    text = nbformat.writes(notebook)
    discard(path)
    write_text(kept(path, ".ipynb"), text)
    write_text(kept(path, ".json"), json.dumps(record | {"sum": _sum(text, record)}, indent=1))


def _sum(text: str, record: dict) -> str:
    """Hash an execution and its record, so that damage to either is seen."""
    return _hash((text + json.dumps(record, sort_keys=True)).encode())


def discard(path: Path) -> None:
    """Forget the kept execution of a chapter."""
    kept(path, ".json").unlink(missing_ok=True)


def kept(path: Path, suffix: str) -> Path:
    """Name a file that is kept of a chapter's execution."""
    return EXECUTED / path.relative_to(BOOK).with_suffix(suffix)


def _valid(path: Path, found: dict[str, str]) -> tuple[NotebookNode, dict] | None:
    """Give the kept execution of a chapter if it is whole and would come out the same now."""
    try:
        text = kept(path, ".ipynb").read_text("utf-8")
        record = json.loads(kept(path, ".json").read_text("utf-8"))
        whole = record.pop("sum") == _sum(text, record)
    except (OSError, ValueError, LookupError, AttributeError, TypeError):  # absent or damaged
        return None
    if not whole or record["inputs"] != _inputs(read(path), record["files"], found):
        return None
    return nbformat.reads(text, as_version=4), record


def _run(path: Path) -> tuple[NotebookNode, dict]:
    print(f"  {path.stem}: executing", flush=True)
    notebook, record = execute(path, "page")
    keep(path, notebook, record)
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
    found = hashes()
    results = {path: _valid(path, found) for path in paths}
    missing = [path for path in paths if results[path] is None]
    print(f"{len(missing)} of {len(paths)} chapters to execute", flush=True)
    pool = ThreadPoolExecutor(os.cpu_count())
    runs = {path: pool.submit(_run, path) for path in missing}
    wait(runs.values())
    pool.shutdown()
    failures = [str(run.exception()) for run in runs.values() if run.exception()]
    if failures:
        raise ChapterError("\n\n".join(failures))
    return results | {path: run.result() for path, run in runs.items()}
