"""The comparison on long tails: its data, its methods, and how they are searched and compared."""

from itertools import product
from statistics import fmean

import pytest
import torch

from glassbox.chapters.long_tails import arms as recipe
from glassbox.chapters.long_tails import cifar
from glassbox.chapters.long_tails.arms import (
    ARMS,
    METHODS,
    MIXERS,
    RATES,
    deferred_start,
    epochs_of,
    load_long_tail,
    logits_of,
    small_network,
    train_arm,
)
from glassbox.chapters.long_tails.study import (
    SIZES,
    balanced,
    best_rate,
    gain,
    groups,
    load_accuracies,
    load_adjusted,
    load_tried,
    mixing_gain,
)
from glassbox.data import Dataset, long_tailed_counts
from glassbox.networks import CosineClassifier
from glassbox.training import per_class_accuracy


@pytest.fixture(scope="module")
def tail():
    return load_long_tail("mnist_5k", seed=0, imbalance=20)


def kept(task):
    """Identify images by their pixels."""
    return {bytes(image.flatten().tolist()) for image in task.train.images}


def test_a_tail_has_its_counts_and_all_test_images():
    task = load_long_tail("mnist_5k", seed=3)
    assert task.counts == long_tailed_counts(300, 10, 100)
    assert task.test_labels.bincount().tolist() == [100] * 10
    assert task.images.mean().abs() < 1e-4 and task.images.std() == pytest.approx(1, abs=0.02)
    assert epochs_of(task) == 20 and epochs_of(task, 8) == 160
    assert [deferred_start(epochs) for epochs in (5, 20, 100)] == [5, 17, 81]


def test_each_seed_draws_its_order_of_classes_and_its_images():
    tasks = [load_long_tail("mnist_5k", seed) for seed in range(5)]
    orders = [task.train.class_names for task in tasks]
    assert len(set(orders)) == 5 and {tuple(sorted(order)) for order in orders} == {
        tuple("0123456789")
    }
    for task in tasks:  # a number stands for the same digit in both parts
        assert task.train.class_names == task.test.class_names
    digits = [
        {name: task.test.images[task.test_labels == k][0] for k, name in enumerate(order)}
        for task, order in zip(tasks, orders, strict=True)
    ]
    for name in "0123456789":
        assert all(torch.equal(digits[0][name], other[name]) for other in digits)
    again = load_long_tail("mnist_5k", 4)
    assert kept(again) == kept(tasks[4]) != kept(tasks[3])


def test_images_to_choose_by_are_neither_trained_on_nor_tested_with():
    task, tested = load_long_tail("mnist_5k", 98, search=True), load_long_tail("mnist_5k", 98)
    assert task.counts == tested.counts and task.test_labels.bincount().tolist() == [100] * 10
    chosen_by = {bytes(image.flatten().tolist()) for image in task.test.images}
    others = {bytes(image.flatten().tolist()) for image in tested.test.images}
    assert not chosen_by & kept(task) and not chosen_by & others


def test_unknown_names_are_refused(tail):
    with pytest.raises(ValueError, match="name is 'mnist', expected one of mnist_5k, fashion"):
        load_long_tail("mnist", 0)
    with pytest.raises(ValueError, match="method is 'LADM'"):
        train_arm(tail, "LADM", "plain", 0, lr=0.1, epochs=1)
    with pytest.raises(ValueError, match="mixing is 'cutmix'"):
        train_arm(tail, "LDAM", "cutmix", 0, lr=0.1, epochs=1)
    with pytest.raises(ValueError, match="tried has no rates for cifar10"):
        best_rate({("mnist_5k", 1): {}}, "cifar10", 1, ARMS[0])


@pytest.mark.parametrize("head", [None, CosineClassifier(64, 10)])
def test_the_network_has_64_features(head):
    assert small_network(head)(torch.randn(4, 1, 28, 28)).shape == (4, 10)


@pytest.mark.parametrize("arm", ARMS, ids=map(", ".join, ARMS))
def test_every_arm_learns(arm, tail):
    logits = logits_of(train_arm(tail, *arm, seed=0, lr=0.02, epochs=4), tail)
    assert per_class_accuracy(logits, tail.test_labels)[:3].mean() > 0.4


def test_all_methods_are_mixed_and_the_control_is_not():
    assert len(ARMS) == 7 * 3 + 1
    mixed = [name for name in METHODS if name != "cosine"]
    assert set(ARMS) == {*product(mixed, MIXERS), ("cosine", "plain")}


def test_deferred_weights_come_with_the_last_fifth(monkeypatch, tail):
    weights = []

    class Watched(recipe.DeferredReweighting):
        def set_epoch(self, epoch):
            super().set_epoch(epoch)
            weights.append(self.loss.weight.clone())

    monkeypatch.setattr(recipe, "DeferredReweighting", Watched)
    train_arm(tail, "LDAM-DRW", "plain", 0, lr=0.01, epochs=5)
    assert [bool((weight == 1).all()) for weight in weights] == [True] * 4 + [False]


