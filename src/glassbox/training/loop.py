"""The training loop of the book: forward, loss, zero_grad, backward, step, evaluation."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from glassbox.support.arguments import (
    as_tensor,
    check_callables,
    check_choice,
    check_finite,
    check_integer,
    check_modules,
    check_not_empty,
    check_positive,
    check_types,
)
from glassbox.support.progress import Advance, progress_bar
from glassbox.training.averaging import ExponentialAverage
from glassbox.training.distributed import from_first_process, process_rank, set_epoch, unwrapped
from glassbox.training.evaluation import LossFunction, evaluate, preserve_modes
from glassbox.training.history import History, RunningMean
from glassbox.training.processes import weigh_by_images
from glassbox.training.resuming import ResumableRun


class ImageBatches(Protocol):
    """Anything with a length that can be iterated for pairs of images and labels."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]: ...


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


def fit(
    model: nn.Module,
    batches: ImageBatches,
    optimizer: Optimizer,
    *,
    epochs: int,
    loss_fn: LossFunction = F.cross_entropy,
    validation: tuple[Tensor, Tensor] | None = None,
    scheduler: LRScheduler | None = None,
    step_scheduler: LRScheduler | None = None,
    clip_norm: float | None = None,
    autocast: torch.dtype | None = None,
    scaler: torch.amp.GradScaler | None = None,
    average: ExponentialAverage | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> History:
    """Train a model.

    Each submodule trains in the mode it is in: one that was put into ``eval``, such as a frozen
    batch normalization, stays there. Under ``torchrun``, pass a model wrapped in
    ``DistributedDataParallel`` and the batches of this process: nothing else changes. Each image of
    a global batch counts the same, also where one process has more of them than another.

    Args:
        model: In ``train`` mode; maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        batches: Pairs of images ``(B, C, H, W)`` and labels, class indices ``(B,)`` or soft
            labels ``(B, K)``; they are moved to the device of the model.
        optimizer: Holds parameters of the model.
        epochs: Number of passes over all batches, at least 1; with ``checkpoint`` the total.
        loss_fn: Maps logits and labels to the mean loss of the batch. Where it has a method
            ``set_epoch``, that is called with the number of each epoch before it begins.
        validation: Images ``(N, C, H, W)`` and labels to measure after each epoch, with the
            averaged weights where there is an ``average``.
        scheduler: Steps after each epoch. A ``ReduceLROnPlateau`` follows the loss or, in mode
            ``max``, the accuracy: of the validation where there is one, else of the training.
        step_scheduler: Steps after each step of the optimizer.
        clip_norm: Largest norm of the whole gradient, above 0.
        autocast: ``torch.bfloat16`` or ``torch.float16`` for the forward pass.
        scaler: Scales the loss; ``torch.float16`` needs it.
        average: Takes in the weights after each step of the optimizer.
        callbacks: Called in turn after each epoch; one that returns ``True`` ends the training.
            What they do should follow from the state they get: they are not in the checkpoint.
        checkpoint: A file that is written after each epoch. If it exists, the training resumes
            from it, and ends bit for bit as it would have without the interruption. All that
            decides the course of the training has to be as it was, see
            :func:`glassbox.training.course.describe_course`; only ``epochs`` may have grown. With
            :class:`glassbox.data.batches.Batches` the number of processes may be another one, which
            a warning tells: the global batches stay the same, but not every bit.
        progress: Whether to show a progress bar.

    Raises:
        FloatingPointError: If the loss is not finite; the message names epoch and step.
        TypeError: If ``batches`` has no length or a callback returns something else.
        ValueError: If an argument does not make sense, the model is in ``eval`` mode, or the
            checkpoint is damaged or that of another training, whose first difference is named;
            then nothing has been changed.
    """
    _check_loop(model, batches, optimizer, epochs)
    _check_options(clip_norm, autocast, scaler)
    _check_parts(loss_fn, scheduler, step_scheduler, scaler, average, callbacks)
    validation = None if validation is None else _checked_validation(validation)
    device = next(model.parameters()).device
    precision = torch.autocast(device.type, autocast) if autocast else nullcontext()
    scaler = scaler or torch.amp.GradScaler(device.type, enabled=False)  # lets all pass unchanged
    history = History()
    state = TrainingState(
        unwrapped(model), optimizer, history, scheduler, step_scheduler, scaler, average
    )
    run = ResumableRun(
        checkpoint,
        batches,
        parts={**vars(state), **({"loss_fn": loss_fn} if _learns(loss_fn) else {})},
        loss_fn=loss_fn,
        clip_norm=clip_norm,
        autocast=autocast,
        validation=validation,
        callbacks=list(callbacks),
    )
    run.resume(epochs)
    to_do = range(len(history) + 1, epochs + 1) if not history.stopped else range(0)

    with progress_bar(len(to_do) * len(batches), show=progress and process_rank() == 0) as advance:
        for epoch in to_do:
            started, lr = time.perf_counter(), float(optimizer.param_groups[0]["lr"])
            set_epoch(batches, epoch)
            if hasattr(loss_fn, "set_epoch"):
                loss_fn.set_epoch(epoch)
            mean = _train_epoch(model, batches, state, loss_fn, clip_norm, precision, advance)
            train_loss, train_accuracy = mean.over_processes()
            with preserve_modes(model):
                with precision:
                    validation_loss, validation_accuracy = _validate(state, validation, loss_fn)
                history.append(
                    epoch=epoch,
                    train_loss=train_loss,
                    train_accuracy=train_accuracy,
                    validation_loss=validation_loss,
                    validation_accuracy=validation_accuracy,
                    lr=lr,
                    seconds=time.perf_counter() - started,
                )
                _step_scheduler(scheduler, history)
                stops = [_stops(callback, state) for callback in callbacks]
            history.stopped = from_first_process(any(stops))
            run.save()
            if history.stopped:
                break
    return history


def _train_epoch(
    model: nn.Module,
    batches: ImageBatches,
    state: TrainingState,
    loss_fn: LossFunction,
    clip_norm: float | None,
    precision: AbstractContextManager,
    advance: Advance,
) -> RunningMean:
    optimizer, scaler, epoch = state.optimizer, state.scaler, len(state.history) + 1
    device = next(model.parameters()).device
    mean = RunningMean()
    for step, batch in enumerate(batches, start=1):
        images, labels = (part.to(device) for part in _checked_pair(batch))
        with precision:
            logits = model(images)
            loss = _loss(loss_fn, logits, labels, f"in step {step} of epoch {epoch}")
        mean.add(loss.item(), logits, labels)
        optimizer.zero_grad()
        scaler.scale(weigh_by_images(loss, len(labels))).backward()
        if clip_norm is not None:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        if _step(optimizer, scaler):
            if state.step_scheduler is not None:
                state.step_scheduler.step()
            if state.average is not None:
                state.average.update(model)
        advance(f"epoch {epoch}  loss {mean.loss / mean.images:.4f}")
    if mean.images == 0:
        raise ValueError(f"batches is empty in epoch {epoch}, expected {len(batches)} batches")
    return mean


def _learns(loss_fn: LossFunction) -> bool:
    """Say whether a loss has parameters of its own, as the centers of classes are."""
    return isinstance(loss_fn, nn.Module) and any(True for _ in loss_fn.parameters())


def _loss(loss_fn: LossFunction, logits: Any, labels: Tensor, place: str) -> Tensor:
    """Compute a loss that is finite; one that refuses logits which are not says the same."""
    try:
        loss = loss_fn(logits, labels)
    except ValueError as error:
        if not isinstance(logits, Tensor) or logits.isfinite().all():
            raise
        raise FloatingPointError(f"the loss is not finite {place}: {error}") from error
    if not loss.isfinite():
        raise FloatingPointError(f"the loss is {loss.item()} {place}")
    return loss


def _step(optimizer: Optimizer, scaler: torch.amp.GradScaler) -> bool:
    """Step, and return whether the scaler found all gradients finite."""
    scale = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    return scaler.get_scale() >= scale


def _validate(
    state: TrainingState, validation: tuple[Tensor, Tensor] | None, loss_fn: LossFunction
) -> tuple[float | None, float | None]:
    measured = None, None
    if validation is not None and process_rank() == 0:
        model = state.model if state.average is None else state.average.model
        try:
            evaluation = evaluate(model, *validation, loss_fn=loss_fn)
        except (IndexError, ValueError) as error:
            raise ValueError(f"validation does not fit: {error}") from error
        measured = evaluation.loss, evaluation.accuracy
    return from_first_process(measured)


def _step_scheduler(scheduler: LRScheduler | None, history: History) -> None:
    if scheduler is None:
        return
    if not isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step()
        return
    name = "accuracy" if scheduler.mode == "max" else "loss"
    trained, validated = getattr(history, f"train_{name}"), getattr(history, f"validation_{name}")
    scheduler.step(trained[-1] if history.validation_loss[-1] is None else validated[-1])


def _stops(callback: Callback, state: TrainingState) -> bool:
    stop = callback(state)
    if stop is not None and not isinstance(stop, bool):
        named = getattr(callback, "__qualname__", type(callback).__qualname__)
        raise TypeError(
            f"callbacks has {named}, which returned {stop!r}, expected True, False or None"
        )
    return bool(stop)


def _check_loop(model: nn.Module, batches: ImageBatches, optimizer: Optimizer, epochs: int) -> None:
    check_modules(model=model)
    check_types(Optimizer, optimizer=optimizer)
    check_integer(1, epochs=epochs)
    check_batches(batches)
    if not unwrapped(model).training:
        raise ValueError("model is in eval mode, expected train mode: call model.train() first")
    optimized = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not any(id(p) in optimized for p in model.parameters()):
        raise ValueError("optimizer is without parameters of model, expected at least one")


def check_batches(batches: ImageBatches) -> None:
    """Refuse batches that cannot be counted, or of which there are none."""
    if not hasattr(batches, "__len__"):
        raise TypeError(f"batches is a {type(batches).__name__}, which has no len(), expected one")
    check_not_empty(batches=batches)


def _check_options(
    clip_norm: float | None,
    autocast: torch.dtype | None,
    scaler: torch.amp.GradScaler | None,
) -> None:
    if clip_norm is not None:
        check_positive(clip_norm=clip_norm)
        check_finite(clip_norm=clip_norm)
    check_choice((None, torch.bfloat16, torch.float16), autocast=autocast)
    if autocast is torch.float16 and scaler is None:
        raise ValueError("autocast is torch.float16, expected a scaler: small gradients become 0")


def _check_parts(
    loss_fn: LossFunction,
    scheduler: LRScheduler | None,
    step_scheduler: LRScheduler | None,
    scaler: torch.amp.GradScaler | None,
    average: ExponentialAverage | None,
    callbacks: Sequence[Callback],
) -> None:
    check_callables(loss_fn=loss_fn)
    none = type(None)
    for name, given in {"scheduler": scheduler, "step_scheduler": step_scheduler}.items():
        if not (given is None or callable(getattr(given, "step", None))):
            raise TypeError(f"{name} is {given!r}, expected an LRScheduler")
    check_types(torch.amp.GradScaler, none, scaler=scaler)
    check_types(ExponentialAverage, none, average=average)
    check_types(list, tuple, callbacks=callbacks)
    for callback in callbacks:
        check_callables(callbacks=callback)


def _checked_validation(validation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    check_types(list, tuple, validation=validation)
    if len(validation) != 2:
        raise ValueError(f"validation has {len(validation)} parts, expected images and labels")
    images, labels = (as_tensor(validation=part) for part in validation)
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(
            f"validation has {len(images)} images and {len(labels)} labels, expected as many, "
            "at least one"
        )
    return images, labels


def _checked_pair(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    if not (
        isinstance(batch, list | tuple)
        and len(batch) == 2
        and all(isinstance(part, Tensor) for part in batch)
    ):
        raise TypeError(f"batches has a {type(batch).__name__}, expected pairs of two tensors")
    return batch
