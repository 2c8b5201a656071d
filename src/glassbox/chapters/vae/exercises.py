"""Exercises of the chapter on variational autoencoders."""

import math
import random
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from glassbox.chapters.checking import Answer, Case, Exercise
from glassbox.data.datasets import load
from glassbox.data.pixels import to_float


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


def _drawn_code(answer: Answer, mean: Tensor, logvar: Tensor, noise: Tensor) -> dict[str, Any]:
    """Look at a code, and at the gradients of the sum of its squares."""
    inputs = mean.requires_grad_(), logvar.requires_grad_()
    code = answer(*inputs, noise)
    names = "the gradient of the mean", "the gradient of the log-variance"
    if not (isinstance(code, Tensor) and code.requires_grad):
        return {"": code} | {name: torch.zeros_like(mean) for name in names}
    found = torch.autograd.grad(code.square().sum(), inputs, allow_unused=True)
    found = [torch.zeros_like(mean) if one is None else one for one in found]
    return {"": code, **dict(zip(names, found, strict=True))}


def _moments(rows: int, columns: int) -> tuple[Tensor, Tensor, Tensor]:
    mean, logvar, noise = torch.randn(3, rows, columns, dtype=torch.float64)
    return mean, logvar, noise


check_draw_code = Exercise(
    "draw_code",
    reference=lambda mean, logvar, noise: mean.addcmul(logvar.exp().sqrt(), noise),
    observe=_drawn_code,
    cases=lambda: [
        Case(f"draw_code of {rows} x {columns} numbers", _moments(rows, columns))
        for rows, columns in ((1, 3), (4, 5))
    ],
    drawn=lambda: _moments(random.randint(1, 5), random.randint(2, 6)),
    changes=("mean", "logvar"),
    mistakes={
        "exp(logvar) is the variance: the noise is multiplied by its root, exp(logvar / 2).": (
            lambda mean, logvar, noise: mean + logvar.exp() * noise
        ),
        "The noise is multiplied by the log-variance itself: by exp(logvar / 2).": (
            lambda mean, logvar, noise: mean + logvar * noise
        ),
        "This is the mean, without any noise.": lambda mean, logvar, noise: mean + 0 * logvar,
        "No gradient arrives at the log-variance, or at either: leave out detach, item and "
        "no_grad.": lambda mean, logvar, noise: (mean + (logvar / 2).exp() * noise).detach(),
        "No gradient arrives at the mean: leave out its detach().": (
            lambda mean, logvar, noise: mean.detach() + (logvar / 2).exp() * noise
        ),
    },
)

_CLASSES, _PIXELS, _LATENT = 10, 64, 4


def _conditional(
    encoder: nn.Module, decoder: nn.Module, images: Tensor, rows: Tensor, noise: Tensor
) -> Tensor:
    """Add what torch's own distributions say."""
    mean, logvar = encoder(torch.cat([images, rows], 1)).tensor_split(2, 1)
    posterior = Normal(mean, logvar.exp().sqrt())
    logits = decoder(torch.cat([mean + posterior.stddev * noise, rows], 1))
    likelihood = Bernoulli(logits=logits, validate_args=False).log_prob(images).sum(1)
    return (kl_divergence(posterior, Normal(0.0, 1.0)).sum(1) - likelihood).mean()


def _with_faults(
    encoder: nn.Module,
    decoder: nn.Module,
    images: Tensor,
    rows: Tensor,
    noise: Tensor,
    *,
    blind: str = "",
    halves: float = 0.5,
    pixels: float = 1.0,
    weight: float = 1.0,
) -> Tensor:
    nothing = torch.zeros_like(rows)
    seen = nothing if "encoder" in blind else rows
    mean, logvar = encoder(torch.cat([images, seen], 1)).chunk(2, 1)
    codes = mean + (halves * logvar).exp() * noise
    logits = decoder(torch.cat([codes, nothing if "decoder" in blind else rows], 1))
    errors = F.binary_cross_entropy_with_logits(logits, images, reduction="none").sum(1)
    kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)
    return (pixels * errors + weight * kl).mean()


