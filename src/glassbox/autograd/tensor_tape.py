"""Reverse-mode differentiation of NumPy arrays: every operation beside its local backward."""

import copy
import heapq
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from glassbox.support.arguments import check_numbers

_Pull = Callable[[np.ndarray], np.ndarray]
_Axes = int | Sequence[int] | None

_serial = itertools.count()


class Array:
    """An array that remembers what it was made from.

    It follows the same plan as :class:`~glassbox.autograd.scalar_tape.Scalar`, with one change: a
    slope is no longer a number to multiply by but a *pull*, a function that takes the gradient of
    the result and gives that of the input. Plain arrays, lists and numbers are constants and take
    no part in the backward pass. Types are PyTorch's: of two float types the wider one wins, but
    neither integers nor single numbers widen an array of floats, and a gradient has the type of its
    array.

    PyTorch counts versions to notice an array that changes before the backward pass. Here none can:
    leaves and constants are copied, and every ``value`` is read-only.

    Args:
        value: Anything NumPy makes a float array of; integers become float64.
        inputs: Pairs of an input and its pull; none for a leaf.

    Raises:
        TypeError: If ``value``, or the other operand, holds no real numbers.
        ValueError: If shapes or axes do not fit.

    Reference:
        Griewank and Walther (2008), "Evaluating Derivatives", chapter 3.
    """

    __array_ufunc__ = None  # so that ``ndarray + Array`` comes to ``Array.__radd__``

    def __init__(self, value: Any, *inputs: tuple[Any, _Pull]) -> None:
        value = _real("value", value)
        self.value = value.view() if inputs else value.copy()
        self.value.flags.writeable = False
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
        a, b = _operands(self, other)
        return Array(a + b, (self, lambda g: g), (other, lambda g: g))

    def __sub__(self, other: Any) -> "Array":
        a, b = _operands(self, other)
        return Array(a - b, (self, lambda g: g), (other, lambda g: -g))

    def __mul__(self, other: Any) -> "Array":
        a, b = _operands(self, other)
        return Array(a * b, (self, lambda g: g * b), (other, lambda g: g * a))

    def __truediv__(self, other: Any) -> "Array":
        a, b = _operands(self, other)
        return Array(a / b, (self, lambda g: g / b), (other, lambda g: -g * a / b**2))

    def __pow__(self, exponent: float) -> "Array":
        check_numbers(exponent=exponent)
        x, n = self.value, float(exponent)
        slope = n * x ** (n - 1) if n else np.zeros_like(x)
        return Array(x**n, (self, lambda g: g * slope))

    def __matmul__(self, other: Any) -> "Array":
        a, b = _operands(self, other)
        return Array(
            _product(a, b),
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
        return Array(np.maximum(self.value, 0), (self, lambda g: np.where(positive, g, 0)))

    def sum(self, axis: _Axes = None, keepdims: bool = False) -> "Array":
        """Sum over one axis, several, or all; with ``keepdims`` these axes stay, with length 1."""
        axis = axis if axis is None else _integers("axis", (axis,))
        kept = self.value.sum(axis, keepdims=True)
        result = kept if keepdims else self.value.sum(axis)
        return Array(result, (self, lambda g: np.broadcast_to(g.reshape(kept.shape), self.shape)))

    def max(self, axis: _Axes = None, keepdims: bool = False) -> "Array":
        """Take the maximum over one axis, several, or all; ties share the gradient evenly."""
        axis = axis if axis is None else _integers("axis", (axis,))
        kept = self.value.max(axis, keepdims=True)
        winners = self.value == kept
        fraction = winners / winners.sum(axis, keepdims=True)
        result = kept if keepdims else self.value.max(axis)
        return Array(result, (self, lambda g: fraction * g.reshape(kept.shape)))

    def __getitem__(self, index: Any) -> "Array":
        index = copy.deepcopy(index)  # it may be an array, and change

        def pull(gradient: np.ndarray) -> np.ndarray:
            spread = np.zeros_like(self.value)
            np.add.at(spread, index, gradient)  # adds where an element was picked twice
            return spread

        return Array(self.value[index], (self, pull))

    def reshape(self, *shape: int | Sequence[int]) -> "Array":
        """Give the elements another shape, in the same order."""
        shape = _integers("shape", shape)
        try:
            if min(shape, default=0) < -1:
                raise ValueError("PyTorch knows only -1")
            result = self.value.reshape(shape)
        except ValueError as error:
            fits = f"a shape for {self.value.size} numbers"
            raise ValueError(f"shape is {shape}, expected {fits}") from error
        return Array(result, (self, lambda g: g.reshape(self.shape)))

    def transpose(self, *axes: int | Sequence[int]) -> "Array":
        """Reorder the axes as ``axes`` says, or reverse them; the gradient goes back."""
        count = self.value.ndim
        axes = _integers("axes", axes) or tuple(range(count))[::-1]
        order = [axis + count if axis < 0 else axis for axis in axes]
        if sorted(order) != list(range(count)):
            raise ValueError(f"axes is {axes}, expected each of {count} axes once")
        back = np.argsort(order)
        return Array(self.value.transpose(order), (self, lambda g: g.transpose(back)))

    def __neg__(self) -> "Array":
        return self * -1

    def __rsub__(self, other: Any) -> "Array":
        return -self + other

    def __rtruediv__(self, other: Any) -> "Array":
        b, a = _operands(self, other)
        return Array(a / b, (self, lambda g: -g * a / b**2))

    def __rmatmul__(self, other: Any) -> "Array":
        return Array(_operands(self, other)[1]) @ self

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
        waiting = [(-self.serial, self)]  # a heap, with the youngest first
        while waiting:
            _, node = heapq.heappop(waiting)
            gradient = arriving.pop(node)
            if not node.inputs:
                node.grad = gradient if node.grad is None else node.grad + gradient
            for parent, pull in node.inputs:
                fraction = sum_to_shape(pull(gradient), parent.shape)
                fraction = np.array(fraction, parent.value.dtype)
                if parent in arriving:
                    arriving[parent] += fraction
                else:
                    arriving[parent] = fraction
                    heapq.heappush(waiting, (-parent.serial, parent))


def sum_to_shape(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting to ``shape``: an element used many times gets the sum of its gradients.

    Raises:
        ValueError: If nothing of ``shape`` could have been broadcast to the gradient's shape.
    """
    gradient, shape = _real("gradient", gradient), _integers("shape", (shape,))
    added = gradient.ndim - len(shape)
    lengths = zip(shape, gradient.shape[max(added, 0) :], strict=False)
    if added < 0 or any(length not in (1, wide) for length, wide in lengths):
        raise ValueError(
            f"gradient has shape {gradient.shape}, expected one that {shape} is broadcast to"
        )
    gradient = gradient.sum(tuple(range(added)))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return gradient.sum(stretched, keepdims=True)


def as_array(**given: Any) -> Array:
    """Give an array as it is, and make a constant of anything else, by the name of its argument."""
    ((name, value),) = given.items()
    return value if isinstance(value, Array) else Array(_real(name, value))


def _integers(name: str, numbers: tuple[Any, ...]) -> tuple[int, ...]:
    """Give integers that came one by one, or in one tuple or list."""
    if len(numbers) == 1 and isinstance(numbers[0], tuple | list | np.ndarray):
        (numbers,) = numbers
    try:
        return tuple(operator.index(number) for number in numbers)
    except TypeError:
        raise TypeError(f"{name} is {numbers!r}, expected integers") from None


def _real(name: str, value: Any) -> np.ndarray:
    """Make an array of floats, and refuse what holds no real numbers."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} is a {type(value).__name__}, expected real numbers") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has type {array.dtype}, expected real numbers")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _operands(first: Array, second: Any) -> tuple[np.ndarray, np.ndarray]:
    """Give the values of two operands in one type; a constant is copied."""
    a = first.value
    b = second.value if isinstance(second, Array) else _real("other", second)
    integers = isinstance(second, np.ndarray) and second.dtype.kind != "f"
    if integers or not isinstance(second, Array | np.ndarray) or (a.ndim and not b.ndim):
        dtype = a.dtype
    else:
        dtype = b.dtype if b.ndim and not a.ndim else np.promote_types(a.dtype, b.dtype)
    return a.astype(dtype, copy=False), b.astype(dtype, copy=not isinstance(second, Array))


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    try:
        if min(a.ndim, b.ndim) > 1:
            return a @ b
    except ValueError:
        pass
    raise ValueError(f"other has shape {b.shape}, expected one to multiply {a.shape} with")


def _starting_gradient(value: np.ndarray, gradient: Any) -> np.ndarray:
    if gradient is None:
        if value.size != 1:
            raise ValueError(f"gradient is None, expected an array of shape {value.shape}")
        return np.ones_like(value)
    gradient = _real("gradient", gradient)
    if gradient.shape != value.shape:
        raise ValueError(f"gradient has shape {gradient.shape}, expected {value.shape}")
    return gradient.astype(value.dtype)
