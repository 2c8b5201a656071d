"""Checks for the exercises of the chapter on long tails."""

from collections.abc import Iterator

import torch

from glassbox.chapters.checking import Case, exercise
from glassbox.training.imbalance import balanced_accuracy


@exercise(read=float)
def check_balanced_from_matrix() -> Iterator[Case]:
    """Check ``balanced_from_matrix(matrix)``: the mean recall over classes with images."""
    for counts in ([20, 20, 20], [60, 20, 5], [60, 20, 0, 1]):
        labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        logits = torch.randn(len(labels), len(counts))
        matrix = torch.zeros(len(counts), len(counts), dtype=torch.int64)
        matrix.index_put_((labels, logits.argmax(1)), torch.tensor(1), accumulate=True)
        text = f"balanced_from_matrix of a matrix with {counts} images in its rows"
        yield Case(text, (matrix,), balanced_accuracy(logits, labels))


@exercise()
def check_adjusted() -> Iterator[Case]:
    """Check ``adjusted(logits, counts, tau)``: logits minus tau times the log of class priors."""
    for counts, tau in [((5, 5, 5), 1.0), ((300, 30, 3), 0.0), ((300, 30, 3), 1.0), ((9, 1), 2.5)]:
        logits, sizes = torch.randn(4, len(counts)), torch.tensor(counts)
        expected = logits - tau * (sizes / sizes.sum()).log()
        yield Case(f"adjusted(logits, counts {counts}, tau {tau})", (logits, sizes, tau), expected)


@exercise(read=lambda margins: torch.tensor([float(margin) for margin in margins]))
def check_best_margins() -> Iterator[Case]:
    """Check ``best_margins(n1, n2, p)``: the split of 1 that makes the bound smallest."""
    for n1, n2, p in [(50, 50, 0.5), (300, 3, 0.5), (16, 1, 1.0), (3, 300, 0.5), (300, 3, 0.0)]:
        first, second = n1 ** (-p / 2), n2 ** (-p / 2)
        expected = torch.tensor([first, second]) / (first + second)
        yield Case(f"best_margins({n1}, {n2}, p={p})", (n1, n2, p), expected)


@exercise()
def check_remix_fraction() -> Iterator[Case]:
    """Check ``remix_fraction(count_a, count_b, lam, kappa, tau)``: how much of the label is a."""
    count_a = torch.tensor([300.0, 3.0, 30.0, 90.0, 10.0, 29.0])
    count_b = torch.tensor([3.0, 300.0, 30.0, 30.0, 30.0, 10.0])
    for lam, common, rare in [(0.3, 0.0, 0.3), (0.8, 0.8, 1.0), (0.5, 0.5, 0.5)]:
        text = f"remix_fraction(counts {count_a.tolist()}, counts {count_b.tolist()}, {lam})"
        expected = torch.tensor([common, rare, lam, common, rare, lam])
        yield Case(text, (count_a, count_b, lam), expected)
    yield Case(
        "remix_fraction(counts [30.0], counts [10.0], 0.6, kappa=3.0, tau=0.7)",
        lambda f: f(torch.tensor([30.0]), torch.tensor([10.0]), 0.6, kappa=3.0, tau=0.7),
        torch.tensor([0.0]),
    )
