from itertools import chain

import numpy as np
import pytest
import torch
from devices import LAYOUTS
from refusals import refuses

from glassbox.data import Batches, compose, random_flip, random_shift

IMAGES = torch.rand(103, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(103)


def drawn(batches: Batches) -> list[list[int]]:
    return [labels.tolist() for _, labels in batches]


def flat(lists) -> list[int]:
    return list(chain.from_iterable(lists))


def same(one: list, other: list) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a, b)
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_an_epoch_holds_every_image_once_beside_its_label():
    batches = Batches(IMAGES, LABELS, 10)
    epoch = list(batches)
    assert len(epoch) == len(batches) == 11
    assert [len(labels) for _, labels in epoch] == [10] * 10 + [3]
    assert sorted(torch.cat([labels for _, labels in epoch]).tolist()) == list(range(103))
    for images, labels in epoch:
        assert torch.equal(images, IMAGES[labels])


def test_without_shuffling_the_order_is_that_of_the_images():
    assert flat(drawn(Batches(IMAGES, LABELS, 10, shuffle=False))) == list(range(103))


def test_epochs_differ_and_repeat_with_their_seed():
    batches, again, other = (Batches(IMAGES, LABELS, 10, seed=seed) for seed in (1, 1, 2))
    first, second = drawn(batches), drawn(batches)
    assert first != second
    assert [drawn(again), drawn(again)] == [first, second]
    assert drawn(other) != first


def test_the_global_random_state_neither_matters_nor_changes():
    batches = Batches(IMAGES, LABELS, 10, augment=random_flip())
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    epoch = list(batches)
    assert torch.equal(before, torch.get_rng_state())
    assert (np.random.get_state()[1] == numpy_before).all()
    torch.manual_seed(123)
    assert same(epoch, list(Batches(IMAGES, LABELS, 10, augment=random_flip())))


def test_drop_last_leaves_out_the_incomplete_batch():
    batches = Batches(IMAGES, LABELS, 10, drop_last=True)
    assert [len(batch) for batch in drawn(batches)] == [10] * 10
    assert len(batches) == 10
    left_out = set(range(103)) - set(flat(drawn(batches)))
    assert left_out != {100, 101, 102}


@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("batch", [0, 4, 11])
def test_a_resumed_run_sees_exactly_what_an_uninterrupted_one_sees(epoch, batch):
    augment = compose(random_flip(), random_shift(2))
    whole = Batches(IMAGES, LABELS, 10, seed=5, augment=augment)
    expected = [pair for _ in range(4) for pair in whole]
    interrupted = Batches(IMAGES, LABELS, 10, seed=5, augment=augment)
    seen = [pair for _ in range(epoch) for pair in interrupted]
    iterator = iter(interrupted)
    seen += [next(iterator) for _ in range(batch)]
    state = interrupted.state_dict()
    del iterator, interrupted
    resumed = Batches(IMAGES, LABELS, 10, seed=5, augment=augment)
    resumed.load_state_dict(state)
    for _ in range(4 - epoch):
        seen += list(resumed)
    assert same(seen, expected)


def test_an_iteration_left_early_counts_as_an_epoch():
    batches, whole = Batches(IMAGES, LABELS, 10), Batches(IMAGES, LABELS, 10)
    drawn(whole)
    next(iter(batches))
    assert drawn(batches) == drawn(whole)


def test_each_batch_has_its_own_augmentation():
    images = torch.arange(8.0).expand(64, 1, 1, 8)
    batches = Batches(images, torch.zeros(64), 16, augment=random_flip())
    flipped = torch.stack([batch[:, 0, 0, 0] > 0 for batch, _ in batches])
    assert len(flipped.unique(dim=0)) == 4
    assert 16 < flipped.sum() < 48


def test_each_epoch_has_its_own_augmentation():
    images = torch.arange(8.0).expand(64, 1, 1, 8)
    batches = Batches(images, torch.zeros(64), 64, shuffle=False, augment=random_flip())
    (one, _), (other, _) = [*batches, *batches]
    assert not torch.equal(one, other)


def test_the_images_themselves_are_never_changed():
    images = IMAGES.clone()
    for batch, _ in Batches(images, LABELS, 10, augment=lambda batch, generator: batch.zero_()):
        assert not batch.any()
    assert torch.equal(images, IMAGES)


def test_channels_last_changes_the_layout_and_not_the_values():
    for images, labels in Batches(IMAGES, LABELS, 10, channels_last=True):
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(images, IMAGES[labels])


def test_batches_go_to_the_device_asked_for():
    images, labels = next(iter(Batches(IMAGES, LABELS, 10, device="meta")))
    assert images.device.type == labels.device.type == "meta"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels_last", [False, True])
