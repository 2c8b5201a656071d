"""Compare losses on long tails, and store what chapter 4 reads.

Run with ``python benchmarks/long_tails.py``: 540 trainings, about 12 minutes on one core. Each is
written to ``book/long_tails/results.csv`` when it ends. Where that file exists, what is missing in
it is added. ``python benchmarks/long_tails.py rates`` compares the two learning rates that the
methods chose from, on seeds that are not in the comparison.
"""

import csv
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch

from glassbox.chapters.long_tails.study import METHODS, load_long_tail, train

FILE = Path(__file__).parents[1] / "book" / "long_tails" / "results.csv"
KEYS = ["data", "profile", "imbalance", "seed", "method"]
SWEEP = range(5), ("scenes", "digits"), ("exponential", "step"), (100, 50, 10)


def rates():
    tasks = {seed: load_long_tail("scenes", "exponential", 100, seed) for seed in (98, 99)}
    for name, method in METHODS.items():
        for lr in (0.03, 0.1):
            runs = [train(task, replace(method, lr=lr), seed) for seed, task in tasks.items()]
            mean = torch.stack(runs).mean()
            print(f"{name:17}{lr:<5} {mean:.3f}", "chosen" if lr == method.lr else "", flush=True)


def sweep():
    FILE.parent.mkdir(exist_ok=True)
    done = set()
    if FILE.exists():
        with FILE.open(newline="") as file:
            done = {tuple(row[: len(KEYS)]) for row in csv.reader(file)}
    with FILE.open("a", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        if not done:
            table.writerow([*KEYS, *(f"class {label}" for label in range(10))])
        for seed, name, profile, imbalance in product(*SWEEP):
            task = load_long_tail(name, profile, imbalance, seed)
            for method in METHODS:
                keys = name, profile, str(imbalance), str(seed), method
                if keys not in done:
                    accuracy = train(task, METHODS[method], seed)
                    table.writerow([*keys, *(f"{fraction:.4f}" for fraction in accuracy.tolist())])
                    file.flush()
                    print(*keys, f"{accuracy.mean():.3f}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    rates() if sys.argv[1:] == ["rates"] else sweep()
