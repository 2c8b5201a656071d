"""The study of ways to make digits: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.gan.study --size cpu`` takes about three minutes on one core. It
compares generated digits with real ones, and counts the modes of a ring that two recipes find;
``--part rates`` compares learning rates, on a seed that is not in the comparison. ``--size gpu``
makes MNIST's digits with the networks, rates and epochs of the articles.

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

from glassbox.chapters.gan.arms import ARMS, TASKS, Sampler, Scores, score, train_classifier
from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.data.train_test import TrainTest
from glassbox.generation.gaussian_ring import COLLAPSED, HEALTHY, count_modes, train_ring

STORED = Path(__file__).parent
SCORES = study_table(STORED / "scores.csv", {"arm": str, "seed": int}, Scores._fields)
RING = study_table(
    STORED / "ring.csv", {"arm": str, "seed": int}, ("modes", "discriminator", "generator")
)
RATES = study_table(STORED / "rates.csv", {"arm": str, "lr": float, "seed": int}, ("frechet",))
SAMPLERS = {name: arm for arm, made in ARMS.items() for name in made.samplers}  # to arms
RING_ARMS = {"healthy": (HEALTHY, 1000), "collapsed": (COLLAPSED, 400)}  # recipe and steps


@dataclass(frozen=True)
class Size:
    """What is trained: which digits, seeds, rates, and which fraction of the full length."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    length: float = 1.0
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2)
    data: str = "digits"


SIZES = {
    "smoke": Size((0, 1), 0.005, (3e-3,)),
    "cpu": Size(),
    "gpu": Size(rates=(1e-4, 3e-4, 1e-3, 3e-3), data="mnist"),
}


@lru_cache(1)
def _task(data: str) -> TrainTest:
    return TASKS[data]()


@lru_cache(1)
def _classifier(data: str, epochs: int) -> torch.nn.Module:
    return train_classifier(_task(data), epochs=epochs)


@lru_cache(8)  # both samplers of an autoencoder come from one training
def _samplers(data: str, arm: str, seed: int, length: int, **rate: float) -> dict[str, Sampler]:
    return ARMS[arm].train(_task(data).images, seed, length, **rate)


def _score(study: Study, name: str, seed: int, **rate: float) -> Scores:
    arm, length, data = SAMPLERS[name], study.size.length, study.size.data
    full = ARMS[arm].length
    if data == "mnist":
        full, usual = ARMS[arm].mnist
        rate = {"lr": usual} | rate
    classifier = _classifier(data, max(1, round(20 * length)))
    samplers = _samplers(data, arm, seed, max(1, round(length * full)), **rate)
    real = _task(data).test_images
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
