"""The study of ways to make digits: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.gan.study --size cpu`` takes about three minutes on one core. It
compares generated digits with real ones, and counts the modes of a ring that two recipes find;
``--part rates`` compares learning rates, on a seed that is not in the comparison.

Each ``load_X`` reads a table from the folder of a study, or the one stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from statistics import mean

import torch

from glassbox.chapters.gan.arms import ARMS, Sampler, Scores, digit_halves, score, train_classifier
from glassbox.chapters.studies import Runs, Study, run_study
from glassbox.generation.gaussian_ring import COLLAPSED, HEALTHY, count_modes, train_ring
from glassbox.training.run_tables import RunTable

STORED = Path(__file__).parent
SCORES = RunTable(STORED / "scores.csv", {"arm": str, "seed": int}, Scores._fields)
RING = RunTable(
    STORED / "ring.csv", {"arm": str, "seed": int}, ("modes", "discriminator", "generator")
)
RATES = RunTable(STORED / "rates.csv", {"arm": str, "lr": float, "seed": int}, ("frechet",))
SAMPLERS = {name: arm for arm, made in ARMS.items() for name in made.samplers}  # to arms
RING_ARMS = {"healthy": (HEALTHY, 1000), "collapsed": (COLLAPSED, 400)}  # recipe and steps


@dataclass(frozen=True)
class Size:
    """How much is trained: seeds, rates, and which fraction of the full length."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    length: float = 1.0
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2)


SIZES = {"smoke": Size((0, 1), 0.02, (1e-3, 3e-3)), "cpu": Size()}

_task = lru_cache(1)(digit_halves)


@lru_cache(1)
def _classifier(epochs: int) -> torch.nn.Module:
    return train_classifier(_task(), epochs=epochs)


@lru_cache(8)  # both samplers of an autoencoder come from one training
def _samplers(arm: str, seed: int, length: int, **options: float) -> dict[str, Sampler]:
    return ARMS[arm].train(_task().images, seed, length, **options)


def _score(study: Study, name: str, seed: int, **options: float) -> Scores:
    arm, length = SAMPLERS[name], study.size.length
    classifier = _classifier(max(1, round(20 * length)))
    samplers = _samplers(arm, seed, max(1, round(length * ARMS[arm].length)), **options)
    real = _task().test_images
    images = samplers[name](len(real), torch.Generator().manual_seed(seed))
    return score(classifier, real, images)


def _train_ring(study: Study, arm: str, seed: int) -> Iterator[float]:
    recipe, steps = RING_ARMS[arm]
    steps = max(50, round(study.size.length * steps))
    gan, history = train_ring(recipe, steps=steps, seed=seed, progress=False)
    yield count_modes(gan.sample(1000, torch.Generator().manual_seed(seed))).modes
    yield from (mean(part[-50:]) for part in (history.discriminator, history.generator))


def _try_rate(study: Study, name: str, lr: float, seed: int) -> list[float]:
    return [_score(study, name, seed, lr=lr).frechet]


PARTS = {
    "compare": (
        Runs(SCORES, lambda size: product(SAMPLERS, size.seeds), _score),
        Runs(RING, lambda size: product(RING_ARMS, size.seeds), _train_ring),
    ),
    "rates": (Runs(RATES, lambda size: product(SAMPLERS, size.rates, [99]), _try_rate),),
}

load_scores = SCORES.runs  # for each sampler each of ``Scores``
load_ring = RING.runs  # the number of modes, and the mean losses of the last 50 steps

if __name__ == "__main__":
    run_study("gan", SIZES, PARTS)
