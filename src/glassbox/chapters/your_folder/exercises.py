"""Exercises of the page on a folder of one's own."""

import math
import random

import torch
from torch import Tensor

from glassbox.chapters.checking import Exercise
from glassbox.chapters.your_folder.recipe import WarmUpCosine
from glassbox.chapters.your_folder.watch import start_left
from glassbox.losses.ldam import ldam_margins


def _draw_step() -> tuple[int, int, int]:
    rising = random.randint(2, 10)
    total = rising + random.randint(5, 40)
    return random.randrange(total), rising, total


check_factor = Exercise(
    "factor",
    reference=lambda step, rising, total: WarmUpCosine(rising, total)(step),
    cases=[(0, 5, 20), (4, 5, 20), (5, 5, 20), (9, 5, 20), (19, 5, 20)],
    drawn=_draw_step,
    mistakes={
        "The first step has a rate of 0 and is lost: begin with (step + 1) / rising.": (
            lambda step, rising, total: (
                step / rising if step < rising else WarmUpCosine(rising, total)(step)
            )
        ),
        "The cosine counts from the start of the training: count from the end of the warm-up, "
        "(step - rising) / (total - rising).": (
            lambda step, rising, total: (
                (step + 1) / rising
                if step < rising
                else 0.5 * (1 + math.cos(math.pi * step / total))
            )
        ),
        "This falls in a straight line: take 0.5 * (1 + cos(pi * done)).": (
            lambda step, rising, total: (
                (step + 1) / rising if step < rising else 1 - (step - rising) / (total - rising)
            )
        ),
        "A cosine goes from 1 to -1, and a rate must not be negative: 0.5 * (1 + cos(...)).": (
            lambda step, rising, total: (
                (step + 1) / rising
                if step < rising
                else math.cos(math.pi * (step - rising) / (total - rising))
            )
        ),
    },
)

_NAMES = ("bee", "cat", "dog", "fox", "hen", "owl")


def _renumber(targets: list[int], here: list[str], known: list[str]) -> list[int]:
    return [known.index(here[target]) for target in targets]


def _draw_folders() -> tuple[list[int], list[str], list[str]]:
    known = sorted(random.sample(_NAMES, 5))
    here = sorted(random.sample(known, 3))
    return [random.randrange(3) for _ in range(6)], here, known


check_renumber = Exercise(
    "renumber",
    reference=_renumber,
    cases=[
        ([0, 1, 1, 2], ["cat", "dog", "owl"], ["bee", "cat", "dog", "owl"]),
        ([0, 0, 1], ["bee", "owl"], ["bee", "cat", "dog", "owl"]),
        ([2, 1, 0], ["bee", "cat", "dog"], ["bee", "cat", "dog"]),
    ],
    drawn=_draw_folders,
    mistakes={
        "These are the numbers of the test folder itself: look each name up in `known`.": (
            lambda targets, here, known: list(targets)
        ),
        "A shift by the number of missing classes is right if these come first: look each name up "
        "in `known`.": (
            lambda targets, here, known: [one + len(known) - len(here) for one in targets]
        ),
    },
)


def _draw_counts() -> tuple[Tensor, float, float]:
    counts = torch.randint(1, 500, (random.randint(2, 7),))
    return counts, random.uniform(0.1, 1.0), random.uniform(5.0, 40.0)


check_margins_of_logits = Exercise(
    "margins_of_logits",
    reference=lambda counts, max_margin, scale: scale * ldam_margins(counts, max_margin),
    cases=lambda: [
        (torch.tensor([400, 100, 25]), 0.5, 30.0),
        (torch.tensor([16, 81, 256]), 0.3, 10.0),
    ],
    drawn=_draw_counts,
    mistakes={
        "These are margins of cosines: the head has multiplied those by the scale, so multiply "
        "the margins, too.": lambda counts, max_margin, scale: ldam_margins(counts, max_margin),
        "A margin goes with the fourth root of a count, and this is the square root: ** 0.25.": (
            lambda counts, max_margin, scale: (
                scale * max_margin * (counts.min() / counts.double()) ** 0.5
            )
        ),
        "The largest margin is not max_margin times the scale: divide by the smallest count, with "
        "(counts.min() / counts) ** 0.25.": (
            lambda counts, max_margin, scale: scale * max_margin / counts.double() ** 0.25
        ),
    },
)


def _product(decay: float, updates: int, factor: object) -> float:
    return math.prod(min(decay, factor(t)) for t in range(1, updates + 1))


check_left_of_start = Exercise(
    "left_of_start",
    reference=lambda decay, updates: start_left(decay, True, updates),
    cases=[(0.9998, 1), (0.9998, 3), (0.5, 20), (0.99, 10)],
    drawn=lambda: (random.uniform(0.3, 0.999), random.randint(2, 12)),
    mistakes={
        "This is without a warm-up: the decay of update t is min(decay, (1 + t) / (10 + t)).": (
            lambda decay, updates: decay**updates
        ),
        "The updates count from 1, so the first decay is at most 2 / 11.": (
            lambda decay, updates: _product(decay, updates, lambda t: t / (9 + t))
        ),
        "The smaller of the two counts, not the larger: min(decay, (1 + t) / (10 + t)).": (
            lambda decay, updates: math.prod(
                max(decay, (1 + t) / (10 + t)) for t in range(1, updates + 1)
            )
        ),
        "The parts that are kept are multiplied, not the last one taken: math.prod over all "
        "updates.": lambda decay, updates: min(decay, (1 + updates) / (10 + updates)),
    },
)
