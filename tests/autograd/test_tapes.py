"""The tapes of chapter 1 against torch: values and gradients to 1e-12 in float64."""

import functools
import math
import operator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from refusals import refuses

from glassbox.autograd import Array, Scalar, conv2d, sum_to_shape, unfold

seeds = st.integers(0, 2**31)


def assert_equal(ours, theirs, to=1e-12):
    """Compare to 1e-12 of the largest element."""
    theirs = torch.as_tensor(theirs).detach().numpy()
    assert np.shape(ours) == theirs.shape
    largest = max(abs(theirs).max(initial=0), 1e-3)
    np.testing.assert_allclose(ours, theirs, rtol=to, atol=to * largest)


# A program is a list of instructions; each picks an operation and two of the results so far.
# The same functions run on the tape and on torch. Divisors and logarithms stay away from 0.
SCALAR_OPERATIONS = {
    "add": lambda x, y: x + y,
    "mul": lambda x, y: x * y,
    "sub": lambda x, y: x - y,
    "rsub": lambda x, y: 2.5 - x,
    "div": lambda x, y: x / (y * y + 0.7),
    "rdiv": lambda x, y: 1.5 / (x * x + 0.7),
    "square": lambda x, y: x**2,
    "cube": lambda x, y: x**3,
    "root": lambda x, y: (x * x + 0.3) ** 0.5,
    "exp": lambda x, y: x.tanh().exp(),
    "log": lambda x, y: (x * x + 0.5).log(),
    "tanh": lambda x, y: x.tanh(),
    "relu": lambda x, y: x.relu(),
    "neg": lambda x, y: -x * 0.5 + 1,
}
TENSOR_OPERATIONS = (
    SCALAR_OPERATIONS
    | {
        "sum": lambda x, y: x.sum(-1, keepdims=True) if x.shape else x.sum(),
        "sum all": lambda x, y: x.sum(),
        "mean over two": lambda x, y: (
            x.sum((-1, -2), keepdims=True) / 12 if len(x.shape) > 1 else x
        ),
        "reversed": lambda x, y: x[..., [-1, 0, -1]] if x.shape else x,  # one element twice
        "slice": lambda x, y: x[..., :1] if x.shape else x,
        "reshape": lambda x, y: x.reshape(math.prod(x.shape)).reshape((*x.shape, 1))[..., 0] * y,
        "gram": lambda x, y: (
            (x @ swapped(y)).sum((-1, -2), keepdims=True)
            if len(x.shape) == 3 == len(y.shape) and x.shape[-1] == y.shape[-1]
            else x
        ),
        "columns": lambda x, y: (
            (swapped(x) @ x).sum(-2, keepdims=True)[..., :1] if x.shape[1:] else x
        ),
        "constant": lambda x, y: x * [0.5] - np.float64(0.25),
    }
)
# The shapes of one row can be broadcast with each other.
SHAPES = [(), (3,), (1,), (4, 1), (4, 3), (2, 1, 3), (2, 4, 3)]
EMPTY = [(), (3,), (1,), (1, 1), (1, 3), (0, 3), (0, 1), (2, 0, 3)]


def swapped(x):
    """Exchange the last two axes, counted from the end."""
    return x.transpose(*range(len(x.shape) - 2), -1, -2)


class Torch(torch.Tensor):
    """A torch tensor with the spelling of the tape where NumPy and torch differ."""

    def transpose(self, *axes):
        return self.permute(axes)

    def __mul__(self, other):
        return super().__mul__(
            torch.tensor(other, dtype=self.dtype) if isinstance(other, list) else other
        )

    def __matmul__(self, other):
        dtype = torch.promote_types(self.dtype, other.dtype)
        return torch.matmul(self.to(dtype), other.to(dtype))


def programs(operations):
    step = st.tuples(st.sampled_from(sorted(operations)), st.integers(0, 30), st.integers(0, 30))
    return st.lists(step, min_size=1, max_size=14)


def run(program, operations, leaves):
    """Run a program and add up all it made, so that every result has a part in the gradient."""
    results = list(leaves)
    for name, i, j in program:
        results.append(operations[name](results[i % len(results)], results[j % len(results)]))
    total = 0.0
    for result in results:
        total = total + (result.sum() if hasattr(result, "sum") else result)
    return total


