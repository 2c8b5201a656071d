"""What a training is measured on after each epoch, without changing its course."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import Tensor, nn

from glassbox.support.arguments import as_tensor
from glassbox.support.seeds import random_states, restore_random_states
from glassbox.training.distributed import (
    check_shares,
    from_first_process,
    process_rank,
    sampler_of,
)
from glassbox.training.evaluation import LossFunction, evaluate
from glassbox.training.metrics import Metric
from glassbox.training.pairs import ImageBatches, is_pair
from glassbox.training.resuming import order_of

Validation = tuple[Tensor, Tensor] | Iterable[tuple[Tensor, Tensor]]
Measured = dict[str, Any]  # by the names that they have in the history


def checked_validation(validation: Validation | None) -> Validation | None:
    """Give images and labels as a pair of tensors, and batches as they are.

    Raises:
        TypeError: If it is neither, or batches that can be read only once.
        ValueError: If there are no images, or not as many as labels.
    """
    if validation is None:
        return None
    if isinstance(validation, list | tuple) and not (validation and is_pair(validation[0])):
        return _checked_tensors(validation)
    if isinstance(validation, Iterator):
        raise TypeError(
            f"validation is a {type(validation).__name__}, which can be read only once, expected "
            "what can be read after each epoch, as a DataLoader"
        )
    unfit = isinstance(validation, str | bytes | Mapping | set | Tensor | np.ndarray)
    if unfit or not isinstance(validation, Iterable):
        raise TypeError(
            f"validation is a {type(validation).__name__}, expected images and labels, or batches"
        )
    check_shares(validation=validation)
    return list(validation) if isinstance(validation, tuple) else validation  # a tuple is tensors


def _checked_tensors(validation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    if len(validation) != 2:
        raise ValueError(f"validation has {len(validation)} parts, expected images and labels")
    images, labels = (as_tensor(validation=part) for part in validation)
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(
            f"validation has {len(images)} images and {len(labels)} labels, expected as many, "
            "at least one"
        )
    return images, labels


def validate(
    model: nn.Module,
    validation: Validation | None,
    loss_fn: LossFunction,
    metrics: Mapping[str, Metric],
    epoch: int,
) -> Measured:
    """Measure loss, accuracy and metrics, the same in all processes.

    The first process measures all of it, unless a ``DistributedSampler`` gives each a part.
    """
    measured = {"validation_loss": None, "validation_accuracy": None, "metrics": {}}
    if validation is not None and (process_rank() == 0 or sampler_of(validation) is not None):
        try:
            measured = _measure(model, validation, loss_fn=loss_fn, metrics=metrics)
        except (IndexError, TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"validation fails after epoch {epoch}: {error}") from error
    return from_first_process(measured)


def _measure(model: nn.Module, validation: Validation, **options: Any) -> Measured:
    if isinstance(validation, tuple):
        found = evaluate(model, *validation, **options)
    else:
        with _undisturbed(validation):
            found = evaluate(model, validation, **options)
    loss = {"validation_loss": found.loss, "validation_accuracy": found.accuracy}
    return {**loss, "metrics": found.metrics}


@contextmanager
def _undisturbed(batches: ImageBatches) -> Iterator[None]:
    """Restore random numbers and the order of batches: a training is the same without."""
    order, states = order_of(batches), random_states()
    position = copy.deepcopy(order.state_dict())
    try:
        yield
    finally:
        order.load_state_dict(position)
        restore_random_states(states)
