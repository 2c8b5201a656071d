"""The training loop of the book: steps, and after each epoch validation, schedules, checkpoint."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from glassbox.support.arguments import as_whole
from glassbox.support.progress import progress_bar
from glassbox.training.acceleration import CompiledForward
from glassbox.training.averaging import ExponentialAverage
from glassbox.training.distributed import (
    from_first_process,
    process_rank,
    unwrapped,
)
from glassbox.training.evaluation import LossFunction, preserve_modes
from glassbox.training.fit_arguments import check_loop, check_options, check_parts
from glassbox.training.history import LISTS, History
from glassbox.training.metrics import Metric, check_metrics
from glassbox.training.monitoring import BestEpoch, check_columns
from glassbox.training.monitoring import step_scheduler as step_after_epoch
from glassbox.training.pairs import ImageBatches
from glassbox.training.resuming import ResumableRun
from glassbox.training.state import Callback, TrainingState
from glassbox.training.steps import Steps
from glassbox.training.validation import Validation, checked_validation, validate


def fit(
    model: nn.Module,
    batches: ImageBatches,
    optimizer: Optimizer,
    *,
    epochs: int,
    loss_fn: LossFunction = F.cross_entropy,
    validation: Validation | None = None,
    metrics: Mapping[str, Metric] | None = None,
    best: str | None = None,
    monitor: str | None = None,
    scheduler: LRScheduler | None = None,
    step_scheduler: LRScheduler | None = None,
    clip_norm: float | None = None,
    autocast: torch.dtype | None = None,
    scaler: torch.amp.GradScaler | None = None,
    channels_last: bool = False,
    compile: bool = False,
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
            ``set_epoch``, that is called with the number of each epoch before it begins; where it
            has a ``state_dict``, as every module has, that is in the checkpoint.
        validation: What to measure on after each epoch, with the averaged weights where there is
            an ``average``: images ``(N, C, H, W)`` and labels, or batches of them, such as a
            ``DataLoader``, of which no more than one is held at a time. See
            :func:`glassbox.training.evaluation.evaluate` for how it averages, over processes too.
            The random numbers of the training are left as they were.
        metrics: What else to measure on the validation: functions of all logits and all labels, by
            name, as ``evaluate`` takes them. Their values are in the ``metrics`` of the history.
        best: Which column of the history picks the epoch that is kept: ``"validation_loss"``,
            ``"validation_accuracy"``, the same of ``train``, or the name of a metric. Afterwards
            the model (and the average) has the weights of the epoch with the smallest loss, or the
            largest accuracy or metric, and ``history.best_epoch`` is its number. The first of equal
            ones counts; nan never does. Of a metric where less is better, measure the negative.
        monitor: Which of these columns a ``ReduceLROnPlateau`` follows.
        scheduler: Steps after each epoch. Without ``monitor``, a ``ReduceLROnPlateau`` follows the
            loss or, in mode ``max``, the accuracy: of the validation where there is one, else of
            the training.
        step_scheduler: Steps after each step of the optimizer.
        clip_norm: Largest norm of the whole gradient, above 0.
        autocast: ``torch.bfloat16`` or ``torch.float16`` for the forward pass.
        scaler: Scales the loss; ``torch.float16`` needs it. The steps that it skips are counted in
            the history.
        channels_last: Whether model and images take the channels-last memory format, in which
            convolutions are faster on many processors.
        compile: Whether the steps run through ``torch.compile``, which needs a C++ compiler. The
            validation does not, and the model stays what it is.
        average: Takes in the weights after each step of the optimizer.
        callbacks: Called in turn after each epoch; one that returns ``True`` ends the training.
            What they do should follow from the state they get: they are not in the checkpoint, and
            those of the reader, which may hold clocks or folders, are not compared.
        checkpoint: A file that is written after each epoch. If it exists, the training resumes
            from it, and ends bit for bit as it would have without the interruption. All that
            decides the course of the training has to be as it was, see
            :func:`glassbox.training.course.describe_course`; only ``epochs`` may have grown. With
            :class:`glassbox.data.batches.Batches` the number of processes may be another one, which
            a warning tells: the global batches stay the same, but not every bit.
        progress: Whether to show a progress bar.

    Raises:
        FloatingPointError: If the loss or the norm of the gradient is not finite; the message names
            epoch, step and likely causes. The weights are those before the step.
        TypeError: If ``batches`` has no length or a callback returns something else.
        ValueError: If an argument does not make sense, the model is in ``eval`` mode, the
            validation or a metric fails, or the checkpoint is damaged or that of another training,
            whose first difference is named; then nothing has been changed.
    """
    check_loop(model, batches, optimizer)
    (epochs,) = as_whole(1, epochs=epochs)
    check_options(clip_norm, autocast, scaler)
    check_parts(optimizer, loss_fn, scheduler, step_scheduler, scaler, average, callbacks)
    validation, metrics = checked_validation(validation), check_metrics(metrics, LISTS)
    check_columns(validation is not None, metrics, scheduler, best=best, monitor=monitor)
    device = next(model.parameters()).device
    precision = torch.autocast(device.type, autocast) if autocast else nullcontext()
    in_steps = CompiledForward(model).in_place if compile else nullcontext
    scaler = scaler or torch.amp.GradScaler(device.type, enabled=False)  # lets all pass unchanged
    history = History()
    state = TrainingState(
        unwrapped(model), optimizer, history, scheduler, step_scheduler, scaler, average
    )
    learned = {"loss_fn": loss_fn} if _has_state(loss_fn) else {}
    kept = best and BestEpoch(best, {"model": state.model, "average": average, **learned})
    later = {"metrics": metrics, "best": best, "monitor": monitor, "channels_last": channels_last}
    run = ResumableRun(
        checkpoint,
        batches,
        parts={**vars(state), **learned, "best_epoch": kept},
        loss_fn=loss_fn,
        clip_norm=clip_norm,
        autocast=autocast,
        validation=validation,
        callbacks=[callback for callback in callbacks if _is_ours(callback)],
        **{name: value for name, value in later.items() if value},  # not in older checkpoints
    )
    run.resume(epochs)
    validated = state.model if average is None else average.model
    for one in (state.model, validated) if channels_last else ():
        one.to(memory_format=torch.channels_last)
    steps = Steps(model, batches, state, loss_fn, clip_norm, precision, channels_last)
    to_do = range(len(history) + 1, epochs + 1) if not history.stopped else range(0)

    with progress_bar(len(to_do) * len(batches), show=progress and process_rank() == 0) as advance:
        for epoch in to_do:
            started, lr = time.perf_counter(), float(optimizer.param_groups[0]["lr"])
            run.tell_epoch(epoch)
            with in_steps():
                mean, skipped = steps.epoch(advance)
            train_loss, train_accuracy = mean.averages()
            with preserve_modes(model):
                with precision:
                    measured = validate(validated, validation, loss_fn, metrics, epoch)
                history.append(
                    epoch=epoch,
                    train_loss=train_loss,
                    train_accuracy=train_accuracy,
                    **measured,
                    skipped_steps=skipped,
                    lr=lr,
                    seconds=time.perf_counter() - started,
                )
                if kept:
                    kept.update(history)
                step_after_epoch(scheduler, history, monitor)
                stops = [_stops(callback, state) for callback in callbacks]
            history.stopped = from_first_process(any(stops))
            run.save()
            if history.stopped:
                break
    if kept:
        kept.restore()
    return history


def _has_state(part: Any) -> bool:
    """Say whether a loss has a state to be saved, such as the centers of classes."""
    return all(callable(getattr(part, f"{verb}state_dict", None)) for verb in ("", "load_"))


def _is_ours(callback: Callback) -> bool:
    """Say whether a callback has only settings; those of readers hold clocks, bars and folders."""
    return str(getattr(callback, "__module__", "")).startswith("glassbox.")


def _stops(callback: Callback, state: TrainingState) -> bool:
    stop = callback(state)
    if stop is not None and not isinstance(stop, bool):
        named = getattr(callback, "__qualname__", type(callback).__qualname__)
        raise TypeError(
            f"callbacks has {named}, which returned {stop!r}, expected True, False or None"
        )
    return bool(stop)
