"""The adversarial game: what each step changes, what it leaves alone, and the training."""

import copy
import math
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from refusals import refuses
from torch import nn

from glassbox.autograd import capture
from glassbox.generation import (
    GAN,
    Snapshots,
    discriminator_step,
    draw_ring,
    generator_step,
    least_squares,
    minimax,
    non_saturating,
    train_gan,
)
from glassbox.generation.gaussian_ring import _RingDiscriminator, _RingGenerator
from glassbox.support import isolated_seed

LOSSES = {"minimax": minimax, "non_saturating": non_saturating, "least_squares": least_squares}


def players(seed=0, loss=non_saturating, **options):
    with isolated_seed(seed):
        return GAN(_RingGenerator(hidden=16), _RingDiscriminator(hidden=16), loss, **options)


def weights(model):
    return copy.deepcopy(model.state_dict())


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def points(count=64):
    return draw_ring(count, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_each_step_moves_its_own_player_only(loss):
    gan = players(loss=loss)
    before = weights(gan.generator), weights(gan.discriminator)
    generator_step(gan, gan.noise(32))
    assert not same(before[0], weights(gan.generator))
    assert same(before[1], weights(gan.discriminator))
    before = weights(gan.generator), weights(gan.discriminator)
    discriminator_step(gan, points(), gan.noise(64))
    assert same(before[0], weights(gan.generator))
    assert not same(before[1], weights(gan.discriminator))


def test_each_step_leaves_no_gradient_in_the_other_player():
    gan = players()
    generator_step(gan, gan.noise(32))
    assert all(parameter.grad is None for parameter in gan.discriminator.parameters())
    assert all(parameter.requires_grad for parameter in gan.discriminator.parameters())
    gan = players()
    discriminator_step(gan, points(), gan.noise(64))
    assert all(parameter.grad is None for parameter in gan.generator.parameters())


def test_freezing_changes_no_gradient_of_the_generator():
    naive, ours = players(), players()
    noise = naive.noise(32, torch.Generator().manual_seed(0))
    loss = non_saturating.generator(naive.discriminator(naive.generator(noise)))
    loss.backward()
    assert generator_step(ours, noise) == loss.item()
    pairs = zip(naive.generator.parameters(), ours.generator.parameters(), strict=True)
    assert all(torch.equal(first.grad, second.grad) for first, second in pairs)


def test_the_steps_equal_the_game_written_out():
    ours, theirs = players(), players()
    optimizers = [
        torch.optim.Adam(model.parameters(), 3e-4, betas=(0.5, 0.999))
        for model in (theirs.discriminator, theirs.generator)
    ]
    generator = torch.Generator().manual_seed(0)
    history = train_gan(ours, points(), steps=5, batch_size=8, generator=generator, progress=False)
    generator.manual_seed(0)
    losses = []
    for _ in range(5):
        real = points()[torch.randint(64, (8,), generator=generator)]
        fake = theirs.generator(theirs.noise(8, generator)).detach()
        ones, zeros = torch.ones(8, 1), torch.zeros(8, 1)
        on_real = F.binary_cross_entropy_with_logits(theirs.discriminator(real), ones)
        on_fake = F.binary_cross_entropy_with_logits(theirs.discriminator(fake), zeros)
        optimizers[0].zero_grad()
        (on_real + on_fake).backward()
        optimizers[0].step()
        fake = theirs.generator(theirs.noise(8, generator))
        fooled = F.binary_cross_entropy_with_logits(theirs.discriminator(fake), ones)
        optimizers[1].zero_grad()
        fooled.backward()
        optimizers[1].step()
        losses.append(((on_real + on_fake).item(), fooled.item()))
    expected_d, expected_g = zip(*losses, strict=True)
    assert history.discriminator == pytest.approx(expected_d, rel=1e-5)
    assert history.generator == pytest.approx(expected_g, rel=1e-5)


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_frozen_before_stays_so_and_the_rest_thaws(fails):
    gan = players()
    gan.discriminator.layers[0].requires_grad_(False)
    before = [parameter.requires_grad for parameter in gan.discriminator.parameters()]
    with pytest.raises(RuntimeError) if fails else nullcontext():
        generator_step(gan, gan.noise(4)[:, : 1 if fails else None])
    assert [parameter.requires_grad for parameter in gan.discriminator.parameters()] == before


def normed(seed=0):
    with isolated_seed(seed):
        layers = nn.Linear(2, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1)
    return nn.Sequential(*layers)


def test_real_and_fake_points_go_through_in_separate_batches():
    gan = GAN(_RingGenerator(hidden=16), normed())
    with capture(gan.discriminator, ["0"]) as seen:
        discriminator_step(gan, points(), gan.noise(48))
    assert [len(batch) for batch in seen["0"]] == [64, 48]
    assert gan.discriminator[1].num_batches_tracked == 2


def test_training_repeats_with_its_generator_and_leaves_the_global_state_alone():
    state, histories = torch.get_rng_state(), []
    for seed in (1, 1, 2):
        generator = torch.Generator().manual_seed(seed)
        options = {"steps": 4, "batch_size": 8, "generator": generator, "progress": False}
        histories.append(train_gan(players(), points(), **options))
    assert histories[0] == histories[1] != histories[2]
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("generator_steps", [1, 3])
def test_the_generator_steps_as_often_as_asked(generator_steps):
    gan = players()
    train_gan(gan, points(), steps=4, batch_size=8, generator_steps=generator_steps, progress=False)
    counts = [
        next(iter(optimizer.state.values()))["step"].item()
        for optimizer in (gan.discriminator_optimizer, gan.generator_optimizer)
    ]
    assert counts == [4, 4 * generator_steps]


def test_snapshots_are_of_one_noise_and_do_not_change_the_training():
    def run(callbacks):
        with isolated_seed(0):
            layers = nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)
            gan = GAN(nn.Sequential(*layers), _RingDiscriminator(hidden=8))
            gan.generator.noise = 2
            options = {"steps": 6, "batch_size": 8, "progress": False}
            return gan, train_gan(gan, points(), callbacks=callbacks, **options)

    noise = torch.rand(5, 2)
    snapshots = Snapshots(noise, every=3)
    gan, history = run([snapshots])
    assert snapshots.steps == [0, 3, 6]
    assert [image.shape for image in snapshots.images] == [(5, 2)] * 3
    assert torch.equal(snapshots.images[-1], gan.generator.eval()(noise))
    assert not torch.equal(snapshots.images[0], snapshots.images[1])
    assert run([])[1] == history


