"""Train plain and residual networks of five depths, and store what chapter 6 reads.

Run with ``python benchmarks/residual.py``: 155 trainings, about 10 minutes on one core. Three
tables in ``book/residual`` grow: how each training ended (``results.csv``), what some of the
networks can do without some of their blocks (``lesions.csv``), and slices through the loss around
those of seed 0 (``slices.csv``). What is there already is not made again.
``python benchmarks/residual.py rates`` compares learning rates, on a seed that is not in the
comparison.
"""

import csv
import sys
from dataclasses import astuple
from itertools import product
from pathlib import Path

import torch

from glassbox.chapters.residual.results import COLUMNS, lesions_of
from glassbox.chapters.residual.study import (
    DEPTHS,
    EPOCHS,
    KINDS,
    digit_task,
    make_network,
    train_network,
)
from glassbox.networks import block_names, lesion_accuracy, loss_slice

FOLDER = Path(__file__).parents[1] / "book" / "residual"
LONGER = 4 * EPOCHS
NORMED = tuple(KINDS)[:3]


def rates():
    task = digit_task(99)
    for kind, depth, lr in product(KINDS, (20, 56), (0.03, 0.1, 0.3, 1.0)):
        outcome = train_network(make_network(kind, depth, 99), task, 99, lr=lr)
        chosen = "chosen" if lr == KINDS[kind].lr else ""
        print(f"{kind:24}{depth:3} {lr:<5}{outcome.train_loss:.3f}", chosen, flush=True)


def append(name, rows):
    path = FOLDER / name
    new = not path.exists()
    with path.open("a", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerows(([COLUMNS[name]] if new else []) + rows)


def measure(kind, depth, epochs, seed):
    task, model = digit_task(seed), make_network(kind, depth, seed)
    outcome = train_network(model, task, seed, lr=KINDS[kind].lr, epochs=epochs)
    key = [kind, depth, seed]
    if epochs == EPOCHS and kind in NORMED and depth in (20, 56):
        names, lesions = block_names(model), lesions_of(depth, seed)
        chosen = [[names[i] for i in lesion] for lesion in lesions]
        fractions = lesion_accuracy(model, task.test_images, task.test_labels, chosen)
        pairs = zip(lesions, fractions, strict=True)
        append("lesions.csv", [[*key, " ".join(map(str, i)), f"{s:.4f}"] for i, s in pairs])
    if epochs == EPOCHS and kind in NORMED[:2] and seed == 0:
        losses = loss_slice(model, task.images[:256], task.labels[:256], points=17)
        lines = enumerate(losses.tolist())
        append("slices.csv", [[*key, row, *(f"{x:.4g}" for x in line)] for row, line in lines])
    append("results.csv", [[kind, depth, epochs, seed, *(f"{x:.4f}" for x in astuple(outcome))]])


def sweep():
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "results.csv"
    lines = path.read_text().splitlines()[1:] if path.exists() else []
    done = {tuple(row[:4]) for row in csv.reader(lines)}
    for seed in range(5):
        runs = [(kind, depth, EPOCHS) for kind, depth in product(KINDS, DEPTHS)]
        for run in [*runs, ("plain", DEPTHS[-1], LONGER)]:
            if (*map(str, run), str(seed)) not in done:
                measure(*run, seed)
                print(*run, seed, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    rates() if sys.argv[1:] == ["rates"] else sweep()
