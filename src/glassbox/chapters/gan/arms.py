"""Five ways to make digits, equal time to train each, and a classifier to judge them through.

Small networks make the digits of 16 x 16 pixels that each chapter has; those of the articles make
MNIST's of 28 x 28.
"""

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
from glassbox.training.processes import distribute, process_device, process_share
from glassbox.training.recipes import train_one_cycle

SIZE, BATCH = 16, 64
MNIST_BATCH = 128
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


def mnist_task() -> TrainTest:
    """Take the first 50,000 digits of MNIST to learn from, and its test to compare with.

    They have the shape ``(1, 28, 28)`` and pixels from -1 to 1.
    """
    return TrainTest(
        load("mnist")[:50_000], load("mnist", split="test"), (torch.tensor([0.5]),) * 2
    )


TASKS = {"digits": digit_halves, "mnist": mnist_task}


def train_classifier(task: TrainTest, *, epochs: int = 20) -> LeNet5:
    """Train, on the first half, the network through which digits and samples are compared."""
    with isolated_seed(0):
        classifier = LeNet5(size=task.images.shape[-1])
        batches = Batches(task.images, task.labels, BATCH, **process_share())
        options = {"epochs": epochs, "lr": 5e-3, "progress": False}
        train_one_cycle(distribute(classifier), batches, **options)
    return classifier.cpu().eval()


Sampler = Callable[[int, torch.Generator], Tensor]


def train_autoencoder(images: Tensor, seed: int, length: int, lr: float = LR) -> dict[str, Sampler]:
    """Train an autoencoder, and draw its codes from two normal distributions.

    Args:
        images: ``(N, 1, 16, 16)`` or ``(N, 1, 28, 28)`` from -1 to 1.
        seed: Decides everything.
        length: Epochs.
        lr: Learning rate of Adam.

    Returns:
        Samplers by name: "standard" normal codes, or "fitted" to the mean and the covariance of
        those of the images.
    """
    with isolated_seed(seed):
        model = MLPAutoencoder(images.shape[-1])
        optimizer = torch.optim.Adam(model.parameters(), lr)
        batches = Batches(images, images, _batch(images), seed=seed, **process_share())
        options = {"loss_fn": summed_squared_error, "progress": False}
        fit(distribute(model), batches, optimizer, epochs=length, **options)
    codes = predict(model.cpu().encoder, images)
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
        model = VAE(images.shape[-1], 200 if images.shape[-1] == SIZE else 400, 20)
        optimizer = torch.optim.Adam(model.parameters(), lr)
        batches = Batches(pixels, pixels, _batch(images), seed=seed, **process_share())
        options = {"progress": False, "loss_fn": lambda *pair: negative_elbo(*pair).loss}
        fit(distribute(model), batches, optimizer, epochs=length, **options)
    model.cpu()
    return {"VAE": lambda count, generator: 2 * model.sample(count, generator) - 1}


def _batch(images: Tensor) -> int:
    return BATCH if images.shape[-1] == SIZE else MNIST_BATCH


PLAYERS = ("GAN", "LSGAN", "DCGAN")


def make_players(kind: str, lr: float = LR, size: int = SIZE) -> GAN:
    """Make the two players of one kind, untrained, from the global random state.

    Args:
        kind: One of :data:`PLAYERS`.
        lr: Of both.
        size: Side of the images: 16, or 28 for the networks of the articles.

    Raises:
        ValueError: If ``kind`` is none of those.
    """
    check_choice(PLAYERS, kind=kind)
    if kind == "DCGAN" and size == SIZE:
        networks = DCGANGenerator(96, 128, 32, SIZE), DCGANDiscriminator(SIZE, 8, 128)
    elif kind == "DCGAN":
        networks = DCGANGenerator(size=size), DCGANDiscriminator(size)
    elif size != SIZE:
        networks = MLPGenerator(size=size), MLPDiscriminator(size)
    else:
        networks = MLPGenerator(96, 256, SIZE), MLPDiscriminator(SIZE, 128)
    loss: AdversarialLoss = least_squares if kind == "LSGAN" else non_saturating
    return GAN(*networks, loss, lr=lr)


def train_players(
    kind: str, images: Tensor, seed: int, length: int, lr: float = LR
) -> dict[str, Sampler]:
    """Train the two players of one kind, of :data:`PLAYERS`, as :func:`train_autoencoder`.

    Here ``length`` counts steps, and ``lr`` is the rate of both. Of several processes each makes
    the same training: a step of one player goes through the other, so gradients aren't shared.
    """
    with isolated_seed(seed):
        gan = make_players(kind, lr, images.shape[-1])
        players = gan.generator, gan.discriminator
        for player in players:
            player.to(process_device())
        generator = torch.Generator().manual_seed(seed)
        options = {"batch_size": _batch(images), "generator": generator, "progress": False}
        train_gan(gan, images, steps=length, **options)
        for player in players:
            player.cpu()
    return {kind: gan.sample}


@dataclass(frozen=True)
class Arm:
    """One training of the comparison, of which one sampler or two come.

    Args:
        train: Takes images ``(N, 1, 16, 16)``, a seed, the length and perhaps ``lr``.
        length: Epochs or steps, such that each takes as long as the others, measured beforehand.
        samplers: Names of what it gives.
        mnist: Epochs or steps with MNIST, and the learning rate, as in the articles.
    """

    train: Callable[..., dict[str, Sampler]]
    length: int
    samplers: tuple[str, ...]
    mnist: tuple[int, float]


ARMS: Mapping[str, Arm] = {
    "AE": Arm(train_autoencoder, 150, ("AE, standard", "AE, fitted"), (100, 1e-3)),
    "VAE": Arm(train_vae, 140, ("VAE",), (100, 1e-3)),
    "GAN": Arm(partial(train_players, "GAN"), 1000, ("GAN",), (3910, 3e-4)),
    "LSGAN": Arm(partial(train_players, "LSGAN"), 1000, ("LSGAN",), (3910, 3e-4)),
    "DCGAN": Arm(partial(train_players, "DCGAN"), 270, ("DCGAN",), (1955, 3e-4)),
}


def score(classifier: LeNet5, real: Tensor, images: Tensor) -> Scores:
    """Compare images with as many digits that were held back, ``(N, 1, S, S)`` from -1 to 1.

    Raises:
        ValueError: If there are too few images.
    """
    features = [layer_features(classifier, some, FEATURES) for some in (real, images)]
    neighbors = precision_recall_density_coverage(*features)
    balance = class_balance(predict(classifier, images))
    return Scores(frechet_distance(*features), *neighbors, balance.total_variation)
