"""Two processes train as one does with the same global batches."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from glassbox.data import Batches
from glassbox.support import isolated_seed
from glassbox.training import ExponentialAverage, balanced_accuracy, evaluate, fit
from glassbox.training.distributed import (
    from_all_processes,
    from_first_process,
    process_rank,
    sum_over_processes,
    unwrapped,
)


def make_data():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(22, 1, 5, 5, generator=generator, dtype=torch.float64)
    return images, torch.randint(3, (22,), generator=generator)


def make_model(dropout=0.0):
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Dropout(dropout), nn.Flatten(), nn.Linear(36, 3)
    model = nn.Sequential(*layers).double()
    return DistributedDataParallel(model) if dist.is_initialized() else model


def train(model, epochs, *, checkpoint=None, batches=None, callbacks=()):
    """Train: the same lines, whether in one process or in two."""
    images, labels = make_data()
    fraction = {"rank": process_rank(), "world_size": len(from_all_processes(None))}
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    average = ExponentialAverage(model, 0.9)
    history = fit(
        model,
        batches or Batches(images, labels, 8, **fraction),
        optimizer,
        epochs=epochs,
        validation=(images, labels),
        scheduler=torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0),
        average=average,
        clip_norm=1.0,
        checkpoint=checkpoint,
        callbacks=callbacks,
    )
    return {
        "history": history.state_dict(),
        "gradients": [parameter.grad for parameter in model.parameters()],
        "weights": unwrapped(model).state_dict(),
        "average": average.state_dict(),
    }


def orders_of_a_sampler():
    """What this process's share of a ``DataLoader`` holds in each of two epochs."""
    seen = []

    def note(logits, labels):
        seen.extend(labels.tolist())
        return logits.sum() * 0

    numbered = TensorDataset(torch.zeros(8, 1, 5, 5, dtype=torch.float64), torch.arange(8))
    loader = DataLoader(numbered, 4, sampler=DistributedSampler(numbered, shuffle=True))
    model = make_model()
    fit(model, loader, torch.optim.SGD(model.parameters(), 0.1), epochs=2, loss_fn=note)
    return seen


def whole_or_shared(sampler):
    """Every image once on all processes: in parts of a ``DistributedSampler``, or in the first."""
    images, labels = make_data()
    images, labels = images[:21], labels[:21]  # an odd number: the sampler repeats one
    numbered = TensorDataset(images, labels)
    sampler = DistributedSampler(numbered, shuffle=True) if sampler else None
    return DataLoader(numbered, 4, sampler=sampler)


def train_with(validation):
    """Train on the same batches everywhere, and measure on batches."""
    model = make_model()
    images, labels = make_data()
    history = fit(
        model,
        Batches(images, labels, 8),
        torch.optim.SGD(model.parameters(), 0.1),
        epochs=3,
        validation=validation,
        metrics={"balanced_accuracy": balanced_accuracy},
        best="balanced_accuracy",
    )
    return {"history": history.state_dict(), "weights": unwrapped(model).state_dict()}


def sizes_of_parts():
    """How many images this process sees of sets of 1 to 5, and the accuracy of all."""
    sizes = []
    for count in range(1, 6):
        seen = []
        numbered = TensorDataset(torch.eye(6)[:count], torch.arange(count))
        model = nn.Identity()
        model.register_forward_hook(lambda module, args, output, seen=seen: seen.extend(output))
        loader = DataLoader(numbered, 2, sampler=DistributedSampler(numbered, shuffle=False))
        accuracy = evaluate(model, loader).accuracy
        sizes.append((accuracy, len(seen)))
    return sizes


