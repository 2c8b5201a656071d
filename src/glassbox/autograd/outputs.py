"""The outputs of layers, which are tensors or structures of them: taken apart and put together."""

import copy
import dataclasses
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

_WITHOUT_TENSORS = (type(None), str, bytes, numbers.Number, torch.dtype, torch.device)


def map_tensors(function: Callable[[Tensor], Any], structure: Any, name: str) -> Any:
    """Apply a function to each tensor in the output of a layer."""
    if isinstance(structure, Tensor):
        return function(structure)
    parts = parts_of(structure, name)
    return rebuilt(structure, {k: map_tensors(function, part, name) for k, part in parts.items()})


def parts_of(structure: Any, name: str) -> dict[Any, Any]:
    """Take the output of a layer apart; a value that cannot hold a tensor has no parts."""
    if isinstance(structure, Mapping):
        return dict(structure)
    if isinstance(structure, tuple | list):
        return dict(enumerate(structure))
    if dataclasses.is_dataclass(structure):
        return {
            field.name: getattr(structure, field.name) for field in dataclasses.fields(structure)
        }
    if isinstance(structure, _WITHOUT_TENSORS):
        return {}
    raise TypeError(
        f"the output of layer {name!r} holds a {type(structure).__name__}, expected tensors in "
        "tuples, lists, dicts or dataclasses: take a layer inside"
    )


def rebuilt(structure: Any, parts: dict[Any, Any]) -> Any:
    """Make a structure like another, with these parts."""
    if isinstance(structure, tuple):
        named = hasattr(structure, "_fields")
        return type(structure)(*parts.values()) if named else type(structure)((*parts.values(),))
    own = copy.copy(structure) if parts else structure
    for key, part in parts.items():
        if dataclasses.is_dataclass(structure) and not isinstance(structure, Mapping):
            object.__setattr__(own, key, part)  # it may be frozen
        else:
            own[key] = part
    return own
