"""Deferred re-weighting: no class weights at first, effective weights in the last epochs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from glassbox.data.class_counts import checked_counts, effective_weights
from glassbox.losses.core import ClassLoss
from glassbox.losses.labels import Labels
from glassbox.support.arguments import as_sizes, as_whole


def deferred_weights(
    class_counts: Sequence[int] | Tensor, epoch: int, start: int, beta: float = 0.9999
) -> Tensor:
    """Compute the class weights ``(K,)`` of an epoch: ones before ``start``, then effective.

    Args:
        class_counts: Training examples of each class, ``(K,)``, at least 1 in each.
        epoch: The epoch that is to be trained, counted as ``start`` is, at least 0.
        start: The first epoch with weights, at least 0.
        beta: As in :func:`glassbox.data.class_counts.effective_weights`.

    Reference:
        Cao et al. (2019), https://arxiv.org/abs/1906.07413, who start at 160 of 200 epochs.
    """
    epoch, start = as_whole(0, epoch=epoch, start=start)
    weights = effective_weights(class_counts, beta)
    return weights if epoch >= start else torch.ones_like(weights)


class DeferredReweighting(nn.Module):
    """A loss whose class weights depend on the epoch, and on nothing else.

    :func:`glassbox.training.loop.fit` calls :meth:`set_epoch` before each epoch, so a training that
    resumes from a checkpoint has the weights of its epoch.

    Args:
        loss: A loss without weights; from now on it has those of the epoch.
        class_counts: Training examples of each class, ``(K,)``, at least 1 in each.
        start: The first epoch with weights, where the first epoch of all is 1; at least 1.
        beta: As in :func:`glassbox.data.class_counts.effective_weights`.

    Raises:
        TypeError: If ``loss`` has no place for weights.
        ValueError: If ``loss`` has weights already, or another argument is out of range.
    """

    def __init__(
        self,
        loss: ClassLoss,
        class_counts: Sequence[int] | Tensor,
        start: int,
        beta: float = 0.9999,
    ) -> None:
        if not hasattr(loss, "weight"):
            raise TypeError(f"loss is a {type(loss).__name__}, expected a loss with class weights")
        if loss.weight is not None:
            raise ValueError(f"loss.weight is {loss.weight.tolist()}, expected None")
        (start,) = as_sizes(start=start)
        super().__init__()
        self.counts = checked_counts(class_counts)
        self.start = start
        self.beta = beta
        self.loss = loss
        first = deferred_weights(self.counts, 1, start, beta)
        self.loss.weight = first.to(next(loss.buffers(), first).device)

    def set_epoch(self, epoch: int) -> None:
        """Take the weights of an epoch, counted from 1."""
        (epoch,) = as_whole(1, epoch=epoch)
        self.loss.weight.copy_(deferred_weights(self.counts, epoch, self.start, self.beta))

    def forward(self, logits: Tensor, labels: Labels) -> Tensor:
        """Compute the loss with the weights of the epoch, as the inner loss does."""
        return self.loss(logits, labels)

    def divisor(self, logits: Tensor, labels: Labels) -> Tensor:
        """Sum the weights of a batch, by which the mean of the inner loss divides."""
        return self.loss.divisor(logits, labels)
