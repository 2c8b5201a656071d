"""The schedule of that training: frozen, thawed, halved on a plateau, and watched all along."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from glassbox.chapters.pretraining.article import (
    BATCH,
    DECAY,
    LATER_RATE,
    RATE,
    Arm,
    augment_as_written,
    begin,
    keep_in_eval,
    prepare,
    side_for,
    split_off_head,
)
from glassbox.chapters.pretraining.tasks import Task
from glassbox.chapters.pretraining.ways import take_step
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.training.evaluation import evaluate
from glassbox.training.freezing import freeze, halve_on_plateau, train_keeping_frozen, unfreeze
from glassbox.training.processes import distribute, process_device

SEEN = (
    *("lr", "loss", "accuracy as reported", "training accuracy"),
    *("validation loss", "validation accuracy", "test loss", "test accuracy"),
)


@dataclass
class Course:
    """What was seen of a training.

    Args:
        pretrained: Whether it began with weights from ImageNet.
        epochs: The numbers of :data:`SEEN`, after each epoch. The *accuracy as reported* is that of
            the batches as they were learned from; the *training accuracy* that of the same images
            after the epoch, in ``eval`` mode and without augmentation.
        losses: Of each batch.
    """

    pretrained: bool
    epochs: list[list[float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


def train_as_written(
    arm: Arm, task: Task, seed: int, *, epochs: int, frozen: int, side: int
) -> tuple[nn.Module, Course]:
    """Train by the schedule of the lesson.

    Adam at 1e-3 with a weight decay of 1e-4, in batches of 64; a pretrained backbone is frozen for
    some epochs, then all learns at 1e-4; rates are halved after three epochs without a lower loss,
    which here is that of images to choose by.

    Args:
        arm: Which network, and which of its modes.
        task: Images of 32 x 32 pixels.
        seed: Decides the head, random weights, the batches and the augmentation.
        epochs: Passes over the images.
        frozen: How many of them the backbone is frozen.
        side: Pixels a side that EfficientNet-Lite0 sees.

    Returns:
        The network, and what was seen of its training.
    """
    model, known = begin(arm, task.train.num_classes, seed)
    side, course = side_for(arm.network, side), Course(known)
    head, body = split_off_head(model)
    batches = Batches(
        task.train.images, task.train.labels, BATCH, seed=seed, augment=augment_as_written(side)
    )
    learned = head if known else model
    optimizer = torch.optim.Adam(learned.parameters(), lr=RATE, weight_decay=DECAY)
    scheduler = halve_on_plateau(optimizer)
    if known:
        _begin_frozen(arm, body)
    model.train()
    for epoch in range(epochs):
        if known and epoch == frozen:
            _thaw(arm, body, optimizer)
        set_mode(arm, model, body)
        lr = optimizer.param_groups[0]["lr"]
        learned_from = _learn(distribute(model), optimizer, batches, course)
        (_, training), chosen_by, tested = (
            _judge(model, part, side, most)
            for part, most in ((task.train, 250), (task.validation, 250), (task.test, 5000))
        )
        if arm.mode == "once":
            model.eval()  # as the evaluation leaves it, where nobody restores the mode
        course.epochs.append([lr, *learned_from, training, *chosen_by, *tested])
        scheduler.step(chosen_by[0])
    return model, course


def _begin_frozen(arm: Arm, body: list[nn.Module]) -> None:
    """Freeze the backbone; as the lesson does it, the gradients alone."""
    if arm.mode != "once":
        freeze(*body)
    for layer in body:
        layer.requires_grad_(False)


def _thaw(arm: Arm, body: list[nn.Module], optimizer: Optimizer) -> None:
    if arm.mode != "once":
        unfreeze(*body)
    for layer in body:
        layer.requires_grad_(True)
    optimizer.param_groups[0]["lr"] = LATER_RATE
    thawed = [parameter for layer in body for parameter in layer.parameters()]
    optimizer.add_param_group({"params": thawed, "lr": LATER_RATE})


def set_mode(arm: Arm, model: nn.Module, body: list[nn.Module]) -> None:
    """Set the modes for an epoch; ``"once"`` leaves them as they are."""
    if arm.mode == "once":
        return
    model.train()
    train_keeping_frozen(model)
    if arm.mode == "statistics kept":
        keep_in_eval(body)


def _learn(model: nn.Module, optimizer: Optimizer, batches: Batches, course: Course) -> list[float]:
    """Go through all batches once; return the mean loss and accuracy while learning."""
    answers: list[Tensor] = []

    def note(module: nn.Module, inputs: object, output: Tensor) -> None:
        answers.append(output.detach())

    losses, right, count = [], 0, 0
    handle = model.register_forward_hook(note)
    try:
        for images, labels in batches:
            take_step(model, optimizer, images, labels)
            logits, answers[:] = answers[-1], []
            mine = labels[: len(logits)].to(logits.device)
            losses.append(float(F.cross_entropy(logits, mine)))
            right += int((logits.argmax(1) == mine).sum())
            count += len(mine)
    finally:
        handle.remove()
    course.losses += losses
    return [sum(losses) / len(losses), right / count]


@torch.no_grad()
def _judge(model: nn.Module, data: Dataset, side: int, most: int) -> tuple[float, float]:
    """Give loss and accuracy on up to ``most`` images, evenly taken from all, in ``eval`` mode."""
    chosen = torch.linspace(0, len(data) - 1, min(most, len(data))).long()
    images, labels = data.images[chosen], data.labels[chosen]
    device = process_device()
    parts = zip(images.split(250), labels.split(250), strict=True)
    found = evaluate(model, [(prepare(i, side).to(device), y.to(device)) for i, y in parts])
    return found.loss, float(found.accuracy)
