"""What changes during a training."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from glassbox.training.averaging import ExponentialAverage
from glassbox.training.history import History


@dataclass(frozen=True)
class TrainingState:
    """What changes during a training; callbacks of :func:`fit` get it after each epoch.

    Args:
        model: The model in training, without its ``DistributedDataParallel``.
        optimizer: Its optimizer.
        history: Measurements so far.
        scheduler: Steps after each epoch.
        step_scheduler: Steps after each step of the optimizer.
        scaler: Scales the loss; disabled unless one was given.
        average: The averaged weights.
    """

    model: nn.Module
    optimizer: Optimizer
    history: History
    scheduler: LRScheduler | None
    step_scheduler: LRScheduler | None
    scaler: torch.amp.GradScaler
    average: ExponentialAverage | None


Callback = Callable[[TrainingState], bool | None]
