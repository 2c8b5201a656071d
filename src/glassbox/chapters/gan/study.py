"""The comparison of chapter 5: one task, five ways to make digits, equal time to train each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.pixels import resize, to_float
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
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict
from glassbox.training.loop import fit
from glassbox.training.recipes import train_one_cycle

SIZE, BATCH = 16, 64
LR = 3e-3  # the best of four on a seed that is not compared: `benchmarks/generators.py rates`
FEATURES = "classifier.relu4"  # the last layer before the logits


@dataclass(frozen=True)
class GenerativeTask:
    """Digits to learn from, digits to compare with, and a classifier to see both through.

    Args:
        train: ``(N, 1, 16, 16)`` from -1 to 1.
        held: Other digits of the same kind.
        classifier: Trained on ``train``, in ``eval`` mode.
        accuracy: Its fraction of right answers on ``held``.
    """

    train: Tensor
    held: Tensor
    classifier: LeNet5
    accuracy: float


class Scores(NamedTuple):
    """How generated images compare with real ones held back; see ``generative_metrics``."""

    frechet: float
    precision: float
    recall: float
    density: float
    coverage: float
    imbalance: float


def generative_task() -> GenerativeTask:
    """Split the digits in two halves and train the classifier on the first.

    Returns:
        The task, always the same.
    """
    digits = load("digits")
    images, labels = 2 * to_float(resize(digits.images, SIZE)) - 1, digits.labels
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    train, held = order[: len(order) // 2], order[len(order) // 2 :]
    with isolated_seed(0):
        classifier = LeNet5(size=SIZE)
        batches = Batches(images[train], labels[train], BATCH)
        train_one_cycle(classifier, batches, epochs=20, lr=5e-3, progress=False)
    right = predict(classifier, images[held]).argmax(1) == labels[held]
    return GenerativeTask(
        images[train], images[held], classifier.eval(), right.double().mean().item()
    )


Sampler = Callable[[int, torch.Generator], Tensor]


def train_autoencoder(images: Tensor, seed: int, lr: float = LR) -> dict[str, Sampler]:
    """Train an autoencoder, and draw its codes from two normal distributions.

    Args:
        images: ``(N, 1, 16, 16)`` from -1 to 1.
        seed: Decides everything.
        lr: Learning rate of Adam.

    Returns:
        Samplers by name: the codes are standard normal, or have the mean and the covariance of
        those of the images.
    """
    with isolated_seed(seed):
        model = MLPAutoencoder(SIZE)
        optimizer = torch.optim.Adam(model.parameters(), lr)
        batches = Batches(images, images, BATCH, seed=seed)
        fit(model, batches, optimizer, epochs=150, loss_fn=summed_squared_error, progress=False)
    codes = predict(model.encoder, images)
    root = torch.linalg.cholesky(codes.T.cov())

    def standard(count: int, generator: torch.Generator) -> Tensor:
        return predict(model.decoder, torch.randn(count, 3, generator=generator))

    def fitted(count: int, generator: torch.Generator) -> Tensor:
        noise = torch.randn(count, 3, generator=generator) @ root.T
        return predict(model.decoder, codes.mean(0) + noise)

    return {"AE, standard": standard, "AE, fitted": fitted}


def train_vae(images: Tensor, seed: int, lr: float = LR) -> dict[str, Sampler]:
    """Train a VAE with a Bernoulli likelihood.

    Args:
        images: ``(N, 1, 16, 16)`` from -1 to 1.
        seed: Decides everything.
        lr: Learning rate of Adam.

    Returns:
        Its sampler by name, which draws from the prior.
    """
    pixels = (images + 1) / 2
    with isolated_seed(seed):
        model = VAE(SIZE, 200, 20)
        optimizer = torch.optim.Adam(model.parameters(), lr)
        batches = Batches(pixels, pixels, BATCH, seed=seed)
        fit(model, batches, optimizer, epochs=140, progress=False, loss_fn=_negative_elbo)
    return {"VAE": lambda count, generator: 2 * model.sample(count, generator) - 1}


def _negative_elbo(output: object, images: Tensor) -> Tensor:
    return negative_elbo(output, images).loss


def make_players(kind: str, lr: float = LR) -> GAN:
    """Make the two players of one kind, untrained, from the global random state.

    Args:
        kind: A name of :data:`STEPS`.
        lr: Learning rate of both.

    Returns:
        Generator, discriminator and their loss.

    Raises:
        ValueError: If ``kind`` is unknown.
    """
    if kind not in STEPS:
        raise ValueError(f"kind is {kind!r}, expected one of {list(STEPS)}")
    if kind == "DCGAN":
        networks = DCGANGenerator(96, 128, 32, SIZE), DCGANDiscriminator(SIZE, 8, 128)
    else:
        networks = MLPGenerator(96, 256, SIZE), MLPDiscriminator(SIZE, 128)
    loss: AdversarialLoss = least_squares if kind == "LSGAN" else non_saturating
    return GAN(*networks, loss, lr=lr)


# Steps that take as long as each other kind's, measured beforehand.
STEPS: Mapping[str, int] = {"GAN": 1000, "LSGAN": 1000, "DCGAN": 270}


def train_players(kind: str, images: Tensor, seed: int, lr: float = LR, **options: object) -> GAN:
    """Train the two players of one kind.

    Args:
        kind: A name of :data:`STEPS`.
        images: ``(N, 1, 16, 16)`` from -1 to 1.
        seed: Decides everything.
        lr: Learning rate of both.
        **options: Passed on to :func:`glassbox.generation.gan.train_gan`, as ``callbacks``.

    Returns:
        The players.

    Raises:
        ValueError: If ``kind`` is unknown.
    """
    with isolated_seed(seed):
        gan = make_players(kind, lr)
        generator = torch.Generator().manual_seed(seed)
        settings = {"batch_size": BATCH, "progress": False} | options
        train_gan(gan, images, steps=STEPS[kind], generator=generator, **settings)
    return gan


def _samplers(kind: str) -> Callable[..., dict[str, Sampler]]:
    return lambda images, seed, lr=LR: {kind: train_players(kind, images, seed, lr).sample}


TRAININGS: Mapping[str, Callable[..., dict[str, Sampler]]] = {
    "AE": train_autoencoder,
    "VAE": train_vae,
    **{kind: _samplers(kind) for kind in STEPS},
}


def score(task: GenerativeTask, images: Tensor) -> Scores:
    """Compare images with the digits that were held back.

    Args:
        task: From :func:`generative_task`.
        images: ``(M, 1, 16, 16)`` from -1 to 1; as many as were held back, to be comparable.

    Returns:
        All numbers.

    Raises:
        ValueError: If there are too few images.
    """
    real, fake = (layer_features(task.classifier, some, FEATURES) for some in (task.held, images))
    neighbors = precision_recall_density_coverage(real, fake)
    balance = class_balance(predict(task.classifier, images))
    return Scores(frechet_distance(real, fake), *neighbors, balance.total_variation)
