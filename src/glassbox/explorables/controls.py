"""The controls of an explorable, as plain values: what can be chosen, and what the reader sees."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Literal

# As many as a slider of a usual width has pixels; a page draws far fewer, a kernel one at a time.
_MOST_STEPS = 1000

_Kind = Literal["slider", "dropdown", "toggle", "buttons"]


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
        if option not in self.options:
            raise ValueError(f"start is {option!r}, expected one of {self.summary}")
        return self.options.index(option)


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
    if len(set(labels)) < len(labels):
        raise ValueError(f"{argument} is {list(labels)}, expected choices that look different")
    made = Control(kind, tuple(options), tuple(values), tuple(labels), 0, **rest)
    index = 0 if start is None else made.index(start)
    return Control(kind, made.options, made.values, made.labels, index, **rest)


def _with_unit(text: str, unit: str) -> str:
    return text + ("" if unit in ("", "%", "°", "×") else " ") + unit


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
        TypeError: What should be a number is none.
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
    labels = [_with_unit(f"{number:.{digits}f}", unit) for number in exact]
    middle = values[len(values) // 2]
    if start is not None:
        _exact(start=start)
    start = middle if start is None else start
    return _control("slider", values, values, labels, start, label=label, play=play)


def _exact(**numbers: Any) -> Decimal:
    """Read one number as its decimal digits say, so that 0.1 is a tenth."""
    ((name, number),) = numbers.items()
    number = number.item() if getattr(number, "ndim", None) == 0 else number
    if not isinstance(number, Real):
        raise TypeError(f"{name} is {number!r}, expected a number")
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}, expected a finite number")
    return Decimal(str(number + 0))  # a bool as 0 or 1


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
        ValueError: There are fewer than two values, one is nan or infinite, or ``start`` is not
            among them.
    """
    values = _listed(values=values)
    for value in values:
        if isinstance(value, float):
            _exact(values=value)
    start = values[len(values) // 2] if start is None and values else start
    labels = [_with_unit(_text(value), unit) for value in values]
    return _control("slider", values, values, labels, start, "values", label=label, play=play)


def _listed(**choices: Any) -> list[Any]:
    ((name, value),) = choices.items()
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} is {value!r}, expected several choices")
    return list(value)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _choices(kind: _Kind, options: Any, start: Any, label: str) -> Control:
    """Make a control over a list, or over a dict whose values ``draw`` receives."""
    values = list(options.values()) if isinstance(options, Mapping) else None
    options = _listed(options=options)
    return _control(
        kind, options, values or options, [_text(option) for option in options], start, label=label
    )


def dropdown(
    options: Iterable[Any] | Mapping[str, Any], *, start: Any = None, label: str = ""
) -> Control:
    """Make a menu of choices.

    Args:
        options: The values, or a dict from what the reader sees to the value ``draw`` receives.
        start: The item, or the key of the dict, at the start; by default the first.
        label: The name the reader sees; by default the argument's name.

    Raises:
        ValueError: There are fewer than two choices, two look alike, or ``start`` is no choice.
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
