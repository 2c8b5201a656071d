"""Networks in shared tensors learn what each would learn alone, and the best rate is chosen."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from devices import gives_the_same_on_every_device
from refusals import refuses
from torch import nn

from glassbox.optim import Sweep, classify_digits, compress_digits, sweep
from glassbox.optim.stacked_mlp import _PARTS, _StackedMLP
from glassbox.optim.sweeps import random_batches

SEEDS = (3, 11)
MAKERS = {
    "SGD": lambda params, lr: torch.optim.SGD(params, lr, momentum=0.9),
    "RMSprop": torch.optim.RMSprop,
    "Adam": torch.optim.Adam,
    "AdamW": torch.optim.AdamW,
}
TASKS = [classify_digits(SEEDS), compress_digits(SEEDS)]


def alone(widths, activations, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(a, b) for a, b in pairwise(widths)]

    def forward(inputs):
        for layer, activation in zip(layers, activations, strict=True):
            inputs = activation(layer(inputs))
        return inputs

    return nn.ModuleList(layers), forward


def test_each_network_of_a_stack_is_the_one_of_its_seed():
    widths, activations = (5, 7, 3), (torch.relu, torch.tanh)
    state = torch.get_rng_state()
    stack = _StackedMLP(widths, activations, SEEDS)
    assert torch.equal(torch.get_rng_state(), state)
    inputs = torch.randn(2, 4, 5)
    for outputs, own, seed in zip(stack(inputs), inputs, SEEDS, strict=True):
        torch.testing.assert_close(outputs, alone(widths, activations, seed)[1](own))


def test_a_stack_refuses_activations_that_do_not_fit():
    with pytest.raises(ValueError, match="activations has 1 entries, expected 2"):
        _StackedMLP((5, 7, 3), (torch.relu,), SEEDS)


@pytest.mark.parametrize("name", MAKERS)
def test_a_stack_learns_what_each_network_learns_alone(name):
    task, lr, steps, batch_size = TASKS[0], 0.01, 20, 16
    swept = sweep(task, MAKERS[name], [lr], steps=steps, batch_size=batch_size)
    batches = random_batches(SEEDS, _PARTS[0], steps, batch_size)
    for r, seed in enumerate(SEEDS):
        model, forward = alone((64, 64, 10), (torch.relu, nn.Identity()), seed)
        optimizer = MAKERS[name](model.parameters(), lr)
        inputs, labels = ([part[r] for part in parts] for parts in (task.inputs, task.targets))
        for batch in batches[:, r]:
            optimizer.zero_grad()
            F.cross_entropy(forward(inputs[0][batch]), labels[0][batch]).backward()
            optimizer.step()
        for i, scores in ((1, swept.validation), (2, swept.test)):
            right = (forward(inputs[i]).argmax(dim=1) == labels[i]).float().mean()
            assert abs(scores[0, r] - 100 * right) < 0.6  # a rounding may turn one answer


def test_a_rate_that_diverged_is_not_chosen_whether_high_or_low_is_best():
    scores = torch.tensor([[math.nan, 1.0], [2.0, 3.0], [1.0, 1.0]])
    for task, best in zip(TASKS, (1, 2), strict=True):
        assert Sweep(task, (1.0, 0.1, 0.01), scores, scores).chosen == best
        with pytest.raises(ValueError, match="validation has 1 means that are nan"):
            Sweep(task, (1.0,), scores[:1], scores[:1]).result  # noqa: B018


test_batches_are_drawn_on_the_cpu_everywhere = gives_the_same_on_every_device(
    ("random_batches", random_batches, SEEDS, 50, 4, 8),
)


def test_batches_follow_from_the_seed_alone():
    both, one = (random_batches(seeds, 50, 4, 8) for seeds in (SEEDS, SEEDS[1:]))
    assert both.shape == (4, 2, 8) and torch.equal(both[:, 1:], one)
    assert not torch.equal(both[:, 0], both[:, 1])


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_parts_of_a_task_are_disjoint_and_differ_between_seeds(task):
    assert [part.shape[:2] for part in task.inputs] == [(2, size) for size in _PARTS]
    for r in range(2):
        rows = torch.cat([part[r] for part in task.inputs])
        assert len(rows.unique(dim=0)) > 1790  # a few digits are there twice
    assert not torch.equal(task.inputs[0][0], task.inputs[0][1])


def test_the_scores_of_answers_that_are_known():
    apart, squeezed = TASKS
    labels = apart.targets[2]
    perfect = F.one_hot(labels, 10).float()
    assert apart.score(perfect, labels).tolist() == [100, 100]
    assert 5 < apart.score(torch.zeros_like(perfect), labels)[0] < 15  # always answers 0
    images = squeezed.targets[2]
    mean = squeezed.inputs[0].mean(dim=1, keepdim=True).expand_as(images)
    assert squeezed.score(images, images).tolist() == [0, 0]
    assert (squeezed.score(mean, images) - 100).abs().max() < 3
    assert squeezed.score(images * torch.nan, images).isfinite().all()


def test_the_losses_are_the_mean_of_each_network():
    apart, squeezed = TASKS
    logits, labels = torch.randn(2, 6, 10), torch.randint(10, (2, 6))
    expected = torch.stack([F.cross_entropy(*pair) for pair in zip(logits, labels, strict=True)])
    torch.testing.assert_close(apart.loss(logits, labels), expected)
    outputs, images = torch.randn(2, 6, 64), torch.randn(2, 6, 64)
    expected = torch.stack([F.mse_loss(*pair) for pair in zip(outputs, images, strict=True)])
    torch.testing.assert_close(squeezed.loss(outputs, images), expected)


@pytest.mark.parametrize(("task", "chosen"), [(TASKS[0], 2), (TASKS[1], 0)], ids=["max", "min"])
def test_the_best_mean_on_the_validation_part_is_chosen_and_the_test_part_reported(task, chosen):
    validation = torch.tensor([[10.0, 20.0], [90.0, 5.0], [60.0, 60.0]])
    test = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    swept = Sweep(task, (0.1, 0.2, 0.3), validation, test)
    assert swept.chosen == chosen
    assert swept.result.seeds == SEEDS and list(swept.result.values) == test[chosen].tolist()


def test_a_sweep_learns_and_repeats_itself():
    first, second = (sweep(TASKS[0], MAKERS["Adam"], (1e-5, 1e-2), steps=60) for _ in range(2))
    assert torch.equal(first.validation, second.validation)
    assert first.validation.shape == (2, 2) and first.validation[1].min() > 85
    assert first.chosen == 1


test_a_sweep_refuses_what_it_cannot_do = refuses(
    ({"lrs": []}, "lrs is empty"),
    ({"lrs": [0.1, math.nan]}, "lrs is nan, expected at least 0"),
    ({"lrs": 0.1}, TypeError, "lrs is 0.1, expected Iterable"),
    ({"task": None}, TypeError, "task is None, expected Task"),
    ({"make_optimizer": lambda *_: 7}, TypeError, "make_optimizer gave 7, expected an optimizer"),
    ({"steps": 0}, "steps is 0, expected at least 1"),
    ({"batch_size": 0}, "batch_size is 0, expected at least 1"),
    by=lambda given: sweep(
        **{"task": TASKS[0], "make_optimizer": MAKERS["SGD"], "lrs": [0.1], "steps": 1} | given
    ),
)


@pytest.mark.parametrize("make", [classify_digits, compress_digits])
def test_seeds_of_a_task_are_integers(make):
    assert make(np.array([3])).seeds == (3,)
    for wrong, error in (([], ValueError), ([0.5], ValueError), (7, TypeError), ("01", ValueError)):
        with pytest.raises(error, match=r"^seeds is "):
            make(wrong)
