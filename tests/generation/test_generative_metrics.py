"""Metrics of generated images against their published formulas, and sanity checks on digits."""

import math

import numpy as np
import pytest
import torch
from devices import gives_the_same_on_every_device
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from scipy import linalg, stats
from torch import nn

from glassbox.data import load, to_float
from glassbox.generation import (
    class_balance,
    frechet_distance,
    layer_features,
    precision_recall_density_coverage,
)
from glassbox.networks import LeNet5

DIGITS = to_float(load("digits").images)
SHUFFLED = DIGITS[torch.randperm(len(DIGITS), generator=torch.Generator().manual_seed(0))]
FIRST, SECOND = SHUFFLED[:800].flatten(1), SHUFFLED[800:1600].flatten(1)


def random(seed, *shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def published_frechet(real, fake):
    mean1, mean2 = real.mean(0), fake.mean(0)
    cov1, cov2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = linalg.sqrtm(np.atleast_2d(cov1) @ np.atleast_2d(cov2)).real
    return ((mean1 - mean2) ** 2).sum() + np.trace(np.atleast_2d(cov1 + cov2)) - 2 * root.trace()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 999),
    st.integers(1, 8),
    st.integers(0, 30),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_the_frechet_distance_equals_the_published_formula(seed, width, more, dtype):
    mixing = random(seed, width, width, dtype=dtype)
    real = random(seed + 1, 40, width, dtype=dtype) @ mixing
    fake = 2 * random(seed + 2, 40 + more, width, dtype=dtype) + 1
    expected = published_frechet(real.double().numpy(), fake.double().numpy())
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(2, 6), st.integers(2, 6))
def test_fewer_images_than_features_do_no_harm(seed, n, m):
    real, fake = random(seed, n, 20), random(seed + 1, m, 20)
    distance = frechet_distance(real, fake)
    # Both lie in a space of n + m dimensions, where the formula can be taken; a little noise
    # in all directions makes its root exist.
    assert distance == pytest.approx(frechet_distance(fake, real), rel=1e-9)
    basis = torch.linalg.qr(torch.cat([real, fake]).T).Q
    assert distance == pytest.approx(frechet_distance(real @ basis, fake @ basis), rel=1e-9)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)


def test_single_precision_loses_nothing_to_cancellation():
    real = 100 + random(0, 500, 8, dtype=torch.float32)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)


def test_constant_features_add_nothing():
    real, fake = random(0, 50, 4), random(1, 60, 4)
    with_constant = [torch.cat([x, torch.full((len(x), 3), 7.0)], dim=1) for x in (real, fake)]
    assert frechet_distance(*with_constant) == pytest.approx(frechet_distance(real, fake))
    copies = frechet_distance(torch.cat([real, real], 1), torch.cat([fake, fake], 1))
    assert copies == pytest.approx(2 * frechet_distance(real, fake))


def brute_force(real, fake, k):
    """The four measures with loops, by their definitions."""

    def radius(points, i):
        others = [math.dist(points[i], points[j]) for j in range(len(points)) if j != i]
        return sorted(others)[k - 1]

    reals, fakes = range(len(real)), range(len(fake))
    real_radii = [radius(real, i) for i in reals]
    fake_radii = [radius(fake, j) for j in fakes]
    inside = [[math.dist(real[i], fake[j]) < real_radii[i] for j in fakes] for i in reals]
    covered = [[math.dist(real[i], fake[j]) < fake_radii[j] for j in fakes] for i in reals]
    return (
        np.mean([any(inside[i][j] for i in reals) for j in fakes]),
        np.mean([any(covered[i]) for i in reals]),
        np.mean([sum(inside[i][j] for i in reals) / k for j in fakes]),
        np.mean([any(inside[i]) for i in reals]),
    )


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 999),
    st.integers(1, 4),
    st.integers(0, 9),
    st.integers(0, 9),
    st.floats(0.2, 2),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_neighbors_equal_a_count_with_loops(seed, k, n, m, scale, dtype):
    real = random(seed, 5 + n, 2, dtype=dtype)
    fake = scale * random(seed + 1, 5 + m, 2, dtype=dtype)
    found = precision_recall_density_coverage(real, fake, k)
    assert found == pytest.approx(brute_force(real.tolist(), fake.tolist(), k))


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e160, 1e300])
def test_the_size_of_features_does_not_change_their_neighbors(size):
    real, fake = random(5, 20, 3), random(6, 30, 3)
    expected = precision_recall_density_coverage(real, fake)
    assert precision_recall_density_coverage(real * size, fake * size) == expected


def test_real_digits_against_real_ones_and_against_noise():
    noise = torch.rand(800, 64, generator=torch.Generator().manual_seed(0))
    likeness, unlikeness = frechet_distance(FIRST, SECOND), frechet_distance(FIRST, noise)
    assert likeness < unlikeness / 20
    near = precision_recall_density_coverage(FIRST, SECOND)
    assert min(near.precision, near.recall, near.coverage) > 0.85
    assert precision_recall_density_coverage(FIRST, noise)[:2] == (0, 0)


