"""What decides the course of a training, told line by line, so that two can be compared."""

import math
import os
import zlib
from argparse import Namespace
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from functools import cached_property, partial
from itertools import chain
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Subset, TensorDataset

from glassbox.training.differences import OPEN
from glassbox.training.distributed import unwrapped
from glassbox.training.readers_code import code_of, constants_of, is_own, values_read, what_runs

_PLAIN = (type(None), bool, int, float, complex, str, bytes, range, Enum, PurePath)
_PLAIN += (torch.dtype, torch.memory_format, torch.layout, np.generic)
_SEQUENCES = (list, tuple, set, frozenset)
_DEPTH = 8  # of lists in lists that are told in one line
_OF_EVERY_MODULE = {*vars(nn.Module())} - {"training"}  # hooks, and parts
_OF_EVERY_MODULE |= {"_compiled_call_impl", "_is_torch_compile"}
_FETCHING = {"pin_memory", "pin_memory_device", "prefetch_factor", "timeout", "persistent_workers"}
_FETCHING |= {"_iterator", "_IterableDataset_len_called", "_DataLoader__multiprocessing_context"}
_LONGEST = 200  # characters of a line
_MOST_LINES = 1000  # of one container
_MOST_BYTES = 1 << 26  # of a tensor, whose checksum then takes some milliseconds
_Parts = Iterator[tuple[str, Any]]


def describe_course(restored: Collection[int] = (), **parts: Any) -> dict[str, str]:
    """Describe objects by what the course of a training follows from, a line for each setting.

    The principle: data are told by what pickle would store of them, and the reader's own code by
    what runs and what it reads. A line is named by the path to its value, as ``scheduler.T_max``.

    - Numbers, texts and paths stand for themselves; 1 and 1.0 are the same. Tensors and arrays have
      a checksum; of those above 64 MiB it is over evenly spaced rows.
    - Functions of the reader are told by their code, constants, defaults, and by what they read of
      closures and globals; objects of the reader's classes also by the methods that run when they
      are called, iterated, indexed or stepped.
    - What is installed, such as torch or this package, is told by its name and its settings.
    - Modules are told by their attributes and tensors, optimizers by their groups.

    Left out is what does not decide the course, or cannot be known: devices; compiling; how a
    ``DataLoader`` fetches, and the number of its workers where these cannot draw random numbers,
    as with a ``TensorDataset`` or a list; the folder ``root`` of a data set, and what is in its
    files; ``epochs`` in a ``Namespace``; hooks. Sets of objects are told by their number, and what
    pickle refuses, such as an open file, by its class.

    Args:
        restored: ``id`` of tensors and generators whose values are in the checkpoint.
        **parts: What to describe, by name; an object that comes again is told by its first way.

    Raises:
        ValueError: If a ``DataLoader`` keeps its workers, whose random states nothing can save.
    """
    walk = _Walk(restored)
    for name, part in parts.items():
        walk.tell(name, part)
    return walk.lines


