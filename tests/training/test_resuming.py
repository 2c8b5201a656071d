"""An interrupted and resumed training equals an uninterrupted one, bit for bit."""

import copy
import os
import random
import signal
import subprocess
import sys
from contextvars import ContextVar
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from glassbox.data import Batches, random_shift
from glassbox.losses import DeferredReweighting, LDAMLoss
from glassbox.mixing import MixedBatches, Mixup
from glassbox.support import isolated_seed
from glassbox.support.seeds import random_states
from glassbox.training import (
    ExponentialAverage,
    UnfreezeAfter,
    fit,
    load_checkpoint,
    save_checkpoint,
)

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


INTERRUPTION = ContextVar("interruption")  # no part of the training: its value may not count


def interrupted_loss(logits, labels):
    INTERRUPTION.get()()
    return F.cross_entropy(logits, labels)


def train(checkpoint, *, kind="batches", epochs=EPOCHS, interrupt=lambda: None, **changes):
    """Train as a fresh process would: everything is made anew from the seed."""
    INTERRUPTION.set(interrupt)
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
            loss_fn=interrupted_loss,
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
    assert [name for name in os.listdir(tmp_path) if name[0] != "."] == ["run.pt"]


@pytest.mark.parametrize("callbacks", [[], [lambda state: len(state.history) == 2]])
def test_a_run_that_is_finished_or_ended_by_a_callback_is_not_trained_again(tmp_path, callbacks):
    expected = train(tmp_path / "run.pt", callbacks=callbacks)
    assert len(expected[0]) == (2 if callbacks else EPOCHS)
    again = {"callbacks": callbacks, "interrupt": lambda: pytest.fail("trained")}
    assert_same(train(tmp_path / "run.pt", **again), expected)


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
        ({"lr": 0.02}, r"optimizer\.defaults\.lr is 0\.01, expected 0\.02"),
        ({"clip_norm": 2.0}, "clip_norm is 1, expected 2"),
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


def mixed_run(path, *, epochs=2, **changes):
    """Train with everything that has settings; returns what a refusal may not change."""
    given = {
        "dropout": 0.3, "eps": 1e-5, "rates": (0.1, 0.01), "decay": 0.9, "T_max": 10,
        "counts": (9, 5, 2), "max_margin": 0.5, "start": 2, "number": 12, "pixel": 0.0, "label": 0,
        "alpha": 0.4, "mixing": 0, "order": 0, "shift": 1, "smooth": 0.1, "weight": 0.5,
        "measured": 4, "epochs_frozen": 3, "lr": 0.05, "wide": False,
    } | changes  # fmt: skip
    assert given.keys() >= changes.keys()
    torch.manual_seed(0)
    images = torch.rand(given["number"], 1, 6, 6, generator=torch.Generator().manual_seed(1))
    images[7, 0, 2, 2] = given["pixel"]
    labels = torch.arange(given["number"]) % 3
    labels[5] = given["label"]
    norm = nn.BatchNorm2d(2, eps=given["eps"])
    backbone = nn.Sequential(nn.Conv2d(1, 2, 3), norm, nn.Dropout(given["dropout"]))
    model = nn.Sequential(backbone, nn.Flatten(), nn.Linear(32, 3))
    thaw = UnfreezeAfter([backbone], epochs=given["epochs_frozen"], lr=given["lr"])
    groups = zip(map(nn.Module.parameters, (backbone, model[2])), given["rates"], strict=True)
    groups = [{"params": params, "lr": rate} for params, rate in groups]
    optimizer = torch.optim.SGD(groups, momentum=0.9, weight_decay=1e-4 if given["wide"] else 0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, given["T_max"])
    average = ExponentialAverage(model, given["decay"])
    ldam = LDAMLoss(given["counts"], given["max_margin"], scale=5.0)
    loss = DeferredReweighting(ldam, given["counts"], given["start"])
    weight, smoothed = given["weight"], partial(F.cross_entropy, label_smoothing=given["smooth"])

    def both(logits, labels):
        return loss(logits, labels) + weight * smoothed(logits, labels)

    both.set_epoch = loss.set_epoch
    shifts = random_shift(given["shift"])
    batches = Batches(images, labels, 4, seed=given["order"], augment=shifts)
    batches = MixedBatches(batches, Mixup(given["alpha"], num_classes=3), seed=given["mixing"])
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "average": average}
    before = bits(parts, batches)
    options = {"validation": (images[: given["measured"]], labels[: given["measured"]])}
    options |= {"average": average, "scheduler": scheduler, "callbacks": [thaw], "loss_fn": both}
    run = partial(fit, model, batches, optimizer, epochs=epochs, checkpoint=path, progress=False)
    return before, parts, batches, partial(run, **options)


