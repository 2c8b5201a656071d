"""Hostile values by the role of an argument, as expressions of a valid value ``v``.

An expression is both what is given and how a failure shows it. ``wrong`` has to be refused by the
name of the argument, ``misfit`` by the name of any argument, since it may be another one that does
not fit. ``same`` means what ``v`` means: it gives the same result, or is refused by name. ``odd``
may be either; what comes out has to be finite all the same.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn


class Role(NamedTuple):
    """What an argument is. A test that needs half types compares with ``v`` rounded as they are."""

    make: Callable[[], Any]  # a new valid value, the same each time
    wrong: tuple[str, ...] = ()
    misfit: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()

    def but(self, **changes: Any) -> "Role":
        """Give the role with other expressions, or with more where their name begins with more_."""
        more = {
            name[5:]: getattr(self, name[5:]) + value
            for name, value in changes.items()
            if name.startswith("more_")
        }
        return self._replace(
            **{k: v for k, v in changes.items() if not k.startswith("more_")} | more
        )

    def without(self, *expressions: str) -> "Role":
        """Give the role without some expressions, which are right here."""
        kinds = ("wrong", "misfit", "same", "odd")
        return self._replace(
            **{
                kind: tuple(e for e in getattr(self, kind) if e not in expressions)
                for kind in kinds
            }
        )


def poke(values: Tensor, entry: float) -> Tensor:
    """Set the first entry of a copy."""
    changed = values.detach().clone()
    changed.view(-1)[0] = entry
    return changed


def strided(values: Tensor) -> Tensor:
    """Give the same numbers as every second entry of something longer."""
    return torch.stack([values, values], -1).flatten(-2)[..., ::2] if values.ndim else values


def permuted(images: Tensor) -> Tensor:
    """Give the same images as a view of a NHWC array."""
    return torch.from_numpy(images.permute(0, 2, 3, 1).contiguous().numpy()).permute(0, 3, 1, 2)


NAMES = {
    "torch": torch,
    "np": np,
    "nn": nn,
    "nan": math.nan,
    "inf": math.inf,
    "poke": poke,
    "strided": strided,
    "permuted": permuted,
}
# What an expression in half types is compared with: the same rounding, in float32.
ROUNDED = {"v.half()": "v.half().float()", "v.bfloat16()": "v.bfloat16().float()"}

_NO_NUMBER = ("nan", "'1'", "None", "[v]", "{}", "1j", "object()", "torch.ones(2)", "b'1'")
_NO_TENSOR = ("None", "'x'", "7", "{}", "object()", "[[1], [2, 3]]", "['a']")
_ARRAYS = (
    "v.numpy()",
    "v.tolist()",
    "tuple(v.tolist())",
    "strided(v)",
    "v.clone()",
    "np.flip(np.flip(v.numpy()).copy())",  # with negative strides
    "v.numpy().astype(v.numpy().dtype.newbyteorder())",
)
_FLOATS = (
    "v.double()",
    "v.half()",
    "v.bfloat16()",
    "v.numpy().astype(float)",
    "v.clone().requires_grad_()",
    "nn.Parameter(v)",
)
_IMAGES = (
    "v.contiguous(memory_format=torch.channels_last)",
    "permuted(v)",
    "v.transpose(2, 3).contiguous().transpose(2, 3)",
    "v.flip(0).flip(0)",
)


def number(value: float, *wrong: str, inf: bool = False, optional: bool = False) -> Role:
    """A real number; ``value`` is exact in float32."""
    refused = _NO_NUMBER + (() if inf else ("inf", "-inf")) + wrong
    return Role(
        lambda: value,
        tuple(e for e in refused if not (optional and e == "None")),
        same=(
            "np.float32(v)",
            "np.float64(v)",
            "np.array(v)",
            "torch.tensor(v)",
            "torch.tensor(v, dtype=torch.float64)",
        ),
        odd=("True", "1e-300", "5e-324", "1e300", "-0.0", "1e-9", "0", "1", "torch.tensor([v])"),
    )


def fraction(value: float = 0.5, *wrong: str) -> Role:
    """From 0 to 1."""
    return number(value, "-0.1", "1.1", "-1", "2", "1e9", *wrong).but(
        odd=("0", "1", "True", "5e-324", "1e-9")
    )


def at_least(low: float, value: float) -> Role:
    return number(value, f"{low} - 0.1", f"{low} - 1", f"{low} - 1e9")


def positive(value: float) -> Role:
    return number(value, "0", "-0.1", "-1", "-1e9").but(
        odd=("True", "1e-9", "1", "torch.tensor([v])", "1e-300", "1e300", "5e-324")
    )


def integer(value: int, low: int | None = None, *misfit: str) -> Role:
    """An integer; what is far too large would take its time, and is not tried."""
    below = () if low is None else (f"{low} - 1", "-(10**9)")
    return Role(
        lambda: value,
        (*_NO_NUMBER, "inf", "-inf", "v + 0.5", "v + 1e-9", *below),
        misfit,
        same=(
            "np.int64(v)",
            "np.uint8(v)",
            "np.int8(v)",
            "torch.tensor(v)",
            "np.array(v)",
            "float(v)",
            "torch.tensor(v, dtype=torch.uint8)",
        ),
        odd=("True", "torch.tensor([v])", "v + 1"),
    )


def seed() -> Role:
    return integer(0, 0).but(odd=("True", "2**32", "2**63", "2**64", "10**30", "1"))


def choice(value: str, *others: str) -> Role:
    """One of some words."""
    return Role(
        lambda: value,
        ("'no such'", "''", "None", "7", "[v]", "v.encode()", "nan", "object()"),
        odd=("np.str_(v)", "v.upper()", *(repr(other) for other in others)),
    )


def text(value: str = "some words") -> Role:
    """Any text, which is only shown."""
    return Role(lambda: value, odd=("''", "'<b>&'", "'x' * 300", "'é ✓'", "np.str_(v)"))


def switch(value: bool = False) -> Role:
    """A switch. Python takes anything for a truth value, so nothing is wrong."""
    return Role(lambda: value, same=("np.bool_(v)", "int(v)"), odd=("not v", "None", "'no'"))


def floats(make: Callable[[], Tensor], *, empty: bool = True) -> Role:
    """A tensor of real numbers that have to be finite."""
    return Role(
        make,
        (
            *_NO_TENSOR,
            "poke(v, nan)",
            "poke(v, inf)",
            "poke(v, -inf)",
            "v * nan",
            "v.to(torch.complex64)",
        ),
        ("v[..., None]", "v.sum()"),
        (*_ARRAYS, *_FLOATS),
        ("v * 0", "v * 1e-30", "v.round().long()", "v > 0.5") + ("v[:0]", "v[..., :0]") * empty,
    )


def images(make: Callable[[], Tensor]) -> Role:
    """Images ``(N, C, H, W)`` of real numbers."""
    return floats(make).but(
        misfit=("v[..., None]", "v[0]", "v[:, 0]", "v[None]", "v.flatten(1)"),
        more_same=_IMAGES,
        odd=(
            "v * 0",
            "v[:0]",
            "v[:1]",
            "v[:, :0]",
            "v[..., :0]",
            "v[..., :1]",
            "v.mul(255).byte()",
        ),
    )


def byte_images(make: Callable[[], Tensor]) -> Role:
    return images(make).but(
        wrong=(*_NO_TENSOR, "v.float() * nan", "v.to(torch.complex64)"),
        same=(*_ARRAYS, *_IMAGES),
        odd=(
            "v[:0]",
            "v[:1]",
            "v[:, :0]",
            "v[..., :0]",
            "v[..., :1]",
            "v.float()",
            "v.long()",
            "v > 9",
            "v.half()",
        ),
    )


def indices(make: Callable[[], Tensor], beyond: int = 99) -> Role:
    """A vector of class indices."""
    return Role(
        make,
        (
            *_NO_TENSOR,
            "poke(v, -1)",
            f"poke(v, {beyond})",
            "v + 0.5",
            "v * nan",
            "v > 0",
            "poke(v, -100)",
            "poke(v, 2**40)",
        ),
        ("v[:, None]", "v[0]", "v[1:]", "torch.cat([v, v])"),
        (
            *_ARRAYS,
            "v.int()",
            "v.to(torch.uint8)",
            "v.to(torch.int16)",
            "v.to(torch.uint16)",
            "v.numpy().astype(np.uint64)",
            "v.numpy().astype(np.int32)",
        ),
        ("v[:0]", "v.float()", "v[:1]", "v * 0"),
    )


def masks(make: Callable[[], Tensor]) -> Role:
    """A tensor of bools."""
    return Role(
        make,
        _NO_TENSOR,
        ("v[..., None]", "v[1:]", "v.any()"),
        _ARRAYS,
        ("v.float()", "v.long()", "v.byte()", "v & False", "v | True", "v * nan", "v[:0]"),
    )


def counts(value: tuple[int, ...]) -> Role:
    """Examples of each class."""
    return Role(
        lambda: list(value),
        (
            "None",
            "'844'",
            "7",
            "{}",
            "object()",
            "[nan, *v[1:]]",
            "[inf, *v[1:]]",
            "[0, *v[1:]]",
            "[-1, *v[1:]]",
            "[None, *v[1:]]",
            "['8', *v[1:]]",
            "[]",
            "[v]",
            "[1j, *v[1:]]",
        ),
        ("v[1:]", "[*v, *v]"),
        (
            "tuple(v)",
            "np.array(v)",
            "np.array(v, dtype=np.int8)",
            "torch.tensor(v)",
            "torch.tensor(v, dtype=torch.uint8)",
            "torch.tensor(v).float()",
            "list(map(float, v))",
            "strided(torch.tensor(v))",
            "list(map(np.int64, v))",
            "torch.tensor(v).half()",
        ),
        ("[2.5, *v[1:]]", "[10**30, *v[1:]]", "[True, *v[1:]]", "[2**53 + 1, *v[1:]]"),
    )


def sequence(make: Callable[[], Any], *wrong: str, misfit: tuple[str, ...] = ()) -> Role:
    """Several things, in a list."""
    return Role(make, ("None", "7", "object()", *wrong), misfit, ("tuple(v)", "list(v)"), ())


def module(make: Callable[[], Any], *odd: str) -> Role:
    """A model, a layer or an optimizer: anything else is taken for one at once."""
    return Role(make, ("None", "'x'", "7", "object()", "{}", "[v]", "type(v)"), odd=odd)


def function(make: Callable[[], Any], *wrong: str) -> Role:
    """Something to call."""
    return Role(make, ("'x'", "7", "[v]", "{}", *wrong))


def anything(make: Callable[[], Any], *odd: str) -> Role:
    """What can have no wrong value."""
    return Role(make, odd=odd)
