"""What an answer gives: read in any form, compared with what is right, shown, and hinted at.

Many wrong answers are right up to a sign, a factor, an order or a shape. That is found for every
exercise, whatever it asks for.
"""

import math
from collections.abc import Iterator
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

_FEW = 6  # numbers that are shown one by one
_Sizes = list[tuple[str, int]]
_KINDS = {
    "NoneType": "",
    "str": "This is text: return the number itself.",
    "generator": "`yield` makes a generator: collect the numbers in a list, and return that.",
    "set": "A set has no order, and nothing in it twice: return a list.",
    "Scalar": "This is a node of the tape: its number is its value.",
}


class Numbers(NamedTuple):
    """Numbers of any form as ``float64``, and how exact that form is: 0 for whole numbers."""

    values: Tensor
    precision: float


def read(value: Any) -> Any:
    """Read numbers in any form as :class:`Numbers`; of other lists read the parts.

    A number may be one of Python or NumPy, a tensor of any type, device and layout with or without
    a graph, an array, or a list of these. Only text and ``None`` are kept besides: what else there
    is cannot be compared, so that no ``__eq__`` of an answer decides whether it is right.
    """
    numbers = _numbers(value)
    if numbers is None and isinstance(value, list | tuple):
        return [read(one) for one in value]
    return value if numbers is None else numbers


def _numbers(value: Any) -> Numbers | None:
    if isinstance(value, Tensor):
        return _of_tensor(value)
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "biuf":
            return _numbers(value.tolist()) if value.dtype.kind == "O" else None
        precision = float(np.finfo(value.dtype).eps) if value.dtype.kind == "f" else 0.0
        return Numbers(torch.from_numpy(np.array(value, np.float64)), precision)
    if isinstance(value, Real | Decimal):
        precision = 0.0 if isinstance(value, Integral) else 2.0**-52
        try:
            return Numbers(torch.tensor(float(value), dtype=torch.float64), precision)
        except (OverflowError, TypeError, ValueError):
            return None
    return _of_parts([_numbers(one) for one in value]) if isinstance(value, list | tuple) else None


def _of_tensor(tensor: Tensor) -> Numbers | None:
    with torch._C.DisableTorchFunctionSubclass():  # a subclass may say anything
        if tensor.is_meta or tensor.is_complex():
            return None
        dense = Tensor.to_dense(tensor) if tensor.layout != torch.strided else tensor
        values = Tensor.double(Tensor.cpu(Tensor.detach(dense))).clone()
        precision = torch.finfo(tensor.dtype).eps if tensor.is_floating_point() else 0.0
    return Numbers(values, precision)


def _of_parts(parts: list[Numbers | None]) -> Numbers | None:
    if any(part is None for part in parts) or len({part.values.shape for part in parts}) > 1:
        return None
    values = [part.values for part in parts]
    stacked = torch.stack(values) if values else torch.zeros(0, dtype=torch.float64)
    return Numbers(stacked, max((part.precision for part in parts), default=0.0))


def agrees(given: Any, right: Any, tolerance: float) -> bool:
    """Say whether what was read equals what is right, which was read as well.

    Floats may differ by the relative ``tolerance``, or by 4 units of the precision they came in,
    and by a tenth of that around 0. Whole numbers are equal. One number may have any shape.
    """
    if isinstance(right, Numbers):
        if not isinstance(given, Numbers):
            return False
        values = _fitted(given.values, right.values)
        near = max(tolerance, 4 * given.precision) if right.precision else 0.0
        return values.shape == right.values.shape and _close(values, right.values, near)
    if isinstance(right, list):
        return (
            type(given) is list
            and len(given) == len(right)
            and all(agrees(one, other, tolerance) for one, other in zip(given, right, strict=True))
        )
    return type(given) is type(right) and isinstance(right, str | None) and given == right


def _fitted(values: Tensor, right: Tensor) -> Tensor:
    return values.reshape(()) if right.ndim == 0 and values.numel() == 1 else values


def _close(values: Tensor, right: Tensor, near: float = 1e-4) -> bool:
    return torch.allclose(values, right, rtol=near, atol=near / 10, equal_nan=True)


def show(value: Any) -> str:
    """Show what was read: a few numbers, the shape of many, or what else it is."""
    if isinstance(value, Numbers):
        if value.values.numel() <= _FEW:
            return _digits(value.values.tolist())
        return f"a tensor of shape {tuple(value.values.shape)}"
    if type(value) is list and all(isinstance(one, str) for one in value):
        return repr(value)
    if isinstance(value, str | None):
        return repr(value)
    if isinstance(value, Tensor):
        return "complex numbers" if value.is_complex() else "a tensor without values (meta)"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def _digits(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_digits, value))}]"
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.5g}"


