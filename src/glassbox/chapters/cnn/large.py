"""The question at its own size: 1,075 grays of 227 x 227 pixels, for LeNet-5 and for AlexNet."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassbox.chapters.cnn.question import BATCH, asked_images, scaled
from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import resize
from glassbox.networks.classifiers import LeNet5
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.loop import fit
from glassbox.training.processes import process_device
from glassbox.training.recipes import train_one_cycle


def alexnet() -> nn.Module:
    """Make torchvision's AlexNet for ten classes and one channel, which it sees as three."""
    from torchvision.models import alexnet as make

    import glassbox.support.torchvision_operators  # noqa: F401  (before torchvision)

    return nn.Sequential(_Colors(), make(num_classes=10))


class _Colors(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.expand(-1, 3, -1, -1)


NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "LeNet-5": lambda side: LeNet5(size=side),
    "AlexNet": lambda side: alexnet(),
}


@dataclass(frozen=True)
class Recipe:
    """How a network is trained on the pictures of the question.

    Args:
        scale: Of the pixels, one of :data:`~.question.SCALES`.
        batch: Images a batch.
        lr: The constant rate of SGD, or where it is ``one_cycle`` the highest of Adam.
        one_cycle: Whether Adam trains, while its rate rises and falls.
    """

    scale: str
    batch: int
    lr: float
    one_cycle: bool = False


RECIPES = {
    "as asked": Recipe("0 to 255", BATCH, 0.01),
    "normalized": Recipe("normalized", BATCH, 0.01),
    "ours": Recipe("normalized", 32, 1e-3, one_cycle=True),
}


def enlarged(images: Tensor, side: int) -> Tensor:
    """Resize bytes ``(N, 1, 28, 28)`` to ``side`` pixels a side, bilinear."""
    if side == images.shape[-1]:
        return images
    return torch.cat([resize(some, side) for some in images.split(250)])


def train_large(network: str, side: int, recipe: str, epochs: int, seed: int) -> float:
    """Train on 860 digits of one size, and measure on test digits of that size, from 0 to 1.

    AlexNet computes in bfloat16, and is measured on every fourth test digit.

    Args:
        network: One of :data:`NETWORKS`.
        side: Pixels a side.
        recipe: One of :data:`RECIPES`.
        epochs: Passes over the 860 digits.
        seed: Decides the digits, the weights and the batches.

    Raises:
        ValueError: If network or recipe is unknown.
    """
    check_choice(NETWORKS, network=network)
    check_choice(RECIPES, recipe=recipe)
    one, device = RECIPES[recipe], process_device()
    images, labels = asked_images(seed)
    images, test = enlarged(images, side), load("mnist_5k", split="test")
    test = test[:: 4 if network == "AlexNet" else 1]
    with isolated_seed(seed):
        model = NETWORKS[network](side).to(device)
        inputs = scaled(images, one.scale, images)
        batches = Batches(inputs, labels, one.batch, seed=seed, device=device)
        options = {"epochs": epochs, "progress": False}
        if network == "AlexNet":
            options |= {"autocast": torch.bfloat16, "channels_last": True}
        if one.one_cycle:
            train_one_cycle(model, batches, lr=one.lr, **options)
        else:
            optimizer = torch.optim.SGD(model.parameters(), one.lr)
            fit(model, batches, optimizer, **options)
    asked = scaled(enlarged(test.images, side), one.scale, images)
    return float(evaluate(model, asked, test.labels.to(device)).accuracy)
