"""Answers to the exercises on long tails."""

from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


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


def train_deferred(model, images, labels, counts, lr, steps, start):
    optimizer, losses = torch.optim.SGD(model.parameters(), lr), []
    for step in range(1, steps + 1):
        weight = 1 / counts if step >= start else None
        loss = F.cross_entropy(model(images), labels, weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_deferred_by_hand(model, images, labels, counts, lr, steps, start):
    losses = torch.zeros(steps)
    for step in range(steps):
        w = (counts.max() / counts if step + 1 >= start else torch.ones(len(counts)))[labels]
        own = model(images).log_softmax(1)[torch.arange(len(labels)), labels]
        loss = -(w * own).sum() / w.sum()
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        for parameter, slope in zip(model.parameters(), slopes, strict=True):
            parameter.data -= lr * slope
        losses[step] = loss.detach()
    return losses


def train_deferred_in_two_halves(model, images, labels, counts, lr, steps, start):
    optimizer = torch.optim.SGD(model.parameters(), lr)
    effective = (1 - 0.0) * counts.reciprocal()
    first = [nn.CrossEntropyLoss()] * min(start - 1, steps)
    losses = []
    for criterion in first + [nn.CrossEntropyLoss(effective)] * (steps - len(first)):
        model.zero_grad(set_to_none=True)
        losses.append(criterion(model(images), labels))
        losses[-1].backward()
        optimizer.step()
    return [loss.item() for loss in losses]


def train_mixed(model, batches, lr):
    optimizer, losses = torch.optim.SGD(model.parameters(), lr), []
    for images, labels, lam in batches:
        logits = model(lam * images + (1 - lam) * images.roll(1, 0))
        loss = lam * F.cross_entropy(logits, labels)
        loss = loss + (1 - lam) * F.cross_entropy(logits, labels.roll(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_mixed_by_rows(model, batches, lr):
    losses = []
    for images, labels, lam in batches:
        rows = F.one_hot(labels, 3).float()
        mixed, soft = (lam * part + (1 - lam) * part.roll(1, 0) for part in (images, rows))
        loss = F.cross_entropy(model(mixed), soft)
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        for parameter, slope in zip(model.parameters(), slopes, strict=True):
            parameter.data -= lr * slope
        losses.append(loss)
    return losses


def train_mixed_by_indices(model, batches, lr):
    optimizer, losses = torch.optim.SGD(model.parameters(), lr), np.zeros(len(batches))
    for number, (images, labels, lam) in enumerate(batches):
        before = torch.arange(len(labels)) - 1
        logs = model(images.lerp(images[before], 1 - lam)).log_softmax(1)
        each = lam * logs.gather(1, labels[:, None]) + (1 - lam) * logs.gather(
            1, labels[before][:, None]
        )
        optimizer.zero_grad()
        (-each.mean()).backward()
        optimizer.step()
        losses[number] = -each.mean().item()
    return losses


def train_unmixed(model, batches, lr):
    return train_mixed(model, [(images, labels, 1.0) for images, labels, _ in batches], lr)


def train_with_the_next(model, batches, lr):
    turned = [(images.roll(-1, 0), labels.roll(-1), 1 - lam) for images, labels, lam in batches]
    return train_mixed(model, turned, lr)


def train_with_hard_labels(model, batches, lr):
    losses = []
    optimizer = torch.optim.SGD(model.parameters(), lr)
    for images, labels, lam in batches:
        loss = F.cross_entropy(model(lam * images + (1 - lam) * images.roll(1, 0)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


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
    "train_deferred": {
        "right": [train_deferred, train_deferred_by_hand, train_deferred_in_two_halves],
        "wrong": {
            "from the first step on": lambda *given: train_deferred(*given[:-1], 1),
            "no weights in any step": lambda *given: train_deferred(*given[:-1], 99),
            "a step late": lambda *given: train_deferred(*given[:-1], given[-1] + 1),
        },
    },
    "train_mixed": {
        "right": [train_mixed, train_mixed_by_rows, train_mixed_by_indices],
        "wrong": {
            "Nothing is mixed": train_unmixed,
            "The labels are not mixed": train_with_hard_labels,
            "The partner is the next image": train_with_the_next,
        },
    },
}
