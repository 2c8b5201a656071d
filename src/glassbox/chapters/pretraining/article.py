"""The training that goes with many a lesson on pretraining, whole: its images and its networks."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.pretraining.ways import start_network
from glassbox.data.augmentation import (
    Augmentation,
    color_jitter,
    compose,
    random_crop,
    random_flip,
    random_rotation,
)
from glassbox.data.pixels import normalize, to_float
from glassbox.networks.adapt_torchvision import create_model
from glassbox.networks.classifiers import ThreeBlockCNN
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed

# Of the colors of CIFAR-10's training images, as lessons give them.
MEAN = torch.tensor([0.4914, 0.4822, 0.4465])
DEVIATION = torch.tensor([0.2023, 0.1994, 0.2010])
BATCH, RATE, LATER_RATE, DECAY = 64, 1e-3, 1e-4, 1e-4
MODES = ("each epoch", "once", "statistics kept")
WEIGHTS = {"resnet18": "resnet18-f37072fd.pth", "alexnet": "alexnet-owt-7be5be79.pth"}


@dataclass(frozen=True)
class Arm:
    """One training of the study.

    Args:
        network: ``"lite0"``, ``"resnet18"``, ``"alexnet"`` or ``"plain"``, a network of three
            blocks that begins with random weights.
        pretrained: Whether it is to begin with weights from ImageNet, where they are at hand.
        mode: When ``train`` mode is set, one of :data:`MODES`. ``"once"``, before the first epoch,
            is what the lesson does, and it freezes gradients alone. ``"statistics kept"`` is each
            epoch, but for batch normalization, which stays in ``eval`` mode.
        part: Of the epochs of the others.
    """

    network: str
    pretrained: bool = True
    mode: str = "each epoch"
    part: float = 1.0


ARMS = {
    "as written": Arm("lite0", mode="once"),
    "mode set each epoch": Arm("lite0"),
    "statistics kept": Arm("lite0", mode="statistics kept"),
    "three blocks": Arm("plain", pretrained=False),
    "from scratch": Arm("lite0", pretrained=False),
    "ResNet-18": Arm("resnet18"),
    "AlexNet": Arm("alexnet", part=0.5),
}


def at_hand(network: str) -> bool:
    """Say whether the weights of a network from ImageNet are here, so that none are downloaded."""
    if network not in WEIGHTS:
        return network == "lite0"
    return os.path.exists(os.path.join(torch.hub.get_dir(), "checkpoints", WEIGHTS[network]))


def begin(arm: Arm, classes: int, seed: int) -> tuple[nn.Module, bool]:
    """Make the network of an arm.

    Args:
        arm: Which.
        classes: Logits of the head.
        seed: Decides the head, and what else is random.

    Returns:
        The network in ``train`` mode; and whether it has weights from ImageNet.
    """
    known = arm.pretrained and at_hand(arm.network)
    if arm.network == "lite0":
        return start_network(classes, seed, pretrained=known), known
    with isolated_seed(seed):
        if arm.network == "plain":
            return ThreeBlockCNN(num_classes=classes), False
        # AlexNet takes no 32 pixels; the lesson gives it kernels of 3 x 3, from a corner.
        small = "corner" if arm.network == "alexnet" else None
        model = create_model(arm.network, pretrained=known, num_classes=classes, small=small)
    return model, known


def split_off_head(model: nn.Module) -> tuple[nn.Module, list[nn.Module]]:
    """Give the last linear layer of a network, and all else that has weights of its own.

    A batch normalization may hold an activation, so it need not be without parts.
    """
    layers = [one for one in model.modules() if any(True for _ in one.parameters(recurse=False))]
    head = [layer for layer in layers if isinstance(layer, nn.Linear)][-1]
    return head, [layer for layer in layers if layer is not head]


def turn_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Turn the hue of each image by its part of the color circle, as torchvision's ``adjust_hue``.

    Args:
        images: ``(B, 3, H, W)`` from 0 to 1.
        turns: ``(B,)``, -0.5 to 0.5.
    """
    top, low = images.amax(dim=1), images.amin(dim=1)
    spread = top - low
    red, green, blue = (images / spread.clamp(min=1e-9)[:, None]).unbind(dim=1)
    hue = torch.where(images[:, 1] == top, 2 + blue - red, 4 + red - green)
    hue = torch.where(images[:, 0] == top, green - blue, hue) + 6 * turns.view(-1, 1, 1)
    # Each color is strongest at its own place on the circle of six, and falls off on both sides.
    places = hue.new_tensor([0.0, 2.0, 4.0]).view(1, 3, 1, 1)
    away = 3 - ((hue[:, None] - places) % 6 - 3).abs()
    return low[:, None] + spread[:, None] * (2 - away).clamp(0, 1)


def hue_jitter(part: float) -> Augmentation:
    """Turn the hue of each image by up to a part of the color circle, 0 to 0.5, either way."""

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        turns = part * (2 * torch.rand(len(images), generator=generator) - 1)
        return turn_hue(images, turns)

    return augment


def augment_as_written(side: int) -> Augmentation:
    """Crop, mirror, change the colors, turn; then what :func:`prepare` does.

    Args:
        side: Pixels a side of the result.

    Returns:
        A function of bytes ``(B, 3, 32, 32)`` and a generator.
    """
    change = compose(
        random_crop(4),
        random_flip(),
        color_jitter(0.2, 0.2, 0.2),
        hue_jitter(0.1),
        random_rotation(15),
    )

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return _sized(normalize(change(to_float(images), generator), MEAN, DEVIATION), side)

    return augment


def prepare(images: Tensor, side: int) -> Tensor:
    """Normalize bytes ``(N, 3, 32, 32)`` by the colors of CIFAR-10, and enlarge them."""
    return _sized(normalize(images, MEAN, DEVIATION), side)


def _sized(images: Tensor, side: int) -> Tensor:
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, (side, side), mode="bicubic")


def side_for(network: str, side: int) -> int:
    """Give the pixels a side that a network sees: what the lesson's networks see is 32."""
    check_choice(("lite0", "plain", *WEIGHTS), network=network)
    return side if network == "lite0" else 32


def keep_in_eval(layers: Sequence[nn.Module]) -> None:
    """Put batch normalization among some layers into ``eval`` mode."""
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
