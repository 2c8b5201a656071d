"""Turn a chapter into MyST Markdown to edit it, and back: python tools/text.py to-text CHAPTER."""

import sys
from pathlib import Path

import jupytext
import nbformat
from alone import building
from chapters import BOOK, ChapterError, canonical, formatted, read, stored_form, write_text
from nbformat import NotebookNode

# Without these, jupytext would leave out metadata that it considers transient.
ALL = {"jupytext": {"cell_metadata_filter": "all", "notebook_metadata_filter": "all"}}


def to_text(chapter: Path, text: Path) -> None:
    """Write the chapter as text, unless that would replace what has been edited there."""
    notebook = read(chapter)
    notebook.metadata.update(ALL)
    made = jupytext.writes(notebook, fmt="md:myst")
    if text.exists() and text.read_text("utf-8") != made:
        raise ChapterError(f"book/{text.name} is there already, and differs: store or remove it.")
    write_text(text, made)


def to_notebook(text: Path, chapter: Path) -> None:
    """Store the text as the chapter; cells that did not change keep their outputs and ids."""
    notebook = jupytext.read(text, fmt="md:myst")
    if chapter.exists():
        _recover(notebook, read(chapter))
    content = stored_form(canonical(notebook)).encode()
    write_text(chapter, formatted(content, chapter))


def _recover(notebook: NotebookNode, stored: NotebookNode) -> None:
    left: dict[tuple[str, str], list[NotebookNode]] = {}
    for cell in stored.cells:
        left.setdefault((cell.cell_type, cell.source), []).append(cell)
    for cell in notebook.cells:
        same = left.get((cell.cell_type, cell.source))
        cell.id = same[0].id if same else nbformat.v4.new_raw_cell().id
        if same and cell.cell_type == "code":
            cell.outputs, cell.execution_count = same[0].outputs, same[0].execution_count
        if same:
            same.pop(0)


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("Name a chapter: make text CHAPTER=cnn")
    direction, name = sys.argv[1:]
    chapter, text = BOOK / f"{name}.ipynb", BOOK / f"{name}.text.md"
    source = chapter if direction == "to-text" else text
    if not source.exists():
        sys.exit(f"There is no {source.name} in book/.")
    try:
        if direction == "to-text":
            to_text(chapter, text)
            print(f"Edit book/{text.name}, then: make notebook CHAPTER={name}")
            return
        with building():
            to_notebook(text, chapter)
            text.unlink()
        print(f"book/{chapter.name} is up to date. If code changed: make refresh CHAPTER={name}")
    except ChapterError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