def assert_same_gradients(program, operations, ours, theirs, to=1e-12):
    expected = run(program, operations, theirs)
    assume(abs(expected) < 1e6)
    expected.backward()
    result = run(program, operations, ours)
    result.backward()
    assert_equal(result.value, expected, to)
    for mine, other in zip(ours, theirs, strict=True):
        assert_equal(mine.grad, other.grad, to)
    return result, expected


@settings(max_examples=120, deadline=None)
@given(programs(SCALAR_OPERATIONS), st.lists(st.floats(-2, 2), min_size=2, max_size=4))
def test_scalar_graphs_equal_torch(program, numbers):
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
    assert_same_gradients(program, SCALAR_OPERATIONS, list(map(Scalar, numbers)), theirs)


def leaves(seed, shapes, dtypes):
    draw = np.random.default_rng(seed).standard_normal
    values = [np.asarray(draw(shape), dtype) for shape, dtype in zip(shapes, dtypes, strict=False)]
    theirs = [torch.from_numpy(v.copy()).as_subclass(Torch).requires_grad_() for v in values]
    return list(map(Array, values)), theirs


@pytest.mark.parametrize("shapes", [SHAPES, EMPTY], ids=["full", "with empty ones"])
@settings(max_examples=150, deadline=None)
@given(programs(TENSOR_OPERATIONS), seeds, st.data())
def test_tensor_graphs_equal_torch(shapes, program, seed, data):
    drawn = data.draw(st.lists(st.sampled_from(shapes), min_size=3, max_size=5))
    ours, theirs = leaves(seed, drawn, [np.float64] * 5)
    assert_same_gradients(program, TENSOR_OPERATIONS, ours, theirs)


@pytest.mark.parametrize("shapes", [SHAPES, EMPTY], ids=["full", "with empty ones"])
@settings(max_examples=100, deadline=None)
@given(programs(TENSOR_OPERATIONS), seeds, st.data())
def test_types_are_those_of_torch_in_mixed_graphs(shapes, program, seed, data):
    drawn = data.draw(st.lists(st.sampled_from(shapes), min_size=3, max_size=5))
    dtypes = data.draw(st.lists(st.sampled_from([np.float32, np.float64]), min_size=5, max_size=5))
    ours, theirs = leaves(seed, drawn, dtypes)
    result, expected = assert_same_gradients(program, TENSOR_OPERATIONS, ours, theirs, to=1e-4)
    pairs = [
        (result.value, expected),
        *((a.grad, b.grad) for a, b in zip(ours, theirs, strict=True)),
    ]
    assert [a.dtype for a, _ in pairs] == [b.detach().numpy().dtype for _, b in pairs]


@settings(max_examples=60, deadline=None)
@given(
    seeds,
    st.sampled_from([None, 0, 1, -1, (0, 2), [-1, -2]]),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
)
def test_max_splits_the_gradient_among_ties_as_amax_does(seed, axis, keepdims, dtype):
    value = np.random.default_rng(seed).integers(0, 3, (3, 4, 2)).astype(dtype)
    x = torch.from_numpy(value).requires_grad_()
    expected = x.amax(() if axis is None else axis, keepdim=keepdims)
    expected.square().sum().backward()
    ours = Array(value)
    result = ours.max(axis, keepdims)
    (result**2).sum().backward()
    assert_equal(result.value, expected)
    assert_equal(ours.grad, x.grad, 1e-6)
    assert ours.grad.dtype == dtype


@pytest.mark.parametrize("axes", [(2, 0, 1), (-1, 0, 1), (0, -1, 1), ([2, -3, 1],), (), (0, 1, 2)])
def test_the_gradient_of_a_transpose_goes_back_by_the_inverse_order(axes):
    x, places = Array(np.zeros((2, 3, 4))), np.arange(24.0).reshape(2, 3, 4)
    (x.transpose(*axes) * places.transpose(*axes)).sum().backward()
    np.testing.assert_array_equal(x.grad, places)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(3, 8))
def test_convolution_equals_torch(seed, kernel, stride, padding, size):
    draw = np.random.default_rng(seed).standard_normal
    values = [draw((2, 3, size, size + 2)), draw((4, 3, kernel, kernel)), draw(4)]
    theirs = [torch.from_numpy(value.copy()).requires_grad_() for value in values]
    expected = F.conv2d(*theirs, stride=stride, padding=padding)
    expected.tanh().sum().backward()
    ours = [Array(value) for value in values]
    result = conv2d(*ours, stride=stride, padding=padding)
    result.tanh().sum().backward()
    assert_equal(result.value, expected)
    for mine, other in zip(ours, theirs, strict=True):
        assert_equal(mine.grad, other.grad)
    constant = conv2d(values[0], *ours[1:], stride=stride, padding=padding)
    assert_equal(constant.value, expected)
    windows = unfold(ours[0], kernel, stride, padding)
    assert_equal(windows.value, F.unfold(theirs[0], kernel, 1, padding, stride))


