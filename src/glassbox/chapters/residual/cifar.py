"""A ResNet-20 for CIFAR-10 that the book trained itself, with what it takes to load it safely.

``python -m glassbox.chapters.residual.cifar --checkpoint FILE`` trains it in six minutes on
one core, and goes on from the checkpoint where it was stopped.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from glassbox.data.augmentation import compose, random_crop, random_flip
from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import normalize
from glassbox.networks.residual import ResidualNetwork
from glassbox.support.files import replacing
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict
from glassbox.training.history import History
from glassbox.training.recipes import train_one_cycle

WEIGHTS = Path(__file__).with_name("resnet20_cifar10.pt")
EPOCHS = 4
MEAN, STD = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
_RECIPE = {"momentum": 0.9, "weight_decay": 5e-4, "nesterov": True}
_LR = 0.2


def cifar_inputs(images: Tensor) -> Tensor:
    """Turn bytes ``uint8 (B, 3, 32, 32)`` into what the network was trained on."""
    return normalize(images, MEAN, STD)


def probe_images() -> Tensor:
    """Make the input whose logits are stored with the weights, ``(8, 3, 32, 32)``: noise."""
    return torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def cifar_network(path: Path = WEIGHTS) -> ResidualNetwork:
    """Make the ResNet-20 of He et al. (2016) with the book's weights, in ``eval`` mode.

    Args:
        path: A file of :func:`train_cifar_network`.

    Raises:
        RuntimeError: If the network does not compute the logits that are stored with its weights.
    """
    with isolated_seed(0):  # what is drawn is overwritten
        model = ResidualNetwork(20).eval()
    model.load_state_dict(read_weights(path))
    check_logits(model, stored_logits(path))
    return model


def read_weights(path: Path = WEIGHTS) -> dict[str, Tensor]:
    """Read the state dict in single precision; it is stored in half of that."""
    stored = torch.load(path, weights_only=True)["weights"]
    return {k: value.float() if value.is_floating_point() else value for k, value in stored.items()}


def stored_logits(path: Path = WEIGHTS) -> Tensor:
    """Read what the network answered to :func:`probe_images` when it was stored, ``(8, 10)``."""
    return torch.load(path, weights_only=True)["logits"]


def check_logits(model: nn.Module, logits: Tensor, near: float = 0.01) -> None:
    """Make sure that a network computes what it did where its weights were stored.

    A state dict has names and shapes, and nothing about strides, paddings and the order of layers;
    so one that loads may still belong to another network.

    Args:
        model: In ``eval`` mode.
        logits: What it answered to :func:`probe_images`, ``(8, 10)``.
        near: The largest difference that is allowed.

    Raises:
        RuntimeError: If a logit differs by more.
    """
    off = float((predict(model, probe_images()) - logits).abs().max())
    if not off <= near:
        raise RuntimeError(f"the logits of the probe differ by {off:.2g}, expected {near} at most")


def train_cifar_network(
    checkpoint: Path, *, path: Path = WEIGHTS, epochs: int = EPOCHS, seed: int = 0
) -> History:
    """Train on 45,000 images of CIFAR-10, and store the weights in half precision.

    SGD with Nesterov momentum, batches of 128, a rate that rises to 0.2 and falls to 0, and images
    that are shifted by up to 4 pixels and mirrored; convolutions compute in bfloat16. Nothing is
    chosen on the 5,000 images that are held out: they are only looked at.

    Args:
        checkpoint: Where the training is kept after each epoch, and goes on from.
        path: Where weights and logits are stored.
        epochs: Passes over the images.
        seed: Decides the first weights and the order of the images.
    """
    with isolated_seed(seed):
        model = ResidualNetwork(20)
    train, held_out = load("cifar10"), load("cifar10", split="holdout")
    augment = compose(random_crop(4), random_flip(), lambda images, _: cifar_inputs(images))
    batches = Batches(train.images, train.labels, 128, augment=augment, seed=seed)
    optimizer = torch.optim.SGD(model.parameters(), _LR, **_RECIPE)
    history = train_one_cycle(
        *(model, batches),
        **{"epochs": epochs, "lr": _LR, "optimizer": optimizer, "checkpoint": checkpoint},
        **{"channels_last": True, "autocast": torch.bfloat16},  # three times as fast, measured
        validation=(cifar_inputs(held_out.images), held_out.labels),
        callbacks=[lambda state: print(state.history, flush=True)],
    )
    store_network(model.eval(), path)
    return history


def store_network(model: nn.Module, path: Path) -> None:
    """Store weights in half precision, and the logits that they compute for the probe."""
    halves = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    model.load_state_dict(halves)  # rounded, as they will be read
    with replacing(path) as partial:
        torch.save({"weights": halves, "logits": predict(model, probe_images())}, partial)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m glassbox.chapters.residual.cifar")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    train_cifar_network(given.checkpoint, epochs=given.epochs)
