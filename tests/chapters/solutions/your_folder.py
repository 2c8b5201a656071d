"""Answers to the exercises on a folder of one's own."""

import math

import numpy as np
import torch


def factor(step, rising, total):
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / (total - rising)
    return 0.5 * (1 + math.cos(math.pi * done))


def factor_of_table(step, rising, total):
    falling = np.cos(np.linspace(0, np.pi / 2, total - rising + 1)[:-1]) ** 2
    return np.concatenate([np.arange(1, rising + 1) / rising, falling])[step]


def factor_of_tensors(step, rising, total):
    done = torch.tensor((step - rising) / (total - rising)).clamp(min=0)
    rise = torch.tensor((step + 1) / rising).clamp(max=1)
    return rise * (1 + (math.pi * done).cos()) / 2


def renumber(targets, here, known):
    return [known.index(here[target]) for target in targets]


def renumber_by_table(targets, here, known):
    number = {name: place for place, name in enumerate(known)}
    return torch.tensor([number[name] for name in here])[torch.tensor(targets)]


def renumber_sorted(targets, here, known):
    return np.searchsorted(known, np.array(here)[targets])


def margins_of_logits(counts, max_margin, scale):
    return scale * max_margin * (counts.min() / counts) ** 0.25


def margins_by_roots(counts, max_margin, scale):
    roots = np.sqrt(np.sqrt(counts.numpy()))
    return scale * max_margin * roots.min() / roots


def margins_one_by_one(counts, max_margin, scale):
    least = min(counts.tolist())
    return [scale * max_margin * (least / count) ** (1 / 4) for count in counts.tolist()]


def left_of_start(decay, updates):
    return math.prod(min(decay, (1 + t) / (10 + t)) for t in range(1, updates + 1))


def left_by_loop(decay, updates):
    left = 1.0
    for t in range(updates):
        left *= min(decay, (t + 2) / (t + 11))
    return left


def left_by_average(decay, updates):
    """Average zeros, beginning with a one."""
    mean = torch.ones((), dtype=torch.float64)
    for t in range(1, updates + 1):
        mean.lerp_(torch.zeros_like(mean), 1 - min(decay, (1 + t) / (10 + t)))
    return mean


ANSWERS = {
    "factor": {
        "right": [factor, factor_of_table, factor_of_tensors],
        "wrong": {
            "The first step has a rate of 0": lambda step, rising, total: (
                step / rising if step < rising else factor(step, rising, total)
            ),
            "This falls in a straight line": lambda step, rising, total: (
                (step + 1) / rising if step < rising else 1 - (step - rising) / (total - rising)
            ),
            "count from the end of the warm-up": lambda step, rising, total: (
                (step + 1) / rising
                if step < rising
                else 0.5 + 0.5 * math.cos(math.pi * step / total)
            ),
        },
    },
    "renumber": {
        "right": [renumber, renumber_by_table, renumber_sorted],
        "wrong": {
            "the numbers of the test folder itself": lambda targets, here, known: targets,
            "A shift by the number of missing": lambda targets, here, known: (
                torch.tensor(targets) + len(known) - len(here)
            ),
            "ValueError": lambda targets, here, known: [here.index(known[t]) for t in targets],
        },
    },
    "margins_of_logits": {
        "right": [margins_of_logits, margins_by_roots, margins_one_by_one],
        "wrong": {
            "These are margins of cosines": lambda counts, max_margin, scale: (
                max_margin * (counts.min() / counts) ** 0.25
            ),
            "this is the square root": lambda counts, max_margin, scale: (
                scale * max_margin * (counts.min() / counts).sqrt()
            ),
            "divide by the smallest count": lambda counts, max_margin, scale: (
                scale * max_margin * counts**-0.25
            ),
        },
    },
    "left_of_start": {
        "right": [left_of_start, left_by_loop, left_by_average],
        "wrong": {
            "This is without a warm-up": lambda decay, updates: decay**updates,
            "The updates count from 1": lambda decay, updates: math.prod(
                min(decay, (1 + t) / (10 + t)) for t in range(updates)
            ),
            "not the last one taken": lambda decay, updates: min(
                decay, (1 + updates) / (10 + updates)
            ),
        },
    },
}
