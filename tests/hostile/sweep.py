"""The sweep: each argument in turn replaced by hostile values, and what is asked of the outcome."""

import contextlib
import inspect
import random
import re
import traceback
import warnings
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from glassbox.support import isolated_seed
from glassbox.support.seeds import random_states
from hostile import valid
from hostile.callables import Public
from hostile.exempt import EXEMPTIONS, Exemption
from hostile.observed import differences, not_finite, parts
from hostile.values import NAMES, ROUNDED, Role, anything, integer, number, switch, text

_PACKAGE = str(Path(inspect.getfile(__import__("glassbox"))).parent)
# How many roundings of the result's type two right results may be apart.
_ROUNDINGS = 64


class Case(NamedTuple):
    """One call: valid but for the arguments named here, each with an expression and its kind."""

    public: Public
    given: tuple[tuple[str, str, str], ...] = ()  # argument, expression, kind

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={expression}" for name, expression, _ in self.given)
        return f"{self.public.name}({inside})"


class Outcome(NamedTuple):
    """What a call came to, and what it left changed."""

    result: dict[str, Any] | None
    error: Exception | None
    left: tuple[str, ...]


# What is asked of the arguments


@cache
def parameters(public: Public) -> dict[str, inspect.Parameter]:
    """Give the arguments that a caller gives."""
    function = _owner(public.owner) if public.is_returned else public.function
    try:
        found = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}
    if public.is_method:
        found.pop("self")
    return found


def role(public: Public, parameter: inspect.Parameter) -> Role:
    """Find the role of an argument: by its names, from the longest, and by its annotation."""
    keys = list(_keys(public, parameter.name))
    for key in keys:
        if key in valid.ROLES:
            return valid.ROLES[key]
    simple = {bool: switch, str: text, int: lambda: integer(1), float: lambda: number(0.5)}
    if parameter.annotation in simple:
        return simple[parameter.annotation]()
    if parameter.default is not parameter.empty and parameter.default is None:
        return anything(lambda: None)
    raise LookupError(
        f"{public.name} has an argument {parameter.name!r} of which the sweep knows no valid "
        f"value: add its role to ROLES in tests/hostile/valid.py, as {keys[0]!r}"
    )


def _keys(public: Public, name: str) -> Iterator[str]:
    """Name the places of a role. What a constructor takes says nothing of a method's argument."""
    room, *_, last = public.name.split(".")
    yield f"{public.name}.{name}"
    if public.is_method:
        bases = [f"{room}.{base.__name__}" for base in public.owner.function.__mro__]
        yield from (f"{base}.{last}.{name}" for base in bases)
        if name not in parameters(public.owner):
            yield from (f"{base}.{name}" for base in bases)
    elif inspect.isclass(public.function):
        yield from (f"{room}.{base.__name__}.{name}" for base in public.function.__mro__)
    yield f"{room}.{name}"
    yield name


def valid_arguments(public: Public) -> dict[str, Any]:
    """Make a valid value of each argument."""
    return {name: role(public, one).make() for name, one in parameters(public).items()}


def cases(public: Public, *, exempted: bool = False) -> list[Case]:
    """List the cases of a callable: the valid call, then one for each expression."""
    found = [Case(public)]
    for name, parameter in parameters(public).items():
        for expression, kind in _expressions(role(public, parameter), parameter):
            case = Case(public, ((name, expression, kind),))
            if exempted or not exempt(case, "sweep"):
                found.append(case)
    return found


def combinations(public: Public, count: int, draws: random.Random) -> list[Case]:
    """Draw cases in which two or three arguments at once are not the valid ones."""
    by_name: dict[str, list[Case]] = {}
    for case in cases(public)[1:]:
        by_name.setdefault(case.given[0][0], []).append(case)
    if len(by_name) < 2:
        return []
    drawn = []
    for _ in range(count):
        names = draws.sample(sorted(by_name), min(draws.choice((2, 2, 3)), len(by_name)))
        drawn.append(Case(public, tuple(draws.choice(by_name[name]).given[0] for name in names)))
    return drawn


def _expressions(role: Role, parameter: inspect.Parameter) -> Iterator[tuple[str, str]]:
    for kind in ("wrong", "misfit", "same", "odd"):
        for expression in dict.fromkeys(getattr(role, kind)):
            optional = expression == "None" and parameter.default is None
            yield expression, "odd" if optional else kind


