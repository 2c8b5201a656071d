"""Chapters broken here on purpose prove that the tests of the real ones would notice."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import rules
from chapters import ROOT, ChapterError, canonical, code_cells, keep_equal_pictures, pixels, write
from execution import execute
from figures_of_tests import recoded, shifted
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytestmark = pytest.mark.notebook

WAVE = """
import numpy as np
from glassbox.plotting.figures import figure

def wave(count=1):
    made, ax = figure(alt=f"A wave with {count} crests.")
    ax.plot(np.sin(count * np.linspace(0, 6, 200)))
    return made

wave(2)
"""
EXPLORE = "from glassbox.explorables import explore\nexplore(wave, name='a wave', count=(1, 5))"
PROGRESS = """
from glassbox.support import progress_bar

with progress_bar(3) as advance:
    for step in range(3):
        advance(f"step {step}")
"""
STUB = """
check = lambda candidate: print("Solved" if candidate(1) == 2 else "Not yet: add one.")

def add_one(number):
    ...

check(add_one)
"""
SOLUTION = "def add_one(number):\n    return number + 1\n\ncheck(add_one)"
FIGURE = {"mystnb": {"figure": {"caption": "A wave.", "name": "fig-wave"}}}
FOLDED = {"tags": ["solution", "hide-cell"], "jupyter": {"source_hidden": True}}
CELLS = {
    "text": new_code_cell("print('three layers')"),
    "number": new_code_cell("1 / 3"),
    "picture": new_code_cell(WAVE.strip(), metadata=FIGURE),
    "explorable": new_code_cell(EXPLORE, metadata=FIGURE),
    "progress": new_code_cell(PROGRESS.strip()),
    "error": new_code_cell("[][1]", metadata={"tags": ["raises-exception"]}),
    "ignored": new_code_cell("assert id(1)\nid(1)", metadata={"tags": ["nbval-ignore-output"]}),
    "exercise": new_code_cell(STUB.strip(), metadata={"tags": ["exercise"]}),
    "solution": new_code_cell(SOLUTION, metadata=FOLDED),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A chapter with one cell of each kind, executed and stored as `make refresh` does it."""
    path = tmp_path_factory.mktemp("a chapter") / "whole.ipynb"
    write(new_notebook(cells=[new_markdown_cell("# Whole"), *CELLS.values()]), path)
    write(execute(path, "live")[0], path)
    return path


@pytest.fixture
def chapter(stored):
    """A copy of the stored chapter to break, and its code cells by what they show."""
    return copy_of(stored)


def copy_of(stored: Path):
    notebook = nbformat.read(stored, as_version=4)
    return notebook, dict(zip(CELLS, code_cells(notebook), strict=True))


def whole(cells):
    """Leave it as it is."""


def rounded_elsewhere(cells):
    cells["number"].outputs[0].data["text/plain"] = "0.33331"
    picture = cells["picture"].outputs[0].data
    picture["image/png"] = shifted(picture["image/png"], 1)


def wrong(cells):
    cells["text"].outputs[0].text = "four layers\n"
    cells["number"].outputs[0].data["text/plain"] = "0.3343"
    picture = cells["picture"].outputs[0].data
    picture["image/png"] = shifted(picture["image/png"], 20)
    cells["error"].outputs[0].evalue = "another message"
    cells["solution"].outputs[0].text = "Not yet: add one.\n"


def stale_still(cells):
    """The still shows another start; one cell raises, and another does not though it should."""
    start = cells["explorable"].outputs[0].data
    start["image/png"] = cells["picture"].outputs[0].data["image/png"]
    cells["text"].source = "raise RuntimeError('on purpose')"
    cells["error"].source = "pass"


def stale_controls(cells):
    data = cells["explorable"].outputs[0].data
    assert "count 1–5" in data["text/plain"]
    data["text/plain"] = data["text/plain"].replace("count 1–5", "count 1–9")


