"""The training recipe of chapters that are not about recipes."""

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from glassbox.support.arguments import (
    as_sizes,
    check_finite,
    check_modules,
    check_positive,
    check_types,
)
from glassbox.training.history import History
from glassbox.training.loop import fit
from glassbox.training.pairs import ImageBatches, check_batches


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
        TypeError: If ``model`` is no module or ``batches`` have no length.
        ValueError: If ``epochs`` or ``lr`` is out of range, or as ``fit`` does.

    Reference:
        Smith and Topin (2018), "Super-Convergence", https://arxiv.org/abs/1708.07120.
    """
    check_modules(model=model)
    (epochs,) = as_sizes(epochs=epochs)
    check_positive(lr=lr)
    check_finite(lr=lr)
    check_batches(batches)
    if optimizer is None:
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=lr)
    check_types(Optimizer, optimizer=optimizer)
    one_cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, epochs * len(batches))
    return fit(model, batches, optimizer, epochs=epochs, step_scheduler=one_cycle, **options)