def test_samples_do_not_depend_on_their_batch():
    gan = players()
    gan.generator.layers.append(nn.BatchNorm1d(2))
    alone = gan.sample(1, torch.Generator().manual_seed(0))
    together = gan.sample(9, torch.Generator().manual_seed(0))
    torch.testing.assert_close(alone[0], together[0])
    assert gan.generator.training and not together.requires_grad


def test_noise_is_uniform_from_minus_one_to_one():
    noise = players().noise(20_000, torch.Generator().manual_seed(0))
    assert -1 <= noise.min() < -0.999 and 0.999 < noise.max() <= 1
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.var().item() == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_noise_and_images_come_in_the_type_of_the_players(dtype):
    gan, generator = players(), torch.Generator().manual_seed(0)
    for player in (gan.generator, gan.discriminator):
        player.to(dtype)
    noise = gan.noise(8, generator)
    assert noise.dtype == dtype == gan.sample(3).dtype
    expected = players().noise(8, torch.Generator().manual_seed(0))
    assert torch.equal(noise, expected.to(dtype))
    assert discriminator_step(gan, points(), expected) > 0 and generator_step(gan, expected) > 0
    history = train_gan(gan, points(), steps=2, batch_size=8, progress=False)
    assert len(history.generator) == 2


def test_a_loss_that_is_not_finite_ends_the_training():
    with pytest.raises(FloatingPointError, match="loss of the discriminator is inf in step 1"):
        train_gan(players(loss=least_squares), points() * 1e30, steps=3, progress=False)


def test_a_step_whose_loss_is_not_finite_changes_nothing():
    gan = players(loss=least_squares)
    before = [p.clone() for net in (gan.generator, gan.discriminator) for p in net.parameters()]
    with pytest.raises(FloatingPointError, match=r"^the loss of the discriminator is inf$"):
        discriminator_step(gan, points() * 1e30, gan.noise(8))
    with pytest.raises(FloatingPointError, match=r"^the loss of the generator is inf$"):
        generator_step(gan, gan.noise(8) * 1e30)
    after = [p for net in (gan.generator, gan.discriminator) for p in net.parameters()]
    assert all(map(torch.equal, before, after)) and not any(p.grad is not None for p in after)


def test_noise_and_batches_are_drawn_on_the_cpu_whatever_the_default_device():
    gan, other = players(), players()
    options = {"steps": 2, "batch_size": 8, "progress": False}
    expected = train_gan(gan, points(), generator=torch.Generator().manual_seed(1), **options)
    with torch.device("meta"):
        found = train_gan(
            other, points().numpy(), generator=torch.Generator().manual_seed(1), **options
        )
    assert found == expected


test_a_wrong_argument_is_named = refuses(
    (lambda: players(lr=0), "lr is 0"),
    (lambda: players(lr=math.inf), "lr is inf"),
    (lambda: players(betas=(0.5, 1)), r"betas\[1\] is 1, expected 0 to below 1"),
    (lambda: GAN(_RingGenerator(), nn.Identity()), "parameters of discriminator is empty"),
    (lambda: GAN(_RingGenerator(), None), TypeError, "discriminator is None"),
    (lambda: train_gan(players(), points() * math.nan, steps=1), "images has 128 entries that are"),
    (lambda: least_squares.generator(torch.ones(2, 1).long()), TypeError, "fake_scores has type"),
    (lambda: minimax.generator(torch.zeros(0, 1)), "fake_logits has shape"),
    (
        lambda: generator_step(GAN(_RingGenerator(), nn.Linear(2, 2)), torch.zeros(8, 2)),
        r"fake_logits has shape \(8, 2\) .*, expected \(B,\) or \(B, 1\)",
    ),
    (
        lambda: discriminator_step(players(), points() * math.nan, players().noise(8)),
        "real has 128 entries that are nan",
    ),
    (lambda: generator_step(players(), points() / 0), "noise has .* infinite"),
    (lambda: players().noise(0), "count is 0"),
    (
        lambda: train_gan(players(), points(), steps=1, batch_size=2.5),
        TypeError,
        "batch_size is 2.5",
    ),
    (lambda: Snapshots(torch.zeros(1, 2), every=0), "every is 0, expected at least 1"),
    (lambda: train_gan(players(), points(), steps=0), "steps is 0, expected at least 1"),
    (lambda: train_gan(players(), points(), steps=1, batch_size=1), "batch_size is 1"),
    (lambda: train_gan(players(), points(), steps=1, generator_steps=0), "generator_steps is"),
    (lambda: train_gan(players(), points()[:0], steps=1), "images is empty"),
    (
        lambda: train_gan(players(), torch.zeros(9, 1, 4, 4), steps=1, batch_size=8),
        r"real has shape \(8, 1, 4, 4\) .* \(8, 2\)",
    ),
)
