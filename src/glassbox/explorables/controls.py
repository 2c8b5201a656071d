"""The controls of an explorable, as plain values: what can be chosen, and what the reader sees."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from numbers import Integral, Real
from typing import Any, Literal

_Kind = Literal["slider", "dropdown", "toggle", "buttons"]
# As many as a slider of a usual width has pixels; a page draws far fewer, a kernel one at a time.
_MOST_STEPS = 1000


@dataclass(frozen=True)
class Control:
    """One control: a finite number of choices, one of which is chosen, at first number ``start``.

    An author names a choice by its option, ``draw`` receives its value, and the reader sees its
    label. ``label`` is what the reader sees as the control's name; the argument's name where empty.
    With ``play`` the page offers to run through the choices automatically.
    """

    kind: _Kind
    options: tuple[Any, ...]
    values: tuple[Any, ...]
    labels: tuple[str, ...]
    start: int
    label: str = ""
    play: bool = False

    @property
    def summary(self) -> str:
        """The choices in short: ``1–5`` for a slider, ``x|y`` for the others."""
        if self.kind == "slider":
            return f"{self.labels[0]}–{self.labels[-1]}"
        return "|".join(self.labels)

    def index(self, option: Any) -> int:
        """Find the index of a choice by its option: a number, an item, a key, or a bool."""
        for index, known in enumerate(self.options):
            if known is option or _equal(known, option):
                return index
        raise ValueError(f"start is {option!r}, expected one of {self.summary}")


def _equal(first: Any, second: Any) -> bool:
    """Compare, where an option may be an array, for which there is no single answer."""
    try:
        return bool(first == second)
    except (ArithmeticError, TypeError, ValueError, RuntimeError):
        return False


def _control(
    kind: _Kind,
    options: Sequence[Any],
    values: Sequence[Any],
    labels: Sequence[str],
    start: Any,
    argument: str = "options",
    **rest: Any,
) -> Control:
    """Make a control that starts at ``start``, or at its first choice where that is None."""
    if len(options) < 2:
        raise ValueError(f"{argument} is {list(options)}, expected two or more for a {kind}")
    (often, count), *_ = Counter(labels).most_common(1)
    if count > 1:
        raise ValueError(
            f"{argument} has {often!r} {count} times, expected choices that look different"
        )
    if not isinstance(rest.get("label", ""), str):
        raise TypeError(f"label is {rest['label']!r}, expected text")
    made = Control(kind, tuple(options), tuple(values), tuple(labels), 0, **rest)
    index = 0 if start is None else made.index(start)
    return Control(kind, made.options, made.values, made.labels, index, **rest)


def _with_unit(texts: Iterable[str], unit: str) -> list[str]:
    if not isinstance(unit, str):
        raise TypeError(f"unit is {unit!r}, expected text")
    space = "" if unit in ("", "%", "°", "×") else " "
    return [text + space + unit for text in texts]


def _exact(**numbers: Any) -> Decimal:
    """Read one number as its decimal digits say, so that 0.1 is a tenth."""
    ((name, number),) = numbers.items()
    number = number.item() if getattr(number, "ndim", None) == 0 else number
    if not isinstance(number, Real):
        raise TypeError(f"{name} is {number!r}, expected a number")
    try:
        exact = Decimal(str(number + 0))  # a bool as 0 or 1
    except InvalidOperation:
        raise TypeError(f"{name} is {number!r}, expected an int or a float") from None
    if not math.isfinite(exact):
        raise ValueError(f"{name} is {number}, expected a finite number")
    return exact


def _listed(**choices: Any) -> list[Any]:
    """List what is given under the name of its argument, unless it does not end soon."""
    ((name, value),) = choices.items()
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} is {value!r}, expected several choices")
    listed = list(islice(value, _MOST_STEPS + 2))
    if len(listed) > _MOST_STEPS + 1:
        raise ValueError(f"{name} has over {_MOST_STEPS + 1} choices, expected at most as many")
    return listed


def slider(
    low: float,
    high: float,
    step: float = 1,
    *,
    start: float | None = None,
    label: str = "",
    unit: str = "",
    play: bool = False,
) -> Control:
    """Make a slider over evenly spaced numbers, both ends included.

    Args:
        low: The smallest number.
        high: The largest number, a whole number of steps above ``low``.
        step: The distance between neighbors, above 0; integers give integers to ``draw``.
        start: The number at the start; by default the middle one.
        label: The name the reader sees; by default the argument's name.
        unit: Written after each number.
        play: Whether the page offers to run through the numbers automatically.

    Raises:
        TypeError: What should be a number or text is none.
        ValueError: The numbers do not make a range of 2 to 1,001, or ``start`` is not among them.
    """
    first, last, by = _exact(low=low), _exact(high=high), _exact(step=step)
    if by <= 0:
        raise ValueError(f"step is {step}, expected above 0")
    if last > first + _MOST_STEPS * by:
        raise ValueError(
            f"high is {high}, expected up to {_MOST_STEPS} steps above low, {low}, by step, {step}"
        )
    if last <= first or (last - first) % by:
        raise ValueError(
            f"high is {high}, expected a whole number of steps above low, {low}, by step, {step}"
        )
    exact = [first + i * by for i in range(int((last - first) / by) + 1)]
    digits = max(0, *(-int(n.normalize().as_tuple().exponent) for n in (first, by)))
    kind = int if isinstance(low, Integral) and isinstance(step, Integral) else float
    values = [kind(number) for number in exact]
    labels = _with_unit([f"{number:.{digits}f}" for number in exact], unit)
    if start is None:
        start = values[len(values) // 2]
    _exact(start=start)
    return _control("slider", values, values, labels, start, label=label, play=play)


def slider_over(
    values: Iterable[Any],
    *,
    start: Any = None,
    label: str = "",
    unit: str = "",
    play: bool = False,
) -> Control:
    """Make a slider over given values in their order, which may be spaced unevenly.

    The options are those of :func:`slider`.

    Raises:
        TypeError: ``values`` has no entries, or ``unit`` or ``label`` is no text.
        ValueError: There are not 2 to 1,001 values, two look alike, one is nan or infinite, or
            ``start`` is not among them.
    """
    values = _listed(values=values)
    for value in values:
        if isinstance(value, float):
            _exact(values=value)
    start = values[len(values) // 2] if start is None and values else start
    labels = _with_unit(map(_text, values), unit)
    return _control("slider", values, values, labels, start, "values", label=label, play=play)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _choices(kind: _Kind, options: Any, start: Any, label: str) -> Control:
    """Make a control over a list, or over a dict whose values ``draw`` receives."""
    listed = _listed(options=options)
    values = [options[key] for key in listed] if isinstance(options, Mapping) else listed
    return _control(kind, listed, values, [*map(_text, listed)], start, label=label)


def dropdown(
    options: Iterable[Any] | Mapping[str, Any], *, start: Any = None, label: str = ""
) -> Control:
    """Make a menu of choices.

    Args:
        options: The values, or a dict from what the reader sees to the value ``draw`` receives.
        start: The item, or the key of the dict, at the start; by default the first.
        label: The name the reader sees; by default the argument's name.

    Raises:
        TypeError: ``options`` has no entries, or ``label`` is no text.
        ValueError: There are not 2 to 1,001 choices, two look alike, or ``start`` is no choice.
    """
    return _choices("dropdown", options, start, label)


def buttons(
    options: Iterable[Any] | Mapping[str, Any], *, start: Any = None, label: str = ""
) -> Control:
    """Make a row of buttons for two to about five short choices; as :func:`dropdown` otherwise."""
    return _choices("buttons", options, start, label)


def toggle(start: bool = False, *, label: str = "") -> Control:
    """Make a switch that starts at ``start``; ``draw`` receives False or True."""
    return _control("toggle", (False, True), (False, True), ("off", "on"), start, label=label)


def as_control(name: str, spec: Any) -> Control:
    """Turn a shorthand into a control, labeled by the argument's name unless it has a label.

    It is ``(low, high)`` or ``(low, high, step)`` for a slider, a list or a dict for a dropdown,
    and a bool for a toggle that starts there.
    """
    try:
        made = _from_shorthand(spec)
    except (TypeError, ValueError) as error:
        raise type(error)(f"control {name!r}: {error}") from error
    return made if made.label else Control(**{**vars(made), "label": name.replace("_", " ")})


def _from_shorthand(spec: Any) -> Control:
    if isinstance(spec, Control):
        return spec
    if isinstance(spec, bool):
        return toggle(spec)
    if isinstance(spec, tuple) and len(spec) in (2, 3) and all(isinstance(n, Real) for n in spec):
        return slider(*spec)
    if isinstance(spec, list | dict):
        return dropdown(spec)
    raise TypeError(
        f"spec is {spec!r}, expected a control, (low, high[, step]), a list, a dict or a bool"
    )
