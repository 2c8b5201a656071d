"""What a value is made of, so that two can be compared: results, and arguments before and after."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassbox.plotting import Figure

_TEMPORARY = re.compile(r"\S*/hostile\S*/")  # every call gets a folder of its own
_OWN = ("serial", "inputs", "seconds")  # which differ between two calls that are alike


def parts(
    value: Any, path: str = "", *, given: bool = False, depth: int = 0
) -> Iterator[tuple[str, Any]]:
    """List numbers, texts and arrays inside a value, with the path to each.

    Of what is ``given`` also gradients, modes and hooks are listed: they must not change.
    """
    if depth > 6:
        return
    below = lambda one, key: parts(one, f"{path}.{key}", given=given, depth=depth + 1)  # noqa: E731
    if isinstance(value, Tensor | np.ndarray | np.generic):
        yield path, _as_array(value)
    elif isinstance(value, str | Path):
        yield path, _TEMPORARY.sub("", str(value))
    elif value is None or isinstance(value, bytes | bool | int | float | complex):
        yield path, value
    elif isinstance(value, nn.Module):
        yield from _parts_of_module(value, path, given)
    elif isinstance(value, Figure):
        yield f"{path}.alt", value.alt
        if not given:
            value.canvas.draw()
            yield f"{path}.pixels", np.asarray(value.canvas.buffer_rgba()).copy()
    elif isinstance(value, torch.optim.Optimizer):
        yield from below(value.state_dict(), "state")
        yield from below([p for group in value.param_groups for p in group["params"]], "params")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from below(one, key)
    elif isinstance(value, list | tuple | range | set):
        if value and all(isinstance(one, int | float | np.generic) for one in value):
            yield path, np.array([float(one) for one in value])
        else:
            for key, one in enumerate(value):
                yield from below(one, key)
    elif is_dataclass(value) or type(value).__module__.startswith("glassbox"):
        for key, one in getattr(value, "__dict__", {}).items():
            if key not in _OWN:
                yield from below(one, key)
    else:
        yield path, type(value).__name__


def _as_array(value: Any) -> np.ndarray:
    if not isinstance(value, Tensor):
        return np.array(value.shape if value.dtype == object else value)
    if value.is_meta:
        return np.array([*value.shape, 0])
    value = value.detach().cpu().resolve_conj()
    return (value.float() if value.dtype == torch.bfloat16 else value).numpy().copy()


def _parts_of_module(model: nn.Module, path: str, given: bool) -> Iterator[tuple[str, Any]]:
    for name, one in model.state_dict().items():
        yield f"{path}.{name}", _as_array(one)
    if given:
        for name, one in model.named_parameters():
            yield f"{path}.{name}.requires_grad", one.requires_grad
            yield f"{path}.{name}.grad", None if one.grad is None else _as_array(one.grad)
        yield f"{path}.modes", str([module.training for module in model.modules()])
        yield f"{path}.hooks", sum(_hooks(module) for module in model.modules())


def _hooks(module: nn.Module) -> int:
    names = ("forward_hooks", "forward_pre_hooks", "backward_hooks", "backward_pre_hooks")
    return sum(len(getattr(module, f"_{name}")) for name in names)


def differences(one: dict[str, Any], other: dict[str, Any], roundings: float = 0.0) -> list[str]:
    """Name the parts that are not the same, up to so many roundings."""
    missing = sorted(one.keys() ^ other.keys())
    return missing + [
        key for key in one if key in other and not _equal(one[key], other[key], roundings)
    ]


def _equal(one: Any, other: Any, roundings: float) -> bool:
    numeric = all(isinstance(v, np.ndarray | int | float) for v in (one, other))
    if not numeric:
        return type(one) is type(other) and one == other
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype == other.dtype and np.array_equal(one, other):
        return True
    if one.shape != other.shape or one.dtype.kind in "OUS" or other.dtype.kind in "OUS":
        return one.shape == other.shape and bool((one == other).all())
    if one.size == 0:
        return True
    one, other = one.astype(complex), other.astype(complex)
    known = np.abs(other[np.isfinite(other)])
    tolerance = roundings * max(1.0, known.max() if known.size else 1.0)
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True))


def not_finite(result: dict[str, Any]) -> list[str]:
    """Name the parts that hold nan or infinities."""
    return [
        name
        for name, one in result.items()
        if isinstance(one, float | np.ndarray)
        and np.asarray(one).dtype.kind in "fc"
        and not np.isfinite(one).all()
    ]
