"""Answers to the exercises on GANs."""

import numpy as np
import torch
from scipy.stats import entropy


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


ANSWERS = {
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
