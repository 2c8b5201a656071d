"""Several processes that train one model: how they meet, what each has of it, and how they end.

Without ``torchrun`` there is one process, and all of this comes down to moving a model to a device.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from glassbox.support.arguments import as_device, check_finite, check_modules, check_positive
from glassbox.training.distributed import process_count, process_rank

_ENDED = (
    "Another process of this job has ended, or does not answer, so this one ends, too. What has "
    "been saved is whole: start the same command again, with any number of processes, and it goes "
    "on from there."
)
_device = torch.device("cpu")


@contextmanager
def process_group(
    device: torch.device | str | None = None, *, timeout: float = 600.0
) -> Iterator[torch.device]:
    """Join the processes that ``torchrun`` has started for the length of a ``with`` block.

    A process that is alone, since it was started in another way, joins nothing. Inside the block,
    :func:`distribute` puts models on the device of this process.

    Args:
        device: ``"cpu"``, where processes talk by gloo, or ``"cuda"``, where each has a GPU of its
            own and they talk by NCCL; ``"cuda"`` where there is a GPU unless given.
        timeout: Seconds for which a process waits for the others in one exchange, above 0.

    Yields:
        The device of this process.

    Raises:
        SystemExit: With a sentence, if another process has ended or does not answer in time.
        ValueError: If ``device`` is none, or there is no GPU for this process.
    """
    global _device
    check_positive(timeout=timeout)
    check_finite(timeout=timeout)
    before, mine = _device, _device_of_this_process(device)
    _device = mine
    try:
        if dist.is_available() and dist.is_torchelastic_launched():
            with _joined("nccl" if mine.type == "cuda" else "gloo", timeout):
                yield mine
        else:
            yield mine
    finally:
        _device = before


@contextmanager
def _joined(backend: str, timeout: float) -> Iterator[None]:
    # torchrun sends this to all processes when one has failed.
    handler = signal.signal(signal.SIGTERM, _end)
    try:
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout))
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            raise SystemExit(_ENDED) from error
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
        signal.signal(signal.SIGTERM, handler)


def _end(*_: object) -> NoReturn:
    raise SystemExit(_ENDED)


def _device_of_this_process(device: torch.device | str | None) -> torch.device:
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = as_device(device=device)
    if chosen.type != "cuda":
        return chosen
    number = int(os.environ.get("LOCAL_RANK", 0)) if chosen.index is None else chosen.index
    if number >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise ValueError(f"device is {chosen}, expected a GPU for each process: there are {found}")
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def process_device() -> torch.device:
    """Return the device that :func:`process_group` has given this process; outside it, the CPU."""
    return _device


def process_share() -> dict[str, int]:
    """Return ``rank`` and ``world_size`` of this process; 0 and 1 for one that is alone.

    :class:`glassbox.data.batches.Batches` takes them.
    """
    return {"rank": process_rank(), "world_size": process_count()}


def distribute(model: nn.Module) -> nn.Module:
    """Move a model to the device of this process, and share its gradients with all others.

    Args:
        model: The same in all processes; its parameters stay the same objects, so that it may be
            in an optimizer already. What is frozen now is not shared when it is unfrozen later.

    Returns:
        The model in a ``DistributedDataParallel``, which averages gradients over the processes in
        each backward pass; itself, where this process is alone or nothing of it is to be learned.
    """
    check_modules(model=model)
    model.to(_device)
    if process_count() == 1 or not any(one.requires_grad for one in model.parameters()):
        return model
    return DistributedDataParallel(model)


def weigh_by_images(loss: Tensor, count: float | Tensor) -> Tensor:
    """Scale the loss of this process such that the mean over processes is that over all images.

    Without it, an image in the smaller part of an uneven batch would count for more.

    Args:
        loss: The mean over the images of this process.
        count: The number of these images, or the sum of their weights, where the mean divides by
            that.
    """
    if process_count() == 1:
        return loss
    wide = torch.promote_types(loss.dtype, torch.float32)  # some devices have no float64
    mine = torch.as_tensor(count, dtype=wide, device=loss.device)
    total = mine.clone()  # stays there: no waiting for a GPU
    dist.all_reduce(total)
    return loss * (mine * process_count() / total).to(loss.dtype)
