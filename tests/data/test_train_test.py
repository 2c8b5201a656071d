"""Both parts of a task are normalized by the statistics of the first, or by given ones."""

import pytest
import torch

from glassbox.data import Dataset, TrainTest, channel_statistics, normalize

DRAW = torch.Generator().manual_seed(0)


def part(count, low):
    images = torch.randint(low, 200, (count, 3, 4, 4), generator=DRAW, dtype=torch.uint8)
    return Dataset("invented", images, torch.arange(count) % 2, ("a", "b", "c"))


TRAIN, TEST = part(9, 0), part(5, 100)


def test_the_test_part_has_no_say_in_the_statistics():
    task = TrainTest(TRAIN, TEST)
    torch.testing.assert_close(task.images.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    expected = normalize(TEST.images, *channel_statistics(TRAIN.images))
    assert torch.equal(task.test_images, expected) and expected.mean() > 0.5
    assert torch.equal(task.normalize(TEST.images[:2]), expected[:2])


def test_statistics_of_another_data_set_are_used_for_both():
    half = torch.full((3,), 0.5)
    task = TrainTest(TRAIN, TEST, (half, half))
    torch.testing.assert_close(task.images, TRAIN.images / 127.5 - 1)
    torch.testing.assert_close(task.test_images, TEST.images / 127.5 - 1)


def test_labels_and_counts_are_those_of_the_parts():
    task = TrainTest(TRAIN, TEST)
    assert task.labels is TRAIN.labels and task.test_labels is TEST.labels
    assert task.counts == (5, 4, 0)


def test_a_task_does_not_change():
    with pytest.raises(AttributeError):
        TrainTest(TRAIN, TEST).train = TEST
