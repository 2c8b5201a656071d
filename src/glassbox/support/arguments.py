"""Checks of arguments that many functions share.

What does not pass raises a ``ValueError`` of the form ``NAME is VALUE, expected ...``, where NAME
is that of the argument, or a ``TypeError`` where it is not a number or a tensor at all. A number
that is nan passes none of the checks of numbers.
"""

import math
import operator
import os
from collections.abc import Collection, Hashable, Mapping, Sequence, Sized
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor


def as_tensor(**values: Any) -> Tensor:
    """Give a tensor as it is, and an array or a list (of lists) of numbers as one on the CPU.

    One value is given, under the name of its argument. Floats of a list become those of PyTorch's
    default type, as ``torch.tensor`` has it; an array keeps its type, and is not copied unless its
    bytes or strides are such as PyTorch does not know. Unsigned integers of 16 bits or more, with
    which PyTorch computes next to nothing, become ``int64``.
    """
    ((name, value),) = values.items()
    if isinstance(value, Tensor):
        check_tensors(**{name: value})
        return _signed(name, value)
    if not isinstance(value, np.ndarray | list | tuple):
        raise TypeError(f"{name} is {_short(value)}, expected a tensor, an array or a list")
    if isinstance(value, np.ndarray) and not (
        value.dtype.isnative and min(value.strides, default=0) >= 0
    ):
        value = np.array(value, value.dtype.newbyteorder("="), order="C")
    try:
        tensor = torch.as_tensor(value, device="cpu")  # whatever the default device is
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} is {_short(value)}, expected numbers: {error}") from error
    check_tensors(**{name: tensor})
    return _signed(name, tensor)


def _signed(name: str, tensor: Tensor) -> Tensor:
    if tensor.dtype not in (torch.uint16, torch.uint32, torch.uint64):
        return tensor
    wide = tensor.to(torch.int64)
    if tensor.dtype == torch.uint64 and has_values(wide) and (wide < 0).any():
        raise ValueError(f"{name} has numbers of 2**63 or more, expected those of int64")
    return wide


def check_numbers(**numbers: Any) -> None:
    """Refuse what is not one real number with a ``TypeError``."""
    for name, value in numbers.items():
        single = isinstance(value, Tensor | np.ndarray) and value.ndim == 0
        if not (isinstance(value, Real) or single):
            raise TypeError(f"{name} is {_short(value)}, expected a number")


def _short(value: Any) -> str:
    """Show a value, or only its type where that would take more than a line."""
    shown = repr(value)
    return shown if len(shown) <= 60 and "\n" not in shown else f"a {type(value).__name__}"


def check_at_least(lowest: float, **numbers: float) -> None:
    """Refuse numbers below a limit."""
    check_numbers(**numbers)
    for name, value in numbers.items():
        if not value >= lowest:
            raise ValueError(f"{name} is {value}, expected at least {lowest}")


def check_at_least_one(**numbers: int) -> None:
    """Refuse numbers below 1, as :func:`check_at_least` does, and those that are no integers."""
    check_at_least(1, **numbers)
    check_whole(**numbers)


def check_whole(**numbers: Any) -> None:
    """Refuse what is not an integer, as Python and NumPy have them, with a ``TypeError``."""
    for name, value in numbers.items():
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise TypeError(f"{name} is {_short(value)}, expected an integer")


def check_integer(lowest: int, **numbers: Any) -> None:
    """Refuse what is not an integer or below a limit."""
    for name, value in numbers.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < lowest:
            raise ValueError(f"{name} is {value!r}, expected an integer of at least {lowest}")


def check_positive(**numbers: float) -> None:
    """Refuse numbers that are 0 or negative."""
    check_numbers(**numbers)
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}, expected above 0")


def check_finite(**numbers: float) -> None:
    """Refuse infinities and nan."""
    check_numbers(**numbers)
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}, expected a finite number")


def check_all_finite(**tensors: Tensor) -> None:
    """Refuse tensors with entries that are nan or infinite, and say how many there are.

    None are looked at where :func:`has_values` says that there are none.
    """
    check_tensors(**tensors)
    for name, tensor in tensors.items():
        if not has_values(tensor) or tensor.isfinite().all():
            continue
        nan = int(tensor.isnan().sum())
        infinite = int((~tensor.isfinite()).sum()) - nan
        raise ValueError(
            f"{name} has {nan} entries that are nan and {infinite} that are infinite, "
            f"of {tensor.numel()}, expected finite numbers"
        )


