"""Shared checks name the argument, its value and what was expected."""

import math

import numpy as np
import pytest
import torch

from glassbox.support import arguments

NAN, INF = math.nan, math.inf
PASSED = torch.zeros(4, 2)


@pytest.mark.parametrize(
    ("check", "good", "bad", "expected"),
    [
        (arguments.check_at_least_one, [1, 3], [0, -3, NAN], "at least 1"),
        (lambda **n: arguments.check_at_least(0, **n), [0, 0.5], [-1, NAN], "at least 0"),
        (
            lambda **n: arguments.check_integer(2, **n),
            [2, 3],
            [1, 2.0, True, None],
            "of at least 2",
        ),
        (arguments.check_positive, [1e-9, INF], [0, -0.1, NAN], "above 0"),
        (arguments.check_finite, [-5, 0.0], [INF, -INF, NAN], "a finite number"),
        (lambda **n: arguments.check_range(0, 1, **n), [0, 0.5, 1], [-0.1, 1.5, NAN], "0 to 1"),
        (
            lambda **n: arguments.check_range(0, 1, below=True, **n),
            [0, 0.99],
            [-0.1, 1, INF, NAN],
            "0 to below 1",
        ),
        (lambda **n: arguments.check_multiple(4, **n), [4, 28], [0, -4, 6, 2], "a multiple of 4"),
        (
            lambda **n: arguments.check_choice(("a", "b"), **n),
            ["a", "b"],
            ["c", None],
            "of a, b",
        ),
    ],
)
def test_values_pass_or_are_named(check, good, bad, expected):
    for value in good:
        check(first=value, second=value)
    for value in bad:
        with pytest.raises(ValueError, match=f"^second is {value!r}, expected .*{expected}$"):
            check(first=good[0], second=value)


@pytest.mark.parametrize(
    "check",
    [
        arguments.check_at_least_one,
        arguments.check_positive,
        arguments.check_finite,
        lambda **n: arguments.check_range(0, 1, **n),
        lambda **n: arguments.check_multiple(4, **n),
    ],
)
@pytest.mark.parametrize("wrong", ["4", None, [4], torch.ones(2)])
def test_what_is_no_number_is_named(check, wrong):
    with pytest.raises(TypeError, match=r"^second is .*, expected a number$"):
        check(second=wrong)


def test_numbers_of_other_libraries_are_numbers():
    for four in (np.int64(4), np.float32(4), torch.tensor(4.0), np.array(4)):
        arguments.check_positive(first=four)
        arguments.check_range(0, 4, first=four)
    arguments.check_integer(1, first=np.int64(4))
    arguments.check_at_least_one(first=np.int64(4))


@pytest.mark.parametrize("wrong", [1.5, 4.0, INF, True, torch.tensor(4.0)])
def test_what_is_counted_is_an_integer(wrong):
    with pytest.raises(TypeError, match=r"^size is .*, expected an integer$"):
        arguments.check_at_least_one(size=wrong)
    if not isinstance(wrong, bool) and wrong % 4 == 0:
        with pytest.raises(TypeError, match=r"^size is .*, expected an integer$"):
            arguments.check_multiple(4, size=wrong)


def test_modules_and_functions_are_told_from_else():
    arguments.check_modules(model=torch.nn.Identity())
    arguments.check_callables(run=max)
    for wrong in (None, "x", torch.nn.Identity):
        with pytest.raises(TypeError, match=r"^model is .*, expected a torch.nn.Module$"):
            arguments.check_modules(model=wrong)
    with pytest.raises(TypeError, match=r"^run is 7, expected a function$"):
        arguments.check_callables(run=7)


def test_entries_that_are_not_finite_are_counted():
    arguments.check_all_finite(scores=PASSED, counts=PASSED.long(), none=torch.zeros(0))
    arguments.check_all_finite(scores=torch.zeros(2, device="meta"))
    broken = torch.tensor([NAN, 1.0, -INF, NAN])
    with pytest.raises(ValueError, match=r"^scores has 2 .* nan and 1 .* infinite, of 4, expected"):
        arguments.check_all_finite(counts=PASSED, scores=broken)


def test_a_result_that_overflows_names_what_it_was_made_of():
    arguments.check_overflow(PASSED, scores=torch.tensor([INF]))  # as the result is finite
    arguments.check_overflow(torch.full((2,), INF, device="meta"), scores=PASSED)
    large = torch.tensor([-1e30, 1e38])
    with pytest.raises(ValueError, match=r"^mean is from 0 to 0, scores is from -1e\+30 to 1e\+38"):
        arguments.check_overflow(large.square(), mean=PASSED, scores=large)
    with pytest.raises(ValueError, match=r"^scores has 1 entries that are nan"):
        arguments.check_overflow(torch.tensor(NAN), mean=PASSED, scores=torch.tensor([NAN, 1]))


