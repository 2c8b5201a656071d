"""The losses of the game are those of PyTorch, and stay finite."""

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbox.generation import least_squares, minimax, non_saturating


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


def test_scores_may_have_one_dimension():
    real, fake = torch.randn(2, 9, generator=torch.Generator().manual_seed(0))
    for loss in (minimax, non_saturating, least_squares):
        assert loss.generator(fake) == loss.generator(fake[:, None])
        assert loss.discriminator(real, fake) == loss.discriminator(real[:, None], fake[:, None])


def test_the_losses_stay_finite_for_a_discriminator_beyond_doubt():
    sure = torch.full((3, 1), 500.0)
    assert non_saturating.discriminator(-sure, sure).item() == 1000
    assert non_saturating.generator(-sure).item() == 500
