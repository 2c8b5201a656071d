"""Answers to the exercises on long tails."""

from fractions import Fraction

import numpy as np
import torch


def balanced_from_matrix(matrix):
    present = matrix.sum(1) > 0
    return (matrix.diagonal()[present] / matrix.sum(1)[present]).mean()


def balanced_of_numbers(matrix):
    recalls = [Fraction(row[i], sum(row)) for i, row in enumerate(matrix.tolist()) if any(row)]
    return sum(recalls) / len(recalls)


def balanced_by_nanmean(matrix):
    return torch.nanmean(matrix.diag().double() / matrix.sum(1)).numpy()


def adjusted(logits, counts, tau=1.0):
    return logits - tau * (counts / counts.sum()).log()


def adjusted_one_by_one(logits, counts, tau=1.0):
    shifts = [tau * np.log(count / counts.sum().item()) for count in counts.tolist()]
    return [[x - shift for x, shift in zip(row, shifts, strict=True)] for row in logits.tolist()]


def best_margins(n1, n2, p):
    a, b = n1 ** (-p / 2), n2 ** (-p / 2)
    return a / (a + b), b / (a + b)


def best_margins_on_a_line(n1, n2, p):
    first = 1 / (1 + (n1 / n2) ** (p / 2))
    return torch.tensor([first, 1 - first])


def remix_fraction(count_a, count_b, lam, kappa=3.0, tau=0.5):
    ratio = count_a / count_b
    fraction = torch.full(count_a.shape, lam)
    fraction = fraction.masked_fill((ratio >= kappa) & (lam < tau), 0.0)
    return fraction.masked_fill((ratio <= 1 / kappa) & (1 - lam < tau), 1.0)


def remix_with_where(count_a, count_b, lam, kappa=3.0, tau=0.5):
    ratio = (count_a / count_b).numpy()
    to_a = np.where((ratio <= 1 / kappa) & (1 - lam < tau), 1, lam)
    return np.where((ratio >= kappa) & (lam < tau), 0, to_a).astype(np.float16)


def remix_in_a_loop(count_a, count_b, lam, kappa=3.0, tau=0.5):
    fractions = [lam] * len(count_a)
    for i, ratio in enumerate(count_a / count_b):
        if lam < tau and ratio >= kappa:
            fractions[i] = 0
        elif 1 - lam < tau and ratio <= 1 / kappa:
            fractions[i] = 1
    return fractions


def remix_without_tau(count_a, count_b, lam, kappa=3.0, tau=0.5):
    ratio = count_a / count_b
    fraction = torch.full(count_a.shape, lam).masked_fill(ratio >= kappa, 0.0)
    return fraction.masked_fill(ratio <= 1 / kappa, 1.0)


def remix_without_kappa_itself(count_a, count_b, lam, kappa=3.0, tau=0.5):
    ratio = count_a / count_b
    fraction = torch.full(count_a.shape, lam)
    fraction = fraction.masked_fill((ratio > kappa) & (lam < tau), 0.0)
    return fraction.masked_fill((ratio < 1 / kappa) & (1 - lam < tau), 1.0)


ANSWERS = {
    "balanced_from_matrix": {
        "right": [balanced_from_matrix, balanced_of_numbers, balanced_by_nanmean],
        "wrong": {
            "in which a class counts as much": lambda m: m.diagonal().sum() / m.sum(),
            "0 / 0, which is nan": lambda m: (m.diagonal() / m.sum(1)).mean(),
            "those of the columns": lambda m: (m.diag() / m.sum(0))[m.sum(1) > 0].mean(),
        },
    },
    "adjusted": {
        "right": [
            adjusted,
            adjusted_one_by_one,
            lambda logits, counts, tau: logits.double() - tau * (counts.log() - counts.sum().log()),
        ],
        "wrong": {
            "The counts themselves": lambda logits, counts, tau: logits - counts * tau,
            "The sign is reversed": lambda x, n, tau: x + tau * (n / n.sum()).log(),
            "tau has no effect": lambda x, n, tau: adjusted(x, n),
        },
    },
    "best_margins": {
        "right": [
            best_margins,
            best_margins_on_a_line,
            lambda n1, n2, p: np.float32(best_margins(n1, n2, p)),
        ],
        "wrong": {
            "The margins are equal": lambda n1, n2, p: [0.5, 0.5],
            "exchanged": lambda n1, n2, p: best_margins(n2, n1, p),
            "p has no effect": lambda n1, n2, p: best_margins(n1, n2, 0.5),
            "gives a root of it": lambda n1, n2, p: best_margins(n1, n2, 2 * p),
        },
    },
    "remix_fraction": {
        "right": [remix_fraction, remix_with_where, remix_in_a_loop],
        "wrong": {
            "This is Mixup": lambda a, b, lam, *_: torch.full(a.shape, lam),
            "tau has no effect": remix_without_tau,
            "compare with >= and <=": remix_without_kappa_itself,
            "use the arguments": lambda a, b, lam, kappa=3.0, tau=0.5: remix_fraction(a, b, lam),
        },
    },
}
