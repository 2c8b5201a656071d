"""Chapters as files: which ones exist, how they are kept canonical, what belongs to a cell."""

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import yaml
from nbformat import NotebookNode, ValidationError
from PIL import Image

from glassbox.support import files

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
CELL_KEYS = ("jupyter", "mystnb", "tags")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# What explore puts out for a page. glassbox.explorables names it, too, but takes long to load.
PLAYER = "application/vnd.glassbox.player+html"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class ChapterError(Exception):
    """A chapter is not, or did not run, as it should."""


def listed() -> list[str]:
    """List the pages of _toc.yml, as paths without suffixes, in reading order."""

    def pages(entry):
        for key in ("root", "file"):
            if key in entry:
                yield entry[key]
        for key in ("parts", "chapters", "sections"):
            for child in entry.get(key, []):
                yield from pages(child)

    try:
        return list(pages(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))))
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise ChapterError(f"_toc.yml is not a table of contents: {error}") from error


def chapters() -> list[Path]:
    """List the notebooks among the pages, in reading order."""
    paths = [ROOT / f"{page}.ipynb" for page in listed()]
    return [path for path in paths if path.exists()]


def read(path: Path) -> NotebookNode:
    return parse(path.read_bytes(), path)


def parse(content: bytes, path: Path) -> NotebookNode:
    """Read the content of a chapter's file, which an editor may have left half written."""
    try:
        return nbformat.reads(content.decode("utf-8"), as_version=4)
    except (ValueError, LookupError, AttributeError, TypeError, ValidationError) as error:
        raise ChapterError(f"{path.name} is not a whole notebook: {error}") from error


def write(notebook: NotebookNode, path: Path) -> bool:
    """Write a notebook if that changes the file; return whether it did."""
    return write_text(path, stored_form(notebook))


def stored_form(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook) + "\n"


def write_text(path: Path, text: str) -> bool:
    """Write a text if that changes the file, whole or not at all; return whether it did."""
    if path.exists() and path.read_bytes() == text.encode():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)
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


def formatted(content: bytes, path: Path) -> str:
    """Format the code cells of what is, or will be, in a chapter's file."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(path), "-"]
    done = subprocess.run(command, cwd=ROOT, input=content, capture_output=True)
    if done.returncode:
        raise ChapterError(f"{path.name} cannot be formatted: {done.stderr.decode().strip()}")
    return done.stdout.decode()