@pytest.mark.parametrize(
    "check",
    [
        arguments.check_tensors,
        arguments.check_all_finite,
        arguments.check_same_shape,
        arguments.check_floating_point,
        arguments.check_bytes,
        lambda scores: arguments.check_shapes(scores=(scores, "N")),
        lambda scores: arguments.check_class_indices(3, scores=scores),
    ],
)
def test_what_is_no_tensor_is_named(check):
    for wrong in ([1.0], np.ones(2), None):
        with pytest.raises(TypeError, match=r"^scores is a .*, expected a tensor$"):
            check(scores=wrong)
    with pytest.raises(
        TypeError, match=r"^scores has type torch.complex64, expected real numbers$"
    ):
        check(scores=torch.tensor([1j]))


def test_integers_come_as_those_that_do_not_overflow():
    side, width = arguments.as_sizes(side=np.uint8(16), width=3)
    assert (side * side, width) == (256, 3)
    padding, stride = arguments.as_whole(0, padding=np.uint8(0), stride=np.int8(100))
    assert (padding - 1, 2 * stride) == (-1, 200) and type(padding) is int
    with pytest.raises(ValueError, match=r"^stride is .*\(1\), expected an integer of at least 2$"):
        arguments.as_whole(2, padding=2, stride=np.uint8(1))
    with pytest.raises(ValueError, match=r"^width is 0, expected at least 1$"):
        arguments.as_sizes(side=2, width=0)


def test_what_no_classifier_gives_is_named():
    arguments.check_classifier_output(logits=PASSED)
    for wrong, message in (
        (PASSED[0], "has shape"),
        (PASSED[:, :0], "is empty"),
        (PASSED > 0, "has shape .* torch.bool, expected numbers"),
        (PASSED * NAN, "has 8 entries that are nan"),
    ):
        with pytest.raises(ValueError, match=f"^logits {message}"):
            arguments.check_classifier_output(logits=wrong)


def test_integers_come_as_a_tuple():
    for given in ((4, 5), [4, 5], np.array([4, 5]), torch.tensor([4, 5]), range(4, 6)):
        assert arguments.as_integers(2, center=given) == (4, 5)
    for wrong in (4, "45", (4,), (4, 5, 6), (4, 5.0), (4, None), {4: 1, 5: 1}, {4, 5}):
        with pytest.raises(ValueError, match=r"^center is .*, expected 2 integers$"):
            arguments.as_integers(2, center=wrong)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (None, "state is None, expected what state_dict returned"),
        ({"epoch": 1}, r"state is .*, expected one with 'order'"),
        ({"order": 1}, r"state is .*, expected one with 'epoch'"),
        ({"epoch": -1, "order": {}}, r"state\['epoch'\] is -1, expected an integer"),
        ({"epoch": NAN, "order": {}}, r"state\['epoch'\] is nan"),
    ],
)
def test_a_state_that_nothing_returned_is_named(state, message):
    arguments.check_state({"epoch": 1, "order": {}}, "epoch", parts=["order"])
    with pytest.raises((TypeError, ValueError), match=message):
        arguments.check_state(state, "epoch", parts=["order"])


def test_arrays_and_lists_become_tensors_and_else_is_named():
    assert arguments.as_tensor(labels=PASSED) is PASSED
    assert torch.equal(arguments.as_tensor(labels=[1, 2]), torch.tensor([1, 2]))
    assert arguments.as_tensor(scores=np.zeros((2, 3))).dtype == torch.float64
    with torch.device("meta"):
        assert arguments.as_tensor(labels=[1, 2]).tolist() == [1, 2]
    for wrong in ("12", None, {1: 2}, ["a"], [[1], [2, 3]], np.array(["a"])):
        with pytest.raises(TypeError, match=r"^labels is .*, expected"):
            arguments.as_tensor(labels=wrong)
    for wrong in ([1j], torch.tensor([1j])):
        with pytest.raises(TypeError, match=r"^labels has type torch.complex64, expected real"):
            arguments.as_tensor(labels=wrong)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3)[:, ::-1],
        np.arange(6.0)[::-1],
        np.arange(6, dtype=">i4"),
        np.arange(6, dtype=">f4").reshape(2, 3)[::-1],
        np.array(7, dtype=">i8"),
        np.array([True, False])[::-1],
    ],
    ids=str,
)
def test_arrays_with_strides_or_bytes_that_pytorch_lacks_are_copied(array):
    tensor = arguments.as_tensor(images=array)
    assert tensor.shape == array.shape and tensor.tolist() == array.tolist()
    assert tensor.numpy().dtype == array.dtype.newbyteorder("=")