@pytest.fixture(scope="module")
def failures(stored, tmp_path_factory):
    """The cells that fail in each kind of broken chapter, as `make test` runs them."""
    folder = tmp_path_factory.mktemp("broken chapters")
    for breaking in (whole, rounded_elsewhere, wrong, stale_still, stale_controls):
        notebook, cells = copy_of(stored)
        breaking(cells)
        write(notebook, folder / f"{breaking.__name__}.ipynb")
    options = ["-p", "nbval_strict", "--nbval", "--nbval-cell-timeout=300", "-rA", "--tb=no", "-q"]
    path = [str(Path(__file__).parent), str(ROOT / "tools"), os.environ.get("PYTHONPATH", "")]
    here = {"PYTHONPATH": os.pathsep.join(path), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", str(folder)]
    ran = subprocess.run(
        command, cwd=folder, env=os.environ | here, capture_output=True, text=True, timeout=600
    )
    results = re.findall(r"^(PASSED|FAILED) (\w+)\.ipynb::Cell (\d+)", ran.stdout, re.MULTILINE)
    assert len(results) == 5 * len(CELLS), ran.stdout + ran.stderr
    names = list(CELLS)
    failed = [(kind, names[int(cell)]) for result, kind, cell in results if result == "FAILED"]
    return lambda breaking: {cell for kind, cell in failed if kind == breaking.__name__}


ALL_RULES = [
    rules.executed_in_order,
    rules.outputs_of_this_code,
    rules.clean_outputs,
    rules.alt_texts,
    rules.captions,
    rules.short_cells,
    rules.ignored_outputs_asserted,
    rules.exercises_solved,
]


def broken_rules(notebook) -> set[str]:
    return {rule.__name__ for rule in ALL_RULES if list(rule(notebook))}


def test_a_whole_chapter_passes(failures, chapter, stored):
    notebook, _ = chapter
    assert failures(whole) == set()
    assert broken_rules(notebook) == set()
    assert nbformat.writes(canonical(notebook)) + "\n" == stored.read_text("utf-8")


def test_what_another_processor_rounds_differently_passes(failures):
    assert failures(rounded_elsewhere) == set()


def test_wrong_outputs_are_caught(failures):
    assert failures(wrong) == {"text", "number", "picture", "error", "solution"}


def test_a_stale_player_is_caught_by_its_still(failures):
    assert "explorable" in failures(stale_still)


def test_a_stale_player_is_caught_by_its_controls(failures):
    assert failures(stale_controls) == {"explorable"}


def test_cells_that_raise_and_cells_that_should_are_caught(failures):
    assert failures(stale_still) == {"explorable", "text", "error"}


@pytest.mark.parametrize(
    ("source", "tags", "message"),
    [
        ("'kept'\nraise RuntimeError('on purpose')", [], "on purpose"),
        ("pass", ["raises-exception"], "should raise and does not"),
        ("import os; os._exit(1)", [], "died"),
    ],
)
def test_a_build_stops_at_a_cell_that_raises_or_should(source, tags, message, tmp_path):
    path = tmp_path / "broken.ipynb"
    write(new_notebook(cells=[new_code_cell(source, metadata={"tags": tags})]), path)
    with pytest.raises(ChapterError, match=rf"(?s)broken\.ipynb.*{message}"):
        execute(path, "page")


# The outputs come 5 s after the kernel has said that it is through, as on a very busy machine.
LATE = """
import sys, time

sys.stdout.flush_timeout = sys.stderr.flush_timeout = 0
get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(5))
display("late")
"""


def test_a_build_waits_for_outputs_that_come_late(tmp_path):
    path = tmp_path / "late.ipynb"
    write(new_notebook(cells=[new_code_cell(LATE)]), path)
    ((output,),) = (cell.outputs for cell in code_cells(execute(path, "page")[0]))
    assert output.data["text/plain"] == "'late'"


def test_stored_pictures_are_kept_where_their_pixels_are(chapter):
    fresh, cells = chapter
    old = nbformat.from_dict(fresh)
    mine = cells["picture"].outputs[0].data
    same = recoded(mine["image/png"])
    assert same != mine["image/png"] and (pixels(same) == pixels(mine["image/png"])).all()
    dict(zip(CELLS, code_cells(old), strict=True))["picture"].outputs[0].data["image/png"] = same
    keep_equal_pictures(fresh, old)
    assert mine["image/png"] == same


def remove_alt(cells):
    cells["picture"].outputs[0].data["text/plain"] = "<Figure size 640x480 with 1 Axes>"


def remove_caption(cells):
    del cells["picture"].metadata["mystnb"]


def skip_a_number(cells):
    cells["number"].execution_count = 7


def edit_code(cells):
    cells["text"].source = "print('two layers')"


def store_a_path(cells):
    cells["text"].outputs[0].text = f"saved in {ROOT}/model.pt"


def store_a_time(cells):
    cells["text"].outputs[0].text = "trained in 12.3 s"


def store_a_warning(cells):
    cells["text"].outputs[0] = nbformat.v4.new_output("stream", name="stderr", text="deprecated")


def write_a_long_cell(cells):
    cells["ignored"].source += "\n1" * rules.LINES


def drop_the_assertion(cells):
    cells["ignored"].source = "id(1)"
    cells["exercise"].source = cells["exercise"].source.replace("assert", "")


def give_the_answer_away(cells):
    cells["exercise"].outputs[0].text = "Solved"


def leave_the_solution_wrong(cells):
    cells["solution"].outputs[0].text = "Not yet: add one."


def unfold_the_solution(cells):
    cells["solution"].metadata["tags"] = ["solution"]


def forget_the_solution(cells):
    cells["solution"].metadata["tags"] = []


@pytest.mark.parametrize(
    ("breaking", "rule"),
    [
        (remove_alt, rules.alt_texts),
        (remove_caption, rules.captions),
        (skip_a_number, rules.executed_in_order),
        (edit_code, rules.outputs_of_this_code),
        (store_a_path, rules.clean_outputs),
        (store_a_time, rules.clean_outputs),
        (store_a_warning, rules.clean_outputs),
        (write_a_long_cell, rules.short_cells),
        (drop_the_assertion, rules.ignored_outputs_asserted),
        (give_the_answer_away, rules.exercises_solved),
        (leave_the_solution_wrong, rules.exercises_solved),
        (unfold_the_solution, rules.exercises_solved),
        (forget_the_solution, rules.exercises_solved),
    ],
    ids=lambda value: value.__name__,
)
def test_a_broken_rule_is_caught(chapter, breaking, rule):
    notebook, cells = chapter
    breaking(cells)
    assert rule.__name__ in broken_rules(notebook)


def test_what_is_not_canonical_is_caught(chapter, stored):
    notebook, cells = chapter
    cells["text"].metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    assert nbformat.writes(canonical(notebook)) + "\n" == stored.read_text("utf-8")
    assert nbformat.writes(notebook) + "\n" != stored.read_text("utf-8")
