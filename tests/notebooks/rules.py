"""The rules for every stored chapter: each takes a notebook and yields what is wrong."""

import ast
import re
from collections.abc import Iterator

from chapters import ROOT, code_cells, code_hash, tags
from nbformat import NotebookNode

LINES = 30
PATH = re.compile(
    rf"{re.escape(str(ROOT))}|(?<![\w/.])/(?:home|Users|root|tmp|var|opt|usr|private)/|"
    r"\b[A-Z]:\\\w|site-packages|\.venv"
)
TIMING = re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|µs|us|ns)\b|\b\d+\.\d+ ?s(?:ec)?\b|it/s\b|Wall time")
MARKDOWN_IMAGE = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt=.\w)[^>]*>")


def executed_in_order(notebook: NotebookNode) -> Iterator[str]:
    for expected, cell in enumerate(code_cells(notebook), 1):
        if cell.execution_count != expected:
            yield f"[{cell.execution_count}] should be [{expected}]: {_start(cell)}"


def outputs_of_this_code(notebook: NotebookNode) -> Iterator[str]:
    if notebook.metadata.get("glassbox", {}).get("code") != code_hash(notebook):
        yield "the code was edited after its outputs were stored"


def clean_outputs(notebook: NotebookNode) -> Iterator[str]:
    """No local paths, no warnings, no times: nothing that another run would not repeat."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            text = _text(output)
            if output.get("name") == "stderr" or "Warning:" in text:
                yield f"a warning: {_start(cell)}"
            for what, pattern in (("a path", PATH), ("a time", TIMING)):
                if found := pattern.search(text):
                    yield f"{what}, {found[0]!r}: {_start(cell)}"


def alt_texts(notebook: NotebookNode) -> Iterator[str]:
    """Each picture has a sentence: in the cell's metadata, or beside it as plain text."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and MARKDOWN_IMAGE.search(cell.source):
            yield f"an image in the text without alt text: {_start(cell)}"
        given = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for output in _pictures(cell):
            alt = given or output.data.get("text/plain", "")
            if len(alt) < 12 or alt.startswith("<"):
                yield f"a picture without alt text: {_start(cell)}"


def captions(notebook: NotebookNode) -> Iterator[str]:
    """Each picture has a caption and a name to refer to it by."""
    for cell in notebook.cells:
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if list(_pictures(cell)) and not (figure.get("caption") and figure.get("name")):
            yield f"a picture without caption and name: {_start(cell)}"


def short_cells(notebook: NotebookNode) -> Iterator[str]:
    for cell in code_cells(notebook):
        lines = len(cell.source.splitlines())
        if lines > LINES:
            yield f"{lines} lines, {LINES} at most: {_start(cell)}"


def ignored_outputs_asserted(notebook: NotebookNode) -> Iterator[str]:
    """What is not compared is asserted instead: in the cell, or in the code cell after it."""
    cells = code_cells(notebook)
    for i, cell in enumerate(cells):
        if "nbval-skip" in tags(cell) or "NBVAL_" in cell.source:
            yield f"nbval-skip and comments to nbval are not used: {_start(cell)}"
        if "nbval-ignore-output" in tags(cell) and not any(map(_asserts, cells[i : i + 2])):
            yield f"the output is not compared, and nothing asserted: {_start(cell)}"


def exercises_solved(notebook: NotebookNode) -> Iterator[str]:
    """Each stub is checked and fails; a folded cell after it defines the same name, and is right.

    What the checks print is read from the stored outputs, which are compared with a fresh run.
    """
    waiting: dict[str, NotebookNode] = {}
    for cell in code_cells(notebook):
        name = _defined(cell)
        printed = "".join(_text(output) for output in cell.outputs).lower()
        if "exercise" in tags(cell):
            waiting[name] = cell
            if not printed.startswith("not yet"):
                yield f"the check of a stub should print 'Not yet': {_start(cell)}"
        if "solution" in tags(cell):
            if not waiting.pop(name, None):
                yield f"a solution without an exercise before it: {_start(cell)}"
            if not printed.startswith("solved"):
                yield f"the check of a solution should print 'Solved': {_start(cell)}"
            if "hide-cell" not in tags(cell) or not cell.metadata.get("jupyter"):
                yield f"a solution that is not folded: {_start(cell)}"
    for cell in waiting.values():
        yield f"an exercise without a solution: {_start(cell)}"


def _pictures(cell: NotebookNode) -> Iterator[NotebookNode]:
    for output in cell.get("outputs", []):
        if any(form.startswith("image/") for form in output.get("data", {})):
            yield output


def _text(output: NotebookNode) -> str:
    data = output.get("data", {})
    texts = [data[form] for form in data if form.startswith("text/")]
    error = [*output.get("traceback", []), output.get("evalue", "")]
    return "\n".join([output.get("text", ""), *texts, *error]).strip()


def _asserts(cell: NotebookNode) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source)))


def _defined(cell: NotebookNode) -> str:
    body = ast.parse(cell.source).body
    return next((n.name for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)), "")


def _start(cell: NotebookNode) -> str:
    return repr(cell.source[:60])
