"""What the silent faults are shown on is what the page says of it."""

import torch

from glassbox.chapters.tracebacks.averages import (
    AVERAGES,
    average_accuracies,
    descend,
    small_network,
    statistics_accuracies,
)
from glassbox.chapters.tracebacks.tail import load_tail, tail_network
from glassbox.networks import CosineClassifier


def test_the_parts_share_no_image_and_have_all_classes():
    tail = load_tail()
    assert tail.counts.tolist() == [300, 156, 81, 42, 22, 11, 6]
    parts = [tail.train, tail.held, tail.fresh, tail.others]
    assert sum(len(labels) for _, labels in parts) == 4000
    rows = torch.cat([images for images, _ in parts])
    assert rows.shape == (4000, 784) and rows.min() == 0 and rows.max() == 1
    assert len(rows.unique(dim=0)) == len(rows)
    for _, labels in parts[1:3]:
        assert labels.bincount(minlength=7).min() >= 10 and labels.max() == 6
    assert tail.others[1].unique().tolist() == [0, 1, 2]


def test_batches_have_each_training_image_once_an_epoch():
    tail = load_tail()
    seen = torch.cat([labels for _, labels in tail.batches(0)])
    assert torch.equal(seen.bincount(), tail.counts)


def test_a_network_follows_from_its_seed_and_gives_scaled_cosines():
    images = load_tail().held[0]
    one, same, other = tail_network(0), tail_network(0), tail_network(1)
    assert torch.equal(one(images), same(images)) and not torch.equal(one(images), other(images))
    assert one(images).abs().max() <= 1 + 1e-6
    large = tail_network(0, classes=3, scale=30.0)
    assert isinstance(large[-1], CosineClassifier) and large(images).shape == (len(images), 3)
    assert large(images).abs().max() > 1


def test_after_each_step_is_after_each_step():
    network, calls = small_network(), []
    before = network[0].weight.detach().clone()
    descend(network, 0.05, steps=7, after_step=lambda: calls.append(network[0].weight.sum().item()))
    assert len(set(calls)) == len(calls) == 7 and not torch.equal(network[0].weight, before)


def test_accuracies_are_named_and_those_of_a_seed():
    found = average_accuracies(0, 0.05)
    assert list(found) == ["last", *AVERAGES]
    assert found["last"] > 90 > 50 > found["0.9998"]
    assert found == average_accuracies(0, 0.05)
    assert list(statistics_accuracies(0)) == ["of the start", "of the last step", "averaged"]
