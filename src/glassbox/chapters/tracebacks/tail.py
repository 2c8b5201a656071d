"""What the silent faults are shown on: seven digits with a long tail, and a network for them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import to_float
from glassbox.data.splits import long_tailed, stratified_split
from glassbox.networks.cosine_classifier import CosineClassifier
from glassbox.support.seeds import seed_everything

CLASSES, _LARGEST, _IMBALANCE = 7, 300, 50

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Tail:
    """Digits as rows of pixels ``(N, 784)`` from 0 to 1, with their labels ``(N,)``, in parts.

    Args:
        train: Of 300 zeros down to 6 sixes.
        held: A tenth of what else there is of these classes, to validate on.
        fresh: The rest of it, to test with.
        others: Sevens, eights and nines, labeled from 0.
    """

    train: Pair
    held: Pair
    fresh: Pair
    others: Pair

    @property
    def counts(self) -> Tensor:
        """Training images of each class, ``(7,)``."""
        return self.train[1].bincount(minlength=CLASSES)

    def batches(self, seed: int) -> Batches:
        """Give the training images in batches of 32."""
        return Batches(*self.train, 32, seed=seed)


def load_tail() -> Tail:
    """Make the parts, of the 4,000 digits that ``mnist_5k`` has to train on."""
    digits = load("mnist_5k")
    pixels, labels = to_float(digits.images).flatten(1), digits.labels
    few = labels < CLASSES
    images, targets = pixels[few], labels[few]
    train = long_tailed(targets, _IMBALANCE, n_max=_LARGEST)
    unused = torch.ones(len(targets), dtype=torch.bool).index_fill(0, train, False).nonzero()[:, 0]
    parts = (unused[part] for part in stratified_split(targets[unused], (0.1, 0.9)))
    held, fresh = ((images[part], targets[part]) for part in parts)
    others = pixels[~few], labels[~few] - CLASSES
    return Tail((images[train], targets[train]), held, fresh, others)


def tail_network(seed: int, classes: int = CLASSES, scale: float = 1.0) -> nn.Sequential:
    """Make a network of two layers that gives cosines times ``scale``, with weights of a seed."""
    seed_everything(seed, deterministic=False)
    head = CosineClassifier(64, classes, scale=scale)
    return nn.Sequential(nn.Linear(28 * 28, 64), nn.ReLU(), head)
