"""A drawing function with controls, and the pictures of its states."""

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from glassbox.explorables.controls import Control, as_control
from glassbox.plotting.figures import book_style, to_pixels

State = tuple[int, ...]


class Picture(NamedTuple):
    """What one state looks like: pixels, uint8 ``(height, width, 3)``, and its alt text."""

    pixels: np.ndarray
    alt: str


@dataclass(frozen=True)
class Explorable:
    """A function that draws, its controls, and where they start.

    A state is a tuple with the index of the choice of each control, in order.
    """

    draw: Callable[..., Figure]
    name: str
    controls: Mapping[str, Control]

    @property
    def start(self) -> State:
        """The initial state."""
        return tuple(control.start for control in self.controls.values())

    def states(self) -> Iterator[State]:
        """Go through all states; the last control moves fastest."""
        counts = (len(control.values) for control in self.controls.values())
        return itertools.product(*map(range, counts))

    def values(self, state: State) -> dict[str, Any]:
        """Return the keyword arguments of ``draw`` in a state."""
        chosen = zip(self.controls.items(), state, strict=True)
        return {name: control.values[i] for (name, control), i in chosen}

    def settings(self, state: State) -> str:
        """Describe where the controls are in a state, as ``kernel 3, stride 1``."""
        chosen = zip(self.controls.values(), state, strict=True)
        return ", ".join(f"{control.label} {control.labels[i]}" for control, i in chosen)

    def figure(self, state: State) -> Figure:
        """Draw a state."""
        with book_style():
            figure = self.draw(**self.values(state))
        if not isinstance(figure, Figure):
            raise TypeError(f"the return of draw is {figure!r}, expected a matplotlib Figure")
        return figure

    def alt(self, figure: Figure, state: State) -> str:
        """Describe the figure of a state by its alt text, or by the settings where it has none."""
        return getattr(figure, "alt", "") or f"{self.name}: {self.settings(state)}."

    def picture(self, state: State) -> Picture:
        """Draw a state as pixels, with its alt text."""
        figure = self.figure(state)
        return Picture(to_pixels(figure), self.alt(figure, state))

    def summary(self, alt: str) -> str:
        """Describe the explorable in one line that ends with the alt text of the state shown."""
        controls = ", ".join(f"{c.label} {c.summary}" for c in self.controls.values())
        return f"Explorable: {self.name}. Controls: {controls}. {alt}"


def make_explorable(
    draw: Callable[..., Figure],
    name: str | None,
    start: Mapping[str, Any] | None,
    specs: Mapping[str, Any],
) -> Explorable:
    """Check that ``draw`` takes what the specs make, and combine it with its controls."""
    if not callable(draw):
        raise TypeError(f"draw is {draw!r}, expected a function that returns a figure")
    if not isinstance(name, str | None):
        raise TypeError(f"name is {name!r}, expected text")
    if not isinstance(start, Mapping | None):
        raise TypeError(f"start is {start!r}, expected a dict of arguments and their choices")
    if not specs:
        raise ValueError("controls is empty, expected at least one")
    try:
        inspect.signature(draw).bind(**specs)
    except TypeError as error:
        raise TypeError(f"draw is a function of others than {', '.join(specs)}: {error}") from error
    controls = {argument: as_control(argument, spec) for argument, spec in specs.items()}
    if not isinstance(start, Mapping | None):
        raise TypeError(f"start is {start!r}, expected arguments of draw with their choices")
    for argument, option in (start or {}).items():
        if argument not in controls:
            raise ValueError(f"start has {argument!r}, expected one of {', '.join(controls)}")
        control = controls[argument]
        controls[argument] = Control(**{**vars(control), "start": control.index(option)})
    title = name or getattr(draw, "__name__", "explorable").strip("<_>").replace("_", " ")
    return Explorable(draw, title, controls)
