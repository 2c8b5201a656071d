"""Every exercise of the book accepts what is right in any form, and knows what is wrong.

What each has to accept and reject is in ``solutions``: at least three right answers, the first of
them as in the chapter, and at least two wrong ones with a piece of what the reader is told.
"""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from glassbox import chapters
from glassbox.chapters.checking import Exercise

EXERCISES = {
    (chapter, name.removeprefix("check_")): exercise
    for chapter in sorted(
        path.parent.name for path in Path(*chapters.__path__).glob("*/exercises.py")
    )
    for name, exercise in vars(import_module(f"glassbox.chapters.{chapter}.exercises")).items()
    if isinstance(exercise, Exercise)
}
ANSWERS = {
    (path.stem, name): answers
    for path in sorted((Path(__file__).parent / "solutions").glob("*.py"))
    for name, answers in import_module(f"solutions.{path.stem}").ANSWERS.items()
}


def half(result, kind=torch.float16):
    """Round floats to a half type, and keep whole numbers, which it would not hold."""
    tensor = torch.as_tensor(result)
    return tensor.to(kind) if tensor.is_floating_point() else tensor


FORMS = {
    "float64": lambda result: torch.as_tensor(result).double(),
    "float32 with a graph": lambda result: torch.as_tensor(result).float().requires_grad_(),
    "bfloat16": lambda result: half(result, torch.bfloat16),
    "an array": lambda result: np.array(result),
    "an array of float16": lambda result: half(result).numpy(),
    "a list": lambda result: torch.as_tensor(result).tolist(),
    "a tuple of tensors": lambda result: (*t,) if (t := torch.as_tensor(result)).ndim else t,
    "a view": lambda result: torch.stack([torch.as_tensor(result)] * 2, -1)[..., 0],
    "sparse": lambda result: torch.as_tensor(result).to_sparse(),
}


def of_each(kind):
    """Give a test the exercises, each with one of its answers."""
    cases = [
        pytest.param(
            exercise, *(one if isinstance(one, tuple) else (one,)), id=f"{'-'.join(at)}-{i}"
        )
        for at, exercise in EXERCISES.items()
        for i, one in enumerate(ANSWERS[at][kind].items() if kind == "wrong" else ANSWERS[at][kind])
    ]
    return pytest.mark.parametrize(
        ("exercise", "piece", "answer") if kind == "wrong" else ("exercise", "answer"), cases
    )


every_exercise = pytest.mark.parametrize(
    "exercise", EXERCISES.values(), ids=["-".join(at) for at in EXERCISES]
)


def test_every_exercise_has_answers_right_and_wrong():
    assert ANSWERS.keys() == EXERCISES.keys()
    short = [at for at, one in ANSWERS.items() if len(one["right"]) < 3 or len(one["wrong"]) < 2]
    assert short == []


@of_each("right")
def test_a_right_answer_is_accepted_whatever_is_drawn(exercise, answer):
    for seed in range(5):
        assert exercise.verdict(answer, seed).startswith("Solved: all ")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("exercise", "answer"),
    [(EXERCISES[at], ANSWERS[at]["right"][0]) for at in EXERCISES if not EXERCISES[at].observe],
    ids=["-".join(at) for at in EXERCISES if not EXERCISES[at].observe],
)
def test_a_right_answer_is_accepted_in_any_form(exercise, answer, form):
    assert exercise.verdict(lambda *args: form(answer(*args)), 0).startswith("Solved: all ")


@of_each("wrong")
def test_a_wrong_answer_is_told_what_it_looks_like(exercise, piece, answer):
    verdict = exercise.verdict(answer, 0)
    assert verdict.startswith("Not yet: ") and piece in verdict


@every_exercise
def test_every_mistake_gets_its_own_sentence(exercise):
    assert len(exercise.mistakes) >= 2
    for sentence, mistake in exercise.mistakes.items():
        assert exercise.verdict(mistake, 0).endswith(sentence)
        assert re.fullmatch(r"[^!]{20,180}\.", sentence) and "  " not in sentence, sentence


@every_exercise
def test_a_stub_is_not_accepted(exercise):
    assert exercise.verdict(lambda *_, **__: None).startswith("Not yet: ")


@every_exercise
def test_a_table_of_the_fixed_cases_is_not_accepted(exercise):
    """The cheat is right as often as the fixed cases call it, and then returns nothing."""
    calls = 0

    def counted(*args, **named):
        nonlocal calls
        calls += 1
        return exercise.reference(*args, **named)

    def cheat(*args, **named):
        nonlocal calls
        calls -= 1
        return exercise.reference(*args, **named) if calls >= 0 else None

    fixed, _ = exercise.trials(0)
    for trial in fixed:
        exercise._outcome(counted, trial)
    verdict = exercise.verdict(cheat)
    assert verdict.startswith(f"Not yet: right in {len(fixed)} cases, but not in one drawn")


@every_exercise
def test_the_cases_are_the_same_each_time_and_what_is_drawn_is_not(exercise):
    first, second = (exercise.trials(seed) for seed in (0, 1))
    fixed, drawn = (
        [repr([one.args for one in some]) for some in both]
        for both in zip(first, second, strict=True)
    )
    assert fixed[0] == fixed[1] and drawn[0] != drawn[1]
