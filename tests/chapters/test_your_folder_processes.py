"""Two processes train on a folder as one does.

This file is also what they run: ``test_your_folder_processes.py train_in_two FOLDER``.
"""

import json
import os
import sys
from pathlib import Path

import pytest
import torch

from glassbox.chapters.more_than_one_machine.launching import torchrun
from glassbox.chapters.your_folder import recipe, run
from glassbox.chapters.your_folder.example import make_folder
from glassbox.chapters.your_folder.options import Options

FLAGS = {"size": 64, "epochs": 2, "batch_size": 8, "threads": 1, "device": "cpu"}


def last_gradients(options):
    """Run, and give the gradients of the last step, of an uneven batch, and the history."""
    kept, make = [], recipe.make_optimizer
    recipe.make_optimizer = lambda model, *rest: kept.append(model) or make(model, *rest)
    try:
        result = run.run(options)
    finally:
        recipe.make_optimizer = make
    gradients = {name: one.grad.clone() for name, one in kept[0].named_parameters()}
    return {"gradients": gradients, "counts": list(result["counts"]["train"])}


def options_of_two(folder, out):
    """Steps are too small to matter, so that rounding does not grow from step to step."""
    steps = {"lr": 1e-7, "backbone_lr": 1e-7, "mixer": "none"}
    return Options(folder / "squares", folder / out, **FLAGS, **steps)


def train_in_two(folder):
    out = last_gradients(options_of_two(folder, "two"))
    torch.save(out, folder / f"{os.environ['RANK']}.pt")


def test_two_processes_have_the_counts_and_the_gradients_of_one(tmp_path):
    make_folder(tmp_path / "squares", largest=11, imbalance=5, test=2, side=48)
    alone = last_gradients(options_of_two(tmp_path, "one"))
    assert sum(alone["counts"]) % 8 % 2 == 1  # uneven
    done = torchrun(2, __file__, "train_in_two", tmp_path)
    assert done.returncode == 0, done.stderr
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert found["counts"] == alone["counts"]
        for name, gradient in alone["gradients"].items():
            torch.testing.assert_close(found["gradients"][name], gradient, rtol=1e-3, atol=1e-5)
    results = [json.loads((tmp_path / out / "result.json").read_text()) for out in ("one", "two")]
    for part in ("validation", "test"):
        one, two = (result[part] for result in results)
        assert one["confusion"] == two["confusion"]
        assert one["cross-entropy"] == pytest.approx(two["cross-entropy"], abs=1e-3)
    log = (tmp_path / "two" / "log.txt").read_text("utf-8")
    assert log.count("epoch 2/2") == log.count("2 processes") == 1


def test_an_error_is_told_and_ends_both(tmp_path):
    flags = ["--data", tmp_path / "nowhere", "--out", tmp_path / "out"]
    done = torchrun(2, "-m", "glassbox.chapters.your_folder", *flags)
    assert done.returncode != 0
    assert "Stopped: data is" in done.stderr


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
