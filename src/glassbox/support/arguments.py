"""Checks of arguments that many functions share."""

from typing import NoReturn

from torch import Tensor


def check_at_least_one(**numbers: int) -> None:
    """Refuse numbers below 1.

    Args:
        **numbers: Each by the name of its argument.

    Raises:
        ValueError: If one is below 1; the message names it.
    """
    for name, value in numbers.items():
        if not value >= 1:
            raise ValueError(f"{name} is {value}, expected at least 1")


def check_positive(**numbers: float) -> None:
    """Refuse numbers that are 0, negative or not a number.

    Args:
        **numbers: Each by the name of its argument.

    Raises:
        ValueError: If one is not above 0; the message names it.
    """
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}, expected above 0")


def check_same_shape(**tensors: Tensor) -> None:
    """Refuse tensors whose shapes differ, which would otherwise be broadcast.

    Args:
        **tensors: Each by the name of its argument; the first has the shape that is expected.

    Raises:
        ValueError: If another has another shape; the message names it.
    """
    (name, first), *others = tensors.items()
    for other, tensor in others:
        if tensor.shape != first.shape:
            raise ValueError(
                f"{other} has shape {tuple(tensor.shape)}, "
                f"expected that of {name}, {tuple(first.shape)}"
            )


def reject_tensor(argument: str, tensor: Tensor, expected: str) -> NoReturn:
    """Refuse a tensor of the wrong shape or type.

    Args:
        argument: Its name.
        tensor: What was given.
        expected: Shape and type that would do.

    Raises:
        ValueError: Always.
    """
    raise ValueError(
        f"{argument} has shape {tuple(tensor.shape)} and type {tensor.dtype}, expected {expected}"
    )
