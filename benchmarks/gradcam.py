"""Train the networks of the chapter on Grad-CAM over five seeds, and store what it reads.

Run with ``python benchmarks/gradcam.py``: 35 trainings, about 10 minutes on one core. What belongs
to one network is written to ``book/gradcam/`` when it was measured; where the files exist, what is
missing in them is added.
"""

import csv
from pathlib import Path

import torch

from glassbox.chapters.gradcam.measures import (
    MEASURES,
    baseline_maps,
    cascade,
    fraction_in_own_half,
    sample,
    score_maps,
)
from glassbox.chapters.gradcam.results import COLUMNS, MARK_MEASURES
from glassbox.chapters.gradcam.study import report_mark, scene_task, train_scenes

FOLDER = Path(__file__).parents[1] / "book" / "gradcam"
STRENGTHS = (0.1, 0.15, 0.2, 0.4, 1.0)
USUAL = 0.4


def rows_of(name):
    path = FOLDER / name
    if not path.exists():
        with path.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(COLUMNS[name])
    with path.open(newline="") as file:
        return list(csv.reader(file))[1:]


def add(name, *rows):
    with (FOLDER / name).open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def texts(values):
    return [f"{value:.4f}" for value in values]


def mark(task, seed, kind, strength):
    model = train_scenes(task, seed, kind=kind, strength=strength)
    report = report_mark(model, task, strength)
    numbers = [vars(report)[measure] for measure in MARK_MEASURES]
    cells = report.mean_map.flatten().tolist()
    add("marks.csv", [kind, strength, seed, *texts(numbers), *texts(cells)])
    print(seed, kind, strength, *texts(numbers), flush=True)
    return model


def faith(task, seed, model):
    given = sample(task)
    for name, maps in baseline_maps(model, given, seed=seed).items():
        scores = score_maps(model, given, maps)
        add("maps.csv", [seed, name, *texts(scores[measure].mean() for measure in MEASURES)])
    halves = {
        name: fraction_in_own_half(model, given, classes=classes).mean()
        for name, classes in (("Grad-CAM", True), ("mean activation", False))
    }
    add("halves.csv", *([seed, name, *texts([fraction])] for name, fraction in halves.items()))
    layers = cascade(model, given, seed=seed)
    add("cascade.csv", *([seed, name, *texts([rho.mean()])] for name, rho in layers.items()))


def sweep():
    FOLDER.mkdir(exist_ok=True)
    for name in COLUMNS:
        rows_of(name)
    for seed in range(5):
        task = scene_task(seed)
        done = {tuple(row[:3]) for row in rows_of("marks.csv")}
        jobs = [("nowhere", USUAL), ("one class", USUAL), ("at random", USUAL)]
        jobs += [("one class", strength) for strength in STRENGTHS if strength != USUAL]
        for kind, strength in jobs:
            if (kind, str(strength), str(seed)) not in done:
                model = mark(task, seed, kind, strength)
                if kind == "nowhere":
                    faith(task, seed, model)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sweep()
