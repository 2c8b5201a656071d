"""What several processes of one training must agree on.

In a single process, where ``torch.distributed`` has not been set up, nothing here has an effect.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data.distributed import DistributedSampler

_Value = TypeVar("_Value")


def _is_distributed() -> bool:
    """Return whether this process is one of a group that ``torch.distributed`` set up."""
    return dist.is_available() and dist.is_initialized()


def process_rank() -> int:
    """Return the rank of this process; 0, which writes files and shows progress, if it is alone."""
    return dist.get_rank() if _is_distributed() else 0


def process_count() -> int:
    """Return how many processes there are; 1 if this one is alone."""
    return dist.get_world_size() if _is_distributed() else 1


def sum_over_processes(values: Sequence[float]) -> list[float]:
    """Add numbers up over all processes."""
    return [sum(column) for column in zip(*from_all_processes(list(values)), strict=True)]


def from_first_process(value: _Value) -> _Value:
    """Send the value of rank 0, which can be pickled, to all processes."""
    values = [value]
    if _is_distributed():
        dist.broadcast_object_list(values)
    return values[0]


def from_all_processes(value: _Value) -> list[_Value]:
    """Collect a value that can be pickled from every process, in the order of the ranks."""
    if not _is_distributed():
        return [value]
    values = [value] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model inside ``DistributedDataParallel`` and ``torch.compile``, or itself."""
    if isinstance(model, DistributedDataParallel):
        return unwrapped(model.module)
    compiled = type(model).__module__ == "torch._dynamo.eval_frame"  # slow to import for a class
    return unwrapped(model._orig_mod) if compiled and isinstance(model, nn.Module) else model


def sampler_of(batches: Any) -> DistributedSampler | None:
    """Find the sampler that gives each process its part, also behind a sampler of batches."""
    whole = getattr(batches, "batch_sampler", None)
    for sampler in (getattr(batches, "sampler", None), getattr(whole, "sampler", None)):
        if isinstance(sampler, DistributedSampler):
            return sampler
    return None


def set_epoch(batches: Iterable, epoch: int) -> None:
    """Tell the epoch to a ``DistributedSampler``, whose order would otherwise stay the same."""
    if (sampler := sampler_of(batches)) is not None:
        sampler.set_epoch(epoch)


def check_shares(**batches: Any) -> None:
    """Refuse batches to measure on of which the processes together would not see each one once."""
    for name, given in batches.items():
        sampler, count = sampler_of(given), process_count()
        if sampler is not None and sampler.num_replicas != count:
            raise ValueError(f"{name} has {sampler.num_replicas} parts, expected {count}")
        if getattr(given, "world_size", 1) != 1:
            raise ValueError(
                f"{name} has world_size {given.world_size}, and its parts may leave images out, "
                "expected 1 or a DataLoader with a DistributedSampler"
            )


def images_of_process(batches: Iterable) -> float:
    """Count the images that are this process's own: a ``DistributedSampler`` repeats some.

    It does so at the end of an epoch, so that all processes make as many steps.
    """
    if (sampler := sampler_of(batches)) is None:
        return float("inf")
    return len(range(sampler.rank, len(sampler.dataset), sampler.num_replicas))
