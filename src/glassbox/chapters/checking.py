"""Turn the cases of an exercise into a check that tells the reader what is still wrong."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch

Candidate = Callable[..., Any]


class Case(NamedTuple):
    """One thing a solution must get right.

    ``text`` names the call for the reader, ``call`` makes it, and ``expected`` is the right result.
    """

    text: str
    call: Callable[[], Any]
    expected: Any


def exercise(cases: Callable[[Candidate], Iterator[Case]]) -> Callable[[Candidate], None]:
    """Make a check from a generator of cases.

    The check runs the reader's function case by case and prints one line: ``Solved`` with the
    number of cases, or ``Not yet`` with the first case that differs. An exception in the reader's
    function is part of that line, so that a notebook with an unsolved exercise runs to its end.

    Args:
        cases: A generator function that takes the candidate and yields :class:`Case` objects.

    Returns:
        A function that takes the candidate and prints the line.
    """

    @functools.wraps(cases)
    def check(candidate: Candidate) -> None:
        complaints = (_complaint(case) for case in cases(candidate))
        seen = 0
        for complaint in complaints:
            if complaint:
                print(f"Not yet: {complaint}")
                return
            seen += 1
        print(f"Solved: all {seen} cases agree.")

    return check


def _complaint(case: Case) -> str | None:
    try:
        result = case.call()
    except Exception as error:
        return f"{case.text} raises {type(error).__name__}: {error}"
    if _agree(result, case.expected):
        return None
    return f"{case.text} gives {_short(result)}, expected {_short(case.expected)}."


def _agree(result: Any, expected: Any) -> bool:
    if isinstance(expected, torch.Tensor | float):
        try:
            torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)
        except (AssertionError, TypeError, ValueError):
            return False
        return True
    return type(result) is type(expected) and result == expected


def _short(value: Any) -> str:
    if isinstance(value, torch.Tensor) and value.numel() > 6:
        return f"a tensor of shape {tuple(value.shape)} with sum {value.sum().item():.4g}"
    return repr(value.detach() if isinstance(value, torch.Tensor) else value)
