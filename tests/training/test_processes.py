"""Processes that torchrun starts train as one does, change in number, and end together.

This file is also what they run: ``test_processes.py train_in_two FOLDER``.
"""

import os
import signal
import sys
import time
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from glassbox.chapters.more_than_one_machine.launching import torchrun
from glassbox.data import Batches
from glassbox.training import (
    distribute,
    fit,
    load_checkpoint,
    process_group,
    process_share,
    save_checkpoint,
)
from glassbox.training.distributed import process_rank, sum_over_processes, unwrapped
from glassbox.training.processes import process_device, weigh_by_images


def make_data():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(21, 1, 5, 5, generator=generator), torch.arange(21) % 3


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(36, 3))


def train(model, epochs, checkpoint=None, **options):
    """Train: the same lines, whether in one process or in two.

    The last batch has 5 images, of which one of two processes has 3 and the other 2; so its
    gradients are those that are left in the end.
    """
    images, labels = make_data()
    history = fit(
        distribute(model),
        Batches(images, labels, 8, **process_share()),
        torch.optim.SGD(model.parameters(), 0.1, momentum=0.9),
        epochs=epochs,
        validation=(images, labels),
        checkpoint=checkpoint,
        progress=False,
        **options,
    ).state_dict()
    del history["seconds"]
    gradients = [parameter.grad for parameter in model.parameters()]
    return {"history": history, "gradients": gradients, "weights": model.state_dict()}


def train_in_two(folder):
    """Train from the start, from a checkpoint of one process, and for two epochs alone."""
    result = {"whole": train(make_model(), 4), "share": process_share()}
    train(make_model(), 2, folder / "of_two.pt")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result["resumed"] = train(make_model(), 4, folder / "of_one.pt")
    result["told"] = [str(warning.message) for warning in caught]
    torch.save(result, folder / f"{process_rank()}.pt")


def train_until_killed(folder):
    """Train for four epochs of three steps, in the third of which process 1 is killed."""
    model, steps = make_model(), []

    def count(*_):
        steps.append(1)
        if len(steps) == 8 and process_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    model.register_forward_pre_hook(count)
    train(model, 4, folder / "killed.pt")


def train_compiled(folder):
    torch.save(train(make_model(), 4, compile=True), folder / f"compiled {process_rank()}.pt")


