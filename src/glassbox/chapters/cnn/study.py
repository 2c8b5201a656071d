"""The study of the chapter on CNNs: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.cnn.study --size cpu`` reads the digits of MNIST 5k in six ways, each
with the setting that ``--part rates`` found on training digits; ``--part longer`` gives networks
four times the steps. ``--part question`` varies scale, rate and steps of a network that stays at
chance, ``--part wine`` answers the question about wines. Of the page at full size are ``--part
full`` (LeNet-5 on MNIST and Fashion-MNIST), ``--part large`` (pictures of 227 pixels) and ``--part
cifar`` (the three-block CNN), after ``full-rates`` and ``cifar-rates``.

Each ``load_X`` reads a table from the folder of a study, or the one stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import log
from pathlib import Path
from typing import Any

from glassbox.chapters.cnn import cifar, full_size, large
from glassbox.chapters.cnn.digits import METHODS, UPDATES, digits_task, reading_accuracy
from glassbox.chapters.cnn.question import SCALES, answer_question
from glassbox.chapters.cnn.wine import FOLDS, wine_rows
from glassbox.chapters.cnn.wine_models import MODELS, measure_copies, measure_model
from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.training.run_tables import split_keys
from glassbox.training.seed_statistics import SeedRuns
from glassbox.training.state import TrainingState

STORED = Path(__file__).parent
_TASK = {"method": str, "digits": str, "images": int}
RATES = study_table(
    STORED / "rates.csv", {**_TASK, "setting": float, "seed": int}, ("validation accuracy",)
)
OUTCOMES = study_table(
    STORED / "outcomes.csv", {**_TASK, "seed": int}, ("setting", "test accuracy")
)
LONGER = study_table(STORED / "longer.csv", {**_TASK, "seed": int}, ("setting", "test accuracy"))
QUESTION = study_table(
    STORED / "question.csv",
    {"optimizer": str, "scale": str, "lr": float, "updates": int, "seed": int},
    ("test accuracy",),
)
WINE = study_table(
    STORED / "wine.csv",
    {"goal": str, "model": str, "split": int, "fold": int},
    ("setting", "rmse", "mae", "accuracy", "accuracy of rare scores"),
)
COPIES = study_table(
    STORED / "copies.csv", {"copies": str, "split": int, "fold": int}, ("accuracy",)
)
FULL_RATES = study_table(
    STORED / "full_rates.csv",
    {"data": str, "recipe": str, "lr": float, "seed": int},
    ("validation accuracy",),
)
_RUN = {"data": str, "recipe": str, "epochs": int, "seed": int}
FULL = study_table(STORED / "full.csv", _RUN, ("setting", "test accuracy"))
FULL_ONCE = study_table(STORED / "full_once.csv", _RUN, ("setting", "test accuracy"))
FULL_LONGER = study_table(STORED / "full_longer.csv", _RUN, ("setting", "test accuracy"))
LARGE = study_table(
    STORED / "large.csv",
    {"network": str, "side": int, "recipe": str, "epochs": int, "seed": int},
    ("test accuracy",),
)
ALEXNET = study_table(
    STORED / "alexnet.csv",
    {"side": int, "recipe": str, "epochs": int, "seed": int},
    ("test accuracy",),
)
CIFAR_RATES = study_table(
    STORED / "cifar_rates.csv", {"recipe": str, "lr": float, "seed": int}, ("validation accuracy",)
)
_COLOR_RUN = {"recipe": str, "epochs": int, "seed": int}
CIFAR = study_table(STORED / "cifar.csv", _COLOR_RUN, ("lr", "test accuracy"))
CIFAR_CURVES = study_table(
    STORED / "cifar_curves.csv",
    {**_COLOR_RUN, "epoch": int},
    ("seconds", "train accuracy", "test accuracy"),
)
MOVED = [name for name, one in METHODS.items() if one.augment is None]
NETWORKS = [name for name, one in METHODS.items() if one.trained]


@dataclass(frozen=True)
class Size:
    """What is trained: on what, how long, and how often."""

    seeds: tuple[int, ...] = (0, 1, 2)
    tasks: tuple[tuple[str, int], ...] = (
        *(("centered", 50), ("centered", 500), ("centered", 4000)),
        ("moved", 4000),
    )
    searched: tuple[tuple[str, int], ...] = (("centered", 50), ("centered", 4000), ("moved", 4000))
    updates: int = UPDATES
    tried: int = 5  # settings of each method
    longer_seeds: tuple[int, ...] = (0,)
    asked: tuple[int, ...] = (7, 70)  # steps of the question
    asked_rates: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
    wine: str = "wine_quality"
    splits: tuple[int, ...] = (0, 1)
    models: tuple[tuple[str, str], ...] = tuple(MODELS)
    data: tuple[str, ...] = ("mnist", "fashion_mnist")
    epochs: int = 5
    full_seeds: tuple[int, ...] = (0, 1)
    sides: tuple[int, ...] = (28, 227)
    large_epochs: int = 10
    colors: str = "cifar10"
    color_epochs: tuple[int, ...] = (1, 4)  # of the search and of a run
    color_seeds: tuple[int, ...] = (0,)
    color_share: float = 0.25  # of the images to train on


SIZES = {
    "smoke": Size(
        **{"seeds": (0, 1), "tasks": (("centered", 50),), "searched": (("centered", 50),)},
        **{"updates": 2, "tried": 1, "asked": (7,), "asked_rates": (0.01, 0.1)},
        **{"wine": "wine", "splits": (0,), "models": tuple(MODELS)[:2], "data": ("mnist_5k",)},
        **{"epochs": 1, "full_seeds": (0,), "sides": (28,), "large_epochs": 2},
        **{"colors": "scenes", "color_epochs": (1, 2), "color_seeds": (0,)},
    ),
    "cpu": Size(),
    "gpu": Size(
        **{"seeds": tuple(range(5)), "epochs": 30, "full_seeds": tuple(range(5))},
        **{"color_epochs": (10, 40), "color_seeds": tuple(range(5)), "color_share": 1.0},
    ),
}  # fmt: skip


def _searched(size: Size) -> Iterable[Sequence[Any]]:
    for digits, images in size.searched:
        for name in METHODS if digits == "centered" else MOVED:
            for setting in METHODS[name].settings[: size.tried]:
                yield name, digits, images, setting, 99


def _search(
    study: Study, name: str, digits: str, images: int, setting: float, seed: int
) -> list[float]:
    task = digits_task(digits, images, seed, search=True)
    return [reading_accuracy(name, task, setting, seed, updates=study.size.updates)]


def load_rates(
    folder: str | Path | None = None,
) -> dict[tuple[str, str], dict[int, dict[float, float]]]:
    """Read the validation accuracy of each ``(method, digits)``, by images, then by setting."""
    tried: dict[tuple[str, str], dict[int, dict[float, float]]] = {}
    for (name, digits, images, setting, _), (accuracy,) in RATES.rows(folder).items():
        tried.setdefault((name, digits), {}).setdefault(images, {})[setting] = accuracy
    return tried


def best_setting(name: str, digits: str, images: int, folder: str | Path | None = None) -> float:
    """Choose the setting that was best with the number of images nearest to ``images``.

    It is that of the rates in the folder, or stored with the package where it has none.
    """
    here = folder if folder and (Path(folder) / RATES.path.name).exists() else None
    tried = load_rates(here)[name, digits]
    nearest = min(tried, key=lambda count: abs(log(count / images)))
    return max(tried[nearest], key=tried[nearest].get)


@lru_cache(100)
def _classical(name: str, digits: str, images: int, seed: int, setting: float) -> float:
    return reading_accuracy(name, digits_task(digits, images, seed), setting, 0)


def _read(times: int) -> Any:
    def run(study: Study, name: str, digits: str, images: int, seed: int) -> list[float]:
        setting = best_setting(name, digits, images, study.folder)
        if not METHODS[name].trained:  # the seed is only that of the data, if they have one
            of_data = 0 if (digits, images) == ("centered", 4000) else seed
            return [setting, _classical(name, digits, images, of_data, setting)]
        task, updates = digits_task(digits, images, seed), times * study.size.updates
        return [setting, reading_accuracy(name, task, setting, seed, updates=updates)]

    return run


def _readings(size: Size) -> Iterable[Sequence[Any]]:
    for seed in size.seeds:
        for digits, images in size.tasks:
            for name in METHODS if digits == "centered" else MOVED:
                yield name, digits, images, seed


def _longer(size: Size) -> Iterable[Sequence[Any]]:
    for seed in size.longer_seeds:
        for digits, images in size.searched:
            for name in NETWORKS:
                if digits == "centered" or name in MOVED:
                    yield name, digits, images, seed


def _asked(size: Size) -> Iterable[Sequence[Any]]:
    for seed, updates in product(size.seeds, size.asked):
        for optimizer, rates in (("SGD", size.asked_rates), ("Adam", (1e-3, 1e-2, 1e-1))):
            yield from product((optimizer,), SCALES, rates, (updates,), (seed,))


def _ask(study: Study, *given: Any) -> list[float]:
    return [answer_question(*given)]


def _fold_runs(size: Size) -> Iterable[Sequence[Any]]:
    for split, fold in product(size.splits, range(FOLDS)):
        yield from ((*name, split, fold) for name in size.models)


def _copy_runs(size: Size) -> Iterable[Sequence[Any]]:
    yield from product(("kept", "left out"), size.splits, range(FOLDS))


def _guess(study: Study, goal: str, model: str, split: int, fold: int) -> list[float]:
    return measure_model((goal, model), wine_rows(study.size.wine), split, fold)


def _copy(study: Study, copies: str, split: int, fold: int) -> list[float]:
    rows = wine_rows(study.size.wine, copies=True)
    return [measure_copies(rows, split, fold, kept=copies == "kept")]


def _full_searched(size: Size) -> Iterable[Sequence[Any]]:
    yield from product(size.data, ("ours", "linear"), full_size.RATES, (99,))


def _full_search(study: Study, data: str, recipe: str, lr: float, seed: int) -> list[float]:
    return [full_size.train_full(data, recipe, 1, lr, seed, search=True)]


def _best_rate(table: Any, key: tuple[str, ...], folder: Path) -> float:
    here = folder if (folder / table.path.name).exists() else None
    found = {at[-2]: one for at, (one,) in table.rows(here).items() if at[:-2] == key}
    return max(found, key=found.get)


def _full_runs(size: Size) -> Iterable[Sequence[Any]]:
    for seed, data, name in product(size.full_seeds, size.data, ("ours", "linear")):
        yield data, name, size.epochs, seed


def _full_once(size: Size) -> Iterable[Sequence[Any]]:
    runs = [(name, 1) for name in ("as asked", "scaled", "normalized")]
    yield from ((data, *run, 0) for data, run in product(size.data, runs))


def _full_longer(size: Size) -> Iterable[Sequence[Any]]:
    yield from ((data, "nearest neighbors", 0, 0) for data in size.data)
    yield size.data[0], "ours", 4 * size.epochs, 0


def _train_full(study: Study, data: str, recipe: str, epochs: int, seed: int) -> Iterable[float]:
    if recipe == "nearest neighbors":
        return full_size.nearest_neighbors(data)
    lr = full_size.RECIPES[recipe].lr or _best_rate(FULL_RATES, (data, recipe), study.folder)
    return lr, full_size.train_full(data, recipe, epochs, lr, seed)


def _large_runs(size: Size) -> Iterable[Sequence[Any]]:
    for seed, side in product(size.full_seeds, size.sides):
        for recipe, epochs in (
            *(("as asked", 1), ("normalized", 1)),
            *(("as asked", size.large_epochs), ("ours", size.large_epochs)),
        ):
            yield "LeNet-5", side, recipe, epochs, seed


def _alexnet_runs(size: Size) -> Iterable[Sequence[Any]]:
    if max(size.sides) > 63:  # smaller pictures are too small for its layers
        yield max(size.sides), "as asked", 1, 0
        yield max(size.sides), "ours", size.large_epochs // 2, 0


def _train_large(study: Study, *given: Any) -> list[float]:
    return [large.train_large(*given)]


def _train_alexnet(study: Study, *given: Any) -> list[float]:
    return [large.train_large("AlexNet", *given)]


def _color_searched(size: Size) -> Iterable[Sequence[Any]]:
    for name in ("article", "modern"):
        yield from product((name,), cifar.RECIPES[name].rates, (99,))


def _color_search(study: Study, recipe: str, lr: float, seed: int) -> list[float]:
    size = study.size
    found = cifar.train_colors(
        *(size.colors, recipe, size.color_epochs[0], lr, seed),
        **{"share": size.color_share, "search": True},
    )
    return [found.validation_accuracy[-1]]


def _color_runs(size: Size) -> Iterable[Sequence[Any]]:
    for seed, name in product(size.color_seeds, cifar.RECIPES):
        yield name, size.color_epochs[-1], seed


def _train_colors(study: Study, recipe: str, epochs: int, seed: int) -> list[float]:
    size, of = study.size, recipe.split(",")[0].replace("without augmentation", "article")
    lr = _best_rate(CIFAR_RATES, (of,), study.folder)

    def watch(state: TrainingState) -> None:
        found = state.history
        measured = found.seconds[-1], found.train_accuracy[-1], found.validation_accuracy[-1]
        study.add(CIFAR_CURVES, (recipe, epochs, seed, found.epoch[-1]), measured)

    options = {"share": size.color_share, "watch": watch}
    found = cifar.train_colors(size.colors, recipe, epochs, lr, seed, **options)
    return [lr, found.validation_accuracy[-1]]


PARTS = {
    "compare": (Runs(OUTCOMES, _readings, _read(1)),),
    "rates": (Runs(RATES, _searched, _search),),
    "longer": (Runs(LONGER, _longer, _read(4)),),
    "question": (Runs(QUESTION, _asked, _ask),),
    "wine": (Runs(WINE, _fold_runs, _guess), Runs(COPIES, _copy_runs, _copy)),
    "full-rates": (Runs(FULL_RATES, _full_searched, _full_search),),
    "full": (Runs(FULL, _full_runs, _train_full), Runs(FULL_ONCE, _full_once, _train_full)),
    "full-longer": (Runs(FULL_LONGER, _full_longer, _train_full),),
    "large": (Runs(LARGE, _large_runs, _train_large), Runs(ALEXNET, _alexnet_runs, _train_alexnet)),
    "cifar-rates": (Runs(CIFAR_RATES, _color_searched, _color_search),),
    "cifar": (Runs(CIFAR, _color_runs, _train_colors, beside=(CIFAR_CURVES,)),),
}

load_outcomes = OUTCOMES.runs  # setting and test accuracy by ``(method, digits, images)``
load_longer = LONGER.rows  # the same by ``(method, digits, images, seed)``, four times the steps
load_question = QUESTION.runs  # test accuracy by ``(optimizer, scale, lr, updates)``
load_full = FULL.rows  # setting and test accuracy by ``(data, recipe, epochs, seed)``
load_full_once = FULL_ONCE.rows  # the same by ``(data, recipe, epochs, seed)``
load_full_longer = FULL_LONGER.rows  # likewise, with other methods and four times the epochs
load_full_rates = FULL_RATES.rows  # validation accuracy by ``(data, recipe, lr, seed)``
load_large = LARGE.rows  # test accuracy by ``(network, side, recipe, epochs, seed)``
load_alexnet = ALEXNET.rows  # test accuracy by ``(side, recipe, epochs, seed)``
load_cifar = CIFAR.rows  # rate and test accuracy by ``(recipe, epochs, seed)``
load_cifar_rates = CIFAR_RATES.rows  # validation accuracy by ``(recipe, lr, seed)``


def load_wine(
    folder: str | Path | None = None,
) -> dict[tuple[str, str], dict[int, dict[str, SeedRuns]]]:
    """Read the measures of each ``(goal, model)`` over the ten folds, by split."""
    found: dict[tuple[str, str], dict[int, dict[str, SeedRuns]]] = {}
    for (goal, model, split), folds in split_keys(WINE.rows(folder), 3).items():
        measures = zip(WINE.measures, zip(*folds.values(), strict=True), strict=True)
        runs = {name: SeedRuns(tuple(folds), values) for name, values in measures}
        found.setdefault((goal, model), {})[split] = runs
    return found


def load_copies(folder: str | Path | None = None) -> dict[str, dict[int, SeedRuns]]:
    """Read how often the nearest wine has the same score, with copies and without, by split."""
    found: dict[str, dict[int, SeedRuns]] = {}
    for (copies, split), folds in split_keys(COPIES.rows(folder), 2).items():
        values = tuple(value for (value,) in folds.values())
        found.setdefault(copies, {})[split] = SeedRuns(tuple(folds), values)
    return found


def load_cifar_curves(
    folder: str | Path | None = None,
) -> dict[tuple[str, int], dict[int, dict[int, tuple[float, ...]]]]:
    """Read seconds and accuracies of each pass, by ``(recipe, epochs)``, then by seed."""
    found: dict[tuple[str, int], dict[int, dict[int, tuple[float, ...]]]] = {}
    for (recipe, epochs, seed), passes in split_keys(CIFAR_CURVES.rows(folder), 3).items():
        found.setdefault((recipe, epochs), {})[seed] = passes
    return found


if __name__ == "__main__":
    run_study("cnn", SIZES, PARTS)
