"""The losses of the game: their values at equilibrium, their gradients, and their optimum."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.distributions import Normal

from glassbox.generation import least_squares, minimax, non_saturating
from glassbox.support import isolated_seed

LOSSES = {"minimax": minimax, "non_saturating": non_saturating, "least_squares": least_squares}


def test_the_losses_at_equilibrium():
    undecided, half = torch.zeros(8, 1), torch.full((8, 1), 0.5)
    both = non_saturating.discriminator(undecided, undecided).item()
    assert both == pytest.approx(1.3863, abs=1e-4)
    assert both == pytest.approx(2 * math.log(2))
    assert non_saturating.generator(undecided).item() == pytest.approx(0.6931, abs=1e-4)
    assert minimax.generator(undecided).item() == pytest.approx(-0.6931, abs=1e-4)
    assert least_squares.discriminator(half, half).item() == 0.25
    assert least_squares.generator(half).item() == 0.125


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 999), st.sampled_from([torch.float32, torch.float64]))
def test_the_losses_equal_pytorch_s(seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    real, fake = 5 * torch.randn(2, 9, 1, generator=generator, dtype=dtype)
    ones, zeros = torch.ones_like(fake), torch.zeros_like(fake)
    cross_entropy = F.binary_cross_entropy_with_logits
    both = cross_entropy(real, ones) + cross_entropy(fake, zeros)
    torch.testing.assert_close(non_saturating.discriminator(real, fake), both)
    torch.testing.assert_close(minimax.discriminator(real, fake), both)
    torch.testing.assert_close(non_saturating.generator(fake), cross_entropy(fake, ones))
    torch.testing.assert_close(minimax.generator(fake), -cross_entropy(fake, zeros))
    halves = (F.mse_loss(real, ones) + F.mse_loss(fake, zeros)) / 2
    torch.testing.assert_close(least_squares.discriminator(real, fake), halves)
    torch.testing.assert_close(least_squares.generator(fake), F.mse_loss(fake, ones) / 2)


def test_the_minimax_gradient_fades_where_the_discriminator_is_sure():
    slopes = {}
    for name, loss in LOSSES.items():
        sure_of_a_fake = torch.tensor([-10.0], requires_grad=True)
        loss.generator(sure_of_a_fake).backward()
        slopes[name] = sure_of_a_fake.grad.item()
    assert -5e-5 < slopes["minimax"] < 0
    assert slopes["non_saturating"] == pytest.approx(-1, abs=1e-4)
    assert slopes["least_squares"] == pytest.approx(-11)


def test_the_losses_stay_finite_for_a_discriminator_beyond_doubt():
    sure = torch.full((3, 1), 500.0)
    assert non_saturating.discriminator(-sure, sure).item() == 1000
    assert non_saturating.generator(-sure).item() == 500


def test_the_best_discriminator_of_two_gaussians_is_the_density_ratio():
    # On a grid every point has its own logit, so the loss has the optimum p / (p + q).
    x = torch.linspace(-4, 5, 181, dtype=torch.float64)
    p, q = Normal(0.0, 1.0).log_prob(x), Normal(1.0, 1.0).log_prob(x)
    logits = torch.zeros(181, dtype=torch.float64, requires_grad=True)

    def value(logits):  # the discriminator's loss, with densities in place of samples
        terms = [F.softplus(-logits) * p.exp(), F.softplus(logits) * q.exp()]
        return (x[1] - x[0]) * sum(terms).sum()

    optimizer = torch.optim.LBFGS(
        [logits], max_iter=500, tolerance_grad=1e-12, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        loss = 1e3 * value(logits)
        loss.backward()
        return loss

    optimizer.step(closure)
    ratio = p.exp() / (p.exp() + q.exp())
    inner = slice(20, -20)  # further out both densities are nearly 0
    found = logits.detach().sigmoid()
    torch.testing.assert_close(found[inner], ratio[inner], atol=1e-3, rtol=0)
    mixture = ((p.exp() + q.exp()) / 2).log()
    jsd = (x[1] - x[0]) * ((p - mixture) * p.exp() + (q - mixture) * q.exp()).sum() / 2
    assert value(logits).item() == pytest.approx(2 * math.log(2) - 2 * jsd.item(), abs=1e-3)


def test_a_trained_discriminator_comes_near_the_density_ratio():
    with isolated_seed(0):
        model = nn.Linear(1, 1)  # the log-ratio of Gaussians of one width is linear: 1/2 - x
        optimizer = torch.optim.Adam(model.parameters(), 0.05)
        for _ in range(300):
            real, fake = torch.randn(512, 1), torch.randn(512, 1) + 1
            optimizer.zero_grad()
            non_saturating.discriminator(model(real), model(fake)).backward()
            optimizer.step()
    assert model.weight.item() == pytest.approx(-1, abs=0.15)
    assert model.bias.item() == pytest.approx(0.5, abs=0.15)