def bits(parts, batches):
    """Copy the states of all, and of the global generators (numpy's begins with its name)."""
    states = {name: part.state_dict() for name, part in parts.items()}
    states |= {"random": random_states(), "order": batches.state_dict()}
    states["random"]["numpy"] = states["random"]["numpy"][1:]
    return copy.deepcopy(states)


def assert_untouched(before, parts, batches):
    torch.testing.assert_close(bits(parts, batches), before, rtol=0, atol=0)


OTHERS = {
    "dropout": (0.4, r"model\.0\.2\.p is 0\.3, expected 0\.4"),
    "eps": (1e-3, r"model\.0\.1\.eps is 1e-05, expected 0\.001"),
    "rates": ((0.1, 0.02), r"optimizer\.param_groups\[1\]\.lr is 0\.01, expected 0\.02"),
    "wide": (True, r"optimizer\.defaults\.weight_decay is 0, expected 0\.0001"),
    "decay": (0.99, r"average\.decay is 0\.9, expected 0\.99"),
    "T_max": (11, r"scheduler\.T_max is 10, expected 11"),
    "counts": ((9, 5, 3), r"loss\.counts is torch.float64 \(3,\) \[9.*2.*, expected .*3"),
    "max_margin": (0.4, r"loss\.loss\.max_margin is 0\.5, expected 0\.4"),
    "start": (3, r"loss\.start is 2, expected 3"),
    "number": (15, r"images is torch.float32 \(12, .*, expected torch.float32 \(15, "),
    "pixel": (0.5, r"batches\.batches\.images is .*checksum \w+, expected .*checksum"),
    "label": (1, r"batches\.batches\.labels is .*checksum \w+, expected .*checksum"),
    "alpha": (0.5, r"batches\.mixer\.alpha is 0\.4, expected 0\.5"),
    "mixing": (1, r"batches\.seed is 0, expected 1"),
    "order": (1, r"batches\.batches\.seed is 0, expected 1"),
    "shift": (2, r"batches\.batches\.augment\.\w+ is 1, expected 2"),
    "smooth": (0.2, r"loss_fn\.smoothed\.keywords\.label_smoothing is 0\.1, expected 0\.2"),
    "weight": (0.6, r"loss_fn\.weight is 0\.5, expected 0\.6"),
    "measured": (5, r"validation\[0\] is torch.float32 \(4, .* expected torch.float32 \(5, "),
    "epochs_frozen": (2, r"callbacks\[0\]\.epochs is 3, expected 2"),
    "lr": (0.06, r"callbacks\[0\]\.lr is 0\.05, expected 0\.06"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_decides_the_course_is_compared_and_a_refusal_changes_nothing(tmp_path, name):
    path, (value, message) = tmp_path / "run.pt", OTHERS[name]
    mixed_run(path, epochs=1)[-1]()
    content = path.read_bytes()
    before, parts, batches, run = mixed_run(path, **{name: value})
    with pytest.raises(ValueError, match=f"is of another training: .*{message}"):
        run()
    assert_untouched(before, parts, batches)
    assert path.read_bytes() == content


def cut_groups(parts):
    parts["optimizer"]["param_groups"].pop()


def other_shape(parts):
    parts["average"]["model"]["0.1.bias"] = torch.zeros(3)


def no_order(parts):
    del parts["processes"][0]["batches"]["batches"]


def no_random_state(parts):
    parts["processes"][0]["random"]["torch"] = torch.zeros(3)


@pytest.mark.parametrize("harm", [cut_groups, other_shape, no_order, no_random_state])
def test_a_state_that_does_not_fit_is_found_and_nothing_stays_changed(tmp_path, harm):
    path = tmp_path / "run.pt"
    mixed_run(path, epochs=1)[-1]()
    harm(parts := load_checkpoint(path))
    save_checkpoint(path, **parts)
    before, parts, batches, run = mixed_run(path)
    with pytest.raises(ValueError, match=r"run\.pt does not fit: (opt|ave|batches|random)\w*"):
        run()
    assert_untouched(before, parts, batches)


def test_a_training_that_has_all_of_it_resumes_in_the_same_process_and_in_another(tmp_path):
    *_, straight = mixed_run(None, epochs=4)
    expected = straight()
    *_, run = mixed_run(tmp_path / "run.pt", epochs=1)
    run()
    assert run(epochs=2) == mixed_run(tmp_path / "run.pt")[-1]()
    assert run(epochs=4) == expected  # after the unfreezing at the end of epoch 3
    with pytest.raises(ValueError, match=r"model\.0\.training is True, expected False"):
        mixed_run(tmp_path / "run.pt", epochs=5)[-1]()


def test_the_same_objects_go_on_after_a_stop_within_an_epoch(tmp_path):
    def made(path):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
        optimizer, average = torch.optim.SGD(model.parameters(), 0.1), ExponentialAverage(model)
        one_cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, EPOCHS * STEPS)
        options = {"step_scheduler": one_cycle, "average": average, "loss_fn": interrupted_loss}
        images = torch.randn(24, 1, 6, 6, generator=torch.Generator().manual_seed(0))
        batches = Batches(images, torch.arange(24) % 2, 8)

        def run(interrupt):
            INTERRUPTION.set(interrupt)
            history = fit(
                model, batches, optimizer, epochs=EPOCHS, checkpoint=path, progress=False, **options
            )
            return history, 0, copy.deepcopy((model.state_dict(), average.state_dict()))

        return run

    expected = made(None)(lambda: None)
    again = made(tmp_path / "run.pt")
    for call in (STEPS + 2, STEPS + 3, 2):
        with pytest.raises(KeyboardInterrupt):
            again(interrupt_at(call, stop))
    assert_same(again(lambda: None), expected)


def test_a_loss_with_parameters_of_its_own_resumes(tmp_path):
    def trained(path, epochs):
        torch.manual_seed(0)
        model, loss = nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 1))
        loss.forward = lambda logits, labels: loss[0](logits).square().mean()
        optimizer = torch.optim.Adam([*model.parameters(), *loss.parameters()])
        batches = Batches(torch.eye(2), torch.tensor([0, 1]), 1)
        fit(model, batches, optimizer, epochs=epochs, loss_fn=loss, checkpoint=path)
        return loss.state_dict()

    trained(tmp_path / "run.pt", 1)
    resumed, straight = trained(tmp_path / "run.pt", 3), trained(None, 3)
    torch.testing.assert_close(resumed, straight, rtol=0, atol=0)


