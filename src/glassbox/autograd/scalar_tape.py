"""Reverse-mode differentiation of scalars: every operation beside its local slope."""

import heapq
import itertools
import math

from glassbox.support.arguments import check_numbers, check_positive

_serial = itertools.count()


class Scalar:
    """A number that remembers what it was made from.

    Each operation gives a new scalar and notes, for each of its inputs, the slope: by how much the
    result moves for a small move of that input. :meth:`backward` multiplies slopes along all paths
    and adds them up. As in PyTorch, only leaves, which no operation made, keep a ``grad``. A slope
    is a number, so that no later change of a ``value`` can spoil it.

    Args:
        value: The number.
        inputs: Pairs of an input and the slope towards it; empty for a leaf.

    Raises:
        TypeError: If ``value`` or the other operand is no number, or a root of a negative one.
        ArithmeticError: If a result is beyond the range of a float, or something is divided by 0.

    Reference:
        Griewank and Walther (2008), "Evaluating Derivatives", chapter 3.
    """

    def __init__(self, value: float, *inputs: tuple["Scalar", float]) -> None:
        if not isinstance(value, float):  # most are
            check_numbers(value=value)
        self.value = float(value)
        self.inputs = inputs
        self.grad = 0.0
        self.serial = next(_serial)  # a result is always younger than its inputs

    def __repr__(self) -> str:
        return f"Scalar({self.value:g})"

    def __add__(self, other: "Scalar | float") -> "Scalar":
        other = _as_scalar(other)
        return Scalar(self.value + other.value, (self, 1.0), (other, 1.0))

    def __mul__(self, other: "Scalar | float") -> "Scalar":
        other = _as_scalar(other)
        return Scalar(self.value * other.value, (self, other.value), (other, self.value))

    def __pow__(self, exponent: float) -> "Scalar":
        check_numbers(exponent=exponent)
        n = float(exponent)
        slope = n * self.value ** (n - 1) if n else 0.0
        return Scalar(self.value**n, (self, slope))

    def exp(self) -> "Scalar":
        """Raise e to this power; the slope is the result itself."""
        result = math.exp(self.value)
        return Scalar(result, (self, result))

    def log(self) -> "Scalar":
        """Take the natural logarithm of a number above 0."""
        check_positive(value=self.value)
        return Scalar(math.log(self.value), (self, 1 / self.value))

    def tanh(self) -> "Scalar":
        """Squash to between -1 and 1."""
        result = math.tanh(self.value)
        return Scalar(result, (self, 1 - result**2))

    def relu(self) -> "Scalar":
        """Keep what is above 0; the slope at 0 is 0, as PyTorch has it."""
        return Scalar(max(self.value, 0.0), (self, float(self.value > 0)))

    def __neg__(self) -> "Scalar":
        return self * -1

    def __sub__(self, other: "Scalar | float") -> "Scalar":
        return self + -_as_scalar(other)

    def __truediv__(self, other: "Scalar | float") -> "Scalar":
        return self * _as_scalar(other) ** -1

    def __rsub__(self, other: float) -> "Scalar":
        return _as_scalar(other) - self

    def __rtruediv__(self, other: float) -> "Scalar":
        return _as_scalar(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def backward(self, gradient: float = 1.0) -> None:
        """Add the derivative of this scalar with respect to each leaf to that leaf's ``grad``.

        The youngest scalar goes first: everything made from it is younger still and has already
        contributed its gradient, so that of the youngest is complete.
        """
        check_numbers(gradient=gradient)
        arriving = {self: float(gradient)}
        waiting = [(-self.serial, self)]  # a heap: finding the youngest of n takes log(n) steps
        while waiting:
            _, node = heapq.heappop(waiting)
            gradient = arriving.pop(node)
            if not node.inputs:
                node.grad += gradient
            for parent, slope in node.inputs:
                if parent not in arriving:
                    heapq.heappush(waiting, (-parent.serial, parent))
                arriving[parent] = arriving.get(parent, 0.0) + slope * gradient


def _as_scalar(number: Scalar | float) -> Scalar:
    """Wrap a plain number as a leaf, and return a scalar as it is."""
    return number if isinstance(number, Scalar) else Scalar(number)
