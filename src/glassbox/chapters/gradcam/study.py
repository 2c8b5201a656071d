"""The study of Grad-CAM: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.gradcam.study --size cpu`` trains 55 networks on scenes, in about 20
minutes on one core. ``--part photographs`` judges maps of a network trained on ImageNet, ``--part
cifar`` trains the network that is shown on CIFAR-10, and ``--part digit-reader`` the one that reads
drawn digits in the page.
``--size gpu`` draws as many scenes as CIFAR-10 has images, which has no masks to judge maps by.

Each ``load_X`` reads a table from the folder of a study, or the one stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from glassbox.chapters.gradcam.arms import ARMS, EPOCHS, scene_task, train_scenes
from glassbox.chapters.gradcam.cifar import NETWORKS, WEIGHTS, packed_weights, train_cifar
from glassbox.chapters.gradcam.marks import report_mark
from glassbox.chapters.gradcam.measures import (
    MEASURES,
    Sample,
    asked,
    baseline_maps,
    cascade,
    grad_cam,
    quarters,
    sample,
    score_maps,
)
from glassbox.chapters.gradcam.methods import METHODS, make_maps
from glassbox.chapters.gradcam.pictures import MEASURES as PHOTOGRAPH_MEASURES
from glassbox.chapters.gradcam.pictures import NAMES, judge_photograph
from glassbox.chapters.studies import Runs, Study, run_study, study_table
from glassbox.networks.imagenet import imagenet_network
from glassbox.support.files import write_text
from glassbox.training.distributed import process_rank
from glassbox.training.run_tables import split_keys
from glassbox.training.seed_statistics import SeedRuns

STORED = Path(__file__).parent
MARK_MEASURES = ("as_trained", "unmarked", "first_unmarked", "fooled", "fraction", "corner")
CELLS = [f"m{i}" for i in range(64)]  # of a map
MAPS = study_table(STORED / "maps.csv", {"seed": int, "map": str}, MEASURES)
QUARTERS = study_table(STORED / "quarters.csv", {"seed": int, "map": str}, ("fraction",))
CASCADE = study_table(
    STORED / "cascade.csv", {"seed": int, "map": str, "layer": str}, ("correlation",)
)
MARKS = study_table(
    STORED / "marks.csv", {"arm": str, "strength": float, "seed": int}, [*MARK_MEASURES, *CELLS]
)
JUDGED = study_table(
    STORED / "photographs.csv", {"photograph": str, "map": str}, PHOTOGRAPH_MEASURES
)
CIFAR = study_table(STORED / "cifar.csv", {"network": str, "seed": int}, ("accuracy",))
READER = study_table(STORED / "digit_reader.csv", {"seed": int}, ("accuracy",))
USUAL = 0.4  # strength of the mark

Marked = dict[tuple[str, float], dict[str, SeedRuns]]
MeanMaps = dict[tuple[str, float], Tensor]


@dataclass(frozen=True)
class Size:
    """How much is trained: at how many seeds and strengths, on how many scenes, how long.

    ``judged`` scenes judge maps, and ``slowly`` of them those that take many passes a map.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    strengths: tuple[float, ...] = (0.1, 0.15, 0.2, USUAL, 1.0)
    train: int = 3000
    test: int = 1200
    judged: int = 500
    slowly: int = 40
    epochs: int = EPOCHS
    photographs: tuple[str, ...] = tuple(NAMES)
    grids: int = 2
    cifar: float = 1.0
    reader_steps: int = 2000
    hands: int = 240


SIZES = {
    "smoke": Size((0, 1), (USUAL,), 60, 60, 6, 6, 1, ("cat",), 1, 0.001, reader_steps=2, hands=1),
    "cpu": Size(),
    "gpu": Size(tuple(range(10)), train=50_000, test=10_000, judged=2000, epochs=20),
}

_task = lru_cache(1)(scene_task)
_imagenet_network = lru_cache(1)(imagenet_network)


def _networks(size: Size) -> list[tuple[str, float, int]]:
    arms = [(arm, USUAL) for arm in ARMS]
    arms += [("one class", strength) for strength in size.strengths if strength != USUAL]
    return [(*arm, seed) for seed in size.seeds for arm in arms]


def _train(study: Study, arm: str, strength: float, seed: int) -> list[float]:
    """Train a network with or without the mark, and judge the maps of those without."""
    size, task = study.size, _task(seed, study.size.train, study.size.test)
    model = train_scenes(task, seed, arm=arm, strength=strength, epochs=size.epochs)
    if arm == "nowhere":
        _judge(study, model, sample(task, size.judged), seed)
    # As the arm marks what it knows as class 0, or the maps would be of images it never saw.
    times = 2 if arm == "every, one class twice" else 1
    report = report_mark(model, task, strength, times=times)
    numbers = [getattr(report, measure) for measure in MARK_MEASURES]
    return numbers + report.mean_map.flatten().tolist()


