"""Train plain and residual networks on the digits, all alike, and take down what comes out."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import channel_statistics, normalize
from glassbox.data.splits import stratified_split
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.loop import Callback, fit

DEPTHS = (8, 14, 20, 32, 56)
EPOCHS = 10
BATCH_SIZE = 64


@dataclass(frozen=True)
class Kind:
    """One kind of network.

    Args:
        plain: Whether it has no shortcuts.
        norm: Whether a batch normalization follows each convolution.
        zero_init: Whether each block begins by adding nothing.
        lr: The highest learning rate of its training.
    """

    plain: bool = False
    norm: bool = True
    zero_init: bool = False
    lr: float = 0.1


# Each rate is the best of 0.03, 0.1, 0.3 and 1: see benchmarks/residual.py.
KINDS = {
    "plain": Kind(plain=True, lr=0.3),
    "residual": Kind(),
    "residual, zero": Kind(zero_init=True, lr=0.3),
    "plain, no norm": Kind(plain=True, norm=False, lr=0.3),
    "residual, no norm": Kind(norm=False),
    "residual, no norm, zero": Kind(norm=False, zero_init=True, lr=0.3),
}


@dataclass(frozen=True)
class DigitTask:
    """Digits of 8 x 8 pixels, normalized by the statistics of the training part.

    Args:
        images: 1,024 to train on.
        labels: Theirs.
        test_images: The other 773.
        test_labels: Theirs.
    """

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Args:
        train_loss: Mean loss of the batches of the last epoch.
        train_accuracy: The same, from 0 to 1.
        test_accuracy: In ``eval`` mode, from 0 to 1.
    """

    train_loss: float
    train_accuracy: float
    test_accuracy: float


def digit_task(seed: int) -> DigitTask:
    """Split the digits.

    Args:
        seed: Decides which are trained on.

    Returns:
        Both parts, normalized.
    """
    digits = load("digits")
    train, test = (digits[part] for part in stratified_split(digits.labels, (1024, 773), seed=seed))
    statistics = channel_statistics(train.images)
    images, test_images = (normalize(part.images, *statistics) for part in (train, test))
    return DigitTask(images, train.labels, test_images, test.labels)


def make_network(kind: str, depth: int, seed: int) -> ResidualNetwork:
    """Make a network for the digits, 8 channels wide.

    Args:
        kind: One of :data:`KINDS`.
        depth: 6n + 2 layers.
        seed: Decides its weights; a plain network and its residual twin have the same.

    Returns:
        The network in ``train`` mode.

    Raises:
        ValueError: If ``kind`` or ``depth`` is none of those.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    chosen = KINDS[kind]
    with isolated_seed(seed):
        return ResidualNetwork(
            depth,
            plain=chosen.plain,
            in_channels=1,
            width=8,
            norm_layer=nn.BatchNorm2d if chosen.norm else nn.Identity,
            zero_init=chosen.zero_init,
        )


def train_network(
    model: nn.Module,
    task: DigitTask,
    seed: int,
    *,
    lr: float,
    epochs: int = EPOCHS,
    callbacks: tuple[Callback, ...] = (),
) -> Outcome:
    """Train a network on the digits: the same steps for every kind.

    SGD with momentum, batches of 64, gradients clipped to norm 1, and a learning rate that rises
    and falls to zero.

    Args:
        model: In ``train`` mode; it is changed.
        task: From :func:`digit_task`.
        seed: Decides the order of the images.
        lr: The highest learning rate, such as that of the network's :class:`Kind`.
        epochs: Of 16 steps each.
        callbacks: Called after each epoch, as by :func:`glassbox.training.loop.fit`.

    Returns:
        What was measured.
    """
    batches = Batches(task.images, task.labels, BATCH_SIZE, seed=seed)
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=0.9, weight_decay=1e-4)
    cycle = OneCycleLR(optimizer, lr, epochs * len(batches))
    options = {"step_scheduler": cycle, "clip_norm": 1.0, "progress": False}
    history = fit(model, batches, optimizer, epochs=epochs, callbacks=callbacks, **options)
    test = evaluate(model, task.test_images, task.test_labels)
    return Outcome(history.train_loss[-1], history.train_accuracy[-1], float(test.accuracy))