@pytest.mark.parametrize("saved", [True, False])
def test_a_generator_is_brought_back_or_a_resumption_is_refused(tmp_path, saved):
    def trained(epochs):
        torch.manual_seed(0)
        data, generator = TensorDataset(torch.eye(2), torch.arange(2)), torch.Generator()
        sampler = RandomSampler(data, generator=generator)
        loader = DataLoader(data, sampler=sampler, generator=generator if saved else None)
        return small_run(tmp_path / "run.pt", nn.Linear(2, 2), loader, epochs)

    trained(1)
    if saved:
        assert len(trained(2)) == 2
    else:
        with pytest.raises(ValueError, match=r"batches\.sampler\.generator\.get_state\(\) is"):
            trained(2)


def test_a_checkpoint_of_an_older_release_is_named(tmp_path):
    save_checkpoint(tmp_path / "run.pt", settings={}, processes=[{"random": 0, "batches": 0}])
    with pytest.raises(ValueError, match=r"run\.pt is of an older release, expected"):
        small_run(tmp_path / "run.pt", nn.Linear(2, 3))


def small_run(path, model, batches=None, epochs=2):
    data = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return fit(model, batches or Batches(*data, 2), optimizer, epochs=epochs, checkpoint=path)


def test_a_checkpoint_of_another_network_is_refused_and_kept(tmp_path):
    path = tmp_path / "run.pt"
    small_run(path, nn.Linear(2, 3))
    content = path.read_bytes()
    with pytest.raises(ValueError, match=r"model\.out_features is 3, expected 4$"):
        small_run(path, nn.Linear(2, 4))
    with pytest.raises(ValueError, match="model is Linear, expected Sequential"):
        small_run(path, nn.Sequential(nn.Linear(2, 3)))
    assert path.read_bytes() == content


def test_batches_of_another_seed_are_refused(tmp_path):
    data = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
    small_run(tmp_path / "run.pt", nn.Linear(2, 3), Batches(*data, 2, seed=1))
    with pytest.raises(ValueError, match=r"batches\.seed is 1, expected 2"):
        small_run(tmp_path / "run.pt", nn.Linear(2, 3), Batches(*data, 2, seed=2))


@pytest.mark.parametrize("content", [b"", b"precious", b"PK\x03\x04"])
def test_a_foreign_or_damaged_file_stops_the_training_before_it_starts(tmp_path, content):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged or no checkpoint"):
        train(path, interrupt=lambda: pytest.fail("trained"))
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_found_before_training(tmp_path):
    with pytest.raises(ValueError, match=r"missing/run\.pt, expected a file in a folder"):
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
