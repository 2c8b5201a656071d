"""Train what chapter 5 compares, with five seeds, and store the numbers it reads.

Run with ``python benchmarks/generators.py``: about three minutes on one core. It writes how
generated digits compare with real ones (``book/generators/results.csv``) and how many modes of a
ring two recipes find (``book/generators/ring.csv``), and prints how long each training took beside
the others. ``python benchmarks/generators.py rates`` compares learning rates on another seed.
"""

import csv
import sys
import time
from pathlib import Path
from statistics import mean, median

import torch

from glassbox.chapters.gan.study import TRAININGS, Scores, generative_task, score
from glassbox.generation import COLLAPSED, HEALTHY, count_modes, train_ring

FOLDER = Path(__file__).parents[1] / "book" / "generators"
SEEDS = range(5)
RING = {"healthy": (HEALTHY, 1000), "collapsed": (COLLAPSED, 400)}


def write(name, header, rows):
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def rates():
    task = generative_task()
    for train in TRAININGS.values():
        for lr in (3e-4, 1e-3, 3e-3, 1e-2):
            for name, sample in train(task.train, 99, lr).items():
                found = score(task, sample(len(task.held), torch.Generator().manual_seed(99)))
                print(f"{name:13} {lr:<7} Fréchet {found.frechet:.1f}", flush=True)


def compare():
    task, rows, spent = generative_task(), [], {}
    print(f"classifier {task.accuracy:.3f}", flush=True)
    for training, train in TRAININGS.items():
        for seed in SEEDS:
            begun = time.process_time()
            samplers = train(task.train, seed)
            spent.setdefault(training, []).append(time.process_time() - begun)
            for name, sample in samplers.items():
                generator = torch.Generator().manual_seed(seed)
                found = score(task, sample(len(task.held), generator))
                rows.append([name, seed, *(f"{number:.3f}" for number in found)])
                print(*rows[-1], flush=True)
    average = mean(median(seconds) for seconds in spent.values())
    for training, seconds in spent.items():
        print(f"{training:6} {median(seconds) / average:.2f} of the mean time, {average:.1f} s")
    write("results.csv", ["model", "seed", *Scores._fields], rows)


def rings():
    rows = []
    for name, (recipe, steps) in RING.items():
        for seed in SEEDS:
            gan, history = train_ring(recipe, steps=steps, seed=seed, progress=False)
            found = count_modes(gan.sample(1000, torch.Generator().manual_seed(seed)))
            losses = (mean(losses[-50:]) for losses in (history.discriminator, history.generator))
            rows.append([name, seed, found.modes, *(f"{loss:.3f}" for loss in losses)])
            print(*rows[-1], flush=True)
    write("ring.csv", ["recipe", "seed", "modes", "discriminator", "generator"], rows)


if __name__ == "__main__":
    if sys.argv[1:] == ["rates"]:
        rates()
    else:
        compare()
        rings()
