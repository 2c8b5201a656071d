"""The halves, the trainings and the judge of the comparison of generators, and what is stored."""

import pytest
import torch

from glassbox.chapters.gan.arms import (
    ARMS,
    Scores,
    digit_halves,
    make_players,
    score,
    train_classifier,
)
from glassbox.chapters.gan.study import load_ring
from glassbox.generation import least_squares, non_saturating
from glassbox.networks import DCGANDiscriminator, DCGANGenerator, MLPDiscriminator, MLPGenerator
from glassbox.training import accuracy, predict


@pytest.fixture(scope="module")
def task():
    return digit_halves()


@pytest.fixture(scope="module")
def classifier(task):
    return train_classifier(task)


def test_the_halves_are_apart_and_the_classifier_reads(task, classifier):
    assert len(task.images) == 898 and len(task.test_images) == 899
    assert task.images.min() == -1 and task.images.max() == 1
    assert torch.cdist(task.images.flatten(1), task.test_images.flatten(1)).min() > 0.1
    assert accuracy(predict(classifier, task.test_images), task.test_labels) > 0.93
    assert not classifier.training


def test_the_judge_knows_digits_noise_one_class_and_one_digit(task, classifier):
    noise = 2 * torch.rand(899, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 1
    threes = task.images[classifier(task.images).argmax(1) == 3]
    same = task.images[:1] + 0.02 * noise
    images = task.images, noise, threes, same
    real, noise, threes, same = (score(classifier, task.test_images, some) for some in images)
    assert real.frechet < 10 and noise.frechet > 100
    assert all(getattr(real, name) > getattr(noise, name) + 0.5 for name in Scores._fields[1:5])
    assert real.imbalance < 0.05 and threes.imbalance == pytest.approx(0.9)
    assert same.precision > 0.9 and same.recall < 0.1 and same.coverage < 0.1


@pytest.mark.parametrize("name", ARMS)
def test_samplers_make_images_from_minus_one_to_one(name, task):
    samplers = ARMS[name].train(task.images[:64], 0, 3)
    assert tuple(samplers) == ARMS[name].samplers
    for sample in samplers.values():
        images = sample(5, torch.Generator().manual_seed(0))
        assert images.shape == (5, 1, 16, 16) and -1 <= images.min() < images.max() <= 1
        assert torch.equal(images, sample(5, torch.Generator().manual_seed(0)))


@pytest.mark.parametrize(
    "kind, loss, networks",
    [
        ("GAN", non_saturating, (MLPGenerator, MLPDiscriminator)),
        ("LSGAN", least_squares, (MLPGenerator, MLPDiscriminator)),
        ("DCGAN", non_saturating, (DCGANGenerator, DCGANDiscriminator)),
    ],
)
def test_players_have_the_networks_and_the_loss_of_their_kind(kind, loss, networks):
    gan = make_players(kind)
    assert gan.loss is loss
    assert (type(gan.generator), type(gan.discriminator)) == networks
    with pytest.raises(ValueError, match="kind is 'WGAN', expected one of"):
        make_players("WGAN")


@pytest.mark.parametrize(
    "arm, name, low, high",
    [("AE", "AE, standard", 0.1, 1), ("AE", "AE, fitted", 0, 0.03), ("VAE", "VAE", 0, 0.15)],
)
def test_codes_from_the_right_place_decode_to_the_mean_digit(arm, name, low, high, task):
    images = task.images[:64]
    samplers = ARMS[arm].train(images, 0, ARMS[arm].length)
    made = samplers[name](200, torch.Generator().manual_seed(0))
    assert low <= (made.mean(0) - images.mean(0)).abs().mean() < high


def test_a_healthy_ring_has_all_modes_and_a_collapsed_one_better_looking_losses():
    ring = load_ring()
    assert set(ring["healthy"]["modes"].values) == {8}
    assert max(ring["collapsed"]["modes"].values) <= 1
    for name, ideal in (("discriminator", 1.386), ("generator", 0.693)):
        far, near = (abs(ring[recipe][name].mean - ideal) for recipe in ("healthy", "collapsed"))
        assert near < 0.03 < far
