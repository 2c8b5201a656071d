"""Exercises of the page on training in several processes."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import DistributedSampler

from glassbox.chapters.checking import Case, Exercise


def _counts(processes: int) -> list[int]:
    return [random.randint(1, 40) for _ in range(processes)]


def _gradients(counts: list[int]) -> tuple[Tensor, list[int]]:
    return torch.randn(len(counts), 6, dtype=torch.float64), counts


def _combined(gradients: Tensor, counts: Sequence[int]) -> Tensor:
    images = torch.repeat_interleave(gradients, torch.as_tensor(counts), 0)
    return images.mean(0)


check_combined = Exercise(
    "combined",
    reference=_combined,
    cases=lambda: [
        Case(f"combined of processes with {', '.join(map(str, counts))} images", _gradients(counts))
        for counts in ([32, 32], [3, 2], [64], [16, 16, 16, 1])
    ],
    drawn=lambda: _gradients(_counts(random.randint(2, 6))),
    mistakes={
        "This is the plain average, in which an image of a smaller part counts for more: weigh "
        "each gradient by n_p / N.": lambda gradients, counts: gradients.mean(0),
        "This is a sum over all images: divide by their number, N.": lambda gradients, counts: (
            gradients * torch.as_tensor(counts)[:, None]
        ).sum(0),
        "This is divided by the number of processes: the weights n_p / N sum to 1 already.": (
            lambda gradients, counts: _combined(gradients, counts) / len(counts)
        ),
        "The gradients are added up as they are: each is the mean of its part, and counts for "
        "n_p / N.": lambda gradients, counts: gradients.sum(0),
    },
)


def _sampled(images: int, rank: int, processes: int) -> list[int]:
    return list(DistributedSampler(range(images), processes, rank, shuffle=False))


def _block(images: int, rank: int, processes: int) -> list[int]:
    each = -(-images // processes)
    return [i % images for i in range(rank * each, (rank + 1) * each)]


def _draw_samples() -> tuple[int, int, int]:
    processes = random.randint(2, 7)
    return random.randint(processes, 40), random.randrange(processes), processes


check_sampled = Exercise(
    "sampled",
    reference=_sampled,
    cases=[(8, 1, 2), (7, 1, 2), (7, 0, 2), (10, 3, 4), (10, 1, 4)],
    drawn=_draw_samples,
    mistakes={
        "The processes get unequal numbers of images: the list goes on with its beginning until "
        "each has as many.": lambda images, rank, processes: list(range(rank, images, processes)),
        "The last images are dropped here: the list goes on with its beginning, so that each "
        "image is seen.": lambda images, rank, processes: list(
            range(rank, images // processes * processes, processes)
        ),
        "These are neighbors: process r takes every P-th image, from r on.": _block,
    },
)


def _batch_statistics(means: Tensor, variances: Tensor, counts: Sequence[int]) -> Tensor:
    weights = torch.as_tensor(counts)[:, None] / sum(counts)
    mean = (weights * means).sum(0)
    return torch.stack([mean, (weights * (variances + means**2)).sum(0) - mean**2])


def _parts(counts: list[int]) -> tuple[Tensor, Tensor, list[int]]:
    activations = [3 * torch.randn(n, 2, dtype=torch.float64) + torch.randn(2) for n in counts]
    means = torch.stack([part.mean(0) for part in activations])
    variances = torch.stack([part.var(0, correction=0) for part in activations])
    return means, variances, counts


check_batch_statistics = Exercise(
    "batch_statistics",
    reference=_batch_statistics,
    cases=lambda: [
        Case(f"batch_statistics of processes with {text} images", _parts(counts))
        for text, counts in {"4 and 4": [4, 4], "5 and 2": [5, 2], "3, 1 and 8": [3, 1, 8]}.items()
    ],
    drawn=lambda: _parts(_counts(random.randint(2, 5))),
    mistakes={
        "The variance is the mean of the parts' variances: how far their means lie apart is "
        "missing.": lambda means, variances, counts: torch.stack(
            [
                _combined(means, counts),
                _combined(variances, counts),
            ]
        ),
        "The parts count alike: weigh each by its images.": (
            lambda means, variances, counts: _batch_statistics(means, variances, [1] * len(counts))
        ),
        "This is the standard deviation: the second row is the variance.": (
            lambda means, variances, counts: torch.stack(
                [
                    _combined(means, counts),
                    _batch_statistics(means, variances, counts)[1].sqrt(),
                ]
            )
        ),
    },
)


def _warmed_up(lr: float, factor: float, step: int, warmup: int) -> float:
    done = min(step / warmup, 1.0)
    return (1 - done) * lr + done * factor * lr


check_warmed_up = Exercise(
    "warmed_up",
    reference=_warmed_up,
    cases=[(0.1, 8, 0, 100), (0.1, 8, 50, 100), (0.1, 8, 100, 100), (0.05, 4, 300, 100)],
    drawn=lambda: (
        random.uniform(0.01, 1.0),
        random.randint(2, 32),
        random.randint(0, 60),
        random.randint(10, 50),
    ),
    mistakes={
        "There is no warm-up: step 0 has the rate of one process, lr.": (
            lambda lr, factor, step, warmup: lr * factor
        ),
        "This begins at 0: step 0 has the rate of one process, lr.": (
            lambda lr, factor, step, warmup: lr * factor * min(step / warmup, 1)
        ),
        "This goes on rising after the warm-up: stop at factor * lr.": (
            lambda lr, factor, step, warmup: lr * (1 + (factor - 1) * step / warmup)
        ),
        "This grows with the square root of the factor: the rule of this page is linear.": (
            lambda lr, factor, step, warmup: _warmed_up(lr, factor**0.5, step, warmup)
        ),
    },
)
