"""Solutions of the exercises on long tails, and mistakes."""

import torch


def balanced_from_matrix(matrix):
    present = matrix.sum(1) > 0
    return (matrix.diagonal()[present] / matrix.sum(1)[present]).mean()


def adjusted(logits, counts, tau=1.0):
    return logits - tau * (counts / counts.sum()).log()


def best_margins(n1, n2, p):
    a, b = n1 ** (-p / 2), n2 ** (-p / 2)
    return a / (a + b), b / (a + b)


def remix_fraction(count_a, count_b, lam, kappa=3.0, tau=0.5):
    ratio = count_a / count_b
    fraction = torch.full(count_a.shape, lam)
    fraction = fraction.masked_fill((ratio >= kappa) & (lam < tau), 0.0)
    return fraction.masked_fill((ratio <= 1 / kappa) & (1 - lam < tau), 1.0)


def remix_without_tau(count_a, count_b, lam, kappa=3.0, tau=0.5):
    ratio = count_a / count_b
    fraction = torch.full(count_a.shape, lam).masked_fill(ratio >= kappa, 0.0)
    return fraction.masked_fill(ratio <= 1 / kappa, 1.0)


def remix_without_kappa_itself(count_a, count_b, lam, kappa=3.0, tau=0.5):
    ratio = count_a / count_b
    fraction = torch.full(count_a.shape, lam)
    fraction = fraction.masked_fill((ratio > kappa) & (lam < tau), 0.0)
    return fraction.masked_fill((ratio < 1 / kappa) & (1 - lam < tau), 1.0)


SOLUTIONS = [
    ("balanced_from_matrix", balanced_from_matrix),
    ("adjusted", adjusted),
    ("best_margins", best_margins),
    ("remix_fraction", remix_fraction),
]
MISTAKES = [
    ("balanced_from_matrix", lambda m: m.diagonal().sum() / m.sum(), "[60, 20, 5]"),
    ("balanced_from_matrix", lambda m: (m.diagonal() / m.sum(1)).mean(), "gives nan"),
    ("balanced_from_matrix", lambda m: (m.diagonal() / m.sum(0)).mean(), "[20, 20, 20]"),
    ("adjusted", lambda logits, counts, tau: logits - tau * counts, "(5, 5, 5)"),
    ("adjusted", lambda x, n, tau: x + tau * (n / n.sum()).log(), "(5, 5, 5)"),
    ("adjusted", lambda x, n, tau: x - (n / n.sum()).log(), "tau 0.0"),
    ("best_margins", lambda n1, n2, p: (0.5, 0.5), "best_margins(300, 3"),
    ("best_margins", lambda n1, n2, p: best_margins(n2, n1, p), "best_margins(300, 3"),
    ("best_margins", lambda n1, n2, p: best_margins(n1, n2, 0.5), "best_margins(16, 1"),
    ("best_margins", lambda n1, n2, p: best_margins(n1, n2, 2 * p), "best_margins(300, 3"),
    ("remix_fraction", lambda a, b, lam, **_: torch.full(a.shape, lam), "0.3)"),
    ("remix_fraction", remix_without_tau, "0.3)"),
    ("remix_fraction", remix_without_kappa_itself, "0.3)"),
    ("remix_fraction", lambda a, b, lam, **_: remix_fraction(a, b, lam), "tau=0.7"),
]