class _Walk:
    """A walk through objects, which writes a line for each setting."""

    def __init__(self, restored: Collection[int], roots: list[str] | None = None) -> None:
        self.lines: dict[str, str] = {}
        self._restored = restored
        self._roots = [] if roots is None else roots  # of data sets, as texts begin with them
        self._seen: dict[int, tuple[str, Any]] = {}  # holds the objects, so that no id comes twice
        self._classes: set[type] = set()

    def tell(self, path: str, value: Any) -> None:
        """Walk without recursion, as objects may be inside any number of others."""
        ahead = [(path, value)]
        while ahead:
            ahead += reversed([*self._tell_one(*ahead.pop())])

    def _tell_one(self, path: str, value: Any) -> _Parts:
        value = unwrapped(value)
        if isinstance(value, torch.device | ModuleType):
            return
        if _is_plain(value):
            text = _text(value)
            for root in self._roots:
                text = text.replace(root, root[0])
            self.lines[path] = _shortened(text)
        elif isinstance(value, Tensor | np.ndarray) and not self._is_known(value):
            yield from self._tell_contents(path, value)  # a copy of what came before is as good
        elif id(value) in self._seen:
            self.lines[path] = f"the same as {self._seen[id(value)][0]}"
        else:
            self._seen[id(value)] = path, value
            yield from self._tell_object(path, value)

    def _is_known(self, value: Any) -> bool:
        return isinstance(value, nn.Parameter) or id(value) in self._restored

    def _tell_object(self, path: str, value: Any) -> _Parts:
        if isinstance(value, Tensor):
            self.lines[path] = f"{value.dtype} {tuple(value.shape)}"
            self.lines[f"{path}.requires_grad"] = str(value.requires_grad)
            if id(value) not in self._restored:
                yield from self._tell_contents(path, value)
        elif isinstance(value, torch.Generator):
            self.lines[path] = f"Generator of seed {value.initial_seed()}"
            if id(value) not in self._restored:
                state = value.get_state().cpu().numpy()
                self.lines[f"{path}.get_state()"] = f"checksum {_checksum(state)}"
        elif isinstance(value, (*_SEQUENCES, Mapping)):
            yield from self._tell_container(path, value)
        elif isinstance(value, FunctionType):
            yield from self._tell_function(path, value)
        else:
            named = isinstance(value, type | BuiltinFunctionType | MethodType)
            kind = value if isinstance(value, type) else type(value)
            self.lines[path] = (value if named else kind).__qualname__
            parts = {}
            if is_own(kind.__module__) and kind not in self._classes:  # by the first of its objects
                self._classes.add(kind)
                parts = what_runs(kind, *["__init__"] * (kind is value))
            if kind is not value and id(value) not in self._restored:
                state = self._state(value)
                self.lines[path] += OPEN * (state is None)
                parts |= state or {}
            yield from ((f"{path}.{name}", item) for name, item in parts.items())

    def _tell_contents(self, path: str, value: Tensor | np.ndarray) -> _Parts:
        self.lines[path] = f"{value.dtype} {tuple(value.shape)}"
        contents = _contents(value)
        if contents is not None:
            self.lines[path] += contents
        else:  # a sparse tensor, or an array of objects
            yield from ((f"{path}.{name}", item) for name, item in (_pickled(value) or {}).items())

    def _tell_container(self, path: str, value: Collection[Any]) -> _Parts:
        self.lines[path] = f"{type(value).__qualname__} of {len(value)}"
        if len(value) <= _MOST_LINES:
            yield from ((path + name, item) for name, item in _entries(value))
        elif (columns := _columns(value)) is not None:
            yield from ((path + name, column) for name, column in columns.items())
        else:
            inside = _Walk(self._restored, self._roots)
            for name, item in _stacked(value) or _entries(value):
                inside.tell(name, item)
            text = "\n".join(chain.from_iterable(inside.lines.items()))
            self.lines[path] += f", checksum {_checksum(text.encode())}"

    def _tell_function(self, path: str, value: FunctionType) -> _Parts:
        value = vars(value).get("_torchdynamo_orig_callable", value)  # of one that is compiled
        self.lines[path] = value.__qualname__
        if is_own(value.__module__):
            constants = ", ".join(map(_text, constants_of(value)))
            self.lines[f"{path}.constants"] = _shortened(constants or "none")
            self.lines[f"{path}.code"] = f"checksum {_checksum(code_of(value))}"
        for name, item in {**values_read(value), **vars(value)}.items():
            yield f"{path}.{name}", item

    def _state(self, value: Any) -> dict[str, Any] | None:
        """Take an object apart by what it was made with, as far as that decides anything."""
        if isinstance(value, nn.Module):
            own = {name: v for name, v in vars(value).items() if name not in _OF_EVERY_MODULE}
            inside = value._parameters, value._buffers, value._modules
            state = own | {name: v for part in inside for name, v in part.items()}
        elif isinstance(value, Optimizer):
            own = vars(value).items()
            state = {name: v for name, v in own if name[0] != "_" and name not in ("state", "step")}
        elif isinstance(value, DataLoader):
            state = _loader_state(value)
        elif isinstance(value, MethodType):
            state = {"__self__": value.__self__, "__func__": value.__func__}
        elif isinstance(value, partial):
            state = {"func": value.func, "args": value.args, "keywords": value.keywords}
        else:
            state = _pickled(value)
        if state is None:
            return None
        left = [n for n in state if isinstance(getattr(type(value), n, None), cached_property)]
        left += ["device", "_device", *["epochs"] * isinstance(value, Namespace)]
        root = state.get("root")
        if isinstance(root, str | PurePath) and os.path.isdir(root):
            self._roots.append(repr(os.path.join(root, ""))[:-1])
            left.append("root")
        return {name: item for name, item in state.items() if name not in left}


def _pickled(value: Any) -> dict[str, Any] | None:
    """Take an object apart as pickle would; one that pickle refuses has nothing to tell."""
    try:
        made = type(value).__reduce_ex__(value, 4)
    except Exception:  # whatever its class raises
        return None
    if isinstance(made, str):  # a global name, maybe of a function in a cache
        return dict(getattr(value, "__dict__", {}))
    _, args, state, items, pairs = (*made, None, None, None)[:5]
    args = tuple(arg for arg in args if arg is not type(value)) or None
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)  # second: slots
    own = {}
    if all(part is None or isinstance(part, dict) for part in parts):
        own, state = dict(chain.from_iterable((part or {}).items() for part in parts)), None
    rest = {"args": args, "state": state, "items": items and [*items]}
    rest["pairs"] = pairs and dict(pairs)
    return own | {name: item for name, item in rest.items() if item is not None}