def test_the_rate_of_the_nearest_smaller_search_is_taken():
    arm = ("LDAM", "Mixup")
    tried = {
        ("mnist_5k", 1): {arm: {0.01: 0.5, 0.1: 0.6}},
        ("mnist_5k", 4): {arm: {0.01: 0.8, 0.1: 0.7}},
    }
    chosen = [best_rate(tried, "mnist_5k", budget, arm) for budget in (0.5, 1, 2, 4, 8)]
    assert chosen == [0.1, 0.1, 0.1, 0.01, 0.01]


def test_no_chosen_rate_is_at_an_edge_of_those_tried():
    for arms in load_tried().values():
        assert set(arms) == set(ARMS)
        for arm, found in arms.items():
            rates = sorted(found)
            assert len(rates) >= 4
            assert rates[0] < max(found, key=found.get) < rates[-1], arm


def test_the_comparison_used_the_rates_that_were_chosen():
    from glassbox.chapters.long_tails.study import ACCURACIES

    tried = load_tried()
    for (data, budget, *arm, _), (lr, *_) in ACCURACIES.rows().items():
        assert lr == best_rate(tried, data, budget, tuple(arm))


def test_adjusting_afterwards_is_stored_for_the_networks_of_cross_entropy():
    results, later = load_accuracies(), load_adjusted()
    ((data, budgets),) = SIZES["cpu"].budgets
    assert list(results) == list(later) == [(data, budget) for budget in budgets]
    for setting, arms in later.items():
        assert set(arms) == set(product(["cross-entropy"], MIXERS))
        for arm, accuracy in arms.items():
            assert accuracy.shape == results[setting][arm].shape == (len(SIZES["cpu"].seeds), 10)


def test_accuracies_are_balanced_and_compared_in_pairs():
    arms = {
        ("LDAM", "plain"): torch.tensor([[0.9, 0.3], [0.5, 0.1]]),
        ("focal", "plain"): torch.tensor([[1.0, 0.0], [0.4, 0.0]]),
    }
    first, second = arms
    assert balanced(arms[first]).values == pytest.approx((0.6, 0.3))
    assert gain(arms, first, second).values == pytest.approx((0.1, 0.1))


def test_the_gain_of_mixing_is_the_mean_over_methods_seed_by_seed():
    arms = {
        ("LDAM", "plain"): torch.tensor([[0.5, 0.3], [0.5, 0.1]]),
        ("LDAM", "Mixup"): torch.tensor([[0.6, 0.4], [0.5, 0.1]]),
        ("focal", "plain"): torch.tensor([[1.0, 0.0], [0.4, 0.0]]),
        ("focal", "Mixup"): torch.tensor([[1.0, 0.6], [0.4, 0.0]]),
        ("cosine", "plain"): torch.tensor([[0.1, 0.2], [0.3, 0.4]]),
    }
    assert mixing_gain(arms, "Mixup").values == pytest.approx((0.2, 0.0))


def test_groups_go_by_the_counts_of_the_data():
    accuracy = torch.linspace(1, 0.1, 10).expand(3, 10).double()
    # 300, 179, 107 | 64, 38, 23 | 13, 8, 5, 3
    assert groups("mnist_5k", accuracy) == pytest.approx((0.9, 0.6, 0.25))
    # 1000, 599, 359 | 215, 129, 77 | 46, 27, 16, 10
    assert groups("fashion_mnist", accuracy) == pytest.approx((0.9, 0.6, 0.25))


def test_the_rate_falls_where_the_authors_let_it_fall():
    factors = [cifar.authors_factor(epoch, 200) for epoch in (1, 5, 6, 160, 161, 180, 181, 200)]
    assert factors == pytest.approx([0.2, 1, 1, 1, 1e-2, 1e-2, 1e-4, 1e-4])
    assert deferred_start(200) == 161


@pytest.mark.parametrize("schedule", cifar.SCHEDULES)
@pytest.mark.parametrize("method", ["cross-entropy", "LDAM-DRW"])
def test_a_residual_network_trains_on_a_tail_of_color_images(method, schedule, monkeypatch):
    def noise(name, split=None):
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(256, (200, 3, 32, 32), dtype=torch.uint8, generator=generator)
        return Dataset(name, images, torch.arange(200) % 10, tuple("0123456789"))

    monkeypatch.setattr(cifar, "load", noise)
    task = cifar.cifar_tail("exponential", 10, seed=0)
    assert task.counts == long_tailed_counts(20, 10, 10)
    assert task.train.class_names == tuple("0123456789")
    accuracy = cifar.train_residual(task, method, 0, depth=8, epochs=2, schedule=schedule)
    assert accuracy.shape == (10,) and 0 <= fmean(accuracy.tolist()) <= 1


def test_there_are_at_least_four_rates():
    assert len(RATES) >= 4
