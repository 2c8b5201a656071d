"""The tapes of chapter 1 against torch: values and gradients to 1e-12 in float64."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from refusals import refuses

from glassbox.autograd import Array, Scalar, conv2d, sum_to_shape, unfold

seeds = st.integers(0, 2**31)


def assert_equal(ours, theirs):
    """Compare to 1e-12 of the largest element."""
    theirs = torch.as_tensor(theirs).detach().numpy()
    assert np.shape(ours) == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12 * max(abs(theirs).max(), 1e-3))


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
        "reshape": lambda x, y: x.reshape(-1).reshape(*x.shape, 1)[..., 0] * y,
        "matmul": lambda x, y: (x + WIDE) @ (y + SQUARE)[..., :3] if len(y.shape) < 2 else x * y,
        "gram": lambda x, y: (x + CUBE) @ (y + CUBE)[:, :3].transpose(0, 2, 1)[..., [0, 1, 2]],
    }
)
WIDE, SQUARE = np.linspace(-1, 1, 12).reshape(4, 3), np.linspace(-1, 1, 9).reshape(3, 3)
CUBE = np.linspace(-1, 1, 24).reshape(2, 4, 3)
SHAPES = [(), (3,), (1,), (4, 1), (4, 3), (2, 1, 3), (2, 4, 3)]


class Torch(torch.Tensor):
    """A torch tensor with the spelling of the tape where NumPy and torch differ."""

    def transpose(self, *axes):
        return self.permute(axes)

    def __add__(self, other):
        return super().__add__(torch.from_numpy(other) if isinstance(other, np.ndarray) else other)


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


def assert_same_gradients(program, operations, ours, theirs):
    expected = run(program, operations, theirs)
    assume(abs(expected) < 1e6)
    expected.backward()
    result = run(program, operations, ours)
    result.backward()
    assert_equal(result.value, expected)
    for mine, other in zip(ours, theirs, strict=True):
        assert_equal(mine.grad, other.grad)


@settings(max_examples=120, deadline=None)
@given(programs(SCALAR_OPERATIONS), st.lists(st.floats(-2, 2), min_size=2, max_size=4))
def test_scalar_graphs_equal_torch(program, numbers):
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
    assert_same_gradients(program, SCALAR_OPERATIONS, list(map(Scalar, numbers)), theirs)


@settings(max_examples=120, deadline=None)
@given(programs(TENSOR_OPERATIONS), seeds, st.lists(st.sampled_from(SHAPES), min_size=3))
def test_tensor_graphs_equal_torch(program, seed, shapes):
    draw = np.random.default_rng(seed).standard_normal
    values = [np.asarray(draw(shape)) for shape in shapes[:5]]
    theirs = [torch.from_numpy(v.copy()).as_subclass(Torch).requires_grad_() for v in values]
    assert_same_gradients(program, TENSOR_OPERATIONS, list(map(Array, values)), theirs)


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from([None, 0, 1, -1, (0, 2), (1, 2)]), st.booleans())
def test_max_splits_the_gradient_among_ties_as_amax_does(seed, axis, keepdims):
    value = np.random.default_rng(seed).integers(0, 3, (3, 4, 2)).astype(float)
    x = torch.from_numpy(value).requires_grad_()
    expected = x.amax(() if axis is None else axis, keepdim=keepdims)
    expected.square().sum().backward()
    ours = Array(value)
    result = ours.max(axis, keepdims)
    (result**2).sum().backward()
    assert_equal(result.value, expected)
    assert_equal(ours.grad, x.grad)


def test_the_gradient_of_a_transpose_goes_back_by_the_inverse_order():
    x, weight = Array(np.zeros((2, 3, 4))), np.arange(24.0).reshape(4, 2, 3)
    (x.transpose(2, 0, 1) * weight).sum().backward()
    np.testing.assert_array_equal(x.grad, weight.transpose(1, 2, 0))


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


@given(st.sampled_from(SHAPES), st.sampled_from(SHAPES))
def test_a_gradient_is_summed_back_to_the_shape_it_was_broadcast_from(shape, other):
    wide = np.broadcast_shapes(shape, other)
    counted = sum_to_shape(np.ones(wide), shape)
    assert counted.shape == shape
    assert (counted == math.prod(wide) / math.prod(shape)).all()


test_a_wrong_argument_is_named_with_its_value = refuses(
    (lambda: Array("text"), TypeError, "value has type <U4"),
    (lambda: Array([1j]), TypeError, "complex128"),
    (lambda: Array([1, 2]).backward(), r"gradient is None, .* \(2,\)"),
    (lambda: Array([1, 2]).backward([1]), r"shape \(1,\), expected \(2,\)"),
    (lambda: Array([1.0]) @ Array([2.0]), r"other has shape \(1,\)"),
    (lambda: unfold(Array(np.ones((1, 1, 2, 5))), 3), "room for windows of 3 x 3"),
    (
        lambda: conv2d(np.ones((1, 2, 5, 5)), Array(np.ones((1, 3, 3, 3))), Array([0.0])),
        r"expected \(B, 3, H, W\)",
    ),
)
