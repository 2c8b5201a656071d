"""An interrupted and resumed training equals an uninterrupted one, bit for bit."""

import copy
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from glassbox.data import Batches
from glassbox.support import isolated_seed
from glassbox.training import ExponentialAverage, fit, load_checkpoint

EPOCHS, STEPS = 4, 3


class Noisy:
    """Batches whose images depend on all three global generators."""

    def __init__(self, batches):
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for images, labels in self.batches:
            noise = random.gauss(0, 1) + np.random.randn()
            yield images + noise * torch.randn_like(images), labels

    def state_dict(self):
        return self.batches.state_dict()

    def load_state_dict(self, state):
        self.batches.load_state_dict(state)


def make_batches(kind):
    images = torch.randn(24, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    data = images, (images.mean((1, 2, 3)) > 0).long()
    if kind == "batches":
        return Noisy(Batches(*data, 8))
    generator = torch.Generator().manual_seed(3) if kind == "loader with generator" else None
    return DataLoader(TensorDataset(*data), 8, shuffle=True, generator=generator)


def train(checkpoint, *, kind="batches", epochs=EPOCHS, interrupt=lambda: None, **changes):
    """Train as a fresh process would: everything is made anew from the seed."""

    def loss_fn(logits, labels):
        interrupt()
        return F.cross_entropy(logits, labels)

    with isolated_seed(0):
        layers = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.Flatten()
        model = nn.Sequential(*layers, nn.Linear(64, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=changes.pop("lr", 0.01))
        average = ExponentialAverage(model)
        scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=5)
        options = {
            "scheduler": torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0),
            "step_scheduler": torch.optim.lr_scheduler.CyclicLR(optimizer, 0.001, 0.02, 4),
            "average": average,
            "scaler": scaler,
            "clip_norm": 1.0,
            "autocast": torch.float16,
        }
        images = torch.randn(9, 1, 6, 6)
        history = fit(
            model,
            make_batches(kind),
            optimizer,
            epochs=epochs,
            loss_fn=loss_fn,
            validation=(images, torch.arange(9) % 2),
            checkpoint=checkpoint,
            progress=False,
            **{**options, **changes},
        )
        drawn = random.random(), np.random.rand(), torch.rand(1).item()
    state = model.state_dict(), optimizer.state_dict(), average.state_dict(), scaler.state_dict()
    return history, drawn, copy.deepcopy(state)


def assert_same(run, expected):
    assert run[0] == expected[0]  # histories
    assert run[1] == expected[1]  # the next random numbers
    torch.testing.assert_close(run[2], expected[2], rtol=0, atol=0)


def interrupt_at(call, action):
    calls = iter(range(1, 1000))

    def interrupt():
        if next(calls) == call:
            action()

    return interrupt


def stop():
    raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["batches", "loader", "loader with generator"])
def test_a_run_resumed_anywhere_equals_an_uninterrupted_one(tmp_path, kind):
    expected = train(None, kind=kind)
    assert_same(train(tmp_path / "whole.pt", kind=kind), expected)
    # the validation calls the loss as well: STEPS + 1 calls an epoch
    for call in range(1, EPOCHS * (STEPS + 1) + 1, 1 if kind == "batches" else 3):
        path = tmp_path / f"{call}.pt"
        with pytest.raises(KeyboardInterrupt):
            train(path, kind=kind, interrupt=interrupt_at(call, stop))
        assert path.exists() == (call > STEPS + 1)
        assert_same(train(path, kind=kind), expected)


def test_a_process_killed_in_an_epoch_and_again_in_a_write_loses_nothing(tmp_path):
    path = tmp_path / "run.pt"
    for mode, epochs in (("step", 1), ("write", 2)):
        child = subprocess.run([sys.executable, __file__, mode, path], capture_output=True)
        assert child.returncode == -signal.SIGKILL, child.stderr.decode()
        assert load_checkpoint(path)["history"]["epoch"] == list(range(1, epochs + 1))
    assert_same(train(path), train(None))
    assert os.listdir(tmp_path) == ["run.pt"]