def _rows_first(
    encoder: nn.Module, decoder: nn.Module, images: Tensor, rows: Tensor, noise: Tensor
) -> Tensor:
    """Give both networks the labels first, by moving their first columns to the end."""
    return _conditional(
        lambda given: encoder(given.roll(_CLASSES, 1)),
        lambda given: decoder(given.roll(_CLASSES, 1)),
        images,
        rows,
        noise,
    )


@cache
def _digits() -> tuple[Tensor, Tensor]:
    digits = load("digits")
    return to_float(digits.images).flatten(1), F.one_hot(digits.labels, _CLASSES).float()


def _learn(
    answer: Answer,
    encoder: nn.Module,
    decoder: nn.Module,
    images: Tensor,
    rows: Tensor,
    noise: Tensor,
) -> dict[str, Any]:
    """Look at one loss; of several batches, train on all and decode codes for each digit."""
    if len(images) == 1:
        return {"": answer(encoder, decoder, images[0], rows[0], noise[0])}
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 5e-3)
    for batch in zip(images, rows, noise, strict=True):
        optimizer.zero_grad()
        answer(encoder, decoder, *batch).backward()
        optimizer.step()
    pixels, labels = _digits()
    means = (labels.T @ pixels) / labels.sum(0)[:, None]
    wanted = torch.arange(_CLASSES).repeat(10)
    codes = torch.cat([noise.flatten(0, 1)[:100], F.one_hot(wanted).float()], 1)
    with torch.no_grad():
        named = torch.cdist(torch.sigmoid(decoder(codes)), means).argmin(1)
    right = int((named == wanted).sum())
    return {"of 100 samples, those that look like their label, counted up to 90,": min(right, 90)}


def _lesson(batches: int, count: int) -> tuple[nn.Module, nn.Module, Tensor, Tensor, Tensor]:
    encoder = nn.Sequential(
        nn.Linear(_PIXELS + _CLASSES, 64), nn.ReLU(), nn.Linear(64, 2 * _LATENT)
    )
    decoder = nn.Sequential(nn.Linear(_LATENT + _CLASSES, 64), nn.ReLU(), nn.Linear(64, _PIXELS))
    pixels, labels = _digits()
    chosen = torch.randint(len(pixels), (batches, count))
    noise = torch.randn(batches, count, _LATENT)
    return encoder, decoder, pixels[chosen], labels[chosen], noise


check_conditional_loss = Exercise(
    "conditional_loss",
    reference=_conditional,
    observe=_learn,
    cases=lambda: [
        Case("conditional_loss of 8 digits", _lesson(1, 8)),
        Case("after 300 steps with conditional_loss", _lesson(300, 64)),
    ],
    drawn=lambda: _lesson(1, random.randint(2, 9)),
    changes=("encoder", "decoder"),
    mistakes={
        "The decoder does not see the label, and so cannot be told what to draw: append rows to "
        "the codes.": partial(_with_faults, blind="decoder"),
        "The encoder does not see the label: append rows to the images, too.": (
            partial(_with_faults, blind="encoder")
        ),
        "Neither network sees the label: append rows to the images, and to the codes.": (
            partial(_with_faults, blind="encoder decoder")
        ),
        "The rows come first here: they are appended, torch.cat([images, rows], 1).": _rows_first,
        "exp(logvar) is the variance: multiply the noise by exp(logvar / 2).": (
            partial(_with_faults, halves=1.0)
        ),
        "The cross-entropy is averaged over the pixels, which silences the code: sum over them.": (
            partial(_with_faults, pixels=1 / _PIXELS)
        ),
        "The divergence is missing: without it the codes need not lie where they are drawn from.": (
            partial(_with_faults, weight=0.0)
        ),
        "The divergence is subtracted: it is a price, so add it.": (
            partial(_with_faults, weight=-1.0)
        ),
    },
)
