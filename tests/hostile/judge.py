"""What is asked of the outcome of a case: a right result, or a refusal that names the argument."""

import inspect
import re
import traceback
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

import glassbox
from hostile import valid
from hostile.callables import Public
from hostile.observed import differences, not_finite
from hostile.sweep import Case, Outcome, exempt, parameters, run, value_of
from hostile.values import ROUNDED

_PACKAGE = str(Path(glassbox.__file__).parent)
_CHANGES = {"global": "global states", "hooks": "hooks", "unchanged": "an argument"}
# How many roundings of the result's type two right results may be apart.
_ROUNDINGS = 64
_LONGEST_MESSAGE = 1000  # letters: a whole model is no part of a message


def complaints(case: Case) -> list[str]:
    """Say in a line each what is wrong with the outcome of a case."""
    outcome = run(case)
    found = [f"changed {_CHANGES[rule]}" for rule in outcome.left if not _may(case, rule)]
    if outcome.error is None:
        found += _judge_result(case, outcome.result)
    elif case.given:
        found += _judge_refusal(case, outcome.error)
    else:
        found.append("expected a valid call to return")
    return [_line(case, outcome, complaint) for complaint in found]


def _may(case: Case, rule: str) -> bool:
    """Say whether a call may leave something changed."""
    draws = rule == "global" and case.defaults and "generator" in parameters(case.public)
    return draws or exempt(case, rule)


def _expected(case: Case) -> str:
    names = " or ".join(name for name, _, kind in case.given if kind != "same")
    return f"expected ValueError or TypeError that names {names or case.given[0][0]}"


def _judge_refusal(case: Case, error: Exception) -> list[str]:
    """Refusals name an argument and have a documented type, unless the caller's code raised."""
    if _raised_by_caller(error) or exempt(case, "torch"):
        return []
    known = _documented(case.public) | {"ValueError", "TypeError"}
    if not known & {one.__name__ for one in type(error).__mro__}:
        return [_expected(case)]
    named = exempt(case, "name") or (isinstance(error, OSError) and error.filename is not None)
    if not named and not any(re.search(rf"\b{word}\b", str(error)) for word in _words(case)):
        return [_expected(case)]
    too_long = len(str(error)) > _LONGEST_MESSAGE
    return [f"expected a message of at most {_LONGEST_MESSAGE} letters"] * too_long


def _words(case: Case) -> set[str]:
    """Give what a message may name: the argument or a key in it; any, where one has to fit it."""
    found, words = parameters(case.public), set()
    for name, expression, kind in case.given:
        words |= {name, *_keys(value_of(case.public, name, expression))}
        if kind in ("misfit", "odd") or len(case.given) > 1:
            words |= set(found)
    return set(map(re.escape, words - {""}))


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from map(str, value)
        for one in value.values():
            yield from _keys(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _keys(one)


def _documented(public: Public) -> set[str]:
    """Read the names of errors from the docstrings of a callable and of its class."""
    texts = [inspect.getdoc(public.function) or ""]
    if public.owner is not None:
        texts.append(inspect.getdoc(public.owner.function) or "")
    documented = {name for text in texts for name in re.findall(r"\b([A-Z]\w*Error)\b", text)}
    return documented | ({"IndexError"} if public.name.endswith("__getitem__") else set())


def _raised_by_caller(error: Exception) -> bool:
    """Say whether the last to run, of the package and the caller's own code, was the latter."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == valid.__file__:
            return True
        if frame.filename.startswith(_PACKAGE):
            return False
    return False


def _judge_result(case: Case, result: dict[str, Any]) -> list[str]:
    """A result is that of the valid call where it has to be, and finite."""
    broken = not_finite(result)
    if {kind for _, _, kind in case.given} & {"wrong", "misfit"}:
        infinite = any(re.search(r"\b(nan|inf)\b", expression) for _, expression, _ in case.given)
        passed_on = infinite and broken and exempt(case, "passes on")
        return [] if passed_on else [_expected(case)]
    if broken and not exempt(case, "finite"):
        return [f"{', '.join(broken[:3])} is not finite"]
    if case.float64 and not exempt(case, "float64"):
        return _compare_with_valid(case.public, result)
    if len(case.given) != 1 or case.given[0][2] != "same":
        return []
    ((name, expression, _),) = case.given
    return _compare_with_valid(case.public, result, name, expression)


def _compare_with_valid(
    public: Public, result: dict[str, Any], name: str = "", expression: str = "v"
) -> list[str]:
    reference = ROUNDED.get(expression, "v")
    right = _valid_result(public, name, reference)
    half = {"v.half()": torch.float16, "v.bfloat16()": torch.bfloat16}
    rounding = torch.finfo(half.get(expression, torch.float32)).eps
    # Where the valid call fails, that is the complaint.
    unequal = right and differences(result, right, _ROUNDINGS * rounding)
    if not unequal:
        return []
    valid_call = f"{name}={reference}" if name else "the valid call"
    return [f"{', '.join(unequal[:3]) or 'the result'} is not that of {valid_call}"]


@cache
def _valid_result(public: Public, argument: str, expression: str) -> dict[str, Any] | None:
    """Make the valid call, or that with one argument rounded as another type rounds it."""
    given = ((argument, expression, "same"),) if argument else ()
    return run(Case(public, given)).result


def _line(case: Case, outcome: Outcome, complaint: str) -> str:
    """Show a case in one line that can be tried again, what came of it and what was expected."""
    if outcome.error is not None:
        message = " ".join(str(outcome.error).split())
        what = f"raised {type(outcome.error).__name__}: {message[:150]}"
    else:
        shown = " ".join(repr(list(outcome.result.values())).split())
        what = f"returned {shown[:80]}"
    return f"{_shown(case)} {what}; {complaint}"


def _shown(case: Case) -> str:
    """Write a case with the values where they are short."""
    given = []
    for name, expression, kind in case.given:
        value = repr(value_of(case.public, name, expression))
        short = len(value) <= 50 and " at 0x" not in value and "\n" not in value
        given.append((name, value if short else expression, kind))
    return str(case._replace(given=tuple(given)))