@pytest.mark.parametrize("callbacks", [[], [lambda state: len(state.history) == 2]])
def test_a_run_that_is_finished_or_ended_by_a_callback_is_not_trained_again(tmp_path, callbacks):
    expected = train(tmp_path / "run.pt", callbacks=callbacks)
    assert len(expected[0]) == (2 if callbacks else EPOCHS)
    assert_same(train(tmp_path / "run.pt", interrupt=lambda: pytest.fail("trained")), expected)


def test_fewer_epochs_than_were_trained_are_an_error(tmp_path):
    train(tmp_path / "run.pt", epochs=3)
    with pytest.raises(ValueError, match=r"epochs is 2, expected at least 3, as .*run\.pt"):
        train(tmp_path / "run.pt", epochs=2)


def test_what_a_callback_changes_is_in_the_checkpoint(tmp_path):
    def halve(state):
        with torch.no_grad():
            state.model[0].weight.mul_(0.5)

    train(tmp_path / "run.pt", epochs=2, callbacks=[halve])
    resumed = train(tmp_path / "run.pt", callbacks=[halve])
    assert_same(resumed, train(None, callbacks=[halve]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.02}, r"optimizer is Adam\(.*'lr': 0\.01.*, expected Adam\(.*'lr': 0\.02"),
        ({"clip_norm": 2.0}, "clip_norm is 1.0, expected 2.0"),
        ({"step_scheduler": None}, "step_scheduler is CyclicLR, expected None$"),
        ({"average": None}, "average is ExponentialAverage, expected None$"),
        ({"autocast": torch.bfloat16}, "autocast is torch.float16, expected torch.bfloat16"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_and_kept(tmp_path, changes, message):
    path = tmp_path / "run.pt"
    train(path, epochs=1)
    content = path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.pt is of another training: " + message):
        train(path, **changes)
    assert path.read_bytes() == content


def small_run(path, model, batches=None):
    data = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return fit(model, batches or Batches(*data, 2), optimizer, epochs=2, checkpoint=path)


def test_a_checkpoint_of_another_network_is_refused_and_kept(tmp_path):
    path = tmp_path / "run.pt"
    small_run(path, nn.Linear(2, 3))
    content = path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.pt does not fit: model: (?s:.*)size mismatch"):
        small_run(path, nn.Linear(2, 4))
    with pytest.raises(ValueError, match="model is Linear, expected Sequential"):
        small_run(path, nn.Sequential(nn.Linear(2, 3)))
    assert path.read_bytes() == content


def test_batches_of_another_seed_are_refused(tmp_path):
    data = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
    small_run(tmp_path / "run.pt", nn.Linear(2, 3), Batches(*data, 2, seed=1))
    with pytest.raises(ValueError, match=r"run\.pt does not fit: batches: .*seed"):
        small_run(tmp_path / "run.pt", nn.Linear(2, 3), Batches(*data, 2, seed=2))


@pytest.mark.parametrize("content", [b"", b"precious", b"PK\x03\x04"])
def test_a_foreign_or_damaged_file_stops_the_training_before_it_starts(tmp_path, content):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged or no checkpoint"):
        train(path, interrupt=lambda: pytest.fail("trained"))
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_found_before_training(tmp_path):
    with pytest.raises(ValueError, match=r"missing/run\.pt, expected a folder"):
        train(tmp_path / "missing" / "run.pt", interrupt=lambda: pytest.fail("trained"))


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def main(mode, path):
    if mode == "step":  # in the second step of the second epoch
        train(Path(path), interrupt=interrupt_at(STEPS + 1 + 2, kill))
    writes = iter(range(2))

    def half_written(descriptor):
        if next(writes) == 1:
            os.ftruncate(descriptor, 1000)
            kill()

    os.fsync = half_written
    train(Path(path))


if __name__ == "__main__":
    main(*sys.argv[1:])