def test_other_arrays_are_not_copied():
    for array in (np.zeros((2, 3)), np.zeros((2, 3)).T, np.zeros((4, 3))[::2], np.zeros((0, 3))):
        assert np.shares_memory(arguments.as_tensor(images=array).numpy(), array) or not array.size


def test_unsigned_integers_become_those_that_pytorch_computes_with():
    for dtype in (np.uint16, np.uint32, np.uint64):
        array = np.array([0, 65535], dtype)
        for given in (array, torch.from_numpy(array)):
            assert arguments.as_tensor(labels=given).tolist() == [0, 65535]
            assert arguments.as_tensor(labels=given).dtype == torch.int64
    with pytest.raises(ValueError, match=r"^labels has numbers of 2\*\*63 or more"):
        arguments.as_tensor(labels=np.array([2**63], np.uint64))


def test_what_is_empty_is_named():
    arguments.check_not_empty(images=PASSED, names=["a"])
    for empty in ([], torch.zeros(0, 3)):
        with pytest.raises(ValueError, match="names is empty"):
            arguments.check_not_empty(images=PASSED, names=empty)


def test_a_shape_that_would_broadcast_is_named():
    arguments.check_same_shape(mean=PASSED, other=PASSED.clone())
    with pytest.raises(ValueError, match=r"^logvar has shape \(4, 1\) .* mean, \(4, 2\)$"):
        arguments.check_same_shape(mean=PASSED, logvar=torch.zeros(4, 1))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        ((2, 3, 4, 4), (2,), None),
        ((0, 3, 4, 4), (0,), None),
        ((2, 3, 4, 5), (2,), r"images has shape \(2, 3, 4, 5\) .*, expected \(B, 3, S, S\)"),
        ((2, 1, 4, 4), (2,), r"images has shape \(2, 1, 4, 4\)"),
        ((2, 3, 4), (2,), r"images has shape \(2, 3, 4\)"),
        ((2, 3, 4, 4), (3,), r"labels has shape \(3,\) .*, expected \(2,\)"),
        ((2, 3, 4, 4), (), r"labels has shape \(\)"),
    ],
)
def test_shapes_fit_their_patterns_together(images, labels, message):
    def check():
        arguments.check_shapes(
            images=(torch.zeros(images), "B 3 S S"), labels=(torch.zeros(labels), "B")
        )

    if message is None:
        check()
        return
    with pytest.raises(ValueError, match=f"^{message}"):
        check()


def test_types_are_named():
    arguments.check_floating_point(images=PASSED.half())
    arguments.check_bytes(images=PASSED.byte())
    for check, wrong in (
        (arguments.check_floating_point, PASSED.byte()),
        (arguments.check_bytes, PASSED),
    ):
        with pytest.raises(TypeError, match=f"^images has type {wrong.dtype}, expected"):
            check(images=wrong)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 3]), "is between 0 and 3, expected 0 to 2"),
        (torch.tensor([-1, 0]), "is between -1 and 0"),
        (torch.zeros(3), "has shape .* torch.float32"),
        (torch.zeros(3).bool(), "has shape .* torch.bool"),
        (torch.zeros(3, 1).long(), "has shape"),
    ],
)
def test_labels_that_are_not_class_indices_are_named(labels, message):
    arguments.check_class_indices(3, labels=torch.tensor([2, 0], dtype=torch.uint8))
    arguments.check_class_indices(3, labels=torch.zeros(0).long())
    arguments.check_class_indices(256, labels=torch.tensor([0, 255], dtype=torch.uint8))
    arguments.check_class_indices(9, labels=torch.tensor([0, 8], dtype=torch.uint16))
    with pytest.raises(ValueError, match=f"^labels {message}"):
        arguments.check_class_indices(3, labels=labels)


def test_a_point_is_given_as_floats_and_lies_inside_its_bounds():
    bounds = [(0, 1), (-2, 2)]
    for point in ((1, -2), [0.5, 2.0], torch.tensor([0, 1]), np.array([0.5, 0.0])):
        found = arguments.as_point(bounds, start=point)
        assert found == tuple(point) and all(type(value) is float for value in found)
    for point in ((1.1, 0), (0, NAN), (-INF, 0), (1,), (1, 0, 0)):
        message = r"^start is \(.*\), expected 2 numbers, 0 to 1 and -2 to 2$"
        with pytest.raises(ValueError, match=message):
            arguments.as_point(bounds, start=point)
    for point in (5, "ab", None, (10**400, 0)):
        with pytest.raises(TypeError, match=r"^start is .*, expected numbers$"):
            arguments.as_point(bounds, start=point)