def main(folder):
    """Run in each of the two processes."""
    dist.init_process_group("gloo")
    rank, world = process_rank(), dist.get_world_size()
    result = {"rank": rank, "world": world}
    result["training"] = train(make_model(), 4)

    models = [make_model(0.5) for _ in range(3)]
    with isolated_seed(rank):  # so that dropout differs between the processes
        result["whole"] = train(models[0], 4)
    with isolated_seed(rank):
        train(models[1], 2, checkpoint=folder / "run.pt")
    with isolated_seed(rank):
        torch.rand(9)  # the state of the generator is that of the checkpoint all the same
        result["resumed"] = train(models[2], 4, checkpoint=folder / "run.pt")

    only_first = [lambda state: process_rank() == 0 and len(state.history) == 2]
    result["stopped"] = train(make_model(), 4, callbacks=only_first)
    result["orders"] = orders_of_a_sampler()
    result["parts"] = train_with(whole_or_shared(sampler=True))
    result["first alone"] = train_with(whole_or_shared(sampler=False))
    result["sizes"] = sizes_of_parts()
    result["sum"] = sum_over_processes([1.0, rank])
    result["first"] = from_first_process(f"from {rank}")
    result["all"] = from_all_processes(rank)
    torch.save(result, folder / f"{rank}.pt")
    dist.destroy_process_group()


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return str(server.getsockname()[1])


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    command += ["--master-addr=127.0.0.1", f"--master-port={free_port()}", __file__, str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    assert "epoch" not in run.stdout
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def assert_same_training(result, expected, *, exactly=False):
    tolerance = 0 if exactly else 1e-12
    for name in ("gradients", "weights", "average"):
        torch.testing.assert_close(result[name], expected[name], rtol=tolerance, atol=tolerance)
    for name, values in expected["history"].items():
        if name not in ("seconds", "best_epoch"):
            assert result["history"][name] == pytest.approx(values, rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("rank", [0, 1])
def test_two_processes_train_and_measure_as_one(processes, rank):
    assert processes[rank]["world"] == 2
    assert_same_training(processes[rank]["training"], train(make_model(), 4))


def test_a_run_of_two_processes_resumes_bit_for_bit(processes):
    for process in processes:
        assert_same_training(process["resumed"], process["whole"], exactly=True)


def test_both_processes_decide_alike_to_stop(processes):
    for process in processes:
        assert process["stopped"]["history"]["epoch"] == [1, 2]


def test_a_distributed_sampler_shuffles_each_epoch_anew(processes):
    first, second = (
        [processes[rank]["orders"][4 * epoch : 4 * epoch + 4] for rank in range(2)]
        for epoch in range(2)
    )
    assert sorted(first[0] + first[1]) == sorted(second[0] + second[1]) == list(range(8))
    assert first != second


@pytest.mark.parametrize("kind", ["parts", "first alone"])
def test_a_loader_is_measured_once_over_all_processes(processes, kind):
    expected = train_with(whole_or_shared(sampler=False))
    for process in processes:
        found = process[kind]
        torch.testing.assert_close(found["weights"], expected["weights"], rtol=1e-9, atol=1e-9)
        for name in ("validation_loss", "validation_accuracy", "best_epoch"):
            assert found["history"][name] == pytest.approx(expected["history"][name], rel=1e-6)
        values = expected["history"]["metrics"]["balanced_accuracy"]
        assert found["history"]["metrics"]["balanced_accuracy"] == pytest.approx(values)


def test_no_image_is_measured_twice(processes):
    sizes = [[size for _, size in process["sizes"]] for process in processes]
    assert [sum(both) for both in zip(*sizes, strict=True)] == [1, 2, 3, 4, 5]
    assert {accuracy for process in processes for accuracy, _ in process["sizes"]} == {1.0}


def test_processes_agree(processes):
    for rank, process in enumerate(processes):
        assert process["rank"] == rank
        assert process["sum"] == [2.0, 1.0]
        assert process["first"] == "from 0"
        assert process["all"] == [0, 1]


def test_a_single_process_needs_no_setting_up():
    model = nn.Linear(1, 1)
    assert process_rank() == 0
    assert sum_over_processes([1.0, 2.0]) == [1.0, 2.0]
    assert from_first_process(model) is unwrapped(model) is model
    assert from_all_processes(3) == [3]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