def _loader_state(loader: DataLoader) -> dict[str, Any]:
    if loader.persistent_workers:
        raise ValueError(
            "batches has persistent_workers=True, expected False: no checkpoint holds the random "
            "states of workers that outlive an epoch"
        )
    source = loader.dataset
    while isinstance(source, Subset):
        source = source.dataset
    left = _FETCHING | ({"num_workers"} if type(source) in (TensorDataset, list, tuple) else set())
    return {name: item for name, item in vars(loader).items() if name not in left}


def _entries(value: Collection[Any]) -> Iterator[tuple[str, Any]]:
    """Name what is in a container; a set of objects has no order to name them by."""
    if isinstance(value, Mapping):
        for number, (key, item) in enumerate(value.items()):
            named = f".{key}" if isinstance(key, str) else f"[{_text(key)}]"
            yield named if _is_plain(key) else f"[key {number}]", item
    elif not isinstance(value, set | frozenset):
        yield from ((f"[{number}]", item) for number, item in enumerate(value))


def _columns(samples: Collection[Any]) -> dict[str, list[Any]] | None:
    """Turn samples that are alike, pairs or dicts, into lists of their first, second, ... parts."""
    kinds = {*map(type, samples)}
    if kinds <= {tuple, list} and len({*map(len, samples)}) == 1:
        return {f"[:][{k}]": [*column] for k, column in enumerate(zip(*samples, strict=True))}
    if kinds == {dict} and len({*map(tuple, samples)}) == 1:
        return {f"[:][{key!r}]": [one[key] for one in samples] for key in next(iter(samples))}
    return None


def _stacked(arrays: Collection[Any]) -> list[tuple[str, Any]] | None:
    """Put arrays of one shape and type together, a hundred at a time."""
    kinds = {*map(type, arrays)}
    if kinds not in ({Tensor}, {np.ndarray}) or len({(one.dtype, one.shape) for one in arrays}) > 1:
        return None
    stack = torch.stack if kinds == {Tensor} else np.stack
    return [(f"[{k}]", stack(arrays[k : k + 100])) for k in range(0, len(arrays), 100)]


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):  # with names, it is told entry by entry
        named = any(isinstance(key, str) for key in value)
        return not named and _is_plain([*value.keys(), *value.values()])
    level = [value]
    for _ in range(_DEPTH):  # by the types at each depth, as a data set may be a list of 100,000
        if not all(issubclass(kind, (*_PLAIN, *_SEQUENCES)) for kind in set(map(type, level))):
            return False
        level = [*chain.from_iterable(item for item in level if isinstance(item, _SEQUENCES))]
        if not level:
            return True
    return False


def _text(value: Any) -> str:
    """Show a plain value, in the same way in every process: in order, and without addresses."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(key)}: {_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, list | tuple):
        if {*map(type, value)} <= {int, str, bool}:
            return repr(tuple(value) if isinstance(value, tuple) else [*value])
        shown = ", ".join(map(_text, value)) + "," * (isinstance(value, tuple) and len(value) == 1)
        return f"[{shown}]" if isinstance(value, list) else f"({shown})"
    if isinstance(value, Enum):
        return str(value)
    value = value.item() if isinstance(value, np.generic) else value
    return repr(int(value) if isinstance(value, float) and value.is_integer() else value)


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]}..., checksum {_checksum(text.encode())}"


def _checksum(data: Any) -> str:
    return f"{zlib.crc32(data):08x}"


def _contents(value: Tensor | np.ndarray) -> str | None:
    """Show the numbers of a small tensor, and the checksum of a large one."""
    if isinstance(value, np.ndarray):
        told_in_parts = value.dtype.hasobject
    else:
        told_in_parts = value.layout != torch.strided or value.is_quantized
    if told_in_parts or getattr(value, "is_meta", False):
        return None if told_in_parts else ""
    if math.prod(value.shape) <= 10:
        return f" {value.tolist()}"
    rows = value[:: -(-value.nbytes // _MOST_BYTES)]  # of a small one, all
    if isinstance(rows, Tensor):
        rows = rows.detach().cpu().resolve_conj().resolve_neg().contiguous()
        rows = rows.reshape(-1).view(torch.uint8).numpy()
    return f", checksum {_checksum(np.ascontiguousarray(rows).reshape(-1).view(np.uint8))}"
