"""The losses of the two players of a generative adversarial network."""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class AdversarialLoss(NamedTuple):
    """What the two players make small.

    Args:
        discriminator: Maps logits of real and of fake images to a scalar.
        generator: Maps logits of fake images to a scalar.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def _cross_entropy_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    r"""Compute :math:`-E[\log D(x)] - E[\log(1 - D(G(z)))]`, with D the sigmoid of the logit.

    Args:
        real_logits: Any shape.
        fake_logits: Any shape.

    Returns:
        A scalar; :math:`2 \ln 2` where D says 1/2 everywhere.

    Reference:
        Goodfellow et al. (2014), "Generative Adversarial Networks",
        https://arxiv.org/abs/1406.2661.
    """
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def _minimax_generator(fake_logits: Tensor) -> Tensor:
    r"""Compute :math:`E[\log(1 - D(G(z)))]`, whose gradient fades where D is sure of a fake.

    Args:
        fake_logits: Any shape.

    Returns:
        A scalar; :math:`-\ln 2` where D says 1/2 everywhere.
    """
    return -F.softplus(fake_logits).mean()


def _non_saturating_generator(fake_logits: Tensor) -> Tensor:
    r"""Compute :math:`-E[\log D(G(z))]`, whose gradient is largest where D is sure of a fake.

    Args:
        fake_logits: Any shape.

    Returns:
        A scalar; :math:`\ln 2` where D says 1/2 everywhere.
    """
    return F.softplus(-fake_logits).mean()


def _least_squares_discriminator(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Halve the mean squared distance of real scores to 1 and of fake scores to 0.

    Args:
        real_scores: Any shape; no sigmoid is applied.
        fake_scores: Any shape.

    Returns:
        A scalar; 1/4 where all scores are 1/2.

    Reference:
        Mao et al. (2016), "Least Squares Generative Adversarial Networks",
        https://arxiv.org/abs/1611.04076.
    """
    return ((real_scores - 1).square().mean() + fake_scores.square().mean()) / 2


def _least_squares_generator(fake_scores: Tensor) -> Tensor:
    """Halve the mean squared distance of fake scores to 1.

    Args:
        fake_scores: Any shape.

    Returns:
        A scalar; 1/8 where all scores are 1/2.
    """
    return (fake_scores - 1).square().mean() / 2


minimax = AdversarialLoss(_cross_entropy_discriminator, _minimax_generator)
non_saturating = AdversarialLoss(_cross_entropy_discriminator, _non_saturating_generator)
least_squares = AdversarialLoss(_least_squares_discriminator, _least_squares_generator)
