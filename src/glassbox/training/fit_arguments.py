"""What :func:`glassbox.training.loop.fit` refuses before it begins."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from glassbox.support.arguments import (
    check_callables,
    check_choice,
    check_finite,
    check_modules,
    check_positive,
    check_types,
)
from glassbox.training.averaging import ExponentialAverage
from glassbox.training.distributed import unwrapped
from glassbox.training.evaluation import LossFunction
from glassbox.training.pairs import ImageBatches, check_batches
from glassbox.training.state import Callback


def check_loop(model: nn.Module, batches: ImageBatches, optimizer: Optimizer) -> None:
    """Refuse what cannot be trained, or not with this optimizer."""
    check_modules(model=model)
    check_types(Optimizer, optimizer=optimizer)
    check_batches(batches)
    if not unwrapped(model).training:
        raise ValueError("model is in eval mode, expected train mode: call model.train() first")
    optimized = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not any(id(p) in optimized for p in model.parameters()):
        raise ValueError("optimizer is without parameters of model, expected at least one")


def check_options(
    clip_norm: float | None,
    autocast: torch.dtype | None,
    scaler: torch.amp.GradScaler | None,
) -> None:
    """Refuse numbers out of range, and half precision that would lose small gradients."""
    if clip_norm is not None:
        check_positive(clip_norm=clip_norm)
        check_finite(clip_norm=clip_norm)
    check_choice((None, torch.bfloat16, torch.float16), autocast=autocast)
    if autocast is torch.float16 and scaler is None:
        raise ValueError("autocast is torch.float16, expected a scaler: small gradients become 0")


def check_parts(
    optimizer: Optimizer,
    loss_fn: LossFunction,
    scheduler: LRScheduler | None,
    step_scheduler: LRScheduler | None,
    scaler: torch.amp.GradScaler | None,
    average: ExponentialAverage | None,
    callbacks: Sequence[Callback],
) -> None:
    """Refuse parts of another type, or of another optimizer."""
    check_callables(loss_fn=loss_fn)
    none = type(None)
    for name, given in {"scheduler": scheduler, "step_scheduler": step_scheduler}.items():
        if not (given is None or callable(getattr(given, "step", None))):
            raise TypeError(f"{name} is {given!r}, expected an LRScheduler")
        if getattr(given, "optimizer", optimizer) is not optimizer:
            raise ValueError(f"{name} is of another optimizer, expected one of optimizer")
    check_types(torch.amp.GradScaler, none, scaler=scaler)
    check_types(ExponentialAverage, none, average=average)
    check_types(list, tuple, callbacks=callbacks)
    for callback in callbacks:
        check_callables(callbacks=callback)
