"""Answers to the exercises on training in several processes."""

import itertools

import numpy as np
import torch


def combined(gradients, counts):
    images = sum(counts)
    return sum(n / images * gradient for gradient, n in zip(gradients, counts, strict=True))


def sampled(images, rank, processes):
    each = -(-images // processes)
    return [(rank + i * processes) % images for i in range(each)]


def sampled_from_a_cycle(images, rank, processes):
    total = -(-images // processes) * processes
    return list(itertools.islice(itertools.cycle(range(images)), total))[rank::processes]


def sampled_by_numpy(images, rank, processes):
    return np.resize(np.arange(images), (-(-images // processes), processes))[:, rank]


def batch_statistics(means, variances, counts):
    weights = torch.tensor(counts)[:, None] / sum(counts)
    mean = (weights * means).sum(0)
    spread = (means - mean) ** 2
    return torch.stack([mean, (weights * (variances + spread)).sum(0)])


def statistics_by_averages(means, variances, counts):
    average = [np.average(one, 0, counts) for one in (means, variances + means**2)]
    return np.stack([average[0], average[1] - average[0] ** 2])


def statistics_by_sums(means, variances, counts):
    total, squares = 0, 0
    for mean, variance, n in zip(means, variances, counts, strict=True):
        total, squares = total + n * mean, squares + n * (variance + mean**2)
    mean = total / sum(counts)
    return torch.stack([mean, squares / sum(counts) - mean**2])


def warmed_up(lr, factor, step, warmup):
    return lr * (1 + (factor - 1) * min(step / warmup, 1))


def warmed_up_by_numpy(lr, factor, step, warmup):
    return np.interp(step, [0, warmup], [lr, factor * lr])


def warmed_up_by_cases(lr, factor, step, warmup):
    if step >= warmup:
        return factor * lr
    return lr + (factor * lr - lr) * step / warmup


ANSWERS = {
    "combined": {
        "right": [
            combined,
            lambda gradients, counts: np.average(gradients, 0, counts),
            lambda gradients, counts: (
                gradients.T @ torch.tensor(counts).to(gradients) / sum(counts)
            ),
        ],
        "wrong": {
            "the plain average": lambda gradients, counts: gradients.mean(0),
            "divide by their number, N": lambda gradients, counts: sum(
                g * n for g, n in zip(gradients, counts, strict=True)
            ),
        },
    },
    "sampled": {
        "right": [sampled, sampled_from_a_cycle, sampled_by_numpy],
        "wrong": {
            "unequal numbers of images": lambda n, rank, p: list(range(n))[rank::p],
            "These are neighbors": lambda n, rank, p: [
                i % n for i in range(rank * -(-n // p), (rank + 1) * -(-n // p))
            ],
        },
    },
    "batch_statistics": {
        "right": [batch_statistics, statistics_by_averages, statistics_by_sums],
        "wrong": {
            "how far their means lie apart": lambda means, variances, counts: np.stack(
                [np.average(one, 0, counts) for one in (means, variances)]
            ),
            "The parts count alike": lambda means, variances, counts: batch_statistics(
                means, variances, [1] * len(counts)
            ),
        },
    },
    "warmed_up": {
        "right": [warmed_up, warmed_up_by_numpy, warmed_up_by_cases],
        "wrong": {
            "There is no warm-up": lambda lr, factor, step, warmup: factor * lr,
            "This begins at 0": lambda lr, factor, step, warmup: (
                factor * lr * min(step, warmup) / warmup
            ),
        },
    },
}
