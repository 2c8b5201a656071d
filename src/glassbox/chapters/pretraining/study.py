"""The study of pretraining: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.pretraining.study --size cpu`` makes 10 pretrainings and 360 transfers
in about 15 minutes on one core. ``--part stems`` pretrains AlexNet and ResNet-18 on Fashion-MNIST
and adapts them to small digits in several ways, in about an hour; ``--part rates`` compares
learning rates, on a seed that is not in the comparison.

Each ``load_X`` reads a table of a study, in ``folder``, or what is stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import product
from pathlib import Path

from torch import Tensor

from glassbox.chapters.pretraining.arms import ARMS, pretrain, transfer
from glassbox.chapters.pretraining.stems import STEM_ARMS, adapt, pretrain_large, stem_task
from glassbox.chapters.pretraining.tasks import LABELS, TARGETS, target_task
from glassbox.chapters.studies import Study, run_study
from glassbox.training.evaluation import evaluate
from glassbox.training.run_tables import read_runs, split_keys
from glassbox.training.seed_statistics import SeedRuns

STORED = Path(__file__).parent
MEASURES = ("train accuracy", "test accuracy")
TRANSFERS = {"arm": str, "target": str, "labels": int, "seed": int}, MEASURES
STEMS = {"network": str, "stem": str, "seed": int}, ("test accuracy",)
RATES = {"arm": str, "lr": float, "target": str, "labels": int, "seed": int}, ("test accuracy",)

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


SIZES = {"smoke": Size((0, 1), (5,), 150, 1, 4, 2, 20, 1, (1e-2, 1e-1)), "cpu": Size()}


def _weights_of(size: Size) -> Callable[[str | None, int], dict[str, Tensor] | None]:
    """Pretrain on demand, each kind and seed only once."""

    @cache
    def weights(upstream: str | None, seed: int) -> dict[str, Tensor] | None:
        if upstream is None:
            return None
        return pretrain(upstream, seed, n=size.scenes, epochs=size.epochs).state_dict()

    return weights


def compare(study: Study) -> None:
    """Transfer by all arms to both targets, with few and with many labels."""
    size, weights = study.size, _weights_of(study.size)
    length, task_of = {"updates": size.updates, "frozen": size.frozen}, lru_cache(1)(target_task)

    def run(name: str, target: str, labels: int, seed: int) -> list[float]:
        arm, task = ARMS[name], task_of(target, labels, seed)
        model = transfer(arm, weights(arm.upstream, seed), task, seed, **length)
        parts = (task.images, task.labels), (task.test_images, task.test_labels)
        return [evaluate(model, *part).accuracy for part in parts]

    runs = [
        (name, target, labels, seed)
        for seed, target, labels, name in product(size.seeds, TARGETS, size.labels, ARMS)
    ]
    study.fill(study.table("transfers", *TRANSFERS), runs, run)


def rates(study: Study) -> None:
    """Compare learning rates of all arms, on a seed that is not in the comparison."""
    size, weights = study.size, _weights_of(study.size)
    length, task_of = {"updates": size.updates, "frozen": size.frozen}, cache(target_task)

    def run(name: str, lr: float, target: str, labels: int, seed: int) -> list[float]:
        task, arm = task_of(target, labels, seed), ARMS[name]
        arm = replace(arm, **{"thawed_lr" if arm.thawed_lr else "lr": lr})
        model = transfer(arm, weights(arm.upstream, seed), task, seed, **length)
        return [evaluate(model, task.test_images, task.test_labels).accuracy]

    runs = product(ARMS, size.rates, TARGETS, (2, 20), (99,))
    study.fill(study.table("rates", *RATES), runs, run)


def compare_stems(study: Study) -> None:
    """Adapt two large networks to small images in several ways."""
    size = study.size
    weights = cache(lambda network: pretrain_large(network, count=size.clothes))

    def run(network: str, stem: str, seed: int) -> list[float]:
        task, known = stem_task(stem, seed), weights(network)
        learned = task.images, task.labels, seed
        model = adapt(network, stem, known, *learned, updates=size.stem_updates)
        return [evaluate(model, task.test_images, task.test_labels).accuracy]

    runs = [
        (network, stem, seed)
        for network, arm in STEM_ARMS.items()
        for seed, stem in product(size.seeds, arm.stems)
    ]
    study.fill(study.table("stems", *STEMS), runs, run)


def load_transfers(folder: str | Path = STORED, measure: str = "test accuracy") -> Transfers:
    """Read how well each way to use a pretrained network did.

    Args:
        folder: Of a study.
        measure: ``"test accuracy"`` or ``"train accuracy"``.

    Returns:
        For each ``(arm, target)`` and number of labels a class one value a seed.

    Raises:
        ValueError: If ``measure`` is unknown.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure is {measure!r}, expected one of {', '.join(MEASURES)}")
    runs = read_runs(Path(folder, "transfers.csv"), *TRANSFERS)
    return split_keys({key: found[measure] for key, found in runs.items()}, 2)


def load_stems(folder: str | Path = STORED) -> Stems:
    """Read the test accuracy of each beginning for small images: network to stem to runs."""
    runs = read_runs(Path(folder, "stems.csv"), *STEMS)
    return split_keys({key: found["test accuracy"] for key, found in runs.items()}, 1)


if __name__ == "__main__":
    run_study("pretraining", SIZES, {"compare": compare, "stems": compare_stems, "rates": rates})
