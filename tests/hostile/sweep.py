"""The sweep: each argument in turn replaced by hostile values, and the calls that are made so."""

import contextlib
import inspect
import random
import warnings
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from glassbox.support import isolated_seed
from glassbox.support.seeds import random_states
from hostile import valid
from hostile.callables import Public
from hostile.exempt import EXEMPTIONS, Exemption
from hostile.observed import differences, parts
from hostile.values import NAMES, Role, anything, integer, number, switch, text


class Case(NamedTuple):
    """One call: valid but for the arguments named here, each with an expression and its kind.

    With ``defaults`` all other arguments that have a default are left out; with ``float64`` that is
    the default type of tensors during the call.
    """

    public: Public
    given: tuple[tuple[str, str, str], ...] = ()  # argument, expression, kind
    defaults: bool = False
    float64: bool = False

    def __str__(self) -> str:
        inside = [f"{name}={expression}" for name, expression, _ in self.given]
        inside += ["defaults"] * self.defaults + ["float64"] * self.float64
        return f"{self.public.name}({', '.join(inside)})"


class Outcome(NamedTuple):
    """What a call came to, and what it left changed."""

    result: dict[str, Any] | None
    error: Exception | None
    left: tuple[str, ...]


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


def value_of(public: Public, argument: str, expression: str) -> Any:
    """Evaluate an expression of the valid value of an argument."""
    made = role(public, parameters(public)[argument]).make()
    return eval(expression, {**NAMES, "v": made})


def cases(public: Public, *, exempted: bool = False) -> list[Case]:
    """List the cases of a callable: valid calls, then one for each expression."""
    found = [Case(public), Case(public, defaults=True), Case(public, float64=True)]
    for name, parameter in parameters(public).items():
        for expression, kind in _expressions(role(public, parameter), parameter):
            found.append(Case(public, ((name, expression, kind),)))
    return [case for case in found if exempted or not exempt(case, "sweep")]


def combinations(public: Public, count: int, draws: random.Random) -> list[Case]:
    """Draw cases in which two or three arguments at once are not the valid ones."""
    by_name: dict[str, list[Case]] = {}
    for case in cases(public):
        if case.given:
            by_name.setdefault(case.given[0][0], []).append(case)
    if len(by_name) < 2:
        return []
    drawn = []
    defaults = not exempt(Case(public, defaults=True), "sweep")
    for _ in range(count):
        names = draws.sample(sorted(by_name), min(draws.choice((2, 2, 3)), len(by_name)))
        given = tuple(draws.choice(by_name[name]).given[0] for name in names)
        drawn.append(Case(public, given, defaults and draws.random() < 0.5))
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


def _call(public: Public, owner: Any, arguments: Mapping[str, Any]) -> Any:
    """Call with arguments by name, those of ``*args`` in their place."""
    positional, named, found = [], {}, parameters(public)
    before_many = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in found.values())
    for name, one in found.items():
        if name not in arguments:
            continue
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
    if case.defaults:
        left_out = {n for n, one in parameters(case.public).items() if one.default is not one.empty}
        for name in left_out - {name for name, _, _ in case.given}:
            del arguments[name]
    with isolated_seed(0, deterministic=False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, expression, _ in case.given:
            arguments[name] = eval(expression, {**NAMES, "v": arguments[name]})
        owner, before = _owner(case.public.owner), dict(parts(arguments, given=True))
        result = error = None
        with _default_type(torch.float64 if case.float64 else torch.float32):
            state = _global_state()
            try:
                result = dict(parts(_settled(_call(case.public, owner, arguments), arguments)))
            except Exception as raised:
                error = raised
            left = differences(state, _global_state()) and ["global"]
        now = dict(parts(arguments, given=True))
    changed = differences(before, now)
    left += ["hooks"] * any(name.endswith(".hooks") for name in changed)
    return Outcome(result, error, tuple(left + ["unchanged"] * bool(changed)))


@contextlib.contextmanager
def _default_type(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _global_state() -> dict[str, Any]:
    """Read what a call has to leave as it was, for all that come after it."""
    hooks = [hooks for name, hooks in vars(nn.modules.module).items() if name.endswith("_hooks")]
    return dict(parts(random_states())) | {
        "default dtype": str(torch.get_default_dtype()),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "hooks of all modules": sum(map(len, hooks)),
    }
