"""Checks for the exercises of the chapter on generative adversarial networks."""

from collections.abc import Iterator

import torch
from scipy.spatial.distance import jensenshannon

from glassbox.chapters.checking import Case, exercise
from glassbox.generation.generative_metrics import precision_recall_density_coverage


@exercise()
def check_jensen_shannon() -> Iterator[Case]:
    """Check ``jensen_shannon(p, q)``."""
    drawn = torch.rand(2, 6, dtype=torch.float64)
    p, q = drawn / drawn.sum(1, keepdim=True)
    certain, half = torch.eye(3).double(), torch.tensor([0.5, 0.5, 0]).double()
    for text, given in {
        "p and itself": (p, p),
        "two dice": (p, q),
        "no outcome in common": (certain[0, :2], certain[1, :2]),
        "p and a half of it": (half, certain[0]),
    }.items():
        expected = torch.tensor(jensenshannon(*given) ** 2, dtype=torch.float64)
        yield Case(text, given, expected)


@exercise()
def check_coverage() -> Iterator[Case]:
    """Check ``coverage(real, fake, k)``."""
    real = torch.randn(40, 3, dtype=torch.float64)
    for text, fake, k in (
        ("fakes that are the real ones", real, 1),
        ("fakes from the same distribution", torch.randn(40, 3).double(), 3),
        ("fakes that are all one point", real[:1] + 0.01 * real, 3),
    ):
        fraction = precision_recall_density_coverage(real, fake, k).coverage
        expected = torch.tensor(fraction, dtype=torch.float64)
        yield Case(f"{text}, k = {k}", (real, fake, k), expected)
