"""The question of the LeNet-5 that stays at chance: what scale, rate and updates each do to it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import channel_statistics, normalize, to_float
from glassbox.data.splits import stratified_split
from glassbox.networks.classifiers import LeNet5
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict

ASKED, SPLIT, BATCH = 1075, (0.8, 0.2), 128  # images, parts and batch size of the question
SCALES = ("0 to 255", "0 to 1", "normalized")
_OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}


def asked_images(seed: int) -> tuple[Tensor, Tensor]:
    """Take 860 digits to train on, bytes ``(860, 1, 28, 28)``, and their labels.

    The seed decides which 1,075 digits of MNIST 5k there are, as many as in the question, and which
    80 percent of them these are.
    """
    digits = load("mnist_5k")
    digits = digits[stratified_split(digits.labels, (ASKED,), seed=seed)[0]]
    part = digits[stratified_split(digits.labels, SPLIT, seed=seed)[0]]
    return part.images, part.labels


def scaled(images: Tensor, scale: str, like: Tensor) -> Tensor:
    """Turn bytes into floating point, on one of the :data:`SCALES`.

    ``"normalized"`` is with the mean and deviation of ``like``, the training images.
    """
    check_choice(SCALES, scale=scale)
    if scale == "0 to 255":
        return images.float()
    return to_float(images) if scale == "0 to 1" else normalize(images, *channel_statistics(like))


def answer_question(optimizer: str, scale: str, lr: float, updates: int, seed: int) -> float:
    """Train LeNet-5 as the question does, and measure it on the 1,000 test digits, from 0 to 1.

    Args:
        optimizer: ``"SGD"``, without momentum, or ``"Adam"``.
        scale: One of :data:`SCALES`.
        lr: The learning rate, the same in all steps.
        updates: Steps, 7 for each pass over the 860 digits.
        seed: Decides the digits, the weights and the order.

    Raises:
        ValueError: If optimizer or scale is unknown.
    """
    check_choice(_OPTIMIZERS, optimizer=optimizer)
    images, labels = asked_images(seed)
    inputs, test = scaled(images, scale, images), load("mnist_5k", split="test")
    with isolated_seed(seed):
        model = LeNet5(size=28)
        batches = Batches(inputs, labels, BATCH, seed=seed)
        steps = _OPTIMIZERS[optimizer](model.parameters(), lr)
        for _ in range(updates // len(batches)):
            for some, known in batches:
                loss = F.cross_entropy(model(some), known)
                steps.zero_grad()
                loss.backward()
                steps.step()
    # Where weights have overflowed, logits are nan, and argmax gives class 0: chance.
    answers = predict(model, scaled(test.images, scale, images)).argmax(dim=1)
    return float((answers == test.labels).float().mean())
