"""Exercises of the chapter on generative adversarial networks."""

import math
import random
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from scipy.spatial.distance import jensenshannon
from torch import Tensor, nn
from torch.optim import Optimizer

from glassbox.chapters.checking import Answer, Case, Exercise
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


def _densities(count: int) -> tuple[Tensor, Tensor]:
    p, q = torch.rand(2, count, dtype=torch.float64) + 0.01
    return p, q


check_best_logit = Exercise(
    "best_logit",
    reference=lambda p, q: torch.logit(p / (p + q)),
    cases=lambda: [
        (torch.tensor([0.2, 0.1, 0.4]).double(), torch.tensor([0.2, 0.3, 0.1]).double()),
        Case("best_logit of 20 pairs", _densities(20)),
    ],
    drawn=lambda: _densities(random.randint(3, 9)),
    mistakes={
        "This is the probability that a point is real: its logit is log(D / (1 - D)).": (
            lambda p, q: p / (p + q)
        ),
        "This is the logarithm of D: the logit subtracts log(1 - D) from it.": (
            lambda p, q: (p / (p + q)).log()
        ),
        "This is the ratio of the densities: its logarithm is the logit.": lambda p, q: p / q,
        "This is the logit of being fake: real points have the density p, so p stands above q.": (
            lambda p, q: q.log() - p.log()
        ),
    },
)


_MIDDLE = (2.0, -1.0)  # of the real points


def _step(
    generator: nn.Module,
    discriminator: nn.Module,
    g_optimizer: Optimizer,
    d_optimizer: Optimizer,
    real: Tensor,
    noise: Tensor,
    *,
    clear: str = "gd",
    sign: float = -1.0,
    swapped: float = 1.0,
    early: bool = False,
    moves: str = "gd",
) -> None:
    """Take a step of each player, with places to go wrong."""
    fakes = generator(noise).detach()
    d_loss = F.softplus(-swapped * discriminator(real)).mean()
    d_loss = d_loss + F.softplus(swapped * discriminator(fakes)).mean()
    before = discriminator(generator(noise))
    if "d" in clear:
        d_optimizer.zero_grad()
    d_loss.backward()
    if early:
        g_gradients = torch.autograd.grad(
            F.softplus(sign * before).mean(), [*generator.parameters()]
        )
    if "d" in moves:
        d_optimizer.step()
    if "g" in clear:
        g_optimizer.zero_grad()
    if early:
        for parameter, gradient in zip(generator.parameters(), g_gradients, strict=True):
            parameter.grad = gradient
    else:
        F.softplus(sign * discriminator(generator(noise))).mean().backward()
    if "g" in moves:
        g_optimizer.step()


def _as_it_was(
    generator: nn.Module,
    discriminator: nn.Module,
    g_optimizer: Optimizer,
    d_optimizer: Optimizer,
    real: Tensor,
    noise: Tensor,
) -> None:
    """Take the steps of the code that is to be mended."""
    fakes = generator(noise)
    d_loss = F.softplus(-discriminator(real)).mean()
    d_loss = d_loss + F.softplus(discriminator(fakes)).mean()
    d_loss.backward()
    d_optimizer.step()
    F.softplus(discriminator(generator(noise))).mean().backward()
    g_optimizer.step()


def _play(
    answer: Answer, generator: nn.Module, discriminator: nn.Module, real: Tensor, noise: Tensor
) -> dict[str, Any]:
    """Take one step by plain descent and look at the weights, or many by Adam and at the fakes."""
    players = generator, discriminator
    if len(real) == 1:
        optimizers = [torch.optim.SGD(one.parameters(), lr=0.5) for one in players]
        for parameter in (*generator.parameters(), *discriminator.parameters()):
            parameter.grad = torch.ones_like(parameter)  # left over from the step before
    else:
        optimizers = [
            torch.optim.Adam(one.parameters(), lr=3e-3, betas=(0.5, 0.9)) for one in players
        ]
    for points, codes in zip(real, noise, strict=True):
        answer(*players, *optimizers, points, codes)
    if len(real) > 1:
        with torch.no_grad():
            fakes = generator(noise.flatten(0, 1)[:2000])
        distance = (fakes.mean(0) - torch.tensor(_MIDDLE)).norm().nan_to_num(1e6)
        return {"the distance from fakes to real points, in whole units,": int(distance)}
    return {
        "the discriminator's weight after the step": discriminator[0].weight,
        "the generator's weight after the step": generator[0].weight,
    }


def _player(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _game(steps: int, hidden: int, count: int) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    players = _player(2, hidden, 2), _player(2, hidden, hidden, 1)
    real = torch.tensor(_MIDDLE) + 0.5 * torch.randn(steps, count, 2)
    return *players, real, 2 * torch.rand(steps, count, 2) - 1


check_mended_step = Exercise(
    "mended_step",
    reference=_step,
    observe=_play,
    cases=lambda: [
        Case("after one mended_step", _game(1, 5, 20)),
        Case("after 300 times mended_step", _game(300, 32, 64)),
    ],
    drawn=lambda: _game(1, random.randint(4, 8), random.randint(5, 30)),
    changes=("generator", "discriminator"),
    mistakes={
        "This is the code as it was: look at what is never cleared, and at what the generator "
        "wants its fakes to be called.": _as_it_was,
        "The generator wants to be found out: it is to raise the logits of its fakes, with softplus"
        " of minus the logit.": partial(_step, sign=1.0),
        "Old gradients of both players are still there: each has its zero_grad() before its own "
        "backward().": partial(_step, clear=""),
        "The discriminator's old gradients are still there, and those that the generator's step "
        "left in it: d_optimizer.zero_grad().": partial(_step, clear="g"),
        "The generator's old gradients are still there: g_optimizer.zero_grad() before its "
        "backward().": partial(_step, clear="d"),
        "The discriminator learns to call fakes real: its logits are to rise for real points.": (
            partial(_step, swapped=-1.0)
        ),
        "The generator asks the discriminator as it was before its step: call it again "
        "afterwards.": partial(_step, early=True),
        "The generator does not move: it has a backward() and a step() of its own.": (
            partial(_step, moves="d")
        ),
        "The discriminator does not move: d_optimizer.step() follows its backward().": (
            partial(_step, moves="g")
        ),
    },
)