def _judge(study: Study, model: nn.Module, given: Sample, seed: int) -> None:
    """Judge the maps of a network that was trained without marks."""
    few = Sample(*(part[: study.size.slowly] for part in vars(given).values()))
    rivals = baseline_maps(model, given, seed=seed)
    slow = {name: make_maps(name, *asked(model, few)) for name in METHODS if name not in rivals}
    # What the slow ones are compared with, on the same scenes.
    slow = {"Grad-CAM, few": grad_cam(model, few), **slow}
    for name, maps in (rivals | slow).items():
        scores = score_maps(model, few if name in slow else given, maps)
        study.add(MAPS, (seed, name), [scores[measure].mean() for measure in MEASURES])
    for name in METHODS:
        of = few if name in slow else given
        study.add(QUARTERS, (seed, name), [quarters(model, of, name, seed=seed).mean()])
        for layer, correlation in cascade(model, of, name, seed=seed).items():
            study.add(CASCADE, (seed, name, layer), [correlation.mean()])


def _judge_photograph(study: Study, photograph: str, name: str) -> list[float]:
    return judge_photograph(_imagenet_network(), photograph, name, grids=study.size.grids)


def _train_cifar(study: Study, name: str, seed: int) -> list[float]:
    model, accuracy = train_cifar(name, seed, length=study.size.cifar)
    if name == "small" and process_rank() == 0:
        write_text(study.folder / WEIGHTS, packed_weights(model))
    return [accuracy]


def _train_reader(study: Study, seed: int) -> list[float]:
    # No page that reads the tables needs it.
    from glassbox.chapters.gradcam.train_digit_reader import train_and_store

    path, size = study.folder / "digit_reader.json", study.size
    with TemporaryDirectory() as folder:
        made = Path(folder, path.name)
        accuracy = train_and_store(made, seed, steps=size.reader_steps, hands=size.hands)
        text = made.read_text("utf-8")
    if process_rank() == 0:
        # A run that was killed before its row was written has left the same.
        if path.exists() and not study.restart and path.read_text("utf-8") != text:
            raise FileExistsError(f"{path} is there, expected a new folder or --restart")
        write_text(path, text)
    return [accuracy]


PARTS = {
    "compare": (Runs(MARKS, _networks, _train, beside=(MAPS, QUARTERS, CASCADE)),),
    "photographs": (
        Runs(JUDGED, lambda size: product(size.photographs, METHODS), _judge_photograph),
    ),
    "cifar": (Runs(CIFAR, lambda size: [(name, 0) for name in NETWORKS], _train_cifar),),
    "digit-reader": (Runs(READER, lambda size: [(0,)], _train_reader),),
}

load_maps = MAPS.runs  # what each map is worth by each of ``MEASURES``
load_quarters = QUARTERS.runs  # which fraction of each map lies in the quarter that was asked for
load_cifar = CIFAR.rows  # accuracy on images that were held out, by network and seed


def load_cascade(folder: str | Path | None = None) -> dict[str, dict[str, SeedRuns]]:
    """Read the rank correlation before and after layers are randomized, by method and layer."""
    found = split_keys(CASCADE.runs(folder), 1)
    return {
        name: {layer: row["correlation"] for layer, row in rows.items()}
        for name, rows in found.items()
    }


def load_photographs(folder: str | Path | None = None) -> dict[str, dict[str, SeedRuns]]:
    """Read how good the maps of photographs are: each measure over photographs, by the method."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for (_, name), values in JUDGED.rows(folder).items():
        found.setdefault(name, []).append(values)
    return {
        name: {
            measure: SeedRuns(tuple(range(len(rows))), values)
            for measure, values in zip(PHOTOGRAPH_MEASURES, zip(*rows, strict=True), strict=True)
        }
        for name, rows in found.items()
    }


def load_marks(folder: str | Path | None = None) -> tuple[Marked, MeanMaps]:
    """Read what marks did to networks.

    Returns:
        For each arm and strength each of :data:`MARK_MEASURES`; and the mean map over seeds,
        ``(8, 8)``, with the sum 1 where no map is zero.
    """
    found = MARKS.runs(folder)
    measures = {key: {name: runs[name] for name in MARK_MEASURES} for key, runs in found.items()}
    cells = {
        key: torch.tensor([runs[cell].values for cell in CELLS]) for key, runs in found.items()
    }
    return measures, {key: maps.T.contiguous().mean(0).view(8, 8) for key, maps in cells.items()}


if __name__ == "__main__":
    run_study("gradcam", SIZES, PARTS)
