"""The study of ways to make digits: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.gan.study --size cpu`` takes about three minutes on one core. It
compares generated digits with real ones, and counts the modes of a ring that two recipes find;
``--part rates`` compares learning rates, on a seed that is not in the comparison.

Each ``load_X`` reads a table of a study, in ``folder``, or what is stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from statistics import mean

import torch

from glassbox.chapters.gan.arms import ARMS, Scores, digit_halves, score, train_classifier
from glassbox.chapters.studies import Study, run_study
from glassbox.generation.gaussian_ring import COLLAPSED, HEALTHY, count_modes, train_ring
from glassbox.training.run_tables import read_runs
from glassbox.training.seed_statistics import SeedRuns

STORED = Path(__file__).parent
SCORES = {"arm": str, "seed": int}, Scores._fields
RING = {"arm": str, "seed": int}, ("modes", "discriminator", "generator")
RATES = {"arm": str, "lr": float, "seed": int}, ("frechet",)
RING_ARMS = {"healthy": (HEALTHY, 1000), "collapsed": (COLLAPSED, 400)}  # recipe and steps

Runs = dict[str, dict[str, SeedRuns]]


@dataclass(frozen=True)
class Size:
    """How much is trained: seeds, rates, and which fraction of the full length."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    length: float = 1.0
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2)


SIZES = {"smoke": Size((0, 1), 0.02, (1e-3, 3e-3)), "cpu": Size()}


def compare(study: Study) -> None:
    """Score what each arm makes of the digits, and count the modes of a ring."""
    measure, size = _Judge(study.size), study.size
    runs = [(name, seed) for arm in ARMS.values() for seed in size.seeds for name in arm.samplers]
    study.fill(study.table("scores", *SCORES), runs, measure)

    def ring(arm: str, seed: int) -> Iterator[float]:
        recipe, steps = RING_ARMS[arm]
        steps = max(50, round(size.length * steps))
        gan, history = train_ring(recipe, steps=steps, seed=seed, progress=False)
        yield count_modes(gan.sample(1000, torch.Generator().manual_seed(seed))).modes
        yield from (mean(part[-50:]) for part in (history.discriminator, history.generator))

    study.fill(study.table("ring", *RING), product(RING_ARMS, size.seeds), ring)


def rates(study: Study) -> None:
    """Compare learning rates of all arms, on a seed that is not in the comparison."""
    measure = _Judge(study.size)

    def run(name: str, lr: float, seed: int) -> list[float]:
        return [measure(name, seed, lr=lr).frechet]

    names = [
        (name, lr, 99) for arm in ARMS.values() for lr in study.size.rates for name in arm.samplers
    ]
    study.fill(study.table("rates", *RATES), names, run)


class _Judge:
    """Trains what a name needs, and scores its digits; the last training is kept for its other."""

    def __init__(self, size: Size) -> None:
        self.size, self.task = size, digit_halves()
        self.classifier = train_classifier(self.task, epochs=max(1, round(20 * size.length)))
        self.samplers = lru_cache(1)(self._train)

    def _train(self, arm: str, seed: int, **options: float) -> dict:
        length = max(1, round(self.size.length * ARMS[arm].length))
        return ARMS[arm].train(self.task.images, seed, length, **options)

    def __call__(self, name: str, seed: int, **options: float) -> Scores:
        (arm,) = (arm for arm, made in ARMS.items() if name in made.samplers)
        real, generator = self.task.test_images, torch.Generator().manual_seed(seed)
        images = self.samplers(arm, seed, **options)[name](len(real), generator)
        return score(self.classifier, real, images)


def load_scores(folder: str | Path = STORED) -> Runs:
    """Read how generated digits compare with real ones: for each sampler each of ``Scores``."""
    return read_runs(Path(folder, "scores.csv"), *SCORES)


def load_ring(folder: str | Path = STORED) -> Runs:
    """Read what two recipes find on the ring, ``"healthy"`` and ``"collapsed"``.

    The measures are the number of ``modes``, and the mean losses of ``discriminator`` and
    ``generator`` in the last 50 steps.
    """
    return read_runs(Path(folder, "ring.csv"), *RING)


if __name__ == "__main__":
    run_study("gan", SIZES, {"compare": compare, "rates": rates})
