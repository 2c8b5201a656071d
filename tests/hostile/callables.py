"""What is public, found by inspection: functions, classes, their methods, and what they return."""

import collections.abc
import importlib
import inspect
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

ROOMS = (
    "support",
    "data",
    "training",
    "plotting",
    "autograd",
    "optim",
    "losses",
    "mixing",
    "networks",
    "generation",
    "attribution",
    "explorables",
)
_METHODS = {"__call__", "__contains__", "__getitem__", "__iter__", "__len__"} | {
    f"__{side}{name}__"
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul")
    for side in ("", "r")
}


class Public(NamedTuple):
    """A public callable. What it belongs to is the class of a method, or the maker of a result."""

    name: str  # as in losses.LDAMLoss.forward or data.random_flip()
    function: Any  # of what is returned, the type
    owner: "Public | None" = None

    @property
    def is_method(self) -> bool:
        return self.owner is not None and inspect.isclass(self.owner.function)

    @property
    def is_returned(self) -> bool:
        return self.owner is not None and not self.is_method


def public_callables() -> list[Public]:
    """List what readers can call of all rooms."""
    rooms = {room: importlib.import_module(f"glassbox.{room}") for room in ROOMS}
    return [
        found
        for room, module in rooms.items()
        for name in module.__all__
        for found in within(f"{room}.{name}", getattr(module, name))
    ]


def within(name: str, value: Any) -> Iterator[Public]:
    """List what can be called of one name of a room. A type alias and an error are no callables."""
    if inspect.isclass(value) and not issubclass(value, BaseException):
        made = Public(name, value)
        yield made
        yield from (Public(f"{name}.{method}", one, made) for method, one in _methods(value))
    elif inspect.isfunction(value):
        made = Public(name, value)
        yield made
        if (returned := _returned(value)) is not None:
            yield Public(f"{name}()", returned, made)
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):  # a pair of functions
        fields = value._asdict().items()
        yield from (Public(f"{name}.{key}", one) for key, one in fields if callable(one))


def _methods(one: type) -> Iterator[tuple[str, Any]]:
    seen = set()
    for base in one.__mro__:
        if not base.__module__.startswith("glassbox"):
            continue
        for name, value in vars(base).items():
            is_public = name in _METHODS or not name.startswith("_")
            if is_public and inspect.isfunction(value) and name not in seen:
                seen.add(name)
                yield name, value


def _returned(function: Any) -> Any:
    """Give the type of a function that a function returns; its own arguments show in it."""
    try:
        returned = typing.get_type_hints(function).get("return")
    except NameError:  # a type that is imported for type checkers alone
        return None
    return returned if typing.get_origin(returned) is collections.abc.Callable else None
