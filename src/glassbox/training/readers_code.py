"""What the reader's own code does, and what it reads."""

import dis
import os
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_LIBRARIES = (str(Path(os.__file__).parent), str(Path(__file__).parents[1]))
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_ENTRIES = ("forward", "backward", "__call__", "__iter__", "__next__", "__len__", "__getitem__")
_ENTRIES += ("__getitems__", "step", "get_lr")


@cache
def is_own(module: str | None) -> bool:
    """Say whether a module is of the reader: neither installed nor of this package."""
    if module == "__main__" or module not in sys.modules:
        return True
    file = getattr(sys.modules[module], "__file__", None)
    return bool(file) and not file.startswith(_LIBRARIES) and "-packages" not in file


def constants_of(function: FunctionType) -> list[Any]:
    """List the constants of a function; its docstring does nothing."""
    every = [value for code in _codes(function.__code__) for value in code.co_consts]
    idle = (CodeType, type(None))
    return [value for value in every if not isinstance(value, idle) and value != function.__doc__]


def code_of(function: FunctionType) -> bytes:
    """Give what a function does, apart from its constants and the names of its variables."""
    codes = _codes(function.__code__)
    return b"".join(code.co_code + " ".join(code.co_names).encode() for code in codes)


def values_read(function: FunctionType) -> dict[str, Any]:
    """Collect by name the defaults of a function, what it closed over, and globals.

    Of an object whose attributes it reads by name, or of a dict, these count alone: other options
    do not matter to it. Installed modules are left out.
    """
    code, cells = function.__code__, function.__closure__ or ()
    closed = dict(zip(code.co_freevars, map(_content_of, cells), strict=True))
    if not is_own(function.__module__):
        return closed
    read = _defaults(function)
    for part in _codes(code):
        steps = [step for step in dis.get_instructions(part) if step.opname != "EXTENDED_ARG"]
        for number, step in enumerate(steps):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
                known = closed if step.opname == "LOAD_DEREF" else function.__globals__
                value = known.get(step.argval, dis)
                if not (isinstance(value, ModuleType) and not is_own(value.__name__)):
                    name, value = _followed(step.argval, value, steps[number + 1 :])
                    read[name] = value
    return read


def _followed(name: str, value: Any, steps: list[dis.Instruction]) -> tuple[str, Any]:
    """Follow ``options.loss.scale`` or ``options["loss"]`` to what is read in the end."""
    while steps:
        key = steps[0].argval
        if steps[0].opname in _ATTRIBUTES and isinstance(key, str) and hasattr(value, key):
            item = getattr(value, key)
            if not isinstance(item, MethodType) and getattr(item, "__self__", None) is value:
                break  # a method of something built in, such as a list: all of it counts
            name, value, steps = f"{name}.{key}", item, steps[1:]
        elif (
            [step.opname for step in steps[:2]] == ["LOAD_CONST", "BINARY_SUBSCR"]
            and isinstance(value, dict)
            and key in value
        ):
            name, value, steps = f"{name}.{key}", value[key], steps[2:]
        else:
            break
    return name, value


def what_runs(kind: type, *others: str) -> dict[str, Any]:
    """Collect by name the methods of a class of the reader that run, and all that these name.

    They run where an object is called, iterated, indexed or steps; ``others`` name more of them.
    """
    found: dict[str, Any] = {}
    names = [*_ENTRIES, *others]
    for name in names:  # grows by what is found
        for base in kind.__mro__:
            label = f"{base.__name__}.{name}" if base is not kind else name
            if name in vars(base) and label not in found and is_own(base.__module__):
                item = vars(base)[name]
                item = getattr(item, "__func__", None) or getattr(item, "fget", None) or item
                found[label] = item
                if isinstance(item, FunctionType):
                    names += chain.from_iterable(part.co_names for part in _codes(item.__code__))
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Give the code of a function, and of those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _defaults(function: FunctionType) -> dict[str, Any]:
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount][code.co_argcount - len(values) :]
    return dict(zip(names, values, strict=True)) | (function.__kwdefaults__ or {})


def _content_of(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that gets its value later
        return None
