"""Several small networks in shared tensors, trained by one arm at once: what the study trains.

Each network has a long tail, a seed and a learning rate of its own, and ends as
:func:`glassbox.chapters.long_tails.arms.train_arm` would train it alone, but for rounding. Together
they take a quarter of the time: for networks of this size, most of it goes into calls.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.chapters.long_tails.arms import (
    BATCH_SIZE,
    METHODS,
    MIXERS,
    deferred_start,
    small_network,
)
from glassbox.data.batches import Batches
from glassbox.data.train_test import TrainTest
from glassbox.losses.deferred import deferred_weights
from glassbox.networks.cosine_classifier import CosineClassifier
from glassbox.support.seeds import isolated_seed

_DECAY = 5e-4


class Member(NamedTuple):
    """One network of several: its task, what decides its draws, and its highest rate."""

    task: TrainTest
    seed: int
    lr: float


def train_together(
    members: Sequence[Member], method: str, mixing: str, *, epochs: int
) -> list[Tensor]:
    """Train one network for each member, all by one arm.

    Args:
        members: Whose tasks are of one data set, and have the same counts and channels.
        method: One of :data:`~.arms.METHODS`.
        mixing: One of :data:`~.arms.MIXERS`.
        epochs: How often the images are seen.

    Returns:
        For each, the logits of the test images, ``(M, 10)``; not finite where it diverged.
    """
    arm, counts = METHODS[method], members[0].task.counts
    weights = [parameter.requires_grad_() for parameter in _first_weights(members, arm.cosine)]
    momenta = [torch.zeros_like(weight) for weight in weights]
    lr = torch.tensor([one.lr for one in members])
    images = torch.stack([one.task.images for one in members])  # (R, N, 1, 28, 28)
    labels = torch.stack([one.task.labels for one in members])  # (R, N)
    loss_fn, start = arm.loss(counts), deferred_start(epochs)
    fixed = torch.ones(len(counts)) if loss_fn.weight is None else loss_fn.weight
    loss_fn.weight, loss_fn.reduction = None, "none"
    number = -(-sum(counts) // BATCH_SIZE[members[0].task.train.name])
    rates, step = one_cycle(epochs * number), 0
    network = torch.arange(len(members))[:, None]
    for epoch in range(1, epochs + 1):
        by_class = deferred_weights(counts, epoch, start) if arm.deferred else fixed
        for chosen in _orders(members, epoch):  # (R, B)
            inputs, soft = images[network, chosen], F.one_hot(labels[network, chosen], 10).float()
            if MIXERS[mixing] is not None:
                inputs, soft = _mix(inputs, soft, members, mixing, epochs, number, step)
            logits = _forward(weights, inputs, arm.cosine)
            charged = soft * by_class
            each = (charged * loss_fn.class_losses(logits.flatten(0, 1)).view_as(soft)).sum(2)
            loss = (each.sum(1) / charged.sum((1, 2))).sum()  # each network's own mean
            slopes = torch.autograd.grad(loss, weights)
            _step(weights, slopes, momenta, lr * rates[step][0], rates[step][1])
            step += 1
    with torch.no_grad():
        return list(_test(weights, members, arm.cosine))


def one_cycle(steps: int) -> list[tuple[float, float]]:
    """Give for each step the part of the highest rate, and the momentum, as ``OneCycleLR`` does."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0, 0.9)
    schedule, found = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, steps), []
    for _ in range(steps):
        group = optimizer.param_groups[0]
        found.append((float(group["lr"]), float(group["momentum"])))
        optimizer.step()
        if len(found) < steps:
            schedule.step()
    return found


def _first_weights(members: Sequence[Member], cosine: float | None) -> list[Tensor]:
    """Draw the weights of each network as alone, and stack them: ``(R, ...)`` each."""
    drawn = []
    for one in members:
        with isolated_seed(one.seed):
            head = None if cosine is None else CosineClassifier(64, 10, cosine)
            drawn.append([weight.detach() for weight in small_network(head).parameters()])
    return [torch.stack(weights) for weights in zip(*drawn, strict=True)]