def difference(given: Any, right: Any) -> str:
    """Say what was given and what is right: all of it, the shapes, or the first that differs."""
    if not (isinstance(given, Numbers) and isinstance(right, Numbers)):
        return f"{show(given)}, expected {show(right)}"
    values, wanted = _fitted(given.values, right.values), right.values
    if values.shape != wanted.shape:
        shapes = (f" of shape {tuple(one.shape)}" for one in (values, wanted))
        few = (one.values.ndim > 0 and one.values.numel() <= _FEW for one in (given, right))
        texts = (
            f"{show(one)}{shape * is_few}"
            for one, shape, is_few in zip((given, right), shapes, few, strict=True)
        )
        return ", expected ".join(texts)
    if values.numel() <= _FEW:
        return f"{show(given)}, expected {show(right)}"
    wrong = ~torch.isclose(values, wanted, rtol=1e-4, atol=1e-5)
    place = wrong.nonzero()[0].tolist() if wrong.any() else [0] * wanted.ndim
    pair = [_digits(one[tuple(place)].item()) for one in (values, wanted)]
    return (
        f"{pair[0]} at {place}, expected {pair[1]} "
        f"({int(wrong.sum())} of {wrong.numel()} numbers differ)"
    )


def hint(given: Any, right: Any, sizes: _Sizes) -> str:
    """Say what makes the answer right, if it is one of the usual things; else "".

    Args:
        given: What was read.
        right: What is right.
        sizes: The lengths of the arguments with their names, for a factor that is one of them.
    """
    if not isinstance(right, Numbers):
        return ""
    if not isinstance(given, Numbers):
        return _KINDS.get(type(given).__name__, "Return a number, a tensor, an array or a list.")
    values, wanted = _fitted(given.values, right.values), right.values
    if values.isnan().any():
        return "nan comes from 0 / 0, inf - inf, or a root or logarithm of a number below 0."
    if values.isinf().any() and not wanted.isinf().any():
        return "inf comes from a division by 0, a logarithm of 0, or exp of a large number."
    rule = _hints if values.shape == wanted.shape else _hints_of_shape
    return next(rule(values, wanted, sizes), "")


def _hints_of_shape(values: Tensor, wanted: Tensor, _: _Sizes) -> Iterator[str]:
    if values.ndim == wanted.ndim == 2 and values.T.shape == wanted.shape:
        yield "Rows and columns are exchanged: transpose the result."
    if values.numel() == wanted.numel():
        yield "There are as many numbers as expected: look at keepdim, squeeze and [None]."
    if wanted.ndim == 0 and values.numel():
        for name, one in (("mean", values.mean()), ("sum", values.sum())):
            if _close(one, wanted):
                yield f"Their {name} is right: return that one number."
    if values.numel() == 1:
        yield "Over which dim is the sum or mean taken? One number came out for all."
    if values.ndim > wanted.ndim > 0 and values.shape[-wanted.ndim :] == wanted.shape:
        yield "A column and a row were broadcast against each other: look at keepdim and [None]."


def _hints(values: Tensor, wanted: Tensor, sizes: _Sizes) -> Iterator[str]:
    if values.numel() == 0:
        return
    if _close(-values, wanted):
        yield "The sign is reversed."
    if wanted.ndim == 2 and values.T.shape == wanted.shape and _close(values.T, wanted):
        yield "Rows and columns are exchanged: transpose the result."
    if values.numel() > 1 and _close(values.flatten().sort()[0], wanted.flatten().sort()[0]):
        yield "The numbers are right, but in another order."
    yield from _factors(values, wanted, sizes)
    apart = values - wanted
    every = "Every number is" if apart.numel() > 1 else "It is"
    off_by_one = abs(apart.flatten()[0].item()) == 1 and wanted.flatten()[0].item().is_integer()
    if (apart.numel() > 1 or off_by_one) and _close(apart, apart.mean().expand_as(apart)):
        size = _digits(abs(apart.mean().item()))
        yield f"{every} {size} too {'large' if apart.mean() > 0 else 'small'}."


def _factors(values: Tensor, wanted: Tensor, sizes: _Sizes) -> Iterator[str]:
    there = wanted.abs() > 1e-5
    if not there.any() or not _close(values[~there], wanted[~there]):
        return
    ratios = values[there] / wanted[there]
    ratio = ratios.mean()
    if ratio.abs() < 1e-5 or not _close(ratios, ratio.expand_as(ratios)):
        return
    known = next((why for factor, why in _known_factors(sizes) if _is_near(ratio, factor)), "")
    if known or len(ratios) > 1:
        every = "Every number is" if wanted.numel() > 1 else "It is"
        why = known or "a constant factor is wrong or missing"
        yield f"{every} {_digits(ratio.item())} times what is expected: {why}."


def _is_near(ratio: Tensor, factor: float) -> bool:
    return math.isclose(ratio, factor, rel_tol=1e-4)


def _known_factors(sizes: _Sizes) -> Iterator[tuple[float, str]]:
    yield 2.0, "a factor of 1/2 may be missing"
    yield 0.5, "a factor of 2 may be missing"
    for factor, why in (
        (100.0, "one of the two is in percent"),
        (math.log(2), "the bases of the logarithms differ"),
    ):
        yield factor, why
        yield 1 / factor, why
    for name, size in sizes:
        if size > 1:
            length = f"{size} is a length of {name}, so there may be"
            yield float(size), f"{length} a sum in place of a mean"
            yield 1 / size, f"{length} a mean in place of a sum"
            yield size / (size - 1), f"{length} n - 1 in place of n"
            yield (size - 1) / size, f"{length} n in place of n - 1"
