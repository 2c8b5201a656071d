"""Pretrain AlexNet and ResNet-18 on large images, and let them begin anew on small ones."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from glassbox.chapters.pretraining.arms import shuffled_batches, take_steps
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.pixels import channel_statistics, normalize, resize
from glassbox.data.splits import stratified_split
from glassbox.data.train_test import TrainTest
from glassbox.networks.adapt_torchvision import STEMS, adapt_stem, create_model, replace_head
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.loop import fit
from glassbox.training.processes import distribute, process_share

LARGE, SMALL = 64, 32  # pixels a side


@dataclass(frozen=True)
class Arm:
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
STEM_ARMS = {
    "alexnet": Arm(5, 2e-4, ("enlarged", "center", "corner", "resized", "fresh")),
    "resnet18": Arm(3, 1e-3, ("unchanged", "enlarged", "center", "corner", "fresh")),
}


def pretrain_large(name: str, *, count: int = 5000) -> dict[str, Tensor]:
    """Train a network on images of Fashion-MNIST, enlarged to 64 x 64 pixels, with seed 0.

    Raises:
        ValueError: If ``name`` is none of :data:`STEM_ARMS`.
    """
    check_choice(STEM_ARMS, name=name)
    arm = STEM_ARMS[name]
    clothes = load("fashion_mnist")
    (chosen,) = stratified_split(clothes.labels, (count,), seed=0)
    images = normalize(_enlarge(clothes[chosen], LARGE).images, *_statistics())
    with isolated_seed(0):
        model = create_model(name)
        batches = Batches(images, clothes.labels[chosen], 64, **process_share())
        optimizer = torch.optim.Adam(model.parameters(), arm.lr)
        fit(distribute(model), batches, optimizer, epochs=arm.epochs, progress=False)
    return model.cpu().state_dict()


def stem_task(stem: str, seed: int) -> TrainTest:
    """Take digits of MNIST, 20 a class to learn from and 1,000 to test with.

    Args:
        stem: Where it is ``"enlarged"``, the images have 64 x 64 pixels, otherwise 32 x 32.
        seed: Decides which digits.

    Returns:
        Both parts, with three channels, normalized by the statistics of Fashion-MNIST.

    Raises:
        ValueError: If ``stem`` is unknown.
    """
    check_choice(("unchanged", "enlarged", *STEMS), stem=stem)
    digits, size = load("mnist"), LARGE if stem == "enlarged" else SMALL
    parts = stratified_split(digits.labels, (200, 1000), seed=seed)
    train, test = (_enlarge(digits[part], size) for part in parts)
    return TrainTest(train, test, _statistics())


def _enlarge(part: Dataset, size: int) -> Dataset:
    """Make three equal channels, by way of 32 pixels in any case."""
    images = resize(resize(part.images, SMALL), size).expand(-1, 3, -1, -1)
    return replace(part, images=images)


def _statistics() -> tuple[Tensor, Tensor]:
    mean, std = channel_statistics(load("fashion_mnist").images)
    return mean.expand(3), std.expand(3)


def adapt(
    name: str,
    stem: str,
    weights: dict[str, Tensor],
    images: Tensor,
    labels: Tensor,
    seed: int,
    *,
    updates: int = 60,
    lr: float | None = None,
) -> nn.Module:
    """Give a pretrained network a new head and perhaps a new stem, and fine-tune all of it.

    Args:
        name: A key of :data:`STEM_ARMS`.
        stem: One of the network's stems.
        weights: From :func:`pretrain_large`.
        images: To learn from.
        labels: Theirs.
        seed: Decides new weights, batches and what dropout drops.
        updates: Steps of Adam.
        lr: Its rate; that of the network's :class:`Arm` unless given.
    """
    with isolated_seed(seed):
        model = create_model(name)
        model.load_state_dict(weights)
        replace_head(model, 10)
        if stem not in ("unchanged", "enlarged"):
            adapt_stem(model, stem)
        lr = STEM_ARMS[name].lr if lr is None else lr
        optimizer = torch.optim.Adam(model.parameters(), lr, weight_decay=1e-4)
        batches = shuffled_batches(len(labels), updates, seed)
        take_steps(model, optimizer, images, labels, batches)
    return model
