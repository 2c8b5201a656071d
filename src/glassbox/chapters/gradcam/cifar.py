"""The network for CIFAR-10 that goes with many a lesson on Grad-CAM, whole and small."""

import json
from importlib.resources import files

import torch
from torch import Tensor

from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import normalize
from glassbox.explorables.tiny_network import pack, unpack
from glassbox.networks.classifiers import ThreeBlockCNN
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import evaluate
from glassbox.training.loop import fit
from glassbox.training.processes import distribute, process_share

# Units of each, and how often it goes through all images. The first has 1.1 million parameters,
# 2.3 MB in half precision; the second, which the package brings, 90 thousand.
NETWORKS = {
    "whole": {"width": 32, "hidden": 512},
    "small": {"width": 16, "hidden": 64},
}
EPOCHS = {"whole": 1, "small": 4}
LAYER = "features.2.0"  # the third convolution
WEIGHTS = "cifar_network.json"  # made by `--part cifar` of the study
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer",
    "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


def cifar_inputs(images: Tensor) -> Tensor:
    """Turn bytes ``(B, 3, 32, 32)`` into numbers from -1 to 1."""
    half = torch.full((3,), 0.5)
    return normalize(images, half, half)


def train_cifar(name: str, seed: int, *, length: float = 1.0) -> tuple[ThreeBlockCNN, float]:
    """Train one of :data:`NETWORKS` by Adam at a rate of 1e-3, in batches of 64.

    Args:
        name: Which.
        seed: Decides weights and the order of the images.
        length: Which part of the images and of the epochs is taken, at least one of each.

    Returns:
        The network in ``eval`` mode, with weights rounded to half precision; and its accuracy on
        the images that are held out.
    """
    seen, unseen = load("cifar10"), load("cifar10", split="holdout")
    count, epochs = round(length * len(seen)) or 1, round(length * EPOCHS[name]) or 1
    images, labels = cifar_inputs(seen.images[:count]), seen.labels[:count]
    with isolated_seed(seed):
        model = ThreeBlockCNN(**NETWORKS[name])
        batches = Batches(images, labels, 64, seed=seed, **process_share())
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        fit(distribute(model), batches, optimizer, epochs=epochs)
    model = model.cpu().eval().half().float()
    return model, evaluate(model, cifar_inputs(unseen.images), unseen.labels).accuracy


def packed_weights(model: ThreeBlockCNN) -> str:
    """Write the weights as the package brings them."""
    return json.dumps(pack(model.state_dict()), separators=(",", ":")) + "\n"


def load_cifar_network() -> ThreeBlockCNN:
    """Give the small network, trained, frozen and in ``eval`` mode."""
    packed = json.loads(files(__package__).joinpath(WEIGHTS).read_text("utf-8"))
    model = ThreeBlockCNN(**NETWORKS["small"])
    model.load_state_dict(unpack(packed))
    return model.eval().requires_grad_(False)
