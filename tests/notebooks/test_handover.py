"""Each chapter is executed once: nbval judges it, and hands it over to the pages."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time

import execution
import handover
import nbformat
import pytest
from alone import BUSY
from chapters import PLAYER, ROOT, read, write
from execution import execute
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import book as book_tool
from glassbox.explorables import showing

pytestmark = pytest.mark.notebook

SHOW = f"""
import os
from IPython.display import display

shown = {{"text/plain": "a still"}}
if os.environ["GLASSBOX_EXPLORE"] == "page":
    shown["{PLAYER}"] = "<b>a player</b>"
print("before")
display(shown, raw=True)
print("after")
bar = display({{}}, raw=True, display_id=True)  # as a progress bar does
bar.update({{"text/html": "half"}}, raw=True)
bar.update({{}}, raw=True)
display({{"text/plain": "an ordinary", "text/html": "<i>output</i>"}}, raw=True)
"""
# What is tested here is what is handed over; that a book is made of it, is tested by its pages.
MAKE = """
from chapters import PLAYER, chapters, write_text
from execution import executed, kept
from pathlib import Path

html = Path("_build/html")
html.mkdir(parents=True, exist_ok=True)
executed(chapters())
"""
ASK = """
def test_page(book):
    assert book.is_dir()
"""
COPIED = (
    "tools/alone.py",
    "tools/chapters.py",
    "tools/execution.py",
    "conftest.py",
    "tests/notebooks/handover.py",
    "tests/notebooks/nbval_strict.py",
)
FILES = {
    "_toc.yml": "format: jb-book\nroot: book/first\nchapters: [{file: book/second}]\n",
    "requirements.txt": "",
    "tools/book.py": MAKE,
    "tests/browser/test_pages.py": ASK,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A book of two chapters, stored as `make refresh` does, with the real tools and tests."""
    folder = tmp_path_factory.mktemp("a book")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    for name, code in (("first", SHOW.strip()), ("second", "print(6 * 7)")):
        path = folder / "book" / f"{name}.ipynb"
        write(new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell(code)]), path)
        write(execute(path, "live")[0], path)
    return folder


def make_test(folder, *options, tested="--nbval") -> tuple[str, dict[str, str]]:
    """Run the tests of a book; give what they say, and their results by name."""
    here = {"PYTHONPATH": "tests/notebooks:tools", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "pytest", tested, "-p", "nbval_strict", "-rA", "-q"]
    quiet = ["-p", "no:cacheprovider", "--rootdir", str(folder)]
    ran = subprocess.run(
        [*command, *quiet, *options],
        cwd=folder,
        env=os.environ | here,
        capture_output=True,
        text=True,
        timeout=600,
    )
    found = re.findall(r"^(PASSED|FAILED|ERROR) (.*?)(?: - .*)?$", ran.stdout, re.MULTILINE)
    return ran.stdout + ran.stderr, {name: result for result, name in found}


@pytest.fixture(scope="module")
def passed(whole, tmp_path_factory):
    """The same book after all of its tests."""
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("passed") / "book")
    return folder, *make_test(folder, "tests/browser", "book")


@pytest.mark.parametrize("mode", ["--nbval", "--nbval-lax"])
def test_chapters_alone_are_tested_in_the_same_order_and_not_beside_others(whole, mode):
    with (whole / ".tests.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said, results = make_test(whole, "book", "--order=1", tested=mode)
    assert BUSY in said and results == {}


def kept(folder, name):
    return folder / "_build" / "executed" / name


def test_a_page_is_made_of_what_nbval_has_executed(passed):
    folder, said, results = passed
    assert set(results.values()) == {"PASSED"} and len(results) == 3, said
    for name in ("first", "second"):
        assert json.loads(kept(folder, f"{name}.tested").read_text())["problem"] == ""
        assert not kept(folder, f"{name}.log").exists(), "tools/execution.py has executed it again"


def test_it_is_what_a_build_would_have_executed(passed):
    folder, *_ = passed
    for name in ("first", "second"):
        fresh, record = execute(folder / "book" / f"{name}.ipynb", "page")
        assert kept(folder, f"{name}.ipynb").read_text("utf-8") == nbformat.writes(fresh)
        handed = json.loads(kept(folder, f"{name}.json").read_text())
        assert handed.keys() - record.keys() == {"sum"}
        assert (handed["cells"], handed["versions"]) == (record["cells"], record["versions"])
        assert 0 < handed["slowest"] <= handed["seconds"]


def test_a_chapter_that_fails_has_no_page_and_is_named(whole, tmp_path):
    folder = shutil.copytree(whole, tmp_path / "book")
    second = read(folder / "book" / "second.ipynb")
    second.cells[1].outputs[0].text = "43\n"
    write(second, folder / "book" / "second.ipynb")
    said, results = make_test(folder, "tests/browser", "book")
    assert results == {
        "book/first.ipynb::Cell 0": "PASSED",
        "book/second.ipynb::Cell 0": "FAILED",
        "tests/browser/test_pages.py::test_page": "ERROR",
    }
    assert "There is no book to open: second.ipynb fails under nbval: cell 0" in said
    assert kept(folder, "first.json").exists() and not kept(folder, "second.json").exists()


def test_a_player_takes_the_place_of_its_still_in_a_page(whole):
    path = whole / "book" / "first.ipynb"
    outputs = book_tool.merge(read(path), execute(path, "page")[0]).cells[1].outputs
    forms = [dict(output.data) for output in outputs if "data" in output]
    assert forms == [
        {"text/plain": "a still", "text/html": "<b>a player</b>"},
        {},
        {"text/plain": "an ordinary", "text/html": "<i>output</i>"},
    ]


def test_tools_and_package_agree_what_a_player_is():
    assert showing.PLAYER == PLAYER


@pytest.fixture
def notes(whole, tmp_path, monkeypatch):
    """Leave notes of chapters: notes("first", run="this")."""
    monkeypatch.setattr(execution, "BOOK", whole / "book")
    monkeypatch.setattr(execution, "EXECUTED", tmp_path)

    def leave(name, run="this", problem=""):
        path = tmp_path / f"{name}.tested"
        path.write_text(json.dumps({"run": run, "problem": problem}))
        return path

    return leave


def wait(whole, monkeypatch, patience):
    monkeypatch.setattr(handover, "SILENCE", patience)
    tested = [whole / "book" / f"{name}.ipynb" for name in ("first", "second")]
    return handover.wait_for_chapters(tested, "this")


def test_who_waits_hears_of_a_failure_before_the_other_chapters_are_through(
    whole, notes, monkeypatch
):
    notes("second", problem="it failed")
    assert wait(whole, monkeypatch, patience=60) == ["it failed"]


def test_notes_of_another_run_do_not_count_and_nobody_waits_for_ever(whole, notes, monkeypatch):
    old = notes("first", run="yesterday", problem="it failed")
    os.utime(old, (time.time() - 100, time.time() - 100))
    notes("second")
    assert wait(whole, monkeypatch, patience=0.1) == ["nothing is heard of first.ipynb"]
    notes("first")
    assert wait(whole, monkeypatch, patience=0.1) == []


def test_where_nbval_tests_nothing_nobody_waits():
    assert handover.wait_for_chapters([], "this") == []
