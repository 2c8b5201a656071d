"""The steps of an epoch: forward, loss, zero_grad, backward, step."""

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, get_total_norm
from torch.optim import Optimizer

from glassbox.support.progress import Advance
from glassbox.training.distributed import process_count
from glassbox.training.evaluation import LossFunction
from glassbox.training.measuring import (
    RunningMean,
    count_correct,
    ignored_label,
    numbers_of,
    one_number,
)
from glassbox.training.pairs import ImageBatches, as_pair
from glassbox.training.processes import weigh_by_images
from glassbox.training.state import TrainingState


@dataclass(frozen=True)
class Steps:
    """How the steps of a training are made.

    Args:
        model: As it is called, also wrapped.
        batches: What is trained on.
        state: What the steps change.
        loss_fn: Maps logits and labels to the mean loss.
        clip_norm: Largest norm of the whole gradient.
        precision: In which forward pass and loss are computed.
        channels_last: Whether images take this memory format.
    """

    model: nn.Module
    batches: ImageBatches
    state: TrainingState
    loss_fn: LossFunction
    clip_norm: float | None
    precision: AbstractContextManager
    channels_last: bool

    def epoch(self, advance: Advance) -> tuple[RunningMean, int]:
        """Train for an epoch; gives the means over its images and the number of skipped steps."""
        epoch, step, skipped, mean = len(self.state.history) + 1, 0, 0, RunningMean()
        for step, batch in enumerate(self.batches, start=1):
            images, labels = as_pair(batches=batch)
            skipped += not self._step(images, labels, mean, f"in step {step} of epoch {epoch}")
            shown = f"epoch {epoch}  loss {mean.loss / max(mean.images, 1):.4f}"
            advance(shown + f"  {skipped} steps skipped" * (skipped > 0))
        if step == 0:
            expected = f"expected {len(self.batches)} batches"
            raise ValueError(f"batches is empty in epoch {epoch}, {expected}")
        return mean, skipped

    def _step(self, images: Tensor, labels: Tensor, mean: RunningMean, place: str) -> bool:
        """Make a step, and return whether the scaler let it pass."""
        state, images, labels = self.state, *self._on_device(images, labels)
        with self.precision:
            logits = self.model(images)
            loss = self._loss(images, logits, labels, place)
        state.optimizer.zero_grad()
        state.scaler.scale(weigh_by_images(loss, self._divisor(logits, labels))).backward()
        correct, *counted = count_correct(logits, labels, ignored_label(self.loss_fn)) or (None,)
        value, norm, *number = numbers_of(loss, self._clipped_norm(loss), *counted)
        (number,) = number or [len(labels)]
        if not math.isfinite(value):
            self._stop(images, f"the loss is {value} {place}", number)
        if not math.isfinite(norm):
            self._stop(images, f"the norm of the gradient is {norm} {place}", number)
        mean.add(value, number, correct)
        passed = _step(state.optimizer, state.scaler, place)
        if passed and state.step_scheduler is not None:
            state.step_scheduler.step()
        if passed and state.average is not None:
            state.average.update(self.model)
        return passed

    def _on_device(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        device = next(self.model.parameters()).device
        images, labels = images.to(device), labels.to(device)
        if self.channels_last and images.ndim == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        return images, labels

    def _loss(self, images: Tensor, logits: Any, labels: Tensor, place: str) -> Tensor:
        """Compute a loss; one that refuses logits which are not finite is one that is not."""
        try:
            return one_number(self.loss_fn(logits, labels))
        except ValueError as error:
            if not isinstance(logits, Tensor) or logits.isfinite().all():
                raise
            self._stop(images, f"the loss is not finite {place}: {error}", cause=error)

    def _divisor(self, logits: Any, labels: Tensor) -> float | Tensor:
        """Give what the loss of a part of a batch counts for: its images, or their weights."""
        own = getattr(self.loss_fn, "divisor", None)
        if process_count() == 1 or own is None:
            return len(labels)
        with torch.no_grad():
            return own(logits, labels)

    def _clipped_norm(self, loss: Tensor) -> Tensor:
        """Clip the gradient and give the norm it had, or 0 where a scaler looks after that.

        The norm stays on its device. It is read together with the loss, before the step: what is
        not finite is found while the weights are sound, and no accelerator is waited for twice.
        """
        parameters, scaler, norm = list(self.model.parameters()), self.state.scaler, None
        if self.clip_norm is not None:
            scaler.unscale_(self.state.optimizer)
            norm = clip_grad_norm_(parameters, self.clip_norm)
        if scaler.is_enabled():
            return loss.new_zeros(())
        if norm is None:
            grads = [one.grad for one in parameters if one.grad is not None]
            norm = get_total_norm([grad for grad in grads if grad.layout is torch.strided])
        return norm

    def _stop(
        self, images: Tensor, problem: str, labels: float = 1, cause: Exception | None = None
    ) -> NoReturn:
        """Say what is not finite, and what it comes from as far as that can be seen."""
        lr = float(self.state.optimizer.param_groups[0]["lr"])
        types = {one.dtype for one in self.model.parameters()}
        reason = (
            f"likely causes are a learning rate that is too high (it is {lr:g}), "
            "a logarithm or a root of 0, or a division by 0"
        )
        if torch.float16 in types | {getattr(self.precision, "fast_dtype", None)}:
            reason += ", or a number above 65,504, where float16 ends and bfloat16 does not"
        if not images.isfinite().all():
            reason = "the images of this batch are not finite themselves"
        elif not labels:
            reason = "the loss ignores all labels of this batch"
        raise FloatingPointError(f"{problem}; {reason}") from cause


def _step(optimizer: Optimizer, scaler: torch.amp.GradScaler, place: str) -> bool:
    """Step, and return whether the scaler found all gradients finite."""
    scale = scaler.get_scale()
    scaler.step(optimizer)
    scaler.update()
    if (now := scaler.get_scale()) == 0:
        raise FloatingPointError(
            f"the scale of the scaler is 0 {place}: it was halved step by step, as no gradient was "
            "finite; likely causes are a logarithm or a root of 0, or a division by 0"
        )
    return now >= scale
