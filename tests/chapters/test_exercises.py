"""Each exercise accepts solutions, and tells in one line what is wrong with plausible mistakes."""

from importlib import import_module
from pathlib import Path

import pytest

CHAPTERS = sorted(path.stem for path in (Path(__file__).parent / "solutions").glob("*.py"))
SOLUTIONS, MISTAKES = (
    [
        pytest.param(chapter, *case, id=f"{chapter}-{case[0]}-{i}")
        for chapter in CHAPTERS
        for i, case in enumerate(getattr(import_module(f"solutions.{chapter}"), kind))
    ]
    for kind in ("SOLUTIONS", "MISTAKES")
)


@pytest.fixture
def said(capsys):
    """What the check of an exercise prints about a candidate."""

    def answer(chapter, name, candidate):
        exercises = import_module(f"glassbox.chapters.{chapter}.exercises")
        getattr(exercises, f"check_{name}")(candidate)
        return capsys.readouterr().out

    return answer


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_a_solution_and_a_mistake(chapter):
    exercises = import_module(f"glassbox.chapters.{chapter}.exercises")
    names = {name.removeprefix("check_") for name in vars(exercises) if name.startswith("check_")}
    for cases in (SOLUTIONS, MISTAKES):
        assert {case.values[1] for case in cases if case.values[0] == chapter} == names


@pytest.mark.parametrize(("chapter", "name", "solution"), SOLUTIONS)
def test_a_solution_is_accepted(chapter, name, solution, said):
    assert said(chapter, name, solution).startswith("Solved: all ")


@pytest.mark.parametrize(("chapter", "name", "mistake", "complaint"), MISTAKES)
def test_a_mistake_is_told_what_is_wrong(chapter, name, mistake, complaint, said):
    line = said(chapter, name, mistake)
    assert line.startswith("Not yet: ") and complaint in line
    assert "expected" in line or "raises" in line


@pytest.mark.parametrize(("chapter", "name", "solution"), SOLUTIONS)
def test_a_stub_is_not_accepted(chapter, name, solution, said):
    assert said(chapter, name, lambda *_, **__: None).startswith("Not yet: ")
