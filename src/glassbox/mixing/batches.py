"""Batches that are mixed on their way into a training."""

import inspect
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from glassbox.support.arguments import as_whole, check_callables, check_state
from glassbox.support.seeds import random_states, restore_random_states
from glassbox.training.distributed import sampler_of
from glassbox.training.pairs import ImageBatches, as_pair
from glassbox.training.resuming import order_of

_Mixer = Callable[..., tuple[Tensor, Tensor]]


class MixedBatches:
    """Batches that are mixed on their way, for :func:`glassbox.training.loop.fit`.

    Each batch has a generator of its own, decided by the seed, the epoch and its number. So mixing
    neither uses nor disturbs other random numbers, and a resumed training sees the same mixtures.

    Mixers of other libraries take no generator: they draw from the global ones of torch and NumPy,
    which are seeded likewise for each batch and then restored. So torchvision's ``v2.MixUp`` and
    ``v2.CutMix`` mix here exactly as :class:`Mixup` and :class:`CutMix` do. The images they get are
    copies, as timm's ``Mixup`` writes into them.

    Args:
        batches: Pairs of images and class indices, such as a ``DataLoader`` gives them.
        mixer: :class:`Mixup`, :class:`CutMix` or :class:`MixingSchedule`; any other function of
            images, labels and a generator; or one of images and labels alone, as timm's ``Mixup``
            and the transforms of torchvision's ``v2`` are.
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
        self.sampler = sampler_of(batches) or getattr(batches, "sampler", None)  # told the epoch

    def __len__(self) -> int:
        """Give the number of batches of an epoch."""
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        mix = self.mixer if _takes_generator(self.mixer) else _seeding(self.mixer)
        for number, batch in enumerate(self.batches):
            mixed = (self.seed * 1_000_003 + self.epoch) * 1_000_003 + number
            generator = torch.Generator().manual_seed(mixed % 2**63)
            yield mix(*as_pair(batches=batch), generator)
        self.epoch += 1

    def state_dict(self) -> dict[str, object]:
        """Give the order of the batches and the number of epochs mixed."""
        return {"batches": order_of(self.batches).state_dict(), "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Continue at a position that :meth:`state_dict` returned."""
        check_state(state, "epoch", parts=["batches"])
        self.epoch = state["epoch"]
        order_of(self.batches).load_state_dict(state["batches"])


def _takes_generator(mixer: _Mixer) -> bool:
    """Say whether a mixer takes a third argument; a transform takes any number of images."""
    called = mixer.forward if isinstance(mixer, nn.Module) else mixer
    try:
        given = [one.kind for one in inspect.signature(called).parameters.values()]
    except (TypeError, ValueError):  # of what is not written in Python
        return True
    positional = sum(kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in given)
    rest = inspect.Parameter.VAR_POSITIONAL in given and not isinstance(mixer, nn.Module)
    return positional >= 3 or rest


def _seeding(mixer: _Mixer) -> _Mixer:
    """Make a mixer that draws from global generators draw by the seed of a generator."""

    def mix(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        states = random_states()
        try:
            torch.default_generator.manual_seed(generator.initial_seed())
            np.random.seed(generator.initial_seed() % 2**32)
            return mixer(images.clone(), labels)
        except AssertionError as error:  # timm's, of a batch of odd length
            raise ValueError(f"mixer refuses a batch of {len(images)}: {error}") from error
        finally:
            restore_random_states(states)

    return mix
