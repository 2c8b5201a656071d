"""Exercises of the chapter on variational autoencoders."""

import math
import random

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from glassbox.chapters.checking import Case, Exercise


def _kl(mean: Tensor, logvar: Tensor, other_mean: Tensor, other_logvar: Tensor) -> Tensor:
    normals = ((mean, logvar), (other_mean, other_logvar))
    return kl_divergence(*(Normal(one, (spread / 2).exp()) for one, spread in normals))


def _normals() -> list[Case]:
    same = torch.tensor([0.5, -1.0], dtype=torch.float64)
    drawn, none = torch.randn(4, 4, 5, dtype=torch.float64), torch.zeros(4, 5)
    return [
        Case(f"kl_between of {text}", given)
        for text, given in {
            "a normal and itself": (same, same, same, same),
            "a normal and the standard normal": (drawn[0], drawn[1], none, none),
            "two normals": (*drawn,),
        }.items()
    ]


check_kl_between = Exercise(
    "kl_between",
    reference=_kl,
    cases=_normals,
    drawn=lambda: (*torch.randn(4, random.randint(2, 5), 3),),
    mistakes={
        "The sign is reversed: a divergence is never below 0.": lambda *given: -_kl(*given),
        "The factor 1/2 is missing: it stands before the whole sum.": (
            lambda *given: 2 * _kl(*given)
        ),
        "This is the divergence from the second normal to the first: exchange them.": (
            lambda mean, logvar, other_mean, other_logvar: _kl(
                other_mean, other_logvar, mean, logvar
            )
        ),
        "logvar is taken for the logarithm of the standard deviation: its exp is the variance.": (
            lambda mean, logvar, other_mean, other_logvar: _kl(
                mean, 2 * logvar, other_mean, 2 * other_logvar
            )
        ),
        "The second normal has no effect: this is the divergence from the standard normal.": (
            lambda mean, logvar, other_mean, other_logvar: _kl(
                mean, logvar, torch.zeros_like(mean), torch.zeros_like(mean)
            )
        ),
        "This is the sum over all elements: return one divergence for each.": (
            lambda *given: _kl(*given).sum()
        ),
    },
)


def _bound(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """Divide by the largest weight before taking exp, and put it back afterwards."""
    weights = log_joint - log_q
    return (weights - weights.amax(0)).exp().mean(0).log() + weights.amax(0)


check_importance_bound = Exercise(
    "importance_bound",
    reference=_bound,
    cases=lambda: [
        Case(f"importance_bound of {text}", (draws[0] + shift, draws[1]))
        for text, draws, shift in (
            ("1 draw", torch.randn(2, 1, 3, dtype=torch.float64), 0),
            ("8 draws", torch.randn(2, 8, 3, dtype=torch.float64), 0),
            ("unlikely images", torch.randn(2, 4, 3, dtype=torch.float64), -2000),
        )
    ],
    drawn=lambda: (*torch.randn(2, random.randint(2, 20), random.randint(2, 5)),),
    mistakes={
        "This is the mean of the logarithms, which is the usual bound: take the logarithm of the "
        "mean.": lambda log_joint, log_q: (log_joint - log_q).mean(0),
        "This is the logarithm of the sum: for the mean, subtract log(K).": (
            lambda log_joint, log_q: (log_joint - log_q).logsumexp(0)
        ),
        "exp of -2000 is 0, and its logarithm -inf: stay in log space, with torch.logsumexp.": (
            lambda log_joint, log_q: (log_joint - log_q).exp().mean(0).log()
        ),
        "log(K) is added: a mean is a sum divided by K, so subtract it.": (
            lambda log_joint, log_q: (log_joint - log_q).logsumexp(0) + math.log(len(log_q))
        ),
        "log_q is missing: the weights are p / q, in logarithms a difference.": (
            lambda log_joint, log_q: _bound(log_joint, torch.zeros_like(log_q))
        ),
        "The mean is that over the images: the draws are the first dimension, dim=0.": (
            lambda log_joint, log_q: _bound(log_joint.T, log_q.T)
        ),
    },
)