def wait_in_vain(folder):
    """Ask for what process 1 never sends."""
    if process_rank() == 1:
        time.sleep(600)
    sum_over_processes([1.0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def alone():
    return train(make_model(), 4)


@pytest.fixture(scope="module")
def processes(folder):
    train(make_model(), 2, folder / "of_one.pt")
    run = torchrun(2, __file__, "train_in_two", folder)
    assert run.returncode == 0, run.stderr
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def assert_same(found, expected):
    for name in ("gradients", "weights"):
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-6)
    for name, values in expected["history"].items():
        assert found["history"][name] == pytest.approx(values, abs=1e-6), name


@pytest.mark.parametrize("rank", [0, 1])
def test_two_processes_have_the_gradients_of_one_also_in_an_uneven_batch(processes, alone, rank):
    assert processes[rank]["share"] == {"rank": rank, "world_size": 2}
    assert_same(processes[rank]["whole"], alone)


def test_two_processes_have_the_gradients_of_one_when_compiled(folder, alone):
    run = torchrun(2, __file__, "train_compiled", folder)
    if "compile is True, expected a system where torch.compile works" in run.stderr:
        pytest.skip("nothing can be compiled here")
    assert run.returncode == 0, run.stderr
    for rank in range(2):
        assert_same(torch.load(folder / f"compiled {rank}.pt", weights_only=True), alone)


def test_a_run_of_one_process_goes_on_in_two(processes, alone):
    for process in processes:
        assert_same(process["resumed"], alone)
    (told,) = processes[0]["told"]
    assert "of_one.pt is of 1 processes and goes on with 2: the global batches stay the" in told
    assert processes[1]["told"] == []


def test_a_run_of_two_processes_goes_on_in_one(processes, alone, folder):
    with pytest.warns(UserWarning, match=r"two\.pt is of 2 processes and goes on with 1: .* bit"):
        assert_same(train(make_model(), 4, folder / "of_two.pt"), alone)


def test_another_training_is_refused_whatever_the_number_of_processes(processes, folder):
    images, labels = make_data()
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    batches = Batches(images, labels, 7)
    options = {"epochs": 4, "validation": (images, labels), "checkpoint": folder / "of_two.pt"}
    with pytest.raises(ValueError, match=r"of another training: batches\.batch_size is 8"):
        fit(model, batches, optimizer, **options)


def test_the_share_of_a_loader_can_not_be_shared_out_anew(tmp_path):
    model, path = make_model(), tmp_path / "loader.pt"
    loader = DataLoader(TensorDataset(*make_data()), 8)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    fit(model, loader, optimizer, epochs=1, checkpoint=path, progress=False)
    parts = load_checkpoint(path)
    parts["processes"] *= 2
    save_checkpoint(path, **parts)
    with pytest.raises(ValueError, match=r"loader\.pt is of 2 processes, expected 1, since only"):
        fit(model, loader, optimizer, epochs=2, checkpoint=path)


def test_a_killed_process_ends_the_job_with_a_sentence_and_a_whole_checkpoint(tmp_path, alone):
    run = torchrun(2, __file__, "train_until_killed", tmp_path)
    assert run.returncode != 0
    assert (
        "Another process of this job has ended, or does not answer, so this one ends," in run.stderr
    )
    assert "start the same command again" in run.stderr
    assert load_checkpoint(tmp_path / "killed.pt")["history"]["epoch"] == [1, 2]
    with pytest.warns(UserWarning, match="of 2 processes and goes on with 1"):
        assert_same(train(make_model(), 4, tmp_path / "killed.pt"), alone)


def test_a_process_that_does_not_answer_ends_the_job_in_time(tmp_path):
    run = torchrun(2, __file__, "wait_in_vain", tmp_path)
    assert run.returncode != 0
    assert "Another process of this job has ended, or does not answer" in run.stderr


def test_a_process_that_is_alone_is_left_as_it_is():
    model, handler = make_model(), signal.getsignal(signal.SIGTERM)
    with process_group("cpu") as device:
        assert device == process_device() == torch.device("cpu")
        assert process_share() == {"rank": 0, "world_size": 1}
        assert distribute(model) is unwrapped(model) is model
        loss = torch.ones(())
        assert weigh_by_images(loss, 3) is loss
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_model_goes_to_the_device_of_the_group():
    with process_group("meta"):
        assert distribute(nn.Linear(1, 1)).weight.device.type == "meta"
    assert process_device() == torch.device("cpu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "device is 'gpu', expected a device of PyTorch"),
        ({"device": "cuda:99"}, "device is cuda:99, expected a GPU for each process: there are"),
        ({"timeout": 0}, "timeout is 0"),
    ],
)
def test_a_group_needs_a_device_and_some_patience(options, message):
    with pytest.raises(ValueError, match=message), process_group(**options):
        pass


def test_a_gpu_is_taken_where_there_is_one():
    from devices import gpu  # which the processes do not find, and do not need

    device = gpu()
    with process_group() as chosen:
        assert chosen.type == device.type
        model = make_model()
        parameters = list(model.parameters())
        assert distribute(model) is model
        for parameter, now in zip(parameters, model.parameters(), strict=True):
            assert parameter is now and now.device == chosen  # it may be in an optimizer
        train(model, 1)


if __name__ == "__main__":
    job = globals()[sys.argv[1]]
    with process_group("cpu", timeout=10 if job is wait_in_vain else 600):
        job(Path(sys.argv[2]))
