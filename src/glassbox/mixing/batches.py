"""Batches that are mixed on their way into a training."""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from glassbox.support.arguments import as_whole, check_callables, check_state
from glassbox.training.loop import ImageBatches
from glassbox.training.resuming import order_of

_Mixer = Callable[[Tensor, Tensor, torch.Generator | None], tuple[Tensor, Tensor]]


class MixedBatches:
    """Batches that are mixed on their way, for :func:`glassbox.training.loop.fit`.

    Each batch has a generator of its own, decided by the seed, the epoch and its number. So mixing
    neither uses nor disturbs other random numbers, and a resumed training sees the same mixtures.

    Args:
        batches: Pairs of images and class indices.
        mixer: :class:`Mixup`, :class:`CutMix` or :class:`MixingSchedule`.
        seed: Decides the mixtures, at least 0.

    Raises:
        TypeError: If ``batches`` is nothing to iterate over, or ``mixer`` nothing to call.
        ValueError: If ``seed`` is negative.
    """

    def __init__(self, batches: ImageBatches, mixer: _Mixer, *, seed: int = 0) -> None:
        (seed,) = as_whole(0, seed=seed)
        check_callables(mixer=mixer)
        if not isinstance(batches, Iterable):
            raise TypeError(
                f"batches is a {type(batches).__name__}, expected pairs to iterate over"
            )
        self.batches, self.mixer, self.seed, self.epoch = batches, mixer, seed, 0
        self.sampler = getattr(batches, "sampler", None)  # to be told the epoch

    def __len__(self) -> int:
        """Give the number of batches of an epoch."""
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for number, (images, labels) in enumerate(self.batches):
            mixed = (self.seed * 1_000_003 + self.epoch) * 1_000_003 + number
            yield self.mixer(images, labels, torch.Generator().manual_seed(mixed % 2**63))
        self.epoch += 1

    def state_dict(self) -> dict[str, object]:
        """Give the order of the batches and the number of epochs mixed."""
        return {"batches": order_of(self.batches).state_dict(), "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Continue at a position that :meth:`state_dict` returned."""
        check_state(state, "epoch", parts=["batches"])
        self.epoch = state["epoch"]
        order_of(self.batches).load_state_dict(state["batches"])