@pytest.mark.parametrize("tape", [Scalar, Array])
def test_only_leaves_keep_a_gradient_and_it_accumulates(tape):
    x = tape(3.0)
    y = x * x
    z = y + x * 2
    z.backward()
    assert x.grad == 8 and not y.grad and not z.grad
    z.backward()
    assert x.grad == 16
    x.backward(5.0)
    assert x.grad == 21


@pytest.mark.parametrize("tape", [Scalar, Array])
def test_a_chain_of_20000_operations_needs_no_recursion(tape):
    x = tape(0.0)
    y = x
    for _ in range(20_000):
        y = y + 1
    y.backward()
    assert (y.value, x.grad) == (20_000, 1)


@pytest.mark.parametrize("tape", [Scalar, Array])
def test_a_trillion_paths_are_summed_in_forty_steps(tape):
    x = tape(1.0)
    y = x
    for _ in range(40):
        y = y + y * 1.0
    y.backward()
    assert x.grad == 2**40


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept_through_constants(dtype):
    x = Array(np.ones(3, dtype))
    y = (1 - (2 * x - 0.5) / 3.0 + 1 / x).relu().sum()
    y.backward()
    assert y.value.dtype == x.grad.dtype == dtype


def test_plain_arrays_are_constants_on_either_side():
    constant, x = np.arange(6.0).reshape(2, 3), Array(np.ones((3, 2)))
    y = constant @ x + np.ones(2) * x[:2]
    assert isinstance(y, Array)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [[4, 4], [6, 6], [7, 7]])
    assert all(isinstance(source, Array) for source, _ in y.inputs)


def test_a_power_of_zero_has_no_gradient_even_at_zero():
    for x in (Scalar(0.0), Array(0.0)):
        (x**0).backward()
        assert x.grad == 0


@pytest.mark.parametrize("operand", [np.array([1, 2], np.uint8), [1, 2.0], np.uint8(2), True])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv"])
def test_integers_and_lists_are_floats_on_either_side(name, operand):
    apply = getattr(operator, name)
    for dtype in (np.float32, np.float64):
        x, theirs = Array(np.full(2, 5, dtype)), np.full(2, 5, dtype)
        other = np.asarray(operand, dtype)
        for found, expected in (
            (apply(x, operand), apply(theirs, other)),
            (apply(operand, x), apply(other, theirs)),
        ):
            assert found.value.dtype == dtype
            np.testing.assert_allclose(found.value, expected, rtol=1e-6)
    assert (Scalar(5) - np.uint8(1)).value == 4


def test_relu_makes_0_of_infinities():
    x = Array([-math.inf, math.inf, -1])
    x.relu().backward([math.inf, math.inf, math.inf])
    assert x.relu().value.tolist() == x.grad.tolist() == [0, math.inf, 0]


def test_what_the_caller_changes_changes_nothing_here():
    values, factors, index, slope = np.ones(2), np.full(2, 3.0), np.array([0, 0]), np.ones(2)
    x = Array(values)
    y = (x * factors)[index]
    values[:], factors[:], index[:] = 100, 100, 1
    y.backward(slope)
    assert y.value.tolist() == [3, 3] and x.grad.tolist() == [6, 0]
    x.grad = None
    x.backward(slope)
    slope[:] = 100
    assert x.grad.tolist() == [1, 1]
    for result in (x, y):
        with pytest.raises(ValueError, match="read-only"):
            result.value[0] = 100


class Counted(int):
    """An integer that counts how often it is compared."""

    comparisons = 0

    def compare(self, other, how):
        Counted.comparisons += 1
        return how(int(self), int(other))

    __lt__, __gt__ = (lambda s, o, how=how: s.compare(o, how) for how in (operator.lt, operator.gt))

    def __neg__(self):
        return Counted(-int(self))