def check_range(low: float, high: float, *, below: bool = False, **numbers: float) -> None:
    """Refuse numbers outside ``low`` to ``high``; with ``below``, also ``high`` itself."""
    check_numbers(**numbers)
    for name, value in numbers.items():
        if not low <= value <= high or (below and value == high):
            upper = f"below {high}" if below else high
            raise ValueError(f"{name} is {value}, expected {low} to {upper}")


def check_multiple(divisor: int, **numbers: int) -> None:
    """Refuse numbers that are not 1, 2, 3, ... times ``divisor``."""
    check_numbers(**numbers)
    for name, value in numbers.items():
        if not (value >= divisor and value % divisor == 0):
            raise ValueError(f"{name} is {value}, expected a multiple of {divisor}")
    check_whole(**numbers)


def check_choice(choices: Collection[Any], **values: Any) -> None:
    """Refuse values that are not among ``choices``, and list these."""
    for name, value in values.items():
        if not (isinstance(value, Hashable) and value in choices):
            listed = ", ".join(map(str, choices))
            raise ValueError(f"{name} is {_short(value)}, expected one of {listed}")


def check_not_empty(**collections: Sized) -> None:
    """Refuse collections and tensors of length 0."""
    for name, collection in collections.items():
        if len(collection) == 0:
            raise ValueError(f"{name} is empty, expected at least one entry")


def check_same_shape(**tensors: Tensor) -> None:
    """Refuse tensors that differ in shape from the first, and would otherwise be broadcast."""
    check_tensors(**tensors)
    (name, first), *others = tensors.items()
    for other, tensor in others:
        if tensor.shape != first.shape:
            reject_tensor(other, tensor, f"the shape of {name}, {tuple(first.shape)}")


def check_shapes(**tensors: tuple[Tensor, str]) -> None:
    """Refuse tensors whose shapes do not fit together; each is given with its pattern.

    ``check_shapes(images=(images, "B C H W"), labels=(labels, "B"))`` wants as many labels as
    images: a letter stands for the same size wherever it occurs, a number for itself.
    """
    check_tensors(**{name: tensor for name, (tensor, _) in tensors.items()})
    sizes: dict[str, str] = {}
    for name, (tensor, pattern) in tensors.items():
        letters = pattern.split()
        wanted = [sizes.get(letter, letter) for letter in letters]
        fits = tensor.ndim == len(letters) and all(
            sizes.setdefault(letter, letter if letter.isdigit() else str(size)) == str(size)
            for letter, size in zip(letters, tensor.shape, strict=True)
        )
        if not fits:
            reject_tensor(name, tensor, f"({', '.join(wanted)}{',' * (len(letters) == 1)})")


def check_floating_point(**tensors: Tensor) -> None:
    """Refuse tensors of integers, bools or complex numbers with a ``TypeError``."""
    check_tensors(**tensors)
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise TypeError(f"{name} has type {tensor.dtype}, expected floating point")


def check_bytes(**tensors: Tensor) -> None:
    """Refuse tensors that are not ``uint8`` with a ``TypeError``."""
    check_tensors(**tensors)
    for name, tensor in tensors.items():
        if tensor.dtype != torch.uint8:
            raise TypeError(f"{name} has type {tensor.dtype}, expected torch.uint8")


def check_class_indices(num_classes: int, **labels: Tensor) -> None:
    """Refuse labels that are not a vector of class indices from 0 to ``num_classes - 1``."""
    check_tensors(**labels)
    for name, tensor in labels.items():
        if tensor.ndim != 1 or tensor.is_floating_point() or tensor.dtype == torch.bool:
            reject_tensor(name, tensor, "class indices (N,) of an integer type")
        if not has_values(tensor) or len(tensor) == 0:
            continue
        # As int64, for PyTorch finds no minimum of uint16, and 256 as a uint8 would be 0.
        low, high = map(int, tensor.to(torch.int64).aminmax())
        if not (low >= 0 and high < num_classes):
            raise ValueError(f"{name} is between {low} and {high}, expected 0 to {num_classes - 1}")


def reject_tensor(argument: str, tensor: Tensor, expected: str) -> NoReturn:
    """Refuse a tensor of the wrong shape or type."""
    raise ValueError(
        f"{argument} has shape {tuple(tensor.shape)} and type {tensor.dtype}, expected {expected}"
    )


def check_modules(**modules: Any) -> None:
    """Refuse what is not a ``torch.nn.Module`` with a ``TypeError``."""
    for name, value in modules.items():
        if not isinstance(value, torch.nn.Module):
            raise TypeError(f"{name} is {_short(value)}, expected a torch.nn.Module")