def exempt(case: Case, rule: str) -> bool:
    """Say whether a rule does not hold for a case."""
    return any(one.rule == rule and matches(one, case) for one in EXEMPTIONS)


def matches(exemption: Exemption, case: Case) -> bool:
    """Say whether an exemption is for a case: for it alone, or for all of its callable."""
    return any(fnmatchcase(name, exemption.pattern) for name in (case.public.name, str(case)))


# One call


def _call(public: Public, owner: Any, arguments: Mapping[str, Any]) -> Any:
    """Call with arguments by name, those of ``*args`` in their place."""
    positional, named, found = [], {}, parameters(public)
    before_many = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in found.values())
    for name, one in found.items():
        if one.kind is inspect.Parameter.VAR_POSITIONAL:
            positional += arguments[name]
            before_many = False
        elif one.kind is inspect.Parameter.VAR_KEYWORD:
            named |= arguments[name]
        elif before_many or one.kind is inspect.Parameter.POSITIONAL_ONLY:
            positional.append(arguments[name])
        else:
            named[name] = arguments[name]
    if public.owner is None:
        return public.function(*positional, **named)
    if public.is_returned:
        return owner(*positional, **named)
    inside = owner if hasattr(owner, "__enter__") else contextlib.nullcontext()
    method = public.name.rpartition(".")[2]
    with inside:
        if isinstance(owner, nn.Module) and method == "forward":
            return owner(*positional, **named)
        result = getattr(owner, method)(*positional, **named)
        return owner if result is None and not method.startswith("__") else result


def _owner(public: Public | None) -> Any:
    """Make what a method is called on, or a function that is returned."""
    if public is None:
        return None
    if public.name in valid.MADE:
        return valid.MADE[public.name]()
    return _call(public, None, valid_arguments(public))


def _settled(result: Any, arguments: Mapping[str, Any]) -> Any:
    """Go through a block or an iterator, so that all of it has happened."""
    if isinstance(result, contextlib.AbstractContextManager) and hasattr(result, "gen"):
        with result as inside:
            gradients = _use(arguments.get("model"))
        return [inside, gradients]
    if inspect.isgenerator(result) or (hasattr(result, "__next__") and hasattr(result, "__iter__")):
        return [one for one, _ in zip(result, range(100), strict=False)]
    return result


def _use(model: Any) -> list[Tensor] | None:
    """Run a model forward and backward, as a caller does inside a block."""
    if not isinstance(model, nn.Module):
        return None
    before = {name: one.clone() for name, one in model.state_dict().items()}
    model(valid.rgb()).square().sum().backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    model.load_state_dict(before)
    return gradients


