"""A chapter becomes text and a chapter again, and neither is lost on the way."""

import chapters
import pytest
import text as tool
from chapters import canonical, code_cells, read, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

CODE = "print(6 * 7)"
PRINTED = new_output("stream", name="stdout", text="42\n")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the tool on a chapter of a folder of its own: run("to-text")."""
    monkeypatch.setattr(chapters, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "BOOK", tmp_path)
    monkeypatch.setattr("alone.ROOT", tmp_path)
    cells = [new_markdown_cell("# Title"), new_code_cell(CODE, outputs=[PRINTED])]
    write(canonical(new_notebook(cells=cells)), tmp_path / "first.ipynb")

    def called(direction, name="first"):
        monkeypatch.setattr("sys.argv", ["text.py", direction, name])
        tool.main()

    return called


def edit(path, old, new):
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_a_cell_that_is_not_edited_keeps_its_outputs(run, tmp_path):
    before = (tmp_path / "first.ipynb").read_bytes()
    run("to-text")
    run("to-text")  # it says the same
    run("to-notebook")
    assert (tmp_path / "first.ipynb").read_bytes() == before
    assert not (tmp_path / "first.text.md").exists()
    run("to-text")
    edit(tmp_path / "first.text.md", "6 * 7", "6*8")
    run("to-notebook")
    (cell,) = code_cells(read(tmp_path / "first.ipynb"))
    assert cell.source == "print(6 * 8)" and cell.outputs == []


def test_text_that_was_edited_is_not_written_over(run, tmp_path):
    run("to-text")
    edit(tmp_path / "first.text.md", "# Title", "# Mine")
    with pytest.raises(SystemExit, match=r"book/first\.text\.md is there already, and differs"):
        run("to-text")
    assert "# Mine" in (tmp_path / "first.text.md").read_text("utf-8")


def test_code_that_is_not_python_leaves_the_chapter_and_the_text(run, tmp_path):
    before = (tmp_path / "first.ipynb").read_bytes()
    run("to-text")
    edit(tmp_path / "first.text.md", CODE, "print(")
    with pytest.raises(SystemExit, match=r"first\.ipynb cannot be formatted: .*parse"):
        run("to-notebook")
    assert (tmp_path / "first.ipynb").read_bytes() == before
    assert "print(\n" in (tmp_path / "first.text.md").read_text("utf-8")


def test_what_is_no_notebook_is_named(run, tmp_path):
    (tmp_path / "first.ipynb").write_text('{"cells": [')
    with pytest.raises(SystemExit, match=r"first\.ipynb is not a whole notebook"):
        run("to-text")
    with pytest.raises(SystemExit, match=r"There is no other\.ipynb"):
        run("to-text", "other")
