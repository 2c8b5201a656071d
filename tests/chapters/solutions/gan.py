"""Answers to the exercises on GANs."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import entropy
from torch import nn


def jensen_shannon(p, q, half=2):
    middle = (p + q) / 2
    return sum(torch.xlogy(r, r) - torch.xlogy(r, middle) for r in (p, q)).sum() / half


def jensen_shannon_by_entropies(p, q):
    return float(entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2)


def jensen_shannon_of_numbers(p, q):
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        for one in (a, b):
            total += one * np.log(2 * one / (a + b)) if one else 0
    return total / 2


def jensen_shannon_with_logs(p, q):
    middle = 0.5 * (p + q)
    return 0.5 * sum((r * torch.log(r) - r * torch.log(middle)).sum() for r in (p, q))


def coverage(real, fake, k, own=False):
    among = torch.cdist(real, real)
    if not own:
        among = among.fill_diagonal_(torch.inf)
    reach = among.kthvalue(k, dim=1).values
    return (torch.cdist(real, fake).amin(1) < reach).double().mean()


def coverage_point_by_point(real, fake, k):
    covered = 0
    for i, point in enumerate(real.numpy()):
        others = np.delete(real.numpy(), i, axis=0)
        reach = np.sort(np.linalg.norm(others - point, axis=1))[k - 1]
        covered += (np.linalg.norm(fake.numpy() - point, axis=1) < reach).any()
    return covered / len(real)


def coverage_sorted(real, fake, k):
    reach = torch.cdist(real, real).sort(1).values[:, k]
    return (torch.cdist(fake, real).min(0).values < reach).float().mean().item()


def mended_step(generator, discriminator, g_optimizer, d_optimizer, real, noise, sign=-1):
    fakes = generator(noise).detach()
    d_loss = F.softplus(-discriminator(real)).mean()
    d_loss = d_loss + F.softplus(discriminator(fakes)).mean()
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()
    g_loss = F.softplus(sign * discriminator(generator(noise))).mean()
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()


def mended_by_bce(generator, discriminator, g_optimizer, d_optimizer, real, noise):
    """Make the fakes once, and call them real in the generator's own loss."""
    fakes, loss_fn = generator(noise), nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(len(real), 1), torch.zeros(len(noise), 1)
    d_optimizer.zero_grad()
    loss_fn(discriminator(real), ones).backward()
    loss_fn(discriminator(fakes.detach()), zeros).backward()
    d_optimizer.step()
    g_optimizer.zero_grad()
    loss_fn(discriminator(fakes), ones).backward()
    g_optimizer.step()


def mended_without_detach(generator, discriminator, g_optimizer, d_optimizer, real, noise):
    """Let the discriminator's loss reach the generator, and clear what it left there."""
    for module in (generator, discriminator):
        module.zero_grad()
    logits = discriminator(torch.cat([real, generator(noise)])).split(len(real))
    loss = -F.logsigmoid(logits[0]).mean() - F.logsigmoid(-torch.cat(logits[1:])).mean()
    loss.backward()
    d_optimizer.step()
    generator.zero_grad()
    loss = -F.logsigmoid(discriminator(generator(noise))).mean()
    loss.backward()
    g_optimizer.step()
    return loss.item()


def never_cleared(generator, discriminator, g_optimizer, d_optimizer, real, noise):
    for optimizer in (g_optimizer, d_optimizer):
        optimizer.zero_grad = lambda: None
    mended_step(generator, discriminator, g_optimizer, d_optimizer, real, noise)


def generator_never_cleared(generator, discriminator, g_optimizer, d_optimizer, real, noise):
    g_optimizer.zero_grad = lambda: None
    mended_step(generator, discriminator, g_optimizer, d_optimizer, real, noise)


def as_on_the_page(generator, discriminator, g_optimizer, d_optimizer, real, noise):
    d_loss = F.softplus(-discriminator(real)).mean()
    d_loss = d_loss + F.softplus(discriminator(generator(noise))).mean()
    d_loss.backward()
    d_optimizer.step()
    g_loss = F.softplus(discriminator(generator(noise))).mean()
    g_loss.backward()
    g_optimizer.step()


ANSWERS = {
    "best_logit": {
        "right": [
            lambda p, q: torch.log(p) - torch.log(q),
            lambda p, q: np.log(p.numpy() / q.numpy()),
            lambda p, q: [math.log(a) - math.log(b) for a, b in zip(p, q, strict=True)],
        ],
        "wrong": {
            "the probability that a point is real": lambda p, q: 1 / (1 + q / p),
            "the logarithm of D": lambda p, q: p.log() - (p + q).log(),
            "the ratio of the densities": lambda p, q: p / q,
            "the logit of being fake": lambda p, q: (q / p).log(),
        },
    },
    "mended_step": {
        "right": [mended_step, mended_by_bce, mended_without_detach],
        "wrong": {
            "This is the code as it was": as_on_the_page,
            "wants to be found out": lambda *given: mended_step(*given, sign=1),
            "Old gradients of both players": never_cleared,
            "The generator's old gradients": generator_never_cleared,
        },
    },
    "jensen_shannon": {
        "right": [jensen_shannon, jensen_shannon_by_entropies, jensen_shannon_of_numbers],
        "wrong": {
            "the sum of both divergences": lambda p, q: jensen_shannon(p, q, half=1),
            "xlogy(a, b) is 0": jensen_shannon_with_logs,
            "both are compared with their average": (lambda p, q: sum(p * torch.log(p / q))),
            "The sign is reversed": lambda p, q: -jensen_shannon(p, q),
        },
    },
    "coverage": {
        "right": [coverage, coverage_point_by_point, coverage_sorted],
        "wrong": {
            "leave out the 0 on the diagonal": lambda *given: coverage(*given, own=True),
            "exchanged": lambda real, fake, k: coverage(fake, real, k),
            "return their fraction": lambda *given: coverage(*given) * len(given[0]),
        },
    },
}
