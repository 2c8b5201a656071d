"""Checks for the exercises of the chapter on generative adversarial networks."""

from collections.abc import Iterator

import torch
from scipy.spatial.distance import jensenshannon

from glassbox.chapters.checking import Candidate, Case, exercise
from glassbox.generation.generative_metrics import precision_recall_density_coverage


@exercise
def check_jensen_shannon(jensen_shannon: Candidate) -> Iterator[Case]:
    """Check ``jensen_shannon(p, q)``."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.rand(2, 6, generator=generator, dtype=torch.float64)
    p, q = drawn / drawn.sum(1, keepdim=True)
    ends = torch.tensor([1.0, 0.0]).double(), torch.tensor([0.0, 1.0]).double()
    for name, given in {
        "p and itself": (p, p),
        "two dice": (p, q),
        "no outcome in common": ends,
        "p and a half of it": (torch.tensor([0.5, 0.5, 0]).double(), torch.eye(3).double()[0]),
    }.items():
        expected = torch.tensor(jensenshannon(*given) ** 2, dtype=torch.float64)
        yield Case(name, lambda given=given: jensen_shannon(*given), expected)


@exercise
def check_coverage(coverage: Candidate) -> Iterator[Case]:
    """Check ``coverage(real, fake, k)``."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(40, 3, generator=generator, dtype=torch.float64)
    for name, fake, k in (
        ("fakes that are the real ones", real, 1),
        ("fakes from the same distribution", torch.randn(40, 3, generator=generator).double(), 3),
        ("fakes that are all one point", real[:1] + 0.01 * real, 3),
    ):
        fraction = precision_recall_density_coverage(real, fake, k).coverage
        expected = torch.tensor(fraction, dtype=torch.float64)
        yield Case(f"{name}, k = {k}", lambda fake=fake, k=k: coverage(real, fake, k), expected)
