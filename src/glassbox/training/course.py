"""What decides the course of a training, told line by line, so that two can be compared."""

import pickle
import random
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from pathlib import PurePath
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

_PLAIN = (type(None), bool, int, float, complex, str, bytes, Enum, PurePath)
_PLAIN += (torch.dtype, torch.memory_format, torch.layout, np.generic)
_CONTAINERS = (list, tuple, set, frozenset, Mapping)
_GENERATORS = (torch.Generator, random.Random, np.random.Generator, np.random.RandomState)
_OF_EVERY_MODULE = frozenset(vars(nn.Module())) - {"training"}  # hooks, and what is walked by hand
_LONGEST = 200  # characters of a line
_MOST_LINES = 1000  # of one container
_MOST_BYTES = 1 << 26  # of a tensor, whose checksum then takes some milliseconds
_NOT_RESTORED = (".requires_grad", ".training", ".get_state()")


def describe_course(
    restored: Collection[int] = (), trusted: tuple[str, ...] = (), **parts: Any
) -> dict[str, str]:
    """Describe objects by all that they were made with, one line for each setting.

    A line is named by the path to its value, such as ``scheduler.T_max``. Numbers, texts and
    short lists stand for themselves. Tensors and arrays have a checksum; of those above 64 MiB it
    is over evenly spaced rows. Functions are told by their code, their constants and what they
    closed over, modules by their attributes and the shapes of their parameters, optimizers by their
    groups. Other objects that can be called or iterated, or have a state, are told by their
    attributes, and all others by their class. Devices are left out.

    Args:
        restored: ``id`` of tensors and generators whose values are in the checkpoint.
        trusted: Prefixes of the paths whose generators count as restored.
        **parts: What to describe, by name; an object that comes again is told by its first way.
    """
    walk = _Walk(restored, trusted)
    for name, part in parts.items():
        walk.tell(name, part)
    return walk.lines


def what_moved(start: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str | None]:
    """Keep the lines that have changed since the start; a line that is gone becomes ``None``."""
    names = dict.fromkeys([*start, *now])
    return {name: now.get(name) for name in names if now.get(name) != start.get(name)}


def first_difference(
    start: Mapping[str, str],
    moved: Mapping[str, str | None],
    here: Mapping[str, str],
    stepped: tuple[str, ...] = (),
) -> str | None:
    """Name the first line in which objects here are of another training, with both values.

    What moves in a training, as a learning rate, may be here as it was at the start, where all has
    been made anew, or as it was when the training was saved, where it goes on in the same process.
    What a checkpoint does not bring back has to be as it was saved: which parameters are frozen,
    the modes, and generators of random numbers that no checkpoint saves. Prefixes in ``stepped``
    are of objects that the checkpoint brings back and that move with each step. Where they stand
    does not matter, so that a training stopped within an epoch goes on with the same objects.
    """
    for name in dict.fromkeys([*here, *start, *moved]):
        begun = start.get(name)
        if name in moved and name.startswith(stepped) and not name.endswith(_NOT_RESTORED):
            continue
        saved = moved.get(name, begun)
        if here.get(name) != saved and (here.get(name) != begun or name.endswith(_NOT_RESTORED)):
            shown = saved if name.endswith(_NOT_RESTORED) else begun
            return f"{name} is {shown or 'missing'}, expected {here.get(name, 'none')}"
    return None


class _Walk:
    """A walk through objects, which writes a line for each setting."""

    def __init__(self, restored: Collection[int], trusted: tuple[str, ...]) -> None:
        self.lines: dict[str, str] = {}
        self._restored, self._trusted = restored, trusted
        self._seen: dict[int, tuple[str, Any]] = {}  # holds the objects, so that no id comes twice

    def tell(self, path: str, value: Any) -> None:
        value = getattr(value, "_orig_mod", value)  # of a compiled model
        if isinstance(value, torch.device):
            return
        if _is_plain(value):
            self.lines[path] = _shortened(_text(value))
        elif id(value) in self._seen:
            self.lines[path] = f"the same as {self._seen[id(value)][0]}"
        else:
            self._seen[id(value)] = path, value
            self._tell_object(path, value)

    def _tell_object(self, path: str, value: Any) -> None:
        if isinstance(value, Tensor | np.ndarray):
            self._tell_tensor(path, value)
        elif isinstance(value, _GENERATORS):
            self._tell_generator(path, value)
        elif isinstance(value, _CONTAINERS):
            self._tell_container(path, value)
        elif isinstance(value, FunctionType):
            self._tell_function(path, value)
        elif isinstance(value, type):
            self.lines[path] = value.__qualname__
        else:
            named = getattr(value, "__qualname__", type(value).__qualname__)
            self.lines[path] = named if isinstance(named, str) else type(value).__qualname__
            for name, item in _attributes(value):
                self.tell(f"{path}.{name}", item)

    def _tell_tensor(self, path: str, value: Tensor | np.ndarray) -> None:
        shown = f"{value.dtype} {tuple(value.shape)}"
        if isinstance(value, nn.Parameter):
            self.lines[f"{path}.requires_grad"] = str(value.requires_grad)
        elif id(value) not in self._restored:
            shown += _contents(value)
        self.lines[path] = shown

    def _tell_generator(self, path: str, value: Any) -> None:
        self.lines[path] = type(value).__qualname__
        if isinstance(value, torch.Generator):
            self.lines[path] += f" of seed {value.initial_seed()}"
        if id(value) not in self._restored and not path.startswith(self._trusted):
            state = value.get_state().numpy() if isinstance(value, torch.Generator) else value
            self.lines[f"{path}.get_state()"] = f"checksum {_checksum(pickle.dumps(state))}"

    def _tell_container(self, path: str, value: Collection[Any]) -> None:
        self.lines[path] = f"{type(value).__qualname__} of {len(value)}"
        inside = self if len(value) <= _MOST_LINES else _Walk(self._restored, self._trusted)
        for name, item in _entries(value):
            inside.tell(path + name, item)
        if inside is not self:
            self.lines[path] += f", checksum {_checksum(_text(inside.lines).encode())}"

    def _tell_function(self, path: str, value: FunctionType) -> None:
        self.lines[path] = value.__qualname__
        parts, constants = _code(value.__code__, value.__doc__)
        self.lines[f"{path}.constants"] = _shortened(", ".join(constants) or "none")
        self.lines[f"{path}.code"] = f"checksum {_checksum(b''.join(parts))}"
        for name, default in _defaults(value).items():
            self.tell(f"{path}.{name}", default)
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            self.tell(f"{path}.{name}", _content_of(cell))