def check_callables(**functions: Any) -> None:
    """Refuse what cannot be called with a ``TypeError``."""
    for name, value in functions.items():
        if not callable(value):
            raise TypeError(f"{name} is {_short(value)}, expected a function")


def check_tensors(**values: Any) -> None:
    """Refuse what is no tensor of real numbers with a ``TypeError``."""
    for name, value in values.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"{name} is a {type(value).__name__}, expected a tensor")
        if value.is_complex():
            raise TypeError(f"{name} has type {value.dtype}, expected real numbers")


def has_values(tensor: Tensor) -> bool:
    """Say whether a check may look at values: not on the meta device, nor while compiling."""
    return not (tensor.is_meta or torch.compiler.is_compiling())


def check_overflow(result: Tensor, **inputs: Tensor) -> None:
    """Refuse inputs whose result is not finite: they are not finite themselves, or too large."""
    if not has_values(result) or result.isfinite().all():
        return
    check_all_finite(**inputs)
    ranges = [f"{name} is from {one.min():g} to {one.max():g}" for name, one in inputs.items()]
    raise ValueError(f"{', '.join(ranges)}, expected numbers whose result is finite")


def as_integers(count: int, **values: Any) -> tuple[int, ...]:
    """Give so many integers, in a tuple, a list, an array or a tensor, as a tuple."""
    ((name, value),) = values.items()
    try:
        numbers = tuple(operator.index(one) for one in value)
    except TypeError:
        numbers = ()
    if len(numbers) != count or isinstance(value, Mapping | set):
        raise ValueError(f"{name} is {_short(value)}, expected {count} integers")
    return numbers


def check_state(state: Any, *numbers: str, parts: Collection[str] = ()) -> None:
    """Refuse what ``state_dict`` did not return, which has these numbers and parts.

    A number is an integer of at least 0.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"state is {_short(state)}, expected what state_dict returned")
    for key in (*numbers, *parts):
        if key not in state:
            raise ValueError(f"state is {_short(state)}, expected one with {key!r}")
    check_integer(0, **{f"state[{key!r}]": state[key] for key in numbers})


def as_sizes(**numbers: int) -> tuple[int, ...]:
    """Give numbers of at least 1 as :func:`as_whole` does."""
    check_at_least_one(**numbers)
    return as_whole(1, **numbers)


def as_whole(lowest: int, **numbers: int) -> tuple[int, ...]:
    """Give integers from a limit on as Python's, which do not overflow as small ones of NumPy do.

    Whatever computes with an integer that a caller gave, or keeps it, goes on with this one.
    """
    check_integer(lowest, **numbers)
    return tuple(map(operator.index, numbers.values()))


def check_classifier_output(**logits: Tensor) -> None:
    """Refuse what is no ``(N, K)`` numbers with at least one entry, all finite."""
    for name, tensor in logits.items():
        check_shapes(**{name: (tensor, "N K")})
        check_not_empty(**{name: tensor.flatten()})
        if tensor.dtype == torch.bool:
            reject_tensor(name, tensor, "numbers")
        check_all_finite(**{name: tensor})


def check_types(*kinds: type, **values: Any) -> None:
    """Refuse what is of none of these types with a ``TypeError``."""
    for name, value in values.items():
        if not isinstance(value, kinds):
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(f"{name} is {_short(value)}, expected {expected}")


def as_path(**values: Any) -> Path:
    """Give one path, a text or path-like, as a ``Path``."""
    ((name, value),) = values.items()
    check_types(str, os.PathLike, **{name: value})
    return Path(value)


def as_device(**values: Any) -> torch.device:
    """Give one device of PyTorch, or its name, as a ``torch.device``."""
    ((name, value),) = values.items()
    try:
        if isinstance(value, bytes):
            raise TypeError("bytes are no text")
        return torch.device(value)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"{name} is {value!r}, expected a device of PyTorch: {error}") from error


def as_point(bounds: Sequence[tuple[float, float]], **values: Any) -> tuple[float, ...]:
    """Give a point as floats, each from the low to the high end of its pair among ``bounds``.

    One point is given, under the name of its argument.
    """
    ((name, value),) = values.items()
    try:
        point = tuple(map(float, value))
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{name} is {_short(value)}, expected numbers") from error
    pairs = list(zip(point, bounds, strict=False))
    if len(point) != len(bounds) or not all(low <= at <= high for at, (low, high) in pairs):
        ranges = " and ".join(f"{low} to {high}" for low, high in bounds)
        raise ValueError(f"{name} is {_short(value)}, expected {len(bounds)} numbers, {ranges}")
    return point
