"""The task and the trainings of the comparison of generators."""

import pytest
import torch

from glassbox.chapters.gan.study import (
    STEPS,
    TRAININGS,
    Scores,
    generative_task,
    make_players,
    score,
    train_players,
)
from glassbox.generation import least_squares, non_saturating
from glassbox.networks import DCGANDiscriminator, DCGANGenerator, MLPDiscriminator, MLPGenerator


@pytest.fixture(scope="module")
def task():
    return generative_task()


def test_the_task_keeps_its_halves_apart_and_its_classifier_reads(task):
    assert len(task.train) == 898 and len(task.held) == 899
    assert task.train.min() == -1 and task.train.max() == 1
    assert torch.cdist(task.train.flatten(1), task.held.flatten(1)).min() > 0.1
    assert task.accuracy > 0.93 and not task.classifier.training


def test_real_digits_score_best_and_noise_worst(task):
    noise = 2 * torch.rand(899, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 1
    real, noise = score(task, task.train), score(task, noise)
    assert real.frechet < 10 and noise.frechet > 100
    assert all(getattr(real, name) > getattr(noise, name) + 0.5 for name in Scores._fields[1:5])
    assert real.imbalance < 0.05


def test_one_class_alone_is_out_of_balance(task):
    answers = task.classifier(task.train).argmax(1)
    assert score(task, task.train[answers == 3]).imbalance == pytest.approx(0.9)


@pytest.mark.parametrize("kind", STEPS)
def test_players_follow_from_the_seed_alone(kind, task, monkeypatch):
    monkeypatch.setitem(STEPS, kind, 3)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (train_players(kind, task.train, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    drawn = [gan.sample(4, torch.Generator().manual_seed(0)) for gan in (first, again, other)]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
    assert drawn[0].shape == (4, 1, 16, 16)


@pytest.mark.parametrize("training, names", [("AE", 2), ("VAE", 1)])
def test_samplers_make_images_from_minus_one_to_one(training, names, task):
    samplers = TRAININGS[training](task.train[:64], 0)
    assert len(samplers) == names
    for sample in samplers.values():
        images = sample(5, torch.Generator().manual_seed(0))
        assert images.shape == (5, 1, 16, 16) and -1 <= images.min() < images.max() <= 1
        assert torch.equal(images, sample(5, torch.Generator().manual_seed(0)))


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="kind is 'WGAN', expected one of"):
        make_players("WGAN")


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


def test_one_digit_over_and_over_is_precise_and_recalls_nothing(task):
    noise = torch.rand(task.held.shape, generator=torch.Generator().manual_seed(0))
    found = score(task, task.train[:1] + 0.02 * (2 * noise - 1))
    assert found.precision > 0.9 and found.recall < 0.1 and found.coverage < 0.1


@pytest.mark.parametrize(
    "training, name, low, high",
    [("AE", "AE, standard", 0.1, 1), ("AE", "AE, fitted", 0, 0.03), ("VAE", "VAE", 0, 0.15)],
)
def test_codes_from_the_right_place_decode_to_the_mean_digit(training, name, low, high, task):
    images = task.train[:64]
    made = TRAININGS[training](images, 0)[name](200, torch.Generator().manual_seed(0))
    assert low <= (made.mean(0) - images.mean(0)).abs().mean() < high