def _entries(value: Collection[Any]) -> Iterable[tuple[str, Any]]:
    """Name what is in a container; a set of objects has no order to name them by."""
    if isinstance(value, Mapping):
        for number, (key, item) in enumerate(value.items()):
            named = f".{key}" if isinstance(key, str) else f"[{_text(key)}]"
            yield named if _is_plain(key) else f"[key {number}]", item
    elif not isinstance(value, set | frozenset):
        yield from ((f"[{number}]", item) for number, item in enumerate(value))


def _attributes(value: Any) -> Iterable[tuple[str, Any]]:
    """List what an object was made with, as far as it can be known to matter."""
    if isinstance(value, nn.Module):
        own = [item for item in vars(value).items() if item[0] not in _OF_EVERY_MODULE]
        return [*own, *value._parameters.items(), *value._buffers.items(), *value._modules.items()]
    if isinstance(value, Optimizer):
        return [("param_groups", value.param_groups), ("defaults", value.defaults)]
    if isinstance(value, MethodType):
        return [("__self__", value.__self__), ("__func__", value.__func__)]
    if isinstance(value, partial):
        return [("func", value.func), ("args", value.args), ("keywords", value.keywords)]
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    matters = callable(value) or any(
        hasattr(value, name) for name in ("__iter__", "__getitem__", "state_dict")
    )
    own = getattr(value, "__dict__", {}) if matters else {}
    return [item for item in own.items() if item[0] not in ("device", "_device")]


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):  # with names, it is told entry by entry
        named = any(isinstance(key, str) for key in value)
        return not named and _is_plain([*value.keys(), *value.values()])
    if isinstance(value, list | tuple | set | frozenset):
        return len(value) <= _MOST_LINES and all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _text(value: Any) -> str:
    """Show a plain value, in the same way in every process: in order, and without addresses."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(key)}: {_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, list | tuple):
        shown = ", ".join(map(_text, value)) + "," * (isinstance(value, tuple) and len(value) == 1)
        return f"[{shown}]" if isinstance(value, list) else f"({shown})"
    if isinstance(value, Enum):
        return str(value)
    return repr(value.item()) if isinstance(value, np.generic) else repr(value)


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]}..., checksum {_checksum(text.encode())}"


def _checksum(data: Any) -> str:
    return f"{zlib.crc32(data):08x}"


def _contents(value: Tensor | np.ndarray) -> str:
    """Show the numbers of a small tensor, and the checksum of a large one."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return ""
        value = torch.from_numpy(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
    if value.is_meta or value.layout != torch.strided:
        return ""
    if value.numel() <= 10:
        return f" {value.tolist()}"
    stride = -(-value.nbytes // _MOST_BYTES)  # 1 where all is taken
    rows = value.detach()[::stride].cpu().resolve_conj().resolve_neg().contiguous()
    return f", checksum {_checksum(rows.reshape(-1).view(torch.uint8).numpy())}"


def _code(code: CodeType, doc: str | None) -> tuple[list[bytes], list[str]]:
    """Take apart what a function and those inside it do; its docstring does nothing."""
    parts, constants = [code.co_code, *(name.encode() for name in code.co_names)], []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = _code(constant, None)
            parts, constants = parts + inner[0], constants + inner[1]
        elif constant is not None and constant != doc:
            constants.append(_text(constant))
    return parts, constants


def _defaults(function: FunctionType) -> dict[str, Any]:
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount][code.co_argcount - len(values) :]
    return dict(zip(names, values, strict=True)) | (function.__kwdefaults__ or {})


def _content_of(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that gets its value later
        return None
