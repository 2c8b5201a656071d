"""The comparison on long tails: its data, its methods, and how they are compared."""

import pytest
import torch

from glassbox.chapters.long_tails import arms as recipe
from glassbox.chapters.long_tails.arms import (
    ARMS,
    deferred_start,
    epochs_of,
    load_long_tail,
    small_network,
    train_arm,
)
from glassbox.chapters.long_tails.study import balanced, gain, groups
from glassbox.networks import CosineClassifier


@pytest.mark.parametrize("name", ["scenes", "digits"])
@pytest.mark.parametrize("profile", ["exponential", "step"])
def test_a_tail_has_its_counts_and_a_balanced_test(name, profile):
    task = load_long_tail(name, profile, 50, seed=3)
    largest = {"scenes": 300, "digits": 100}[name]
    assert task.counts[0] == largest and task.counts[-1] == largest // 50
    tested = task.test_labels.bincount()
    assert tested.min() >= 0.9 * tested.max() and tested.sum() >= 750
    assert task.images.mean().abs() < 1e-4 and task.images.std() == pytest.approx(1, abs=0.02)
    if name == "digits":  # none is trained on and tested
        distance = torch.cdist(task.images.flatten(1), task.test_images.flatten(1))
        assert distance.min() > 0.1
    seen = {"scenes": 15_000, "digits": 8_000}[name]
    assert epochs_of(task) * len(task.images) == pytest.approx(seen, rel=0.1)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="name is 'mnist', expected one of scenes, digits"):
        load_long_tail("mnist", "step", 10, 0)
    with pytest.raises(ValueError, match="profile is 'linear'"):
        load_long_tail("digits", "linear", 10, 0)


@pytest.mark.parametrize(("channels", "size"), [(3, 16), (1, 8)])
@pytest.mark.parametrize("head", [None, CosineClassifier(64, 10)])
def test_the_network_takes_both_data_sets(channels, size, head):
    logits = small_network(channels, head)(torch.randn(4, channels, size, size))
    assert logits.shape == (4, 10)


@pytest.fixture(scope="module")
def digits():
    return load_long_tail("digits", "step", 20, seed=0)


@pytest.mark.parametrize("arm", ARMS.values(), ids=ARMS)
def test_every_arm_learns(arm, digits):
    accuracy = train_arm(digits, arm, seed=0, epochs=2)
    assert accuracy.shape == (10,) and (accuracy >= 0).all() and accuracy[:5].mean() > 0.2


def test_deferred_weights_come_with_the_last_fifth(monkeypatch, digits):
    weights = []

    class Watched(recipe.DeferredReweighting):
        def set_epoch(self, epoch):
            super().set_epoch(epoch)
            weights.append(self.loss.weight.clone())

    monkeypatch.setattr(recipe, "DeferredReweighting", Watched)
    train_arm(digits, ARMS["LDAM-DRW"], seed=0, epochs=5)
    assert [bool((weight == 1).all()) for weight in weights] == [True] * 4 + [False]
    assert [deferred_start(epochs) for epochs in (5, 20, 100)] == [5, 17, 81]


def test_accuracies_are_balanced_and_compared_in_pairs():
    arms = {
        "LDAM": torch.tensor([[0.9, 0.3], [0.5, 0.1]]),
        "focal": torch.tensor([[1.0, 0.0], [0.4, 0.0]]),
    }
    assert balanced(arms["LDAM"]).values == pytest.approx((0.6, 0.3))
    assert gain(arms, "LDAM", "focal").values == pytest.approx((0.1, 0.1))


def test_groups_go_by_the_counts_of_the_setting():
    accuracy = torch.linspace(1, 0.1, 10).expand(3, 10).double()
    # 300, 179, 107 | 64, 38, 23 | 13, 8, 5, 3
    assert groups(("scenes", "exponential", 100), accuracy) == pytest.approx((0.9, 0.6, 0.25))
    # 100 five times | 1 five times
    many, medium, few = groups(("digits", "step", 100), accuracy)
    assert (many, medium, few) == (pytest.approx(0.8), None, pytest.approx(0.3))
