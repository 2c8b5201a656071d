"""Chapters as files: which ones exist, how they are kept canonical, what belongs to a cell."""

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import yaml
from nbformat import NotebookNode
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
CELL_KEYS = ("jupyter", "mystnb", "tags")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# What explore puts out for a page. glassbox.explorables names it, too, but takes long to load.
PLAYER = "application/vnd.glassbox.player+html"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def listed() -> list[str]:
    """List the pages of _toc.yml, as paths without suffixes, in reading order."""

    def pages(entry):
        for key in ("root", "file"):
            if key in entry:
                yield entry[key]
        for key in ("parts", "chapters", "sections"):
            for child in entry.get(key, []):
                yield from pages(child)

    return list(pages(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))))


def chapters() -> list[Path]:
    """List the notebooks among the pages, in reading order."""
    paths = [ROOT / f"{page}.ipynb" for page in listed()]
    return [path for path in paths if path.exists()]


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def write(notebook: NotebookNode, path: Path) -> bool:
    """Write a notebook if that changes the file; return whether it did."""
    return write_text(path, nbformat.writes(notebook) + "\n")


def write_text(path: Path, text: str) -> bool:
    """Write a text if that changes the file, whole or not at all; return whether it did."""
    content = text.encode()
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # Hidden, so that what a killed process leaves is no page.
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return True


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def may_raise(cell: NotebookNode) -> bool:
    return "raises-exception" in tags(cell)


def code_hash(notebook: NotebookNode) -> str:
    """Hash what determines the outputs of a notebook: its code, and which cells may raise."""
    code = [(cell.source, may_raise(cell)) for cell in code_cells(notebook)]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()


def pixels(png: str) -> np.ndarray:
    """Decode a stored picture into uint8 (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def canonical(notebook: NotebookNode) -> NotebookNode:
    """Convert an executed notebook into the one form that is stored.

    Only what the book uses is kept: no widget state, no times, and only those lines of a traceback
    that point into the notebook. Cell ids stay, unless they are missing or used twice. The
    notebook's ``glassbox.code`` is the hash of the code that produced its outputs.
    """
    cells, ids = [], set()
    for cell in notebook.cells:
        kept = {"cell_type": cell.cell_type, "source": cell.source}
        kept["metadata"] = {key: cell.metadata[key] for key in CELL_KEYS if key in cell.metadata}
        if "attachments" in cell:
            kept["attachments"] = cell.attachments
        kept["id"] = cell.get("id")
        if not kept["id"] or kept["id"] in ids:
            kept["id"] = hashlib.sha256(f"{len(cells)} {cell.source}".encode()).hexdigest()[:8]
        ids.add(kept["id"])
        if cell.cell_type == "code":
            kept["execution_count"] = cell.execution_count
            kept["outputs"] = [_output(output) for output in _join_streams(cell.outputs)]
        cells.append(NotebookNode(kept))
    metadata = {
        "glassbox": notebook.metadata.get("glassbox", {}),
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
    }
    return nbformat.from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def _join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join adjacent outputs of one stream, which a kernel splits at random."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            joined.append(NotebookNode(output))
    return joined


def _output(output: NotebookNode) -> NotebookNode:
    if output.output_type == "error":
        frames = [ANSI.sub("", frame) for frame in output.traceback]
        here = [frame for frame in frames[:-1] if frame.startswith("Cell In[")]
        output.traceback = [*here, *frames[-1:]]
    if "data" in output:
        output.data.pop("application/vnd.jupyter.widget-view+json", None)
        output.metadata = {key: value for key, value in output.metadata.items() if value}
    return output


def keep_equal_pictures(new: NotebookNode, old: NotebookNode) -> None:
    """Keep stored pictures where the new ones have the same pixels, so that diffs stay small."""
    stored = {cell.source: cell.outputs for cell in code_cells(old)}
    for cell in code_cells(new):
        for mine, theirs in zip(cell.outputs, stored.get(cell.source, []), strict=False):
            a, b = (output.get("data", {}).get("image/png") for output in (mine, theirs))
            if a and b and np.array_equal(pixels(a), pixels(b)):
                mine.data["image/png"] = b


def format_code(paths: list[Path]) -> None:
    """Format the code cells of notebooks with ruff."""
    for path in paths:
        command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(path), "-"]
        text = path.read_bytes()
        done = subprocess.run(command, cwd=ROOT, input=text, stdout=subprocess.PIPE, check=True)
        write_text(path, done.stdout.decode())
