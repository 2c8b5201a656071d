"""Calibration against scikit-learn and against cases worked out by hand."""

import pytest
import torch
from devices import gives_the_same_on_every_device
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from sklearn.calibration import calibration_curve

from glassbox.training import calibration_error, reliability


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 300), st.integers(1, 20))
def test_reliability_equals_scikit_learn(seed, count, bins):
    generator = torch.Generator().manual_seed(seed)
    confidences = torch.rand(count, generator=generator, dtype=torch.float64)
    right = torch.rand(count, generator=generator) < confidences
    ours = reliability(confidences, right, bins)
    accuracy, confidence = calibration_curve(right.numpy(), confidences.numpy(), n_bins=bins)
    torch.testing.assert_close(ours.accuracy, torch.from_numpy(accuracy))
    torch.testing.assert_close(ours.confidence, torch.from_numpy(confidence))
    assert ours.count.sum() == count


def test_calibration_error_by_hand():
    confidences = torch.tensor([0.8, 0.8, 0.8, 0.8, 0.35, 0.35])
    right = torch.tensor([True, True, False, False, True, True])
    assert calibration_error(confidences, right, 4) == pytest.approx((4 * 0.3 + 2 * 0.65) / 6)


def test_a_confidence_of_one_falls_into_the_last_bin():
    parts = reliability(torch.tensor([1.0, 0.95]), torch.tensor([True, False]), 10)
    assert parts.count.tolist() == [2]


test_a_wrong_argument_is_named = refuses(
    ((torch.tensor([0.5]), torch.tensor([True, False])), r"right has shape \(2,\)"),
    ((torch.tensor([]), torch.tensor([])), "confidences is empty"),
    ((torch.tensor([1.5]), torch.tensor([True])), "confidences is between 1.5"),
    ((torch.tensor([float("nan")]), torch.tensor([True])), "confidences is between nan"),
    ((torch.tensor([0.5]), torch.tensor([True]), 0), "bins is 0"),
    ((torch.tensor([0.5]), torch.tensor([True]), 2.5), TypeError, "bins is 2.5"),
    ((torch.tensor([0.5]), torch.tensor([-3])), "right has .*int64, expected bool"),
    ((torch.tensor([0.5]), torch.tensor([0.7])), "right has .*float32, expected bool"),
    by=lambda arguments: reliability(*arguments),
)

CONFIDENCES, RIGHT = torch.tensor([0.875, 0.75, 0.25]), torch.tensor([True, False, True])
test_calibration_is_the_same_on_every_device = gives_the_same_on_every_device(
    ("reliability", reliability, CONFIDENCES, RIGHT),
    ("calibration_error", calibration_error, CONFIDENCES, RIGHT),
)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.Tensor.numpy, list])
def test_half_types_arrays_and_lists_are_binned_alike(kind):
    given = kind(CONFIDENCES) if callable(kind) else CONFIDENCES.to(kind)
    expected = calibration_error(CONFIDENCES, RIGHT, 200)
    assert calibration_error(given, RIGHT.tolist(), 200) == expected
