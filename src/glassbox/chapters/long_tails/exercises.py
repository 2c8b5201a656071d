"""Exercises of the chapter on long tails."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from glassbox.chapters.checking import Case, Exercise


def _recalls(matrix: Tensor) -> list[float]:
    return [float(row[i] / row.sum()) for i, row in enumerate(matrix) if row.sum()]


def _confusion(counts: Sequence[int]) -> Tensor:
    """Draw answers for so many images of each class."""
    classes = len(counts)
    answers = [torch.randint(classes, (count,)).bincount(minlength=classes) for count in counts]
    return torch.stack(answers) + torch.tensor(counts).diag()


check_balanced_from_matrix = Exercise(
    "balanced_from_matrix",
    reference=lambda matrix: sum(_recalls(matrix)) / len(_recalls(matrix)),
    cases=lambda: [
        Case(f"balanced_from_matrix with {counts} images in its rows", (_confusion(counts),))
        for counts in ([20, 20, 20], [60, 20, 5], [60, 20, 0, 1])
    ],
    drawn=lambda: (_confusion([*random.choices([0, 3, 30, 300], k=random.randint(4, 7)), 9]),),
    mistakes={
        "This is the accuracy, in which a class counts as much as it has images: divide each "
        "diagonal entry by the sum of its row first.": (
            lambda matrix: matrix.diagonal().sum() / matrix.sum()
        ),
        "A row without images gives 0 / 0, which is nan: leave out such rows before the mean.": (
            lambda matrix: (matrix.diagonal() / matrix.sum(1)).mean()
        ),
        "The sums are those of the columns, which gives the precision: recall divides by the sum "
        "of a row.": lambda matrix: (matrix.diagonal() / matrix.sum(0))[matrix.sum(1) > 0].mean(),
        "A class without images counts as one that is never right: leave it out of the mean.": (
            lambda matrix: (matrix.diagonal() / matrix.sum(1)).nan_to_num().mean()
        ),
        "Recalls are fractions: divide with / in place of //.": (
            lambda matrix: (matrix.diagonal() // matrix.sum(1).clamp(min=1)).float().mean()
        ),
    },
)


def _shifted(counts: tuple[int, ...], tau: float) -> tuple[Tensor, Tensor, float]:
    return torch.randn(4, len(counts)), torch.tensor(counts), tau


check_adjusted = Exercise(
    "adjusted",
    reference=lambda logits, counts, tau=1.0: (
        logits.exp() / (counts / sum(counts.tolist())) ** tau
    ).log(),
    cases=lambda: [
        Case(f"adjusted(logits, counts {counts}, tau {tau})", _shifted(counts, tau))
        for counts, tau in [
            *(((5, 5, 5), 1.0), ((300, 30, 3), 0.0)),
            *(((300, 30, 3), 1.0), ((9, 1), 2.5)),
        ]
    ],
    drawn=lambda: _shifted((*random.choices(range(1, 500), k=4),), random.uniform(0.2, 2)),
    mistakes={
        "The counts themselves are subtracted: subtract the logarithm of the fractions.": (
            lambda logits, counts, tau: logits - tau * counts
        ),
        "The fractions themselves are subtracted: subtract their logarithm.": (
            lambda logits, counts, tau: logits - tau * counts / counts.sum()
        ),
        "The logarithm is that of the counts: divide them by their sum first.": (
            lambda logits, counts, tau: logits - tau * counts.log()
        ),
        "The sign is reversed: a frequent class is to lose, and the logarithm of its fraction is "
        "below 0.": lambda logits, counts, tau: logits + tau * (counts / counts.sum()).log(),
        "tau has no effect: it multiplies the logarithm.": (
            lambda logits, counts, tau: logits - (counts / counts.sum()).log()
        ),
    },
)


def _margins(n1: float, n2: float, p: float) -> tuple[float, float]:
    """Find where the bound is smallest, by halving the interval of its slope's sign."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        too_small = 1 / (middle**2 * n1**p) > 1 / ((1 - middle) ** 2 * n2**p)
        low, high = (middle, high) if too_small else (low, middle)
    return low, 1 - low


