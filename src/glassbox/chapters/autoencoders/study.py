"""The study of bottlenecks: how wide, how long trained, of which layers, on which scale.

``python -m glassbox.chapters.autoencoders.study --size cpu --part all`` trains for about a quarter
of an hour on one core. Errors are squared differences of pixels from -1 to 1, averaged over pixels
and images; a rate is chosen by those of 500 training digits that no network was trained on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import to_float
from glassbox.data.splits import stratified_split
from glassbox.networks.autoencoders import (
    ConvAutoencoder,
    MLPAutoencoder,
    reconstruction_error,
    summed_squared_error,
)
from glassbox.support.seeds import isolated_seed
from glassbox.training.loop import fit
from glassbox.training.run_tables import RunTable
from glassbox.training.seed_statistics import SeedRuns

STORED = Path(__file__).parent
LATENTS = (1, 2, 3, 5, 8, 16, 32)
_KEYS = {"epochs": int, "seed": int, "lr": float}
ERRORS = ("validation", "test")
WIDTHS = study_table(STORED / "widths.csv", {"latent": int} | _KEYS, ERRORS)
LAYERS = study_table(STORED / "layers.csv", {"layers": str} | _KEYS, ERRORS)
SCALES = study_table(STORED / "scales.csv", {"scale": str} | _KEYS, ERRORS)
# What ends the decoder, and the lowest value of a pixel; the highest is 1.
ENDS = {
    "tanh, -1 to 1": ("tanh", -1.0),
    "sigmoid, 0 to 1": ("sigmoid", 0.0),
    "tanh, 0 to 1": ("tanh", 0.0),
}


@dataclass(frozen=True)
class Size:
    """What is trained: bottlenecks, budgets, seeds, and the rates that are tried for each."""

    latents: tuple[int, ...] = LATENTS
    epochs: tuple[int, ...] = (15, 60)
    seeds: tuple[int, ...] = (0, 1)
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    layers: tuple[str, ...] = ("convolutions", "linear")
    layer_epochs: tuple[int, ...] = (15, 60)
    layer_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    scale_epochs: tuple[int, ...] = (15,)
    scale_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    official: bool = False


SIZES = {
    "smoke": Size(
        (2, 3),
        (1,),
        (0, 1),
        (1e-3, 3e-3),
        layer_epochs=(1,),
        layer_rates=(1e-2,),
        scale_epochs=(1,),
        scale_rates=(1e-2,),
    ),
    "cpu": Size(),
    "gpu": Size(seeds=(0, 1, 2, 3, 4), official=True),
}


@lru_cache(1)
def digits(official: bool = False) -> dict[str, Tensor]:
    """Load MNIST's digits from -1 to 1 in three parts: to train on, for choices, and to test.

    Args:
        official: All of the official files, and not the 5,000 that come with a package.

    Returns:
        A dict from ``"train"``, ``"validation"`` (of ``mnist_5k`` 500) and ``"test"`` to images
        ``(N, 1, 28, 28)``.
    """
    name = "mnist" if official else "mnist_5k"
    train, test = (load(name, split=part) for part in ("train", "test"))
    kept, held = stratified_split(train.labels, [0.875, 0.125])
    parts = {"train": train.images[kept], "validation": train.images[held], "test": test.images}
    return {name: 2 * to_float(images) - 1 for name, images in parts.items()}


def train_autoencoder(
    model: nn.Module, images: Tensor, *, epochs: int, lr: float, seed: int = 0
) -> nn.Module:
    """Train an autoencoder in batches of 64, the rate rising to ``lr`` and falling again.

    Args:
        model: Maps images to images of the same shape.
        images: ``(N, 1, H, W)``, from -1 to 1.
        epochs: Passes over them.
        lr: The highest rate of Adam.
        seed: Decides the order of images.

    Returns:
        The model itself, in evaluation mode.
    """
    batches = Batches(images, images, 64, seed=seed)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    steps = epochs * len(batches)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    options = {"loss_fn": summed_squared_error, "step_scheduler": cycle, "progress": False}
    fit(model, batches, optimizer, epochs=epochs, **options)
    return model.eval()


def _errors(
    study: Study, model: nn.Module, epochs: int, seed: int, lr: float, low: float = -1.0
) -> list[float]:
    """Train on pixels from ``low`` to 1, and measure as if they were from -1 to 1."""
    part = (1 - low) / 2
    parts = {name: 1 + part * (x - 1) for name, x in digits(study.size.official).items()}
    train_autoencoder(model, parts["train"], epochs=epochs, lr=lr, seed=seed)
    return [reconstruction_error(model, parts[name]) / part**2 for name in ERRORS]


def _train_width(study: Study, latent: int, *key: Any) -> list[float]:
    with isolated_seed(key[1]):
        model = MLPAutoencoder(widths=(128, 64), latent=latent)
    return _errors(study, model, *key)


def _train_layers(study: Study, layers: str, *key: Any) -> list[float]:
    linear = layers == "linear"  # both have 32 numbers in a code
    with isolated_seed(key[1]):
        model = MLPAutoencoder(widths=(128, 64), latent=32) if linear else ConvAutoencoder(28)
    return _errors(study, model, *key)


def _train_scale(study: Study, scale: str, *key: Any) -> list[float]:
    final, low = ENDS[scale]
    with isolated_seed(key[1]):
        model = MLPAutoencoder(final=final)
    return _errors(study, model, *key, low=low)


def _widths(size: Size) -> Iterable[tuple[Any, ...]]:
    plan = product(size.seeds, size.epochs, size.rates, size.latents)
    return ((latent, epochs, seed, lr) for seed, epochs, lr, latent in plan)


def _layers(size: Size) -> Iterable[tuple[Any, ...]]:
    plan = product(size.seeds, size.layer_epochs, size.layer_rates, size.layers)
    return ((layers, epochs, seed, lr) for seed, epochs, lr, layers in plan)


def _scales(size: Size) -> Iterable[tuple[Any, ...]]:
    plan = product(size.seeds, size.scale_epochs, size.scale_rates, ENDS)
    return ((scale, epochs, seed, lr) for seed, epochs, lr, scale in plan)


PARTS = {
    "compare": (Runs(WIDTHS, _widths, _train_width),),
    "layers": (Runs(LAYERS, _layers, _train_layers),),
    "scales": (Runs(SCALES, _scales, _train_scale),),
}


def load_widths(folder: str | Path | None = None) -> dict[int, dict[int, SeedRuns]]:
    """Read the test errors of each bottleneck, each trained at its best rate.

    The rate is chosen for each bottleneck and budget by the mean validation error.

    Returns:
        A dict from epochs to one from numbers in a code to test errors.

    Raises:
        ValueError: If the table is another one or lacks runs.
    """
    return _at_best_rates(WIDTHS, folder)


def load_layers(folder: str | Path | None = None) -> dict[int, dict[str, SeedRuns]]:
    """Read the test errors of networks of two kinds of layers, as :func:`load_widths` does."""
    return _at_best_rates(LAYERS, folder)


def load_scales(folder: str | Path | None = None) -> dict[int, dict[str, SeedRuns]]:
    """Read the test errors of scales and last layers, as :func:`load_widths` does."""
    return _at_best_rates(SCALES, folder)


def best_rates(table: RunTable, folder: str | Path | None = None) -> dict[tuple[Any, int], float]:
    """Find the rate of the lowest mean validation error for each arm and number of epochs."""
    tried: dict[tuple[Any, int], dict[float, float]] = {}
    for (arm, epochs, lr), found in table.runs(folder).items():
        tried.setdefault((arm, epochs), {})[lr] = found["validation"].mean
    return {key: min(rates, key=rates.__getitem__) for key, rates in tried.items()}


def _at_best_rates(table: RunTable, folder: str | Path | None) -> dict[int, dict[Any, SeedRuns]]:
    runs, found = table.runs(folder), {}
    for (arm, epochs), lr in best_rates(table, folder).items():
        found.setdefault(epochs, {})[arm] = runs[arm, epochs, lr]["test"]
    return found


if __name__ == "__main__":
    run_study("autoencoders", SIZES, PARTS)
