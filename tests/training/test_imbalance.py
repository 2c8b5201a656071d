"""Weights and metrics against the papers' numbers and against scikit-learn."""

import math

import pytest
import torch
from devices import gives_the_same_on_every_device
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from sklearn.metrics import balanced_accuracy_score, recall_score

from glassbox.data import class_counts, effective_numbers, effective_weights, splits
from glassbox.training import balanced_accuracy, many_medium_few, per_class_accuracy

LONG_TAILED_CIFAR10 = splits.long_tailed_counts(5000, 10, 100)
some_counts = st.lists(st.integers(1, 10_000), min_size=2, max_size=12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=60), st.sampled_from([torch.int64, torch.uint8]))
def test_class_counts_are_those_of_python(values, dtype):
    counts = class_counts(torch.tensor(values, dtype=dtype), 7)
    assert counts == tuple(values.count(label) for label in range(7))


def test_the_published_weights_of_long_tailed_cifar10():
    expected = [0.0506, 0.0769, 0.1211, 0.1950, 0.3188, 0.5246, 0.8683, 1.4426, 2.4092, 3.9927]
    weights = effective_weights(LONG_TAILED_CIFAR10, 0.9999)
    torch.testing.assert_close(weights, torch.tensor(expected), atol=6e-5, rtol=0)


@settings(max_examples=60, deadline=None)
@given(some_counts, st.floats(0, 0.999999))
def test_effective_numbers_equal_the_published_formula(counts, beta):
    numbers, weights = effective_numbers(counts, beta), effective_weights(counts, beta)
    raw = [(1 - beta) / (1 - beta**count) for count in counts]
    expected = torch.tensor([1 / value for value in raw])
    torch.testing.assert_close(numbers, expected, rtol=1e-6, atol=0)
    balanced = torch.tensor([value / sum(raw) * len(raw) for value in raw])
    torch.testing.assert_close(weights, balanced, rtol=1e-6, atol=0)
    assert numbers.dtype == weights.dtype == torch.float32


@settings(max_examples=30, deadline=None)
@given(some_counts)
def test_the_limits_are_equal_weights_and_inverse_frequency(counts):
    assert (effective_weights(counts, 0) == 1).all() and (effective_numbers(counts, 0) == 1).all()
    inverse = 1 / torch.tensor(counts, dtype=torch.float64)
    expected = (inverse * len(counts) / inverse.sum()).float()
    torch.testing.assert_close(effective_weights(counts, 1 - 1e-12), expected, rtol=1e-6, atol=0)


@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 60), st.integers(2, 8))
def test_accuracies_equal_scikit_learn(seed, n, num_classes):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(num_classes, (n,), generator=generator)
    logits = torch.randn(n, num_classes, generator=generator)
    logits[torch.arange(n), labels] += 1
    # scikit-learn warns of answers that are no label of the test set, and leaves them out.
    logits[:, [k for k in range(num_classes) if k not in labels]] = -9
    answers = logits.argmax(1).numpy()
    assert balanced_accuracy(logits, labels) == pytest.approx(
        balanced_accuracy_score(labels.numpy(), answers)
    )
    recalls = recall_score(
        labels, answers, labels=range(num_classes), average=None, zero_division=math.nan
    )
    torch.testing.assert_close(
        per_class_accuracy(logits, labels), torch.from_numpy(recalls), equal_nan=True
    )


def test_groups_by_hand_with_thresholds_in_the_middle_group():
    per_class = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5, 0.1])
    groups = many_medium_few(per_class, [500, 101, 100, 20, 19, 1])
    assert groups == pytest.approx((0.85, 0.65, 0.3))
    assert groups._fields == ("many", "medium", "few")
    two = many_medium_few(per_class, [500, 101, 100, 20, 19, 1], many=50, few=50)
    assert (two.many, two.few) == pytest.approx((0.8, 0.4)) and two.medium is None


