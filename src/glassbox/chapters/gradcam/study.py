"""The study of Grad-CAM: its sizes, its tables, and how they are read.

``python -m glassbox.chapters.gradcam.study --size cpu`` trains 35 networks in about 10 minutes on
one core. ``--part digit-reader`` trains the network that reads drawn digits in the page.

Each ``load_X`` reads a table of a study, in ``folder``, or what is stored with the package. It
raises a ``ValueError`` if the table is another one or lacks runs; fractions are 0 to 1.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from glassbox.chapters.gradcam.arms import ARMS, EPOCHS, scene_task, train_scenes
from glassbox.chapters.gradcam.marks import report_mark
from glassbox.chapters.gradcam.measures import (
    MEASURES,
    baseline_maps,
    cascade,
    fraction_in_own_half,
    sample,
    score_maps,
)
from glassbox.chapters.studies import Study, run_study
from glassbox.training.run_tables import RunTable, read_rows, read_runs, split_keys
from glassbox.training.seed_statistics import SeedRuns

STORED = Path(__file__).parent
MAP_SIDE = 8  # cells a side of a map
MAPS = {"seed": int, "map": str}, MEASURES
HALVES = {"seed": int, "map": str}, ("fraction",)
CASCADE = {"seed": int, "layer": str}, ("correlation",)
MARK_MEASURES = ("as_trained", "unmarked", "first_unmarked", "fooled", "fraction", "corner")
MARKS = (
    {"arm": str, "strength": float, "seed": int},
    (*MARK_MEASURES, *(f"m{i}" for i in range(MAP_SIDE**2))),
)
USUAL = 0.4  # strength of the mark

Table = dict[str, dict[str, SeedRuns]]
Marked = dict[tuple[str, float], dict[str, SeedRuns]]


@dataclass(frozen=True)
class Size:
    """How much is trained: at how many seeds and strengths, on how many scenes, how long."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    strengths: tuple[float, ...] = (0.1, 0.15, 0.2, USUAL, 1.0)
    train: int = 3000
    test: int = 1200
    judged: int = 500
    epochs: int = EPOCHS
    reader_steps: int = 2000
    hands: int = 240


SIZES = {"smoke": Size((0, 1), (USUAL,), 300, 120, 24, 1, 20, 8), "cpu": Size()}


def compare(study: Study) -> None:
    """Train networks with and without the mark, and judge the maps of those without."""
    size = study.size
    task_of = lru_cache(1)(lambda seed: scene_task(seed, size.train, size.test))
    marks, schemas = (
        study.table("marks", *MARKS),
        {"maps": MAPS, "halves": HALVES, "cascade": CASCADE},
    )
    tables = {name: study.table(name, *schema) for name, schema in schemas.items()}

    def add(table: RunTable, seed: int, name: str, *values: Tensor) -> None:
        if (seed, name) not in table:
            table.add((seed, name), [value.mean() for value in values])

    def run(arm: str, strength: float, seed: int) -> list[float]:
        task = task_of(seed)
        model = train_scenes(task, seed, arm=arm, strength=strength, epochs=size.epochs)
        if arm == "nowhere":
            given = sample(task, size.judged)
            for name, maps in baseline_maps(model, given, seed=seed).items():
                scores = score_maps(model, given, maps)
                add(tables["maps"], seed, name, *(scores[measure] for measure in MEASURES))
            for name, classes in (("Grad-CAM", True), ("mean activation", False)):
                inside = fraction_in_own_half(model, given, classes=classes)
                add(tables["halves"], seed, name, inside)
            for name, correlation in cascade(model, given, seed=seed).items():
                add(tables["cascade"], seed, name, correlation)
        report = report_mark(model, task, strength)
        numbers = [vars(report)[measure] for measure in MARK_MEASURES]
        return numbers + report.mean_map.flatten().tolist()

    arms = [(arm, USUAL) for arm in ARMS]
    arms += [("one class", strength) for strength in size.strengths if strength != USUAL]
    study.fill(marks, [(*arm, seed) for seed in size.seeds for arm in arms], run)


def load_maps(folder: str | Path = STORED) -> Table:
    """Read what each map is worth by each of ``MEASURES``."""
    return read_runs(Path(folder, "maps.csv"), *MAPS)


def load_halves(folder: str | Path = STORED) -> Table:
    """Read which ``fraction`` of each map lies in the half that was asked for."""
    return read_runs(Path(folder, "halves.csv"), *HALVES)


def load_cascade(folder: str | Path = STORED) -> Table:
    """Read the rank ``correlation`` of maps before and after layers are randomized, by layer."""
    return read_runs(Path(folder, "cascade.csv"), *CASCADE)


def load_marks(
    folder: str | Path = STORED,
) -> tuple[Marked, dict[tuple[str, float], Tensor]]:
    """Read what marks did to networks.

    Args:
        folder: Of a study.

    Returns:
        For each arm and strength each of :data:`MARK_MEASURES`; and the mean map over seeds,
        ``(8, 8)``, with the sum 1 where no map is zero.
    """
    path = Path(folder, "marks.csv")
    found = read_runs(path, *MARKS)
    measures = {key: {name: runs[name] for name in MARK_MEASURES} for key, runs in found.items()}
    maps = {
        key: torch.tensor([row[len(MARK_MEASURES) :] for row in rows.values()]).mean(0)
        for key, rows in split_keys(read_rows(path, *MARKS), 2).items()
    }
    return measures, {key: mean.view(MAP_SIDE, MAP_SIDE) for key, mean in maps.items()}


def train_reader(study: Study) -> None:
    """Train the network that reads drawn digits, and write ``digit_reader.json``.

    Raises:
        FileExistsError: If the weights are there, and are not to be made anew.
    """
    # No page that reads the tables needs it.
    from glassbox.chapters.gradcam.train_digit_reader import train_and_store

    path = study.folder / "digit_reader.json"
    if path.exists() and not study.restart:
        raise FileExistsError(f"{path} is there, expected a new folder or --restart")
    train_and_store(path, steps=study.size.reader_steps, hands=study.size.hands)
    study.write_record()


if __name__ == "__main__":
    run_study("gradcam", SIZES, {"compare": compare, "digit-reader": train_reader})
