"""One training in several processes: what they must agree on.

In a single process, where ``torch.distributed`` has not been set up, nothing here has an effect.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data.distributed import DistributedSampler

_Value = TypeVar("_Value")


def _is_distributed() -> bool:
    """Say whether this process is one of a group.

    Returns:
        Whether ``torch.distributed`` is set up.
    """
    return dist.is_available() and dist.is_initialized()


def process_rank() -> int:
    """Give the number of this process; 0 is the one that writes files and shows progress.

    Returns:
        The rank, 0 for a single process.
    """
    return dist.get_rank() if _is_distributed() else 0


def sum_over_processes(values: Sequence[float], device: torch.device) -> list[float]:
    """Add numbers up over all processes.

    Args:
        values: As many numbers in each process.
        device: Where the processes exchange tensors: the device of the model.

    Returns:
        The sums, the same in all processes.
    """
    if not _is_distributed():
        return list(values)
    totals = torch.tensor(values, dtype=torch.float64, device=device)
    dist.all_reduce(totals)
    return totals.tolist()


def from_first_process(value: _Value) -> _Value:
    """Hand the first process's value to all, so that they decide alike.

    Args:
        value: Anything that can be pickled.

    Returns:
        The value of rank 0.
    """
    values = [value]
    if _is_distributed():
        dist.broadcast_object_list(values)
    return values[0]


def from_all_processes(value: _Value) -> list[_Value]:
    """Collect a value from every process.

    Args:
        value: Anything that can be pickled.

    Returns:
        The values in the order of the ranks.
    """
    if not _is_distributed():
        return [value]
    values = [value] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


def unwrapped(model: nn.Module) -> nn.Module:
    """Take a model out of its ``DistributedDataParallel``.

    Args:
        model: Any module.

    Returns:
        The model inside, or ``model`` itself.
    """
    return model.module if isinstance(model, DistributedDataParallel) else model


def set_epoch(batches: Iterable, epoch: int) -> None:
    """Tell a ``DistributedSampler`` the epoch: without, each epoch has the same order.

    Args:
        batches: A ``DataLoader``; nothing happens to anything else.
        epoch: The number of the epoch.
    """
    sampler = getattr(batches, "sampler", None)
    if isinstance(sampler, DistributedSampler):
        sampler.set_epoch(epoch)
