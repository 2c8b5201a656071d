"""The losses of the two players of a generative adversarial network."""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from glassbox.support.arguments import check_floating_point, reject_tensor


class AdversarialLoss(NamedTuple):
    """The losses of both players, functions of logits of real and fake images that give scalars.

    An infinite logit is a probability of 0 or 1. Where a loss is not finite, as for nan, the steps
    of a training refuse it.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def _cross_entropy_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    r"""Compute :math:`-E[\log D(x)] - E[\log(1 - D(G(z)))]`, where D is the sigmoid of a logit.

    Reference:
        Goodfellow et al. (2014), "Generative Adversarial Networks",
        https://arxiv.org/abs/1406.2661.
    """
    _check(real_logits=real_logits, fake_logits=fake_logits)
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def _minimax_generator(fake_logits: Tensor) -> Tensor:
    r"""Compute :math:`E[\log(1 - D(G(z)))]`, whose gradient vanishes where D is sure of a fake."""
    _check(fake_logits=fake_logits)
    return -F.softplus(fake_logits).mean()


def _non_saturating_generator(fake_logits: Tensor) -> Tensor:
    r"""Compute :math:`-E[\log D(G(z))]`, whose gradient is largest where D is sure of a fake."""
    _check(fake_logits=fake_logits)
    return F.softplus(-fake_logits).mean()


def _least_squares_discriminator(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Halve the mean squared distance of real scores to 1 and of fake scores to 0.

    Reference:
        Mao et al. (2016), "Least Squares Generative Adversarial Networks",
        https://arxiv.org/abs/1611.04076.
    """
    _check(real_scores=real_scores, fake_scores=fake_scores)
    return ((real_scores - 1).square().mean() + fake_scores.square().mean()) / 2


def _least_squares_generator(fake_scores: Tensor) -> Tensor:
    """Halve the mean squared distance of fake scores to 1."""
    _check(fake_scores=fake_scores)
    return (fake_scores - 1).square().mean() / 2


def _check(**scores: Tensor) -> None:
    """Refuse what is no ``(B, 1)``, ``(B,)`` or single score of floating point."""
    check_floating_point(**scores)
    for name, tensor in scores.items():
        if tensor.shape[1:] not in ((), (1,)) or tensor.numel() == 0:
            reject_tensor(name, tensor, "(B,) or (B, 1)")


minimax = AdversarialLoss(_cross_entropy_discriminator, _minimax_generator)
non_saturating = AdversarialLoss(_cross_entropy_discriminator, _non_saturating_generator)
least_squares = AdversarialLoss(_least_squares_discriminator, _least_squares_generator)
