"""Six accuracies of one network, which differ only in how they are measured."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from glassbox.data.augmentation import compose, random_rotation, random_shift
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.pixels import resize
from glassbox.data.splits import stratified_split
from glassbox.data.train_test import TrainTest
from glassbox.support.seeds import isolated_seed
from glassbox.training.loop import fit

_augment = compose(random_rotation(15), random_shift(2))


def make_small_network() -> nn.Module:
    """Make two convolutions, each with a pooling, dropout and a layer for ten digits of 16 x 16."""
    first = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Dropout(), nn.Linear(512, 10))


def measure_in_six_ways(seed: int, *, epochs: int = 6) -> dict[str, float]:
    """Train on 1,000 augmented digits, with dropout, and measure the accuracy in six ways.

    Args:
        seed: Decides the split, the weights, the batches and the augmentation.
        epochs: Passes over the 1,000 digits.

    Returns:
        Accuracies in percent: as the training reports it, which is the mean over the last epoch;
        with the weights at its end, then without augmentation, without dropout and without either;
        and on 797 other digits.
    """
    digits = load("digits")
    train, test = (digits[part] for part in stratified_split(digits.labels, (1000, 797), seed=seed))
    task = TrainTest(_enlarged(train), _enlarged(test))
    images, labels = task.images, task.labels
    with isolated_seed(seed):
        model = make_small_network()
        batches = Batches(images, labels, 32, seed=seed, augment=_augment)
        optimizer = torch.optim.Adam(model.parameters(), 2e-3)
        history = fit(model, batches, optimizer, epochs=epochs, progress=False)
        changed = _augment(images, torch.Generator().manual_seed(seed))
        return {
            "as reported in training": 100 * history.train_accuracy[-1],
            "at the end of the epoch": _percent(model, changed, labels, dropout=True),
            "… without augmentation": _percent(model, images, labels, dropout=True),
            "… without dropout": _percent(model, changed, labels, dropout=False),
            "… without either": _percent(model, images, labels, dropout=False),
            "test images": _percent(model, task.test_images, task.test_labels, dropout=False),
        }


def _enlarged(part: Dataset) -> Dataset:
    return replace(part, images=resize(part.images, 16))


@torch.no_grad()
def _percent(model: nn.Module, images: Tensor, labels: Tensor, *, dropout: bool) -> float:
    model.train(dropout)
    return 100 * (model(images).argmax(1) == labels).float().mean().item()
