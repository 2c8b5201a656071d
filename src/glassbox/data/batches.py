"""Batches of images, in memory or in files: shuffled, augmented, resumable, shardable."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from glassbox.data.augmentation import Augmentation
from glassbox.data.picture_files import PictureFiles
from glassbox.support.arguments import (
    as_device,
    as_sizes,
    as_tensor,
    as_whole,
    check_callables,
    check_multiple,
    check_range,
    check_state,
    reject_tensor,
)


class Batches:
    """Iterate over images and labels in batches; each iteration is one epoch.

    The order of an epoch follows from ``seed`` and the number of the epoch alone, and the
    augmentation of a batch from these and the number of the batch. So two runs see the same
    batches whatever else draws random numbers, and a run can resume anywhere: see
    :meth:`state_dict`. An iteration that is left early counts as an epoch.

    On ``world_size`` processes, each with its ``rank``, every process iterates over its part
    of the same global batches: ``batch_size / world_size`` images a step, and of a smaller last
    batch as many, or one more, than any other process. Each process has an image in every step;
    so that it can, a last batch of fewer images than processes is left out.

    Args:
        images: ``(N, ...)``, any type, also an array, which is not copied; or
            :class:`~glassbox.data.picture_files.PictureFiles`, which are decoded batch by batch.
        labels: ``(N, ...)``, likewise.
        batch_size: Images in a global batch; the last batch of an epoch may be smaller.
        shuffle: Whether each epoch has its own order.
        seed: Decides the orders and the augmentation.
        augment: A function of a batch of images and a generator that gives the images
            to train on; see :mod:`glassbox.data.augmentation`.
        augment_each: Whether each image is augmented alone, with a generator that follows from the
            epoch and the image: it then looks the same whatever the number of processes.
        drop_last: Whether an incomplete last batch is left out.
        device: Where the batches go; by default they stay where ``images`` are.
        channels_last: Whether batches of images have the channels-last memory format; otherwise
            they are contiguous.
        rank: Number of this process, from 0.
        world_size: Number of processes; it must divide ``batch_size``.

    Raises:
        ValueError: If lengths differ, a number is out of range, or no batch would be left.
    """

    augment_each = False

    def __init__(
        self,
        images: Tensor | PictureFiles,
        labels: Tensor,
        batch_size: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        augment: Augmentation | None = None,
        augment_each: bool = False,
        drop_last: bool = False,
        device: torch.device | str | None = None,
        channels_last: bool = False,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if not isinstance(images, PictureFiles):
            images = as_tensor(images=images)
        labels = as_tensor(labels=labels)
        for name, tensor in (("images", images), ("labels", labels)):
            if tensor.ndim == 0:
                reject_tensor(name, tensor, "(N, ...)")
        if augment is not None:
            check_callables(augment=augment)
        if len(images) != len(labels):
            raise ValueError(f"labels has {len(labels)} entries, expected {len(images)}, as images")
        batch_size, world_size = as_sizes(batch_size=batch_size, world_size=world_size)
        check_range(0, world_size, below=True, rank=rank)
        rank, seed = as_whole(0, rank=rank, seed=seed)
        check_multiple(world_size, batch_size=batch_size)
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.shuffle, self.seed, self.augment = shuffle, seed, augment
        if augment_each:  # else it is not among the settings, as in older checkpoints
            self.augment_each = True
        self.device = images.device if device is None else as_device(device=device)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.rank, self.world_size = rank, world_size
        last = len(images) % self.batch_size
        self._used = len(images) - (last if drop_last or last < world_size else 0)
        self._epoch, self._next_batch, self._resuming = 0, 0, False
        if not len(self):
            raise ValueError(f"images has {len(images)} entries, expected enough for one batch")

    def __len__(self) -> int:
        """Give the number of batches of an epoch."""
        return -(-self._used // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        if self._next_batch and not self._resuming:
            self._epoch, self._next_batch = self._epoch + 1, 0
        self._resuming = False
        order = self._order(self._epoch)
        for batch in range(self._next_batch, len(self)):
            start = batch * self.batch_size
            chosen = order[start : start + self.batch_size][self.rank :: self.world_size]
            self._next_batch = batch + 1
            yield self._images(chosen, batch), self.labels[chosen].to(self.device)
        self._epoch, self._next_batch = self._epoch + 1, 0

    def state_dict(self) -> dict[str, int]:
        """Give the position: the epoch and the number of its batches already handed out."""
        return {"seed": self.seed, "epoch": self._epoch, "next_batch": self._next_batch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue at a saved position: the next iteration gives the remaining batches.

        Raises:
            TypeError: If the state is no dict.
            ValueError: If the state is of another seed or of more batches than there are.
        """
        check_state(state, "seed", "epoch", "next_batch")
        if state["seed"] != self.seed:
            raise ValueError(f"state has seed {state['seed']}, expected {self.seed}")
        if state["next_batch"] > len(self):
            raise ValueError(f"state is {state}, expected a position in {len(self)} batches")
        self._epoch, self._next_batch = state["epoch"], state["next_batch"]
        self._resuming = True

    def _order(self, epoch: int) -> Tensor:
        if not self.shuffle:
            return torch.arange(self._used, device="cpu")
        generator = self._generator(epoch)
        return torch.randperm(len(self.images), generator=generator, device="cpu")[: self._used]

    def _images(self, chosen: Tensor, batch: int) -> Tensor:
        images = self.images[chosen].to(self.device)
        if self.augment is not None and self.augment_each:
            # Images count from 1 here, or the first one would have the order's own (epoch,).
            generators = [self._generator(self._epoch, 0, one + 1) for one in chosen.tolist()]
            images = torch.cat(list(map(self.augment, images.split(1), generators)))
        elif self.augment is not None:
            # Batches count from 1 here: (epoch, 0, ...) would equal the order's own (epoch,).
            key = (self._epoch, batch + 1, self.rank)
            images = self.augment(images, self._generator(*key))
        return images.contiguous(memory_format=self.memory_format) if images.ndim == 4 else images

    def _generator(self, *key: int) -> torch.Generator:
        seed = np.random.SeedSequence((self.seed, *key)).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(seed[0] >> np.uint64(1)))
