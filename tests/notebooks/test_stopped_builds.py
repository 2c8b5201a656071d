"""A build that is stopped, at whatever moment, leaves nothing that the next one believes.

`KILLS=30` stops 30 builds instead of 1, at moments drawn from the seed of the order of tests.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chapters import ROOT, canonical, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytestmark = pytest.mark.notebook

CONFIG = """
only_build_toc_files: true
execute: {execute_notebooks: "off"}
sphinx:
  config:
    extensions: [sphinx_comments, myst_nb, jupyter_book, sphinx_external_toc, sphinx_book_theme]
    html_theme: basic
    html_theme_options: {}
    html_sidebars: {}
"""
CONTENTS = "format: jb-book\nroot: book/first\nchapters: [{file: book/second}]\n"
# Loaded at the start of each Python: counts what it does to files of the build, and sends a signal
# when it is about to do the n-th of these things, or the first to a file of some name.
KILLER = """
import atexit, os, pathlib, signal, sys

asked = os.environ.get("KILL", "").split()
script = pathlib.Path(sys.orig_argv[1]).name if len(sys.orig_argv) > 1 else ""
here = pathlib.Path(__file__).parent
done = 0

def watch(event, args):
    global done
    if event not in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "subprocess.Popen"):
        return
    if "_build" in str(args[0]) or event == "subprocess.Popen":
        done += 1
        if asked[1] in (str(done), pathlib.Path(str(args[0])).name):
            asked[1] = "nothing more"
            (here / "killed").write_text(str(os.getpid()))
            whole, number = asked[3] == "group", int(asked[2])
            os.killpg(0, number) if whole else os.kill(os.getpgrp(), number)
            if asked[3] == "builder-of-a-sleeper":
                os.kill(os.getpid(), signal.SIGSTOP)

if asked and asked[0] == script:
    sys.addaudithook(watch)
    atexit.register(lambda: (here / f"{script}.count").write_text(str(done)))
