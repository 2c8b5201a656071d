"""Pretrain AlexNet and ResNet-18 on large images, and let them begin anew on small ones."""

from dataclasses import dataclass
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.pretraining.study import shuffled_batches
from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import channel_statistics, normalize, resize
from glassbox.data.splits import stratified_split
from glassbox.networks.adapt_torchvision import STEMS, adapt_stem, create_model, replace_head
from glassbox.support.seeds import isolated_seed
from glassbox.training.loop import fit

LARGE, SMALL = 64, 32  # pixels a side
PRETRAINED_ON = 5000  # images
LABELS = 20  # a class
UPDATES = 60


@dataclass(frozen=True)
class Network:
    """A network, how it is pretrained, and the beginnings that are compared for small images.

    Args:
        epochs: Of the pretraining.
        lr: Rate of Adam, in the pretraining and after it.
        stems: ``"unchanged"`` leaves the network as it is, ``"enlarged"`` makes the images twice as
            large instead; the others are those of ``adapt_stem``.
    """

    epochs: int
    lr: float
    stems: tuple[str, ...]


# AlexNet unchanged has nothing left of 32 x 32 pixels, and stops with an error.
NETWORKS = MappingProxyType(
    {
        "alexnet": Network(5, 2e-4, ("enlarged", "center", "corner", "resized", "fresh")),
        "resnet18": Network(3, 1e-3, ("unchanged", "enlarged", "center", "corner", "fresh")),
    }
)


def pretrain_large(name: str) -> dict[str, Tensor]:
    """Train a network on 5,000 images of Fashion-MNIST, enlarged to 64 x 64 pixels, with seed 0.

    Args:
        name: A key of :data:`NETWORKS`.

    Returns:
        Its state dict.

    Raises:
        ValueError: If ``name`` is unknown.
    """
    if name not in NETWORKS:
        raise ValueError(f"name is {name!r}, expected one of {', '.join(NETWORKS)}")
    network = NETWORKS[name]
    clothes = load("fashion_mnist")
    (chosen,) = stratified_split(clothes.labels, (PRETRAINED_ON,), seed=0)
    with isolated_seed(0):
        model = create_model(name)
        batches = Batches(_prepare(clothes.images[chosen], LARGE), clothes.labels[chosen], 64)
        optimizer = torch.optim.Adam(model.parameters(), network.lr)
        fit(model, batches, optimizer, epochs=network.epochs, progress=False)
    return model.state_dict()


def stem_task(stem: str, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Take digits of MNIST, 20 a class to learn from and 1,000 to test on.

    Args:
        stem: Where it is ``"enlarged"``, the images have 64 x 64 pixels, otherwise 32 x 32.
        seed: Decides which digits.

    Returns:
        Images ``(200, 3, S, S)`` and their labels, test images and their labels.

    Raises:
        ValueError: If ``stem`` is unknown.
    """
    known = ("unchanged", "enlarged", *STEMS)
    if stem not in known:
        raise ValueError(f"stem is {stem!r}, expected one of {', '.join(known)}")
    digits = load("mnist")
    parts = stratified_split(digits.labels, (10 * LABELS, 1000), seed=seed)
    size = LARGE if stem == "enlarged" else SMALL
    (images, labels), (test_images, test_labels) = (
        (_prepare(digits.images[part], size), digits.labels[part]) for part in parts
    )
    return images, labels, test_images, test_labels


def _prepare(images: Tensor, size: int) -> Tensor:
    """Normalize by the statistics of Fashion-MNIST; digits go through 32 pixels in any case."""
    small = resize(images, SMALL)
    statistics = channel_statistics(load("fashion_mnist").images)
    return normalize(resize(small, size), *statistics).expand(-1, 3, -1, -1)


def adapt(
    name: str, stem: str, weights: dict[str, Tensor], images: Tensor, labels: Tensor, seed: int
) -> nn.Module:
    """Give a pretrained network a new head and perhaps a new stem, and fine-tune all of it.

    Args:
        name: A key of :data:`NETWORKS`.
        stem: One of the network's stems.
        weights: From :func:`pretrain_large`.
        images: To learn from.
        labels: Theirs.
        seed: Decides new weights, batches and what dropout drops.

    Returns:
        The network after 60 steps of Adam.
    """
    with isolated_seed(seed):
        model = create_model(name)
        model.load_state_dict(weights)
        replace_head(model, 10)
        if stem not in ("unchanged", "enlarged"):
            adapt_stem(model, stem)
        optimizer = torch.optim.Adam(model.parameters(), NETWORKS[name].lr, weight_decay=1e-4)
        for batch in shuffled_batches(len(labels), UPDATES, seed):
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model