def comparisons_in_backward(tape, count):
    leaves = [tape(1.0) for _ in range(count)]
    total = functools.reduce(operator.add, leaves)
    for leaf in leaves:
        leaf.serial = Counted(leaf.serial)
    Counted.comparisons = 0
    total.backward()
    assert all(leaf.grad == 1 for leaf in leaves)
    return Counted.comparisons


@pytest.mark.parametrize("tape", [Scalar, Array])
def test_the_work_of_backward_grows_little_faster_than_the_graph(tape):
    assert comparisons_in_backward(tape, 1600) < 3 * comparisons_in_backward(tape, 800)


@given(st.sampled_from([SHAPES, EMPTY]), st.data())
def test_a_gradient_is_summed_back_to_the_shape_it_was_broadcast_from(shapes, data):
    shape, other = data.draw(st.sampled_from(shapes)), data.draw(st.sampled_from(shapes))
    wide = np.broadcast_shapes(shape, other)
    counted = sum_to_shape(np.ones(wide), shape)
    assert counted.shape == shape
    assert counted.sum() == math.prod(wide)


IMAGE = np.ones((1, 1, 5, 5))


def wrong_pull():
    """A sum of an operation whose pull forgets to go back to (2, 3)."""
    x = Array(np.ones((2, 3)))
    return Array(x.value.T, (x, lambda g: g)).sum()


def test_a_batch_without_images_is_convolved_as_torch_does():
    x, weight = Array(np.ones((0, 2, 5, 4))), Array(np.ones((3, 2, 3, 3)))
    maps = conv2d(x, weight, [0, 0, 0], padding=1)
    maps.sum().backward()
    assert maps.shape == (0, 3, 5, 4) and x.grad.shape == x.shape and not weight.grad.any()


test_a_wrong_argument_is_named_with_its_value = refuses(
    (lambda: Array("text"), TypeError, "value has type <U4"),
    (lambda: Array([1j]), TypeError, "complex128"),
    (lambda: Array([[1], [2, 3]]), TypeError, "value is a list, expected real numbers"),
    (lambda: Array([1.0]) + "a", TypeError, "other has type <U1"),
    (lambda: Array([1.0]) ** [2], TypeError, r"exponent is \[2\], expected a number"),
    (lambda: Scalar("2"), TypeError, "value is '2', expected a number"),
    (lambda: Scalar(-8) ** (1 / 3), TypeError, "value is .*j.*, expected a number"),
    (lambda: Scalar(0).log(), "value is 0.0, expected above 0"),
    (lambda: sum_to_shape(np.ones((3, 2)), (2, 3)), r"shape \(3, 2\), .* \(2, 3\) is broadcast"),
    (lambda: sum_to_shape(np.ones(3), (1, 3)), r"shape \(3,\), .* \(1, 3\) is broadcast"),
    (lambda: wrong_pull().backward(), r"gradient has shape \(3, 2\)"),
    (lambda: Array(np.ones((2, 3))).transpose(0, 0), r"axes is \(0, 0\), expected each"),
    (lambda: Array(np.ones((2, 3))).reshape(-6), r"shape is \(-6,\), expected a shape for 6"),
    (lambda: Array([1, 2]).backward(), r"gradient is None, .* \(2,\)"),
    (lambda: Array([1, 2]).backward([1]), r"shape \(1,\), expected \(2,\)"),
    (lambda: Array([1.0]) @ Array([2.0]), r"other has shape \(1,\)"),
    (lambda: Array(np.ones((2, 3))) @ Array(np.ones((2, 3))), r"other has shape \(2, 3\)"),
    (lambda: unfold(np.ones((1, 1, 5, 5)), 3, stride=0), "stride is 0, expected an integer"),
    (lambda: unfold(np.ones((1, 1, 5, 5)), 3, padding=-1), "padding is -1, expected an integer"),
    (lambda: conv2d(IMAGE, np.ones((1, 1, 3, 2)), [0.0]), r"weight has shape \(1, 1, 3, 2\)"),
    (lambda: conv2d(IMAGE, np.ones((1, 1, 3, 3)), [0.0, 1.0]), r"bias has .* expected \(1,\)"),
    (lambda: unfold(Array(np.ones((1, 1, 2, 5))), 3), "room for windows of 3 x 3"),
    (
        lambda: conv2d(np.ones((1, 2, 5, 5)), Array(np.ones((1, 3, 3, 3))), Array([0.0])),
        r"expected \(B, 3, H, W\)",
    ),
)
