"""Reverse-mode differentiation of NumPy arrays: every operation beside its local backward."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

_Pull = Callable[[np.ndarray], np.ndarray]
_Axes = int | tuple[int, ...] | None

_serial = itertools.count()


class Array:
    """An array that remembers what it was made from.

    It follows the same plan as :class:`~glassbox.autograd.scalar_tape.Scalar`, with one change: a
    slope is no longer a number to multiply by but a *pull*, a function that takes the gradient of
    the result and gives that of the input. Plain arrays and numbers are constants and take no
    part in the backward pass.

    Args:
        value: Anything NumPy makes a float array of; integers become float64.
        inputs: Pairs of an input and its pull; none for a leaf.

    Raises:
        TypeError: If ``value`` holds no real numbers.

    Reference:
        Griewank and Walther (2008), "Evaluating Derivatives", chapter 3.
    """

    __array_ufunc__ = None  # so that ``ndarray + Array`` comes to ``Array.__radd__``

    def __init__(self, value: Any, *inputs: tuple[Any, _Pull]) -> None:
        self.value = _real(value)
        self.inputs = tuple((source, pull) for source, pull in inputs if isinstance(source, Array))
        self.grad: np.ndarray | None = None
        self.serial = next(_serial)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length along each axis."""
        return self.value.shape

    def __repr__(self) -> str:
        return f"Array(shape={self.shape})"

    def __add__(self, other: Any) -> "Array":
        return Array(self.value + _value(other), (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other: Any) -> "Array":
        a, b = self.value, _value(other)
        return Array(a * b, (self, lambda g: g * b), (other, lambda g: g * a))

    def __truediv__(self, other: Any) -> "Array":
        a, b = self.value, _value(other)
        return Array(a / b, (self, lambda g: g / b), (other, lambda g: -g * a / b**2))

    def __pow__(self, exponent: float) -> "Array":
        x = self.value
        slope = exponent * x ** (exponent - 1) if exponent else np.zeros_like(x)
        return Array(x**exponent, (self, lambda g: g * slope))

    def __matmul__(self, other: Any) -> "Array":
        a, b = self.value, _value(other)
        return Array(
            _checked_matrices(a, b),
            (self, lambda g: g @ b.swapaxes(-1, -2)),
            (other, lambda g: a.swapaxes(-1, -2) @ g),
        )

    def exp(self) -> "Array":
        """Raise e to each element."""
        result = np.exp(self.value)
        return Array(result, (self, lambda g: g * result))

    def log(self) -> "Array":
        """Take the natural logarithm of each element."""
        x = self.value
        return Array(np.log(x), (self, lambda g: g / x))

    def tanh(self) -> "Array":
        """Squash each element to between -1 and 1."""
        result = np.tanh(self.value)
        return Array(result, (self, lambda g: g * (1 - result**2)))

    def relu(self) -> "Array":
        """Keep what is above 0."""
        positive = self.value > 0
        return Array(self.value * positive, (self, lambda g: g * positive))

    def sum(self, axis: _Axes = None, keepdims: bool = False) -> "Array":
        """Sum over one axis, several, or all; with ``keepdims`` these axes stay, with length 1."""
        kept = self.value.sum(axis, keepdims=True)
        result = kept if keepdims else self.value.sum(axis)
        return Array(result, (self, lambda g: np.broadcast_to(g.reshape(kept.shape), self.shape)))

    def max(self, axis: _Axes = None, keepdims: bool = False) -> "Array":
        """Take the maximum over one axis, several, or all; ties share the gradient evenly."""
        kept = self.value.max(axis, keepdims=True)
        winners = self.value == kept
        fraction = winners / winners.sum(axis, keepdims=True)
        result = kept if keepdims else self.value.max(axis)
        return Array(result, (self, lambda g: fraction * g.reshape(kept.shape)))

    def __getitem__(self, index: Any) -> "Array":
        def pull(gradient: np.ndarray) -> np.ndarray:
            spread = np.zeros_like(self.value)
            np.add.at(spread, index, gradient)  # adds where an element was picked twice
            return spread

        return Array(self.value[index], (self, pull))

    def reshape(self, *shape: int) -> "Array":
        """Give the elements another shape, in the same order."""
        return Array(self.value.reshape(shape), (self, lambda g: g.reshape(self.shape)))

    def transpose(self, *axes: int) -> "Array":
        """Reorder the axes as ``axes`` says; the gradient goes back by the inverse order."""
        back = np.argsort(axes)
        return Array(self.value.transpose(axes), (self, lambda g: g.transpose(back)))

    def __neg__(self) -> "Array":
        return self * -1.0

    def __sub__(self, other: Any) -> "Array":
        return self + -other

    def __rsub__(self, other: Any) -> "Array":
        return -self + other

    def __rtruediv__(self, other: Any) -> "Array":
        return self**-1 * other

    def __rmatmul__(self, other: Any) -> "Array":
        return Array(other) @ self

    __radd__, __rmul__ = __add__, __mul__

    def backward(self, gradient: Any = None) -> None:
        """Add the gradient of this array with respect to each leaf to that leaf's ``grad``.

        Args:
            gradient: The gradient of some further number with respect to this array, of its shape;
                may be left out where this array holds a single number.

        Raises:
            ValueError: If ``gradient`` is left out for more than one number, or has another shape.
        """
        arriving = {self: _starting_gradient(self.value, gradient)}
        while arriving:
            node = max(arriving, key=lambda node: node.serial)
            gradient = arriving.pop(node)
            if not node.inputs:
                node.grad = gradient if node.grad is None else node.grad + gradient
            for parent, pull in node.inputs:
                fraction = sum_to_shape(pull(gradient), parent.shape)
                arriving[parent] = arriving[parent] + fraction if parent in arriving else fraction


def sum_to_shape(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting to ``shape``: an element used many times gets the sum of its gradients."""
    added = gradient.ndim - len(shape)
    stretched = tuple(
        added + axis
        for axis, length in enumerate(shape)
        if length == 1 and gradient.shape[added + axis] > 1
    )
    return gradient.sum((*range(added), *stretched)).reshape(shape)


def _real(value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"value has type {array.dtype}, expected real numbers")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _value(operand: Any) -> Any:
    """Look into an array; a plain number stays one, so that it does not widen a float32."""
    if isinstance(operand, Array):
        return operand.value
    return operand if isinstance(operand, int | float) else _real(operand)


def _checked_matrices(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(f"other has shape {b.shape}, expected one to multiply {a.shape} with")
    return a @ b


def _starting_gradient(value: np.ndarray, gradient: Any) -> np.ndarray:
    if gradient is None:
        if value.size != 1:
            raise ValueError(f"gradient is None, expected an array of shape {value.shape}")
        return np.ones_like(value)
    gradient = _real(gradient)
    if gradient.shape != value.shape:
        raise ValueError(f"gradient has shape {gradient.shape}, expected {value.shape}")
    return gradient