def _orders(members: Sequence[Member], epoch: int) -> Iterator[Tensor]:
    """Give the indices of each batch of an epoch, ``(R, B)``, in the order of each seed."""
    size = BATCH_SIZE[members[0].task.train.name]
    batches = []
    for one in members:
        places = torch.arange(len(one.task.labels))
        batches.append(Batches(places, places, size, seed=one.seed))
        batches[-1].load_state_dict({**batches[-1].state_dict(), "epoch": epoch - 1})
    for chosen in zip(*batches, strict=True):
        yield torch.stack([places for places, _ in chosen])


@lru_cache(20)
def mixtures(mixing: str, seed: int, epochs: int, number: int) -> tuple[Tensor, Tensor]:
    """Draw what an arm with this mixing draws in all its steps.

    Returns:
        The part that each pixel keeps of its own image, ``(steps, 28, 28)``, and the part that its
        label keeps, ``(steps,)``.
    """
    probe = torch.stack([torch.zeros(1, 28, 28), torch.ones(1, 28, 28)])
    pixels, kept = [], []
    for epoch in range(epochs):
        for place in range(number):  # as MixedBatches seeds each batch
            mixed = (seed * 1_000_003 + epoch) * 1_000_003 + place
            generator = torch.Generator().manual_seed(mixed % 2**63)
            images, rows = MIXERS[mixing](probe, torch.tensor([0, 1]), generator)
            pixels.append(images[1, 0])
            kept.append(rows[1, 1])
    return torch.stack(pixels), torch.stack(kept)


def _mix(
    inputs: Tensor,
    soft: Tensor,
    members: Sequence[Member],
    mixing: str,
    epochs: int,
    number: int,
    step: int,
) -> tuple[Tensor, Tensor]:
    """Mix images ``(R, B, 1, 28, 28)`` and labels ``(R, B, 10)`` with those before them."""
    drawn = [mixtures(mixing, one.seed, epochs, number) for one in members]
    own = torch.stack([pixels[step] for pixels, _ in drawn])[:, None, None]
    kept = torch.stack([kept[step] for _, kept in drawn])[:, None, None]
    return inputs.roll(1, 1).lerp(inputs, own), soft.roll(1, 1).lerp(soft, kept)


def _forward(weights: Sequence[Tensor], inputs: Tensor, cosine: float | None) -> Tensor:
    """Compute logits ``(R, B, 10)`` of images ``(R, B, 1, 28, 28)``, each network its own."""
    count, batch = inputs.shape[:2]
    first, first_bias, second, second_bias, third, third_bias, *head = weights
    x = inputs.transpose(0, 1).flatten(1, 2)  # (B, R, 28, 28): a group of channels a network
    for weight, bias in ((first, first_bias), (second, second_bias)):
        x = F.conv2d(x, weight.flatten(0, 1), bias.flatten(), stride=2, groups=count).relu()
    x = x.view(batch, count, -1).transpose(0, 1)  # (R, B, 256)
    x = torch.baddbmm(third_bias[:, None], x, third.mT).relu()
    if cosine is None:
        return torch.baddbmm(head[1][:, None], x, head[0].mT)
    return cosine * F.normalize(x, dim=2) @ F.normalize(head[0], dim=2).mT


@torch.no_grad()
def _step(
    weights: Sequence[Tensor],
    slopes: Sequence[Tensor],
    momenta: Sequence[Tensor],
    lr: Tensor,
    momentum: float,
) -> None:
    """Take a step of SGD with Nesterov momentum and weight decay, each network at its rate."""
    slopes = torch._foreach_add(slopes, weights, alpha=_DECAY)
    torch._foreach_mul_(momenta, momentum)
    torch._foreach_add_(momenta, slopes)
    torch._foreach_add_(slopes, momenta, alpha=momentum)
    rates = [lr.view(-1, *[1] * (weight.ndim - 1)) for weight in weights]
    torch._foreach_mul_(slopes, rates)
    torch._foreach_sub_(weights, slopes)


def _test(
    weights: Sequence[Tensor], members: Sequence[Member], cosine: float | None
) -> Iterator[Tensor]:
    for place, one in enumerate(members):
        own = [weight[place : place + 1] for weight in weights]
        chunks = one.task.test_images.split(500)
        yield torch.cat([_forward(own, chunk[None], cosine)[0] for chunk in chunks])