check_best_margins = Exercise(
    "best_margins",
    reference=_margins,
    cases=[(50, 50, 0.5), (300, 3, 0.5), (16, 1, 1.0), (3, 300, 0.5), (300, 3, 0.0)],
    drawn=lambda: (*random.choices(range(1, 500), k=2), random.uniform(0.2, 1.5)),
    mistakes={
        "The margins are equal: the rarer class gets the larger one, unless p is 0.": (
            lambda n1, n2, p: (0.5, 0.5)
        ),
        "The margins are exchanged: the rarer class gets the larger one.": (
            lambda n1, n2, p: _margins(n2, n1, p)
        ),
        "p has no effect: it is 1/2 in the chapter alone.": (
            lambda n1, n2, p: _margins(n1, n2, 0.5)
        ),
        "The margins go with n**(-p), where setting the derivatives equal gives a root of it: "
        "n**(-p / 2).": lambda n1, n2, p: _margins(n1, n2, 2 * p),
        "The margins do not sum to 1: divide both by their sum.": (
            lambda n1, n2, p: (n1 ** (-p / 2), n2 ** (-p / 2))
        ),
    },
)


def _remix(
    count_a: Tensor, count_b: Tensor, lam: float, kappa: float = 3.0, tau: float = 0.5
) -> list[float]:
    """Decide pair by pair."""

    def one(ratio: float) -> float:
        if ratio >= kappa and lam < tau:
            return 0.0
        return 1.0 if ratio <= 1 / kappa and 1 - lam < tau else lam

    return [one(a / b) for a, b in zip(count_a.tolist(), count_b.tolist(), strict=True)]


def _remix_by(count_a: Tensor, count_b: Tensor, lam: float, to_b: Tensor, to_a: Tensor) -> Tensor:
    fraction = torch.full(count_a.shape, lam)
    return fraction.masked_fill(to_b, 0.0).masked_fill(to_a, 1.0)


def _mixed() -> list[Case]:
    count_a = torch.tensor([300.0, 3.0, 30.0, 90.0, 10.0, 29.0])
    count_b = torch.tensor([3.0, 300.0, 30.0, 30.0, 30.0, 10.0])
    settings = [(lam, 3.0, 0.5) for lam in (0.3, 0.8, 0.5)] + [(0.6, 3.0, 0.7), (0.3, 2.0, 0.5)]
    return [
        Case(f"remix_fraction with lam {lam}, kappa {kappa} and tau {tau}",
             (count_a, count_b, lam, kappa, tau))
        for lam, kappa, tau in settings
    ]  # fmt: skip


check_remix_fraction = Exercise(
    "remix_fraction",
    reference=_remix,
    cases=_mixed,
    drawn=lambda: (
        *(10 ** (3 * torch.rand(2, 8))).round(),
        *map(random.uniform, (0.1, 1.5, 0.4), (0.9, 6.0, 0.8)),
    ),
    mistakes={
        "This is Mixup, with lam for every pair: where the counts are far apart, the rarer class "
        "gets all.": lambda a, b, lam, *_: torch.full(a.shape, lam),
        "tau has no effect: the rarer class gets all only with lam < tau, or with 1 - lam < tau.": (
            lambda a, b, lam, kappa, tau: _remix_by(a, b, lam, a / b >= kappa, a / b <= 1 / kappa)
        ),
        "A ratio of exactly kappa, or 1 / kappa, counts: compare with >= and <=.": (
            lambda a, b, lam, kappa, tau: _remix_by(
                a, b, lam, (a / b > kappa) & (lam < tau), (a / b < 1 / kappa) & (1 - lam < tau)
            )
        ),
        "kappa and tau are fixed here: use the arguments.": (
            lambda a, b, lam, kappa, tau: _remix(a, b, lam)
        ),
        "The fractions 0 and 1 are exchanged: where a has more images, b gets the label.": (
            lambda a, b, lam, kappa, tau: _remix_by(
                a, b, lam, (a / b <= 1 / kappa) & (1 - lam < tau), (a / b >= kappa) & (lam < tau)
            )
        ),
    },
)