def test_copies_of_one_digit_are_precise_and_cover_nothing():
    copies = FIRST[:1] + 1e-3 * torch.rand(800, 64, generator=torch.Generator().manual_seed(0))
    found = precision_recall_density_coverage(FIRST, copies)
    assert found.precision == 1 and found.recall == 0 and found.coverage < 0.05


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_the_balance_equals_scipy_s_entropy(answers):
    logits = torch.eye(5)[answers]
    balance = class_balance(logits)
    counts = np.bincount(answers, minlength=5)
    assert balance.counts == tuple(counts)
    assert balance.entropy == pytest.approx(stats.entropy(counts))
    expected = np.abs(counts / counts.sum() - 0.2).sum() / 2
    assert balance.total_variation == pytest.approx(expected)


def test_features_are_those_of_the_layer_for_all_images():
    model, images = LeNet5(size=16), torch.rand(300, 1, 16, 16)  # more than one batch
    features = layer_features(model, images, "classifier.relu4")
    assert features.shape == (300, 84) and not features.requires_grad
    by_hand = model.classifier[:5](model.features(images))
    torch.testing.assert_close(features, by_hand)
    assert layer_features(model, images, "features.pool2").shape == (300, 16)
    assert model.training and not any(layer._forward_hooks for layer in model.modules())


def test_features_are_taken_in_eval_mode():
    model = nn.Sequential(nn.Dropout(0.9))
    images = torch.rand(4, 1, 2, 2)
    assert torch.equal(layer_features(model, images, "0"), images.flatten(1))
    assert torch.equal(layer_features(model, images, model[0]), images.flatten(1))


TEN = torch.zeros(10, 3)


class First(nn.Module):
    def forward(self, pair):
        return pair[0]


HUGE = 1e200 * random(4, 10, 3)
TUPLES = nn.Sequential(nn.LSTM(3, 2), First())
RELU = nn.ReLU()
TWICE = nn.Sequential(RELU, nn.Linear(3, 3), RELU)
LESS = random(3, 20, 3, dtype=torch.float32)
test_metrics_are_the_same_on_every_device = gives_the_same_on_every_device(
    ("frechet_distance", frechet_distance, LESS, 2 * LESS.flip(1)),
    (
        "neighbors",
        lambda *both: tuple(precision_recall_density_coverage(*both)),
        LESS,
        LESS.flip(1),
    ),
    ("class_balance", class_balance, LESS),
)


def test_arrays_lists_and_half_types_are_measured_alike():
    exact = LESS.bfloat16()
    for measure in (frechet_distance, precision_recall_density_coverage):
        expected = measure(exact.float(), 2 * exact.float())
        assert measure(exact, 2 * exact) == expected
        assert measure(exact.float().numpy(), (2 * exact.float()).tolist()) == expected
    assert class_balance(LESS.tolist()) == class_balance(LESS)


def test_a_layer_of_single_numbers_has_one_feature():
    assert layer_features(nn.Sequential(nn.Linear(3, 1), nn.Flatten(0)), LESS, "").shape == (20, 1)


test_a_wrong_argument_is_named = refuses(
    (lambda: frechet_distance(TEN, TEN[:, :2]), r"fake has shape \(10, 2\)"),
    (lambda: frechet_distance(TEN[0], TEN[0]), r"real has shape \(3,\)"),
    (lambda: frechet_distance(TEN, TEN[:1]), "fake has 1 rows, expected at least 2"),
    (lambda: frechet_distance(TEN * math.nan, TEN), "real has 30 entries that are nan"),
    (lambda: frechet_distance(TEN, TEN + math.inf), "fake has .* and 30 that are infinite"),
    (lambda: frechet_distance(HUGE, TEN), r"real is from .*e\+200, fake is from"),
    (lambda: frechet_distance("ab", TEN), TypeError, "real is 'ab'"),
    (lambda: precision_recall_density_coverage(TEN, TEN * math.nan), "fake has 30 entries"),
    (lambda: precision_recall_density_coverage(TEN, TEN, 2.5), TypeError, "k is 2.5"),
    (lambda: class_balance(TEN * math.nan), "logits has 30 entries that are nan"),
    (lambda: class_balance(TEN[:, :0]), "logits is empty"),
    (lambda: layer_features(TWICE, TEN, "0"), "layer is '0', which ran 2 times for 1 batches"),
    (
        lambda: layer_features(TUPLES, TEN, "0"),
        TypeError,
        "the output of '0'",
    ),
    (lambda: layer_features(nn.Flatten(0), TEN, ""), r"the output of '' has shape \(30,\)"),
    (lambda: precision_recall_density_coverage(TEN, TEN, 0), "k is 0, expected at least 1"),
    (lambda: precision_recall_density_coverage(TEN[:5], TEN), "real has 5 rows, expected at"),
    (lambda: class_balance(TEN[0]), r"logits has shape \(3,\)"),
    (lambda: class_balance(TEN[:0]), "logits is empty"),
    (lambda: layer_features(LeNet5(), TEN, "relu9"), "layer has 'relu9'"),
    (lambda: layer_features(LeNet5(), torch.zeros(0, 1, 32, 32), ""), "images is empty"),
)