def run(case: Case) -> Outcome:
    """Make one call with fresh values, and note what it left changed."""
    arguments = valid_arguments(case.public)
    with isolated_seed(0, deterministic=False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, expression, _ in case.given:
            arguments[name] = eval(expression, {**NAMES, "v": arguments[name]})
        owner, before = _owner(case.public.owner), dict(parts(arguments, given=True))
        state = _global_state()
        result = error = None
        try:
            result = dict(parts(_settled(_call(case.public, owner, arguments), arguments)))
        except Exception as raised:
            error = raised
        now = dict(parts(arguments, given=True))
        left = differences(state, _global_state()) and ["global"]
    changed = differences(before, now)
    left += ["hooks"] * any(name.endswith(".hooks") for name in changed)
    return Outcome(result, error, tuple(left + ["unchanged"] * bool(changed)))


def _global_state() -> dict[str, Any]:
    """Read what a call has to leave as it was, for all that come after it."""
    hooks = [hooks for name, hooks in vars(nn.modules.module).items() if name.endswith("_hooks")]
    return dict(parts(random_states())) | {
        "default dtype": str(torch.get_default_dtype()),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "hooks of all modules": sum(map(len, hooks)),
    }


# What is asked of the outcome


@cache
def valid_result(public: Public, argument: str = "", expression: str = "v") -> Outcome:
    """Make the valid call, or that with one argument rounded as another type rounds it."""
    return run(Case(public, ((argument, expression, "same"),) if argument else ()))


def complaints(case: Case) -> list[str]:
    """Say in a line each what is wrong with the outcome of a case."""
    outcome = run(case)
    changes = {"global": "global states", "hooks": "hooks", "unchanged": "an argument"}
    found = [f"changed {changes[rule]}" for rule in outcome.left if not exempt(case, rule)]
    if not case.given:
        if outcome.error is not None:
            return [_line(case, outcome, "expected the valid call to return")]
        if not_finite(outcome.result) and not exempt(case, "finite"):
            found.append(f"{', '.join(not_finite(outcome.result))} is not finite")
    elif outcome.error is not None:
        found += _judge_refusal(case, outcome.error)
    else:
        found += _judge_result(case, outcome.result)
    return [_line(case, outcome, complaint) for complaint in found]


def _judge_refusal(case: Case, error: Exception) -> list[str]:
    """Refusals name an argument and have a documented type, unless the caller's code raised."""
    if _raised_by_caller(error) or exempt(case, "torch"):
        return []
    names = " or ".join(name for name, _, _ in case.given)
    expected = f"expected ValueError or TypeError that names {names}"
    known = _documented(case.public) | {"ValueError", "TypeError"}
    if not known & {one.__name__ for one in type(error).__mro__}:
        return [expected]
    message = str(error)
    if exempt(case, "name"):
        return []
    if isinstance(error, OSError) and error.filename is not None:
        return []
    if not any(re.search(rf"\b{re.escape(word)}\b", message) for word in _words(case)):
        return [expected]
    return (
        [f"expected a shorter message than {len(message)} letters"] if len(message) > 1000 else []
    )


def _words(case: Case) -> set[str]:
    """Which names a message may use: of the argument; of any where one has to fit another."""
    found, words = parameters(case.public), set()
    for name, expression, kind in case.given:
        words.add(name)
        if kind in ("misfit", "odd") or len(case.given) > 1:
            words |= set(found)
        if found[name].kind is inspect.Parameter.VAR_KEYWORD:
            words |= set(
                map(str, eval(expression, {**NAMES, "v": role(case.public, found[name]).make()}))
            )
    return words


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
    kinds = {kind for _, _, kind in case.given}
    names = " or ".join(name for name, _, kind in case.given if kind in ("wrong", "misfit"))
    odd = not_finite(result)
    if kinds & {"wrong", "misfit"}:
        hostile = any(re.search(r"\b(nan|inf)\b", expression) for _, expression, _ in case.given)
        if hostile and odd and exempt(case, "passes on"):
            return []
        return [f"expected ValueError or TypeError that names {names}"]
    if odd and not exempt(case, "finite"):
        return [f"{', '.join(odd[:3])} is not finite"]
    if kinds != {"same"} or len(case.given) > 1:
        return []
    ((name, expression, _),) = case.given
    rounded = ROUNDED.get(expression, "v")
    right = valid_result(case.public, name, rounded)
    if right.result is None:
        return []
    unequal = differences(result, right.result, _ROUNDINGS * _rounding(expression))
    return (
        [f"{', '.join(unequal[:3]) or 'the result'} is not that of {name}={rounded}"]
        if unequal
        else []
    )


def _rounding(expression: str) -> float:
    half = {"v.half()": torch.float16, "v.bfloat16()": torch.bfloat16}
    return torch.finfo(half.get(expression, torch.float32)).eps


def _line(case: Case, outcome: Outcome, complaint: str) -> str:
    """Show a case in one line that can be tried again, what came of it and what was expected."""
    if outcome.error is not None:
        error = outcome.error
        message = " ".join(str(error).split())
        what = f"raised {type(error).__name__}: {message[:150]}"
    else:
        shown = " ".join(repr(list(outcome.result.values())).split())
        what = f"returned {shown[:80]}"
    return f"{_shown(case)} {what}; {complaint}"


def _shown(case: Case) -> str:
    """Write a case with the values where they are short."""
    inside = []
    for name, expression, _ in case.given:
        text = expression
        if re.search(r"\bv\b", expression):
            made = role(case.public, parameters(case.public)[name]).make()
            value = eval(expression, {**NAMES, "v": made})
            text = (
                repr(value)
                if len(repr(value)) <= 50 and " at 0x" not in repr(value)
                else expression
            )
        inside.append(f"{name}={text}")
    return f"{case.public.name}({', '.join(inside)})"
