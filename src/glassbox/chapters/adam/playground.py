"""The optimizer playground: a race on a surface, computed where it is seen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from glassbox import optim
from glassbox.chapters.adam.race_figure import COLORS, LOW_GROUND, show_race
from glassbox.explorables.js_widgets import show_computed
from glassbox.optim.surfaces import SURFACES, Point, Surface, trajectory
from glassbox.support.arguments import (
    as_point,
    check_choice,
    check_finite,
    check_not_empty,
    check_positive,
)

_SHOWN_STEPS = 60  # in the still picture
_BETA2 = 0.99  # with 0.999 a race would be over before the average has forgotten its beginning

RACERS: Mapping[str, Callable[[Surface], Callable[[list[Tensor]], Optimizer]]] = {
    "SGD": lambda on: lambda params: optim.SGD(params, lr=on.lr),
    "Momentum": lambda on: lambda params: optim.SGD(params, lr=on.lr, momentum=0.9),
    "RMSprop": lambda on: lambda params: optim.RMSprop(params, lr=on.adaptive_lr, alpha=_BETA2),
    "Adam": lambda on: lambda params: optim.Adam(params, on.adaptive_lr, (0.9, _BETA2)),
    "AdamW": lambda on: (
        lambda params: optim.AdamW(params, on.adaptive_lr, (0.9, _BETA2), weight_decay=0)
    ),
    "AMSGrad": lambda on: (
        lambda params: optim.Adam(params, on.adaptive_lr, (0.9, _BETA2), amsgrad=True)
    ),
}


def optimizer_playground(
    surface: str = "ravine",
    start: Point | None = None,
    racers: Sequence[str] = ("SGD", "Momentum", "RMSprop", "Adam"),
    *,
    lr: float | None = None,
    adaptive_lr: float | None = None,
) -> None:
    """Show the playground: choose a surface, a start and settings, and watch optimizers race.

    The arguments say with what it begins: ``surface`` is a name from
    :data:`glassbox.optim.surfaces.SURFACES`, ``racers`` are from :data:`RACERS`, ``lr`` is that of
    SGD and Momentum, ``adaptive_lr`` that of the others. Start and rates are the surface's own
    unless given.

    Raises:
        TypeError: ``racers`` is no list of names, or a rate is no number.
        ValueError: A name is unknown, nobody takes part, the start is not on the map, or a rate is
            not finite and above 0.
    """
    check_choice(SURFACES, surface=surface)
    racers = _names(racers)
    rates = {"lr": lr, "adaptive_lr": adaptive_lr}
    rates = {name: rate for name, rate in rates.items() if rate is not None}
    check_positive(**rates)
    check_finite(**rates)
    rates = {name: float(rate) for name, rate in rates.items()}
    ground = SURFACES[surface]
    start = ground.start if start is None else as_point(ground.bounds, start=start)
    ground = replace(ground, start=start, **rates)
    walks = {name: trajectory(ground, RACERS[name](ground), steps=_SHOWN_STEPS) for name in racers}
    state = {
        "surface": surface,
        "start": list(ground.start),
        "racers": racers,
        "surfaces": [_describe(known) for known in (SURFACES | {surface: ground}).values()],
    }
    show_computed(
        "playground",
        state,
        still=show_race(ground, walks),
        name="Optimizer playground",
        colors={"racers": COLORS, "ground": LOW_GROUND},
    )


def _names(racers: Iterable[str]) -> list[str]:
    """List optimizers, each once, in their order."""
    try:
        names = list(dict.fromkeys(racers))
    except TypeError as error:
        raise TypeError(f"racers is {racers!r}, expected a list of names") from error
    check_not_empty(racers=names)
    for name in names:
        check_choice(RACERS, racer=name)
    return names


def _describe(surface: Surface) -> dict[str, Any]:
    return {
        "name": surface.name,
        "title": surface.title,
        "bounds": surface.bounds,
        "start": surface.start,
        "lr": surface.lr,
        "adaptiveLr": surface.adaptive_lr,
        "minima": surface.minima,
        "noise": surface.noise,
    }
