"""Exercises of the chapter on generative adversarial networks."""

import math
import random

import torch
from scipy.spatial.distance import jensenshannon
from torch import Tensor

from glassbox.chapters.checking import Case, Exercise
from glassbox.generation.generative_metrics import precision_recall_density_coverage


def _divergence(p: Tensor, q: Tensor) -> float:
    return float(jensenshannon(p, q) ** 2)


def _from_middle(p: Tensor, middle: Tensor) -> Tensor:
    return (p * (p / middle).log()).sum()


def _dice(sides: int) -> tuple[Tensor, Tensor]:
    drawn = torch.rand(2, sides, dtype=torch.float64)
    p, q = drawn / drawn.sum(1, keepdim=True)
    return p, q


def _pairs() -> list[Case]:
    p, q = _dice(6)
    first, second = torch.eye(3, dtype=torch.float64)[:2]
    return [
        Case(f"jensen_shannon of {text}", pair)
        for text, pair in {
            "p and itself": (p, p),
            "two dice": (p, q),
            "two without an outcome in common": (first[:2], second[:2]),
            "p and a half of it": ((first + second) / 2, first),
        }.items()
    ]


check_jensen_shannon = Exercise(
    "jensen_shannon",
    reference=_divergence,
    cases=_pairs,
    drawn=lambda: _dice(random.randint(2, 9)),
    mistakes={
        "0 * log(0) is nan: torch.xlogy(a, b) is 0 where a is.": lambda p, q: (
            (_from_middle(p, (p + q) / 2) + _from_middle(q, (p + q) / 2)) / 2
        ),
        "This is the sum of both divergences: take their mean.": (
            lambda p, q: 2 * _divergence(p, q)
        ),
        "This is the divergence of p from q: both are compared with their average.": _from_middle,
        "These are bits: nats need the natural logarithm.": (
            lambda p, q: _divergence(p, q) / math.log(2)
        ),
        "This is the distance, the root of the divergence: leave the root out.": (
            lambda p, q: _divergence(p, q) ** 0.5
        ),
    },
)


def _coverage(real: Tensor, fake: Tensor, k: int) -> float:
    return precision_recall_density_coverage(real, fake, k).coverage


def _reach(points: Tensor, k: int) -> Tensor:
    return torch.cdist(points, points).kthvalue(k + 1, dim=1).values


def _fakes() -> list[Case]:
    real = torch.randn(40, 3, dtype=torch.float64)
    return [
        Case(f"coverage by {text} and k = {k}", (real, fake, k))
        for text, fake, k in (
            ("fakes that are the real ones", real.clone(), 1),
            ("fakes from the same distribution", torch.randn(40, 3).double(), 3),
            ("fakes that are all one point", real[:1] + 0.01 * real, 3),
            ("20 fakes", torch.randn(20, 3).double(), 2),
        )
    ]


check_coverage = Exercise(
    "coverage",
    reference=_coverage,
    cases=_fakes,
    drawn=lambda: (torch.randn(30, 2), 1.5 * torch.randn(20, 2), random.randint(1, 5)),
    mistakes={
        "A real point counts as its own nearest one: leave out the 0 on the diagonal.": (
            lambda real, fake, k: (
                (torch.cdist(real, fake).amin(1) < _reach(real, k - 1)).double().mean()
            )
        ),
        "Real and fake are exchanged: the real points are to be covered.": (
            lambda real, fake, k: _coverage(fake, real, k)
        ),
        "This is the fraction of fakes near a real point, which is precision: ask for each real "
        "point.": lambda real, fake, k: (
            (torch.cdist(real, fake) < _reach(real, k)[:, None]).any(0).double().mean()
        ),
        "This counts the pairs, so that points in a crowd count more: ask of each real point "
        "whether there is any fake.": lambda real, fake, k: (
            (torch.cdist(real, fake) < _reach(real, k)[:, None]).double().mean()
        ),
        "This counts the points that are covered: return their fraction.": (
            lambda real, fake, k: round(_coverage(real, fake, k) * len(real))
        ),
    },
)