"""
# Holds a lock as long as its input is open.
HOLDER = """
import sys
sys.path.insert(0, "tools")
from alone import alone
with alone(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""
STOPS = [
    (signal.SIGINT, "group"),  # Ctrl-C
    (signal.SIGTERM, "builder"),
    (signal.SIGKILL, "group"),
    (signal.SIGKILL, "builder"),  # what it has started goes on
]
BUSY = "Another build is running here"


class SmallBook:
    """A book of a chapter and a page that both name its edition, made with the real tools."""

    def __init__(self, folder: Path):
        self.folder, self.killer = folder, folder / "killer"
        shutil.copytree(ROOT / "tools", folder / "tools")
        self.killer.mkdir()
        (folder / "book").mkdir()
        for name, text in (
            ("_config.yml", CONFIG),
            ("_toc.yml", CONTENTS),
            ("requirements.txt", ""),
            ("requirements.lock", ""),
            ("killer/sitecustomize.py", KILLER),
        ):
            (folder / name).write_text(text)

    def edit(self, edition: int, fault: str = "") -> None:
        code = f"print('edition', {edition})" + ("\n1 / 0" if fault == "code" else "")
        cells = [new_markdown_cell("# First"), new_code_cell(code)]
        write(canonical(new_notebook(cells=cells)), self.folder / "book" / "first.ipynb")
        below = "\n### Too deep\n" if fault == "page" else ""
        (self.folder / "book" / "second.md").write_text(f"# Second\n\nedition {edition}\n{below}")

    def run(self, tool: str, kill: str = "") -> tuple[int, str]:
        # Into a file, since a pipe would be open until the last process has ended.
        with (self.folder / "said").open("w+") as said:
            process = subprocess.run(
                [sys.executable, f"tools/{tool}.py"],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(self.killer), "KILL": kill},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            said.seek(0)
            return process.returncode, said.read()

    def make(self, kill: str = "") -> tuple[int, str]:
        """Make the book, as soon as nothing of an earlier build goes on."""
        for _ in range(1000):
            status, said = self.run("book", kill)
            if BUSY not in said:
                return status, said
            time.sleep(0.2)
        raise TimeoutError(said)

    def was_killed(self) -> int | None:
        """Give the process that sent the signal, if one has been sent."""
        killed = self.killer / "killed"
        process = int(killed.read_text()) if killed.exists() else None
        killed.unlink(missing_ok=True)
        return process

    def published(self) -> dict[str, bytes]:
        places = (self.folder / "_build" / name for name in ("html", "html.old"))
        place = next(place for place in places if place.exists())
        files = [file for file in place.rglob("*") if file.is_file()]
        return {str(file.relative_to(place)): file.read_bytes() for file in files}

    def editions(self) -> set[str]:
        pages = self.published()
        shown = [pages[f"book/{name}.html"].decode() for name in ("first", "second")]
        return {page.split("edition ")[-1].split("<")[0].strip() for page in shown}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    small = SmallBook(tmp_path_factory.mktemp("a small book"))
    small.edit(0)
    return small


def test_killed_builds_leave_nothing_that_the_next_one_believes(small, request):
    draw = random.Random(request.config.option.order)
    things = {}
    for script in ("book.py", "render.py"):
        status, said = small.make(kill=f"{script} 0 0 nobody")
        assert status == 0, said
        things[script] = int((small.killer / f"{script}.count").read_text())
    edition, kills = 0, []
    while len(kills) < int(os.environ.get("KILLS", "1")):
        edition += 1
        fault, script = draw.choice(["", "page", "code"]), draw.choice(list(things))
        number, whom = draw.choice(STOPS)
        kill = f"{script} {draw.randint(1, things[script])} {number} {whom}"
        case = f"edition {edition}, fault in {fault or 'nothing'}, killed by {kill}"
        before = small.published()
        small.edit(edition, fault)
        small.make(kill)
        if small.was_killed():  # else it came to its end before
            kills.append(case)
        if fault:
            assert small.published() == before, case
            status, said = small.make()
            assert status == 1 and small.published() == before, (case, said)
            assert {"page": "Non-consecutive", "code": "ZeroDivision"}[fault] in said, (case, said)
            small.edit(edition)
        status, said = small.make()
        assert status == 0 and small.editions() == {str(edition)}, (case, said)
    print(*kills, f"{len(kills)} of {edition} builds were killed", sep="\n")


def test_what_was_parsed_is_believed_only_if_its_rendering_succeeded(small):
    small.edit(1001)
    assert small.make()[0] == 0
    small.edit(1002, "page")
    small.make("render.py second.html 9 group")
    assert small.was_killed(), "when all pages were parsed, and this one was about to be written"
    status, said = small.make()
    assert status == 1 and "Non-consecutive" in said and small.editions() == {"1001"}, said
    small.edit(1002)
    assert small.make()[0] == 0 and small.editions() == {"1002"}
    for file in (small.folder / "_build" / "rendering").rglob("*.doctree"):
        file.write_bytes(file.read_bytes()[:100])
    status, said = small.make()
    assert status == 0 and small.editions() == {"1002"}, said


def test_what_a_killed_build_has_started_is_waited_for(small):
    small.edit(2001)
    small.run("book", "render.py second.html 9 builder-of-a-sleeper")
    sleeper = small.was_killed()
    try:
        assert small.run("book")[1].startswith(BUSY)
    finally:
        os.kill(sleeper, signal.SIGKILL)
    assert small.make()[0] == 0 and small.editions() == {"2001"}


@pytest.mark.parametrize("busy", ["build", "tests"])
def test_beside_a_build_or_tests_another_build_ends_with_a_sentence(small, busy):
    command = [sys.executable, "-c", HOLDER, busy]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=small.folder, text=True, **pipes) as holder:
        assert holder.stdout.readline() == "held\n"
        (small.folder / "_build").mkdir(exist_ok=True)  # this test may be the first
        for tool in ("book", "refresh"):
            status, said = small.run(tool)
            assert status == 1 and said.startswith(BUSY) and said.count("\n") == 1
            (small.folder / "_build").rename(small.folder / "removed")  # as by `make clean`
            assert small.run(tool)[1].startswith(BUSY)
            shutil.rmtree(small.folder / "_build", ignore_errors=True)
            (small.folder / "removed").rename(small.folder / "_build")
        holder.stdin.close()
    assert BUSY not in small.make()[1]
