"""Compare ways to use a pretrained network, and store what the page on pretraining reads.

Run with ``python benchmarks/pretraining.py``: 10 pretrainings and 360 transfers, about 15 minutes
on one core; ``book/pretraining/transfer.csv`` grows, and what is there is not made again.
``python benchmarks/pretraining.py stems`` pretrains AlexNet and ResNet-18 on Fashion-MNIST and
adapts them to digits of 32 x 32 pixels in several ways (``stems.csv``, about an hour); names of
networks behind it choose among them.
``python benchmarks/pretraining.py rates`` compares learning rates, on a seed that is not in the
comparison.
"""

import csv
import sys
from itertools import product
from pathlib import Path

import torch

from glassbox.chapters.pretraining.results import COLUMNS
from glassbox.chapters.pretraining.stems import NETWORKS, adapt, pretrain_large, stem_task
from glassbox.chapters.pretraining.study import (
    LABELS,
    STRATEGIES,
    TARGETS,
    UPSTREAM,
    Strategy,
    pretrain,
    target_task,
    transfer,
    upstream_accuracy,
)
from glassbox.training import evaluate

FOLDER = Path(__file__).parents[1] / "book" / "pretraining"
RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)


def percent(model, images, labels):
    return f"{100 * evaluate(model, images, labels).accuracy:.2f}"


def append(name, row):
    path = FOLDER / name
    new = not path.exists()
    with path.open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(([COLUMNS[name]] if new else []) + [row])
    print(*row, flush=True)


def stored(name, keys):
    path = FOLDER / name
    lines = path.read_text().splitlines()[1:] if path.exists() else []
    return {tuple(row[:keys]) for row in csv.reader(lines)}


def rates():
    weights = {kind: pretrain(kind, 99).state_dict() for kind in UPSTREAM}
    tasks = [target_task(*key, 99) for key in product(TARGETS, (2, 20))]
    for name, strategy in STRATEGIES.items():
        for rate in RATES:
            if strategy.thawed_lr:
                tried = Strategy(strategy.upstream, strategy.lr, rate)
            else:
                tried = Strategy(strategy.upstream, rate, strategy.thawed_lr)
            found = []
            for task in tasks:
                model = transfer(tried, weights.get(strategy.upstream), task, 99)
                found.append(100 * evaluate(model, task.test_images, task.test_labels).accuracy)
            chosen = "chosen" if tried == strategy else ""
            fractions = " ".join(f"{fraction:5.1f}" for fraction in found)
            print(f"{name:22}{rate:<7}{fractions}  mean {sum(found) / 4:.1f} {chosen}", flush=True)


def sweep():
    done = stored("transfer.csv", 4)
    for seed in range(5):
        keys = product(TARGETS, LABELS, STRATEGIES)
        missing = [key for key in keys if (key[2], key[0], str(key[1]), str(seed)) not in done]
        if not missing:
            continue
        weights = {}
        for kind in UPSTREAM:
            model = pretrain(kind, seed)
            print(kind, seed, f"{100 * upstream_accuracy(model, kind):.1f} percent", flush=True)
            weights[kind] = model.state_dict()
        for target, labels, name in missing:
            task, strategy = target_task(target, labels, seed), STRATEGIES[name]
            model = transfer(strategy, weights.get(strategy.upstream), task, seed)
            shown = (task.images, task.labels), (task.test_images, task.test_labels)
            append(
                "transfer.csv", [name, target, labels, seed, *(percent(model, *p) for p in shown)]
            )


def stems(names):
    done = stored("stems.csv", 3)
    for name in names or NETWORKS:
        runs = product(range(5), NETWORKS[name].stems)
        missing = [(seed, stem) for seed, stem in runs if (name, stem, str(seed)) not in done]
        weights = pretrain_large(name) if missing else {}
        for seed, stem in missing:
            images, labels, *test = stem_task(stem, seed)
            model = adapt(name, stem, weights, images, labels, seed)
            append("stems.csv", [name, stem, seed, percent(model, *test)])


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    match sys.argv[1:]:
        case ["rates"]:
            rates()
        case ["stems", *names]:
            stems(names)
        case _:
            sweep()
