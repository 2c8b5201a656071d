"""Checks for the exercises of the chapter on variational autoencoders."""

from collections.abc import Iterator

import torch
from torch.distributions import Normal, kl_divergence

from glassbox.chapters.checking import Case, exercise


@exercise()
def check_kl_between() -> Iterator[Case]:
    """Check ``kl_between(mean, logvar, other_mean, other_logvar)``."""
    same = torch.tensor([0.5, -1.0], dtype=torch.float64)
    drawn = torch.randn(3, 4, 5, dtype=torch.float64)
    for text, given in {
        "a normal and itself": (same, same, same, same),
        "the standard normal": (drawn[0], drawn[1], torch.zeros(4, 5), torch.zeros(4, 5)),
        "two normals": (drawn[0], drawn[1], drawn[2], drawn[1] - drawn[0]),
    }.items():
        mean, logvar, other_mean, other_logvar = given
        normal = Normal(mean, (logvar / 2).exp())
        other = Normal(other_mean, (other_logvar / 2).exp())
        yield Case(text, given, kl_divergence(normal, other))


@exercise()
def check_importance_bound() -> Iterator[Case]:
    """Check ``importance_bound(log_joint, log_q)``."""
    for text, count, shift in (("1 draw", 1, 0), ("8 draws", 8, 0), ("unlikely images", 4, -2000)):
        log_joint, log_q = torch.randn(2, count, 3, dtype=torch.float64)
        expected = (log_joint - log_q).exp().mean(0).log() + shift
        yield Case(text, (log_joint + shift, log_q), expected)