def test_images_of_any_layout_come_alike(layout, channels_last):
    images = torch.rand(8, 3, 4, 5)
    given = LAYOUTS[layout](images)
    for shuffle in (False, True):
        for mine, labels in Batches(
            given, torch.arange(8), 3, shuffle=shuffle, channels_last=channels_last
        ):
            assert torch.equal(mine, images[labels])
            kind = torch.channels_last if channels_last else torch.contiguous_format
            assert mine.is_contiguous(memory_format=kind)


def test_arrays_come_as_tensors():
    batches = Batches(IMAGES.numpy(), LABELS.tolist(), 10, seed=1)
    assert drawn(batches) == drawn(Batches(IMAGES, LABELS, 10, seed=1))
    assert all(isinstance(part, torch.Tensor) for part in next(iter(batches)))


def test_the_order_does_not_depend_on_the_default_device():
    expected = drawn(Batches(IMAGES, LABELS, 10)), drawn(Batches(IMAGES, LABELS, 10, shuffle=False))
    with torch.device("meta"):
        assert expected == (
            drawn(Batches(IMAGES, LABELS, 10)),
            drawn(Batches(IMAGES, LABELS, 10, shuffle=False)),
        )


@pytest.mark.parametrize("world_size", [2, 3, 4, 12])
def test_processes_share_the_batches_that_one_process_sees(world_size):
    size = 12  # of 103 images the last batch has 7
    shards = [
        Batches(IMAGES, LABELS, size, seed=3, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    assert len({len(shard) for shard in shards}) == 1
    whole = Batches(IMAGES, LABELS, size, seed=3)
    for _ in range(2):
        parts, batches = [drawn(shard) for shard in shards], drawn(whole)
        kept = batches[: 9 if world_size <= 7 else 8]
        for batch, expected in zip(zip(*parts, strict=True), kept, strict=True):
            counts = {len(part) for part in batch}
            assert min(counts) >= 1 and max(counts) - min(counts) <= 1
            assert sorted(flat(batch)) == sorted(expected)
    first = [next(iter(shard))[1].tolist() for shard in shards]
    assert len(set(flat(first))) == size


def test_processes_draw_different_augmentations():
    images = torch.arange(8.0).expand(64, 1, 1, 8)
    shards = [
        Batches(images, LABELS[:64], 64, augment=random_flip(), rank=rank, world_size=2)
        for rank in range(2)
    ]
    one, other = (next(iter(shard))[0][:, 0, 0, 0] for shard in shards)
    assert not torch.equal(one, other)


ARGUMENTS = {"images": IMAGES, "labels": LABELS, "batch_size": 10}

test_arguments_that_do_not_fit_are_refused = refuses(
    ({"batch_size": 0}, "batch_size"),
    ({"labels": LABELS[:-1]}, "labels has 102"),
    ({"rank": 2, "world_size": 2}, "rank"),
    ({"batch_size": 9, "world_size": 2}, "batch_size is 9, expected a multiple of 2"),
    ({"seed": -1}, "seed"),
    ({"seed": 0.5}, "seed is 0.5"),
    ({"batch_size": 2.5}, TypeError, "batch_size is 2.5"),
    ({"images": "abc"}, TypeError, "images is 'abc', expected a tensor, an array or a list"),
    ({"batch_size": 200, "drop_last": True}, "images has .* expected enough"),
    ({"images": IMAGES[:0], "labels": LABELS[:0]}, "images has .* expected enough"),
    by=lambda change: Batches(**(ARGUMENTS | change)),
)


test_a_state_of_another_run_is_refused = refuses(
    ({"seed": 2, "epoch": 0, "next_batch": 0}, "state"),
    ({"seed": 1, "epoch": 0, "next_batch": 99}, "state"),
    by=Batches(IMAGES, LABELS, 10, seed=1).load_state_dict,
)


def test_an_image_that_is_augmented_alone_looks_the_same_in_any_number_of_processes():
    def epochs(**share):
        options = {"augment": random_shift(3), "augment_each": True, "seed": 5}
        batches = Batches(IMAGES, LABELS, 10, **options, **share)
        parts = [torch.cat(part) for _ in range(2) for part in zip(*batches, strict=True)]
        return [dict(zip(parts[k + 1].tolist(), parts[k], strict=True)) for k in (0, 2)]

    first, second = epochs()
    shared = [epochs(rank=rank, world_size=2) for rank in range(2)]
    for epoch, alone in enumerate((first, second)):
        together = shared[0][epoch] | shared[1][epoch]
        assert alone.keys() == together.keys() == {*range(103)}
        assert all(torch.equal(image, together[label]) for label, image in alone.items())
    assert sum(not torch.equal(first[label], second[label]) for label in range(103)) > 80
    ramp = torch.arange(64.0).view(1, 1, 8, 8).expand(40, 1, 8, 8)
    alike = Batches(ramp, torch.zeros(40), 40, augment=random_shift(3), augment_each=True)
    assert len(next(iter(alike))[0].flatten(1).unique(dim=0)) > 15
