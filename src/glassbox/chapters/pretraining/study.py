"""The study of pretraining: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.pretraining.study --size cpu`` makes 10 pretrainings and 360 transfers
in about 15 minutes on one core. ``--part stems`` pretrains AlexNet and ResNet-18 on Fashion-MNIST
and adapts them to small digits in several ways, in about an hour; ``--part rates`` compares
learning rates, on a seed that is not in the comparison. ``--size gpu`` pretrains on as many images
as CIFAR-10 has, in 40 epochs, and on all of Fashion-MNIST.

Each ``load_X`` reads a table from the folder of a study, or the one stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import product
from pathlib import Path

from torch import Tensor

from glassbox.chapters.pretraining.arms import ARMS, Arm, pretrain, transfer
from glassbox.chapters.pretraining.stems import STEM_ARMS, adapt, pretrain_large, stem_task
from glassbox.chapters.pretraining.tasks import LABELS, TARGETS, target_task
from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.training.evaluation import evaluate
from glassbox.training.run_tables import split_keys
from glassbox.training.seed_statistics import SeedRuns

STORED = Path(__file__).parent
TRANSFERS = study_table(
    STORED / "transfers.csv",
    {"arm": str, "target": str, "labels": int, "seed": int},
    ("train accuracy", "test accuracy"),
)
STEMS = study_table(
    STORED / "stems.csv", {"network": str, "stem": str, "seed": int}, ("test accuracy",)
)
RATES = study_table(
    STORED / "rates.csv",
    {"arm": str, "lr": float, "target": str, "labels": int, "seed": int},
    ("test accuracy",),
)

Transfers = dict[tuple[str, str], dict[int, SeedRuns]]
Stems = dict[str, dict[str, SeedRuns]]


@dataclass(frozen=True)
class Size:
    """How much is trained: seeds and labels, what pretraining sees, and updates after it."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    labels: tuple[int, ...] = LABELS
    scenes: int = 7500
    epochs: int = 8
    updates: int = 100
    frozen: int = 30
    clothes: int = 5000
    stem_updates: int = 60
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)


SIZES = {
    "smoke": Size((0, 1), (1,), 60, 1, 2, 1, 20, 1, (1e-2,)),
    "cpu": Size(),
    "gpu": Size(
        tuple(range(10)),
        scenes=60_000,
        epochs=40,
        updates=400,
        frozen=120,
        clothes=60_000,
        stem_updates=600,
    ),
}

_task = lru_cache(4)(target_task)


@cache
def _weights(upstream: str, seed: int, scenes: int, epochs: int) -> dict[str, Tensor]:
    return pretrain(upstream, seed, n=scenes, epochs=epochs).state_dict()


@cache
def _large_weights(network: str, clothes: int) -> dict[str, Tensor]:
    return pretrain_large(network, count=clothes)


def _transfer(study: Study, arm: Arm, target: str, labels: int, seed: int) -> list[float]:
    size, task, weights = study.size, _task(target, labels, seed), None
    if arm.upstream:
        weights = _weights(arm.upstream, seed, size.scenes, size.epochs)
    model = transfer(arm, weights, task, seed, updates=size.updates, frozen=size.frozen)
    parts = (task.images, task.labels), (task.test_images, task.test_labels)
    return [evaluate(model, *part).accuracy for part in parts]


def _try_rate(study: Study, name: str, lr: float, *setting: object) -> list[float]:
    arm = ARMS[name]
    arm = replace(arm, **{"thawed_lr" if arm.thawed_lr else "lr": lr})
    return _transfer(study, arm, *setting)[1:]


def _adapt(study: Study, network: str, stem: str, seed: int) -> list[float]:
    size, task = study.size, stem_task(stem, seed)
    weights = _large_weights(network, size.clothes)
    model = adapt(network, stem, weights, task.images, task.labels, seed, updates=size.stem_updates)
    return [evaluate(model, task.test_images, task.test_labels).accuracy]


PARTS = {
    "compare": (
        Runs(
            TRANSFERS,
            lambda size: [
                (name, target, labels, seed)
                for seed, target, labels, name in product(size.seeds, TARGETS, size.labels, ARMS)
            ],
            lambda study, name, *setting: _transfer(study, ARMS[name], *setting),
        ),
    ),
    "stems": (
        Runs(
            STEMS,
            lambda size: [
                (network, stem, seed)
                for network, arm in STEM_ARMS.items()
                for seed, stem in product(size.seeds, arm.stems)
            ],
            _adapt,
        ),
    ),
    "rates": (
        Runs(RATES, lambda size: product(ARMS, size.rates, TARGETS, (2, 20), [99]), _try_rate),
    ),
}


def load_transfers(folder: str | Path | None = None) -> Transfers:
    """Read the test accuracy of each ``(arm, target)``, for each number of labels a class."""
    runs = TRANSFERS.runs(folder).items()
    return split_keys({key: found["test accuracy"] for key, found in runs}, 2)


def load_stems(folder: str | Path | None = None) -> Stems:
    """Read the test accuracy of each beginning for small images: network to stem to runs."""
    runs = STEMS.runs(folder).items()
    return split_keys({key: found["test accuracy"] for key, found in runs}, 1)


if __name__ == "__main__":
    run_study("pretraining", SIZES, PARTS)
