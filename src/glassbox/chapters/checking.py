"""Turn the cases of an exercise into a check that tells the reader what is still wrong."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch

from glassbox.support.seeds import isolated_seed

Candidate = Callable[..., Any]


class Case(NamedTuple):
    """One thing that a solution must get right.

    ``text`` names the call for the reader, ``args`` are its arguments, and ``expected`` is its
    right result. Where more than a call is to be checked, a function in place of ``args`` takes
    the solution and returns what is compared.
    """

    text: str
    args: tuple[Any, ...] | Callable[[Candidate], Any]
    expected: Any


def exercise(
    read: Callable[[Any], Any] | None = None,
) -> Callable[[Callable[[], Iterator[Case]]], Callable[[Candidate], None]]:
    """Make a check from a generator function of cases; ``read`` converts each result before.

    The check calls the reader's function case by case and prints one line: ``Solved`` with the
    number of cases, or ``Not yet`` with the first case that differs. An exception in the reader's
    function becomes part of that line, so that a notebook with an unsolved exercise runs to its
    end. All cases are made from seed 0, and the random state is left alone.
    """

    def decorate(cases: Callable[[], Iterator[Case]]) -> Callable[[Candidate], None]:
        @functools.wraps(cases)
        def check(candidate: Candidate) -> None:
            with isolated_seed(0, deterministic=False):
                print(_verdict(cases(), candidate, read))

        return check

    return decorate


def _verdict(cases: Iterator[Case], candidate: Candidate, read: Callable | None) -> str:
    count = 0
    for case in cases:
        try:
            given = case.args
            result = given(candidate) if callable(given) else candidate(*given)
            result = read(result) if read else result
        except Exception as error:
            return f"Not yet: {case.text} raises {type(error).__name__}: {error}"
        if not _agree(result, case.expected):
            return f"Not yet: {case.text} gives {_short(result)}, expected {_short(case.expected)}."
        count += 1
    return f"Solved: all {count} cases agree."


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
