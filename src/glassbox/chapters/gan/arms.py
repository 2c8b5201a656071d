"""Five ways to make digits, equal time to train each, and a classifier to judge them through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import resize
from glassbox.data.train_test import TrainTest
from glassbox.generation.gan import GAN, train_gan
from glassbox.generation.gan_losses import AdversarialLoss, least_squares, non_saturating
from glassbox.generation.generative_metrics import (
    class_balance,
    frechet_distance,
    layer_features,
    precision_recall_density_coverage,
)
from glassbox.networks.autoencoders import MLPAutoencoder, summed_squared_error
from glassbox.networks.classifiers import LeNet5
from glassbox.networks.gan_networks import (
    DCGANDiscriminator,
    DCGANGenerator,
    MLPDiscriminator,
    MLPGenerator,
)
from glassbox.networks.vae import VAE, negative_elbo
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict
from glassbox.training.loop import fit
from glassbox.training.recipes import train_one_cycle

SIZE, BATCH = 16, 64
LR = 3e-3  # the best of four on a seed that is not compared: `--part rates` of the study
FEATURES = "classifier.relu4"  # the last layer before the logits


class Scores(NamedTuple):
    """How generated images compare with real ones held back; see ``generative_metrics``."""

    frechet: float
    precision: float
    recall: float
    density: float
    coverage: float
    imbalance: float


def digit_halves() -> TrainTest:
    """Split the digits: 898 to learn from, 899 to compare with, ``(1, 16, 16)`` from -1 to 1."""
    digits = load("digits")
    large = replace(digits, images=resize(digits.images, SIZE))
    order = torch.randperm(len(large), generator=torch.Generator().manual_seed(0))
    half = len(order) // 2
    return TrainTest(large[order[:half]], large[order[half:]], (torch.tensor([0.5]),) * 2)


def train_classifier(task: TrainTest, *, epochs: int = 20) -> LeNet5:
    """Train, on the first half, the network through which digits and samples are compared."""
    with isolated_seed(0):
        classifier = LeNet5(size=SIZE)
        batches = Batches(task.images, task.labels, BATCH)
        train_one_cycle(classifier, batches, epochs=epochs, lr=5e-3, progress=False)
    return classifier.eval()


Sampler = Callable[[int, torch.Generator], Tensor]


def train_autoencoder(images: Tensor, seed: int, length: int, lr: float = LR) -> dict[str, Sampler]:
    """Train an autoencoder, and draw its codes from two normal distributions.

    Args:
        images: ``(N, 1, 16, 16)`` from -1 to 1.
        seed: Decides everything.
        length: Epochs.
        lr: Learning rate of Adam.

    Returns:
        Samplers by name: "standard" normal codes, or "fitted" to the mean and the covariance of
        those of the images.
    """
    with isolated_seed(seed):
        model = MLPAutoencoder(SIZE)
        optimizer = torch.optim.Adam(model.parameters(), lr)
        batches = Batches(images, images, BATCH, seed=seed)
        fit(model, batches, optimizer, epochs=length, loss_fn=summed_squared_error, progress=False)
    codes = predict(model.encoder, images)
    root = torch.linalg.cholesky(codes.T.cov())

    def standard(count: int, generator: torch.Generator) -> Tensor:
        return predict(model.decoder, torch.randn(count, 3, generator=generator))

    def fitted(count: int, generator: torch.Generator) -> Tensor:
        noise = torch.randn(count, 3, generator=generator) @ root.T
        return predict(model.decoder, codes.mean(0) + noise)

    return {"AE, standard": standard, "AE, fitted": fitted}


def train_vae(images: Tensor, seed: int, length: int, lr: float = LR) -> dict[str, Sampler]:
    """Train a VAE with a Bernoulli likelihood, as :func:`train_autoencoder`; its prior is drawn."""
    pixels = (images + 1) / 2
    with isolated_seed(seed):
        model = VAE(SIZE, 200, 20)
        optimizer = torch.optim.Adam(model.parameters(), lr)
        batches = Batches(pixels, pixels, BATCH, seed=seed)
        options = {"progress": False, "loss_fn": lambda *pair: negative_elbo(*pair).loss}
        fit(model, batches, optimizer, epochs=length, **options)
    return {"VAE": lambda count, generator: 2 * model.sample(count, generator) - 1}


PLAYERS = ("GAN", "LSGAN", "DCGAN")


def make_players(kind: str, lr: float = LR) -> GAN:
    """Make the two players of one kind, untrained, from the global random state.

    Raises:
        ValueError: If ``kind`` is none of :data:`PLAYERS`.
    """
    check_choice(PLAYERS, kind=kind)
    if kind == "DCGAN":
        networks = DCGANGenerator(96, 128, 32, SIZE), DCGANDiscriminator(SIZE, 8, 128)
    else:
        networks = MLPGenerator(96, 256, SIZE), MLPDiscriminator(SIZE, 128)
    loss: AdversarialLoss = least_squares if kind == "LSGAN" else non_saturating
    return GAN(*networks, loss, lr=lr)


def train_players(
    kind: str, images: Tensor, seed: int, length: int, lr: float = LR
) -> dict[str, Sampler]:
    """Train the two players of one kind, of :data:`PLAYERS`, as :func:`train_autoencoder`.

    Here ``length`` counts steps, and ``lr`` is the rate of both.
    """
    with isolated_seed(seed):
        gan = make_players(kind, lr)
        generator = torch.Generator().manual_seed(seed)
        options = {"batch_size": BATCH, "generator": generator, "progress": False}
        train_gan(gan, images, steps=length, **options)
    return {kind: gan.sample}


@dataclass(frozen=True)
class Arm:
    """One training of the comparison, of which one sampler or two come.

    Args:
        train: Takes images ``(N, 1, 16, 16)``, a seed, the length and perhaps ``lr``.
        length: Epochs or steps, such that each takes as long as the others, measured beforehand.
        samplers: Names of what it gives.
    """

    train: Callable[..., dict[str, Sampler]]
    length: int
    samplers: tuple[str, ...]


ARMS: Mapping[str, Arm] = {
    "AE": Arm(train_autoencoder, 150, ("AE, standard", "AE, fitted")),
    "VAE": Arm(train_vae, 140, ("VAE",)),
    "GAN": Arm(partial(train_players, "GAN"), 1000, ("GAN",)),
    "LSGAN": Arm(partial(train_players, "LSGAN"), 1000, ("LSGAN",)),
    "DCGAN": Arm(partial(train_players, "DCGAN"), 270, ("DCGAN",)),
}


def score(classifier: LeNet5, real: Tensor, images: Tensor) -> Scores:
    """Compare images with as many digits that were held back, ``(N, 1, 16, 16)`` from -1 to 1.

    Raises:
        ValueError: If there are too few images.
    """
    features = [layer_features(classifier, some, FEATURES) for some in (real, images)]
    neighbors = precision_recall_density_coverage(*features)
    balance = class_balance(predict(classifier, images))
    return Scores(frechet_distance(*features), *neighbors, balance.total_variation)