def test_a_group_without_a_measured_class_has_no_accuracy():
    per_class = torch.tensor([0.9, math.nan, 0.7, math.nan])
    groups = many_medium_few(per_class, [500, 400, 50, 2])
    assert groups == (pytest.approx(0.9), pytest.approx(0.7), None)


LOGITS = torch.zeros(3, 4)


test_a_wrong_argument_is_named = refuses(
    (lambda: class_counts(torch.tensor([0, 3]), 3), "between 0 and 3, expected 0 to 2"),
    (lambda: class_counts(torch.tensor([-1, 0]), 3), "between -1 and 0, expected 0 to 2"),
    (lambda: class_counts(torch.zeros(3), 3), r"shape \(3,\) and type torch.float32"),
    (lambda: class_counts(torch.zeros(3, 1).long(), 3), r"shape \(3, 1\)"),
    (lambda: effective_weights([5, 0, 3]), r"class_counts\[1\] is 0"),
    (lambda: effective_weights([5, math.nan]), r"class_counts\[1\] is nan"),
    (lambda: effective_weights([5, math.inf]), r"class_counts\[1\] is inf"),
    (lambda: effective_weights([5]), r"class_counts has shape \(1,\)"),
    (lambda: effective_numbers([5, 3], 1), "beta is 1"),
    (lambda: effective_numbers([5, 3], -0.1), "beta is -0.1"),
    (lambda: per_class_accuracy(LOGITS, torch.zeros(2).long()), r"labels has shape \(2,\)"),
    (lambda: per_class_accuracy(LOGITS[:0], torch.zeros(0).long()), "labels is empty"),
    (lambda: per_class_accuracy(LOGITS[0], torch.zeros(4).long()), r"logits has shape \(4,\)"),
    (lambda: balanced_accuracy(LOGITS, torch.full((3,), 4)), "expected 0 to 3"),
    (lambda: many_medium_few(torch.ones(3), [5, 4]), r"per_class has shape \(3,\)"),
    (lambda: many_medium_few(torch.ones(2), [5, 4], many=3, few=4), "few is 4, expected at"),
    (lambda: many_medium_few(torch.ones(2), [5, 0]), r"class_counts\[1\] is 0"),
    (lambda: many_medium_few(torch.ones(2), [5, 4], few=math.nan), "few is nan"),
    (lambda: many_medium_few([1, math.inf], [5, 4]), r"per_class is \[1.0, inf\]"),
    (lambda: many_medium_few([1, -0.5], [5, 4]), r"per_class is \[1.0, -0.5\]"),
    (lambda: balanced_accuracy(LOGITS * math.nan, [0, 1, 2]), "logits has 12 entries that are nan"),
    (lambda: per_class_accuracy(LOGITS + math.inf, [0, 1, 2]), "and 12 that are infinite"),
    (lambda: class_counts([0, 1], 1.5), TypeError, "num_classes is 1.5"),
    (lambda: class_counts("ab", 2), TypeError, "labels is 'ab'"),
    (lambda: effective_weights(["a", "b"]), TypeError, "class_counts is"),
)

LABELS, COUNTS = torch.tensor([0, 1, 1]), torch.tensor([500, 30, 7, 2])
test_metrics_are_the_same_on_every_device = gives_the_same_on_every_device(
    ("per_class_accuracy", per_class_accuracy, LOGITS, LABELS),
    ("balanced_accuracy", balanced_accuracy, LOGITS, LABELS),
    ("many_medium_few", many_medium_few, torch.tensor([1, 0.5, math.nan, 0]), COUNTS),
    ("class_counts", lambda labels: class_counts(labels, 4), LABELS),
    ("effective_weights", effective_weights, COUNTS),
)


def test_arrays_and_lists_are_measured_alike():
    expected = balanced_accuracy(LOGITS, LABELS)
    assert balanced_accuracy(LOGITS.numpy(), LABELS.tolist()) == expected
    assert many_medium_few([1.0, 0.5, 0], COUNTS[:3].numpy()) == (1, 0.5, 0)
    assert class_counts(LABELS.numpy(), 2) == (1, 2)
