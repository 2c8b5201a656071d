"""Checks for the exercises of the chapter on long tails."""

from collections.abc import Iterator

import torch

from glassbox.chapters.checking import Candidate, Case, exercise
from glassbox.training.imbalance import balanced_accuracy


@exercise
def check_balanced_from_matrix(candidate: Candidate) -> Iterator[Case]:
    """Check ``balanced_from_matrix(matrix)``: the mean recall over classes with images."""
    generator = torch.Generator().manual_seed(0)
    for counts in ([20, 20, 20], [60, 20, 5], [60, 20, 0, 1]):
        labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        logits = torch.randn(len(labels), len(counts), generator=generator)
        matrix = torch.zeros(len(counts), len(counts), dtype=torch.int64)
        matrix.index_put_((labels, logits.argmax(1)), torch.tensor(1), accumulate=True)
        yield Case(
            f"balanced_from_matrix of a matrix with {counts} images in its rows",
            lambda matrix=matrix: float(candidate(matrix)),
            balanced_accuracy(logits, labels),
        )


@exercise
def check_adjusted(candidate: Candidate) -> Iterator[Case]:
    """Check ``adjusted(logits, counts, tau)``: logits without tau times the log of the shares."""
    generator = torch.Generator().manual_seed(0)
    for counts, tau in [((5, 5, 5), 1.0), ((300, 30, 3), 0.0), ((300, 30, 3), 1.0), ((9, 1), 2.5)]:
        logits = torch.randn(4, len(counts), generator=generator)
        sizes = torch.tensor(counts)
        yield Case(
            f"adjusted(logits, counts {counts}, tau {tau})",
            lambda given=(logits, sizes, tau): candidate(*given),
            logits - tau * (sizes / sizes.sum()).log(),
        )


@exercise
def check_best_margins(candidate: Candidate) -> Iterator[Case]:
    """Check ``best_margins(n1, n2, p)``: the split of 1 that makes the bound smallest."""
    for n1, n2, p in [(50, 50, 0.5), (300, 3, 0.5), (16, 1, 1.0), (3, 300, 0.5), (300, 3, 0.0)]:
        first, second = n1 ** (-p / 2), n2 ** (-p / 2)
        yield Case(
            f"best_margins({n1}, {n2}, p={p})",
            lambda given=(n1, n2, p): torch.tensor([float(gamma) for gamma in candidate(*given)]),
            torch.tensor([first, second]) / (first + second),
        )


@exercise
def check_remix_fraction(candidate: Candidate) -> Iterator[Case]:
    """Check ``remix_fraction(count_a, count_b, lam, kappa, tau)``: how much of the label is a."""
    count_a = torch.tensor([300.0, 3.0, 30.0, 90.0, 10.0, 29.0])
    count_b = torch.tensor([3.0, 300.0, 30.0, 30.0, 30.0, 10.0])
    for lam, common, rare in [(0.3, 0.0, 0.3), (0.8, 0.8, 1.0), (0.5, 0.5, 0.5)]:
        yield Case(
            f"remix_share(counts {count_a.tolist()}, counts {count_b.tolist()}, {lam})",
            lambda lam=lam: candidate(count_a, count_b, lam),
            torch.tensor([common, rare, lam, common, rare, lam]),
        )
    yield Case(
        "remix_share(counts [30.0], counts [10.0], 0.6, kappa=3.0, tau=0.7)",
        lambda: candidate(torch.tensor([30.0]), torch.tensor([10.0]), 0.6, kappa=3.0, tau=0.7),
        torch.tensor([0.0]),
    )
