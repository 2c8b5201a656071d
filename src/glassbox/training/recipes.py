"""The training recipe of chapters that are not about recipes."""

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from glassbox.support.arguments import check_at_least_one, check_positive
from glassbox.training.history import History
from glassbox.training.loop import ImageBatches, fit


def train_one_cycle(
    model: nn.Module,
    batches: ImageBatches,
    *,
    epochs: int,
    lr: float,
    optimizer: Optimizer | None = None,
    **options: Any,
) -> History:
    """Train with a learning rate that rises to ``lr`` and then falls to zero.

    Args:
        model: In ``train`` mode.
        batches: As :func:`glassbox.training.loop.fit` takes them.
        epochs: Number of passes over all batches, at least 1.
        lr: The highest learning rate, above 0.
        optimizer: Whose rate is set; Adam over all parameters that require a gradient unless given.
        **options: What else :func:`glassbox.training.loop.fit` takes, as ``validation``.

    Raises:
        ValueError: If ``epochs`` or ``lr`` is out of range, or as ``fit`` does.

    Reference:
        Smith and Topin (2018), "Super-Convergence", https://arxiv.org/abs/1708.07120.
    """
    check_at_least_one(epochs=epochs)
    check_positive(lr=lr)
    if optimizer is None:
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=lr)
    one_cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, epochs * len(batches))
    return fit(model, batches, optimizer, epochs=epochs, step_scheduler=one_cycle, **options)
