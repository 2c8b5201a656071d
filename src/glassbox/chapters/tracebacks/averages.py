"""Short trainings on small digits, and what averages of their weights are worth."""

import copy
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.data.datasets import load
from glassbox.data.pixels import to_float
from glassbox.data.splits import stratified_split
from glassbox.support.seeds import seed_everything
from glassbox.training.averaging import ExponentialAverage
from glassbox.training.evaluation import evaluate

# Decay and warm-up of each average, by its name.
AVERAGES = {"0.98": (0.98, False), "0.9998": (0.9998, False), "warmed": (0.9998, True)}


@cache
def _digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    digits = load("digits")
    pixels = to_float(digits.images).flatten(1)
    return pixels, digits.labels, *stratified_split(digits.labels, (0.5, 0.5), seed=0)


def small_network() -> nn.Sequential:
    """Make a network for rows of 64 pixels, with batch normalization between its two layers."""
    norm = nn.BatchNorm1d(64)
    return nn.Sequential(nn.Linear(64, 64), norm, nn.ReLU(), nn.Linear(64, 10))


def descend(
    network: nn.Module, lr: float, steps: int = 300, after_step: Callable[[], object] = lambda: None
) -> None:
    """Train on half of the digits by gradient descent with momentum, in batches of 32."""
    pixels, labels, train, _ = _digits()
    optimizer = torch.optim.SGD(network.parameters(), lr, momentum=0.9)
    for batch in train[torch.randint(len(train), (steps, 32))]:
        optimizer.zero_grad()
        F.cross_entropy(network(pixels[batch]), labels[batch]).backward()
        optimizer.step()
        after_step()


def percent(network: nn.Module) -> float:
    """Measure the accuracy on the other half, in percent."""
    pixels, labels, _, test = _digits()
    return 100 * evaluate(network, pixels[test], labels[test]).accuracy


def average_accuracies(seed: int, lr: float) -> dict[str, float]:
    """Train once, and measure the last weights and each of the :data:`AVERAGES`."""
    seed_everything(seed, deterministic=False)
    network = small_network()
    averages = {
        name: ExponentialAverage(network, decay, warm_up=warm)
        for name, (decay, warm) in AVERAGES.items()
    }
    descend(
        network, lr, after_step=lambda: [average.update(network) for average in averages.values()]
    )
    return {"last": percent(network)} | {
        name: percent(average.model) for name, average in averages.items()
    }


def statistics_accuracies(seed: int) -> dict[str, float]:
    """Train once, and measure averaged weights with three statistics of batch normalization."""
    seed_everything(seed, deterministic=False)
    network = small_network()
    averaged, full = copy.deepcopy(network), ExponentialAverage(network, 0.9998)

    def update() -> None:
        full.update(network)
        weights = dict(full.model.named_parameters())
        averaged.load_state_dict(weights, strict=False)  # and no buffers

    descend(network, 0.5, after_step=update)
    found = {"of the start": percent(averaged)}
    averaged.load_state_dict(dict(network.named_buffers()), strict=False)
    found["of the last step"] = percent(averaged)
    return found | {"averaged": percent(full.model)}
