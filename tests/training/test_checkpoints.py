import itertools
import math
import multiprocessing
import os
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch
from torch import nn

from glassbox.training import load_checkpoint, save_checkpoint

can_fork = "fork" in multiprocessing.get_all_start_methods()
FORK = multiprocessing.get_context("fork") if can_fork else None


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.pt"


def test_parts_come_back_as_they_were(path):
    model = nn.Linear(3, 2).double()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.rand(1, 3).double()).sum().backward()
    optimizer.step()
    save_checkpoint(
        path, model=model.state_dict(), optimizer=optimizer.state_dict(), epoch=3, best=math.inf
    )
    parts = load_checkpoint(str(path))
    assert list(parts) == ["model", "optimizer", "epoch", "best"]
    assert parts["epoch"] == 3 and parts["best"] == math.inf
    torch.testing.assert_close(parts["model"], model.state_dict(), rtol=0, atol=0)
    assert str(parts["optimizer"]) == str(optimizer.state_dict())


def test_a_checkpoint_replaces_the_one_before_as_a_whole_and_leaves_nothing_beside_it(path):
    save_checkpoint(path, epoch=1)
    os.link(path, old := path.with_name("old.pt"))  # the same bytes on the disk
    save_checkpoint(path, epoch=2)
    assert load_checkpoint(path) == {"epoch": 2} and load_checkpoint(old) == {"epoch": 1}
    assert sorted(os.listdir(path.parent)) == ["old.pt", path.name]


def test_no_file_is_an_error_of_its_own(path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", bytes(10_000)])
def test_another_file_is_named_and_left_as_it_is(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.pt is damaged or no checkpoint"):
        load_checkpoint(path)
    with pytest.raises(FileExistsError, match=r"run\.pt is no readable checkpoint"):
        save_checkpoint(path, epoch=1)
    assert path.read_bytes() == content


def test_saved_weights_are_not_taken_for_a_checkpoint(path):
    torch.save(nn.Linear(1, 1).state_dict(), path)
    content = path.read_bytes()
    with pytest.raises(ValueError, match="not written by save_checkpoint"):
        load_checkpoint(path)
    with pytest.raises(FileExistsError):
        save_checkpoint(path, epoch=1)
    assert path.read_bytes() == content


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_checkpoint_is_named_and_not_overwritten(path, fraction):
    save_checkpoint(path, weights=torch.rand(1000))
    content = path.read_bytes()[: int(fraction * path.stat().st_size)]
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        load_checkpoint(path)
    with pytest.raises(FileExistsError):
        save_checkpoint(path, epoch=1)
    assert path.read_bytes() == content


def test_a_flipped_bit_is_found_or_harmless(path):
    weights = torch.arange(1000.0)
    save_checkpoint(path, weights=weights)
    content = path.read_bytes()
    found = 0
    generator = np.random.default_rng(0)
    for position in generator.integers(len(content), size=300):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(generator.integers(8))
        path.write_bytes(damaged)
        try:
            assert torch.equal(load_checkpoint(path)["weights"], weights)
        except ValueError:
            found += 1
    assert found > 200


def test_what_could_not_be_loaded_is_not_saved(path):
    save_checkpoint(path, epoch=1)
    with pytest.raises(TypeError, match="Linear"):
        save_checkpoint(path, model=nn.Linear(1, 1))
    assert load_checkpoint(path) == {"epoch": 1}
    assert os.listdir(path.parent) == [path.name]


def test_a_failed_write_leaves_the_old_checkpoint(path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    save_checkpoint(path, epoch=1)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, epoch=2)
    assert load_checkpoint(path) == {"epoch": 1}
    assert os.listdir(path.parent) == [path.name]


def test_a_process_killed_while_it_writes_leaves_the_old_checkpoint(path):
    script = """
        import os, signal, sys, torch
        from glassbox.training import save_checkpoint

        def killed(descriptor):
            os.ftruncate(descriptor, 1000)  # as if only this much had been written
            os.kill(os.getpid(), signal.SIGKILL)

        save_checkpoint(sys.argv[1], weights=torch.ones(1000), epoch=1)
        os.fsync = killed
        save_checkpoint(sys.argv[1], weights=torch.zeros(1000), epoch=2)
    """
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(script), path])
    assert process.returncode == -9
    (left,) = path.parent.glob(".run.pt.*.partial")
    assert load_checkpoint(path)["epoch"] == 1
    save_checkpoint(path, epoch=3)
    assert left.exists()  # it might be of a writer that is still alive
    os.utime(left, (0, 0))
    save_checkpoint(path, epoch=4)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(FORK is None, reason="needs processes that begin as copies of this one")
def test_processes_that_write_one_checkpoint_leave_a_whole_one_whenever_they_are_killed(path):
    writers = {name: begin_writing(path, name) for name in ("first", "second", "third")}
    try:
        until = 0.0
        while not until or time.monotonic() < until:
            wait_for_all(path, writers)
            until = until or time.monotonic() + float(os.environ.get("GLASSBOX_RACE_SECONDS", 0))
            for name, writer in writers.items():
                writer.kill()
                writer.join()
                read_whole(path)
                if time.monotonic() < until:
                    writers[name] = begin_writing(path, name)
    finally:
        for writer in writers.values():
            writer.kill()
            writer.join()


def wait_for_all(path, writers):
    """Read checkpoints until each of the writers has written one."""
    missing = set(writers)
    while missing:
        assert all(writer.is_alive() for writer in writers.values())
        if path.exists():
            missing -= {read_whole(path)}


def read_whole(path):
    """Read a checkpoint, and say who wrote it."""
    parts = load_checkpoint(path)
    assert len(parts["weights"]) == 500 * (1 + parts["step"] % 7)
    assert (parts["weights"] == parts["step"]).all()
    return parts["writer"]


def begin_writing(path, name):
    writer = FORK.Process(target=write, args=(path, name), daemon=True)
    writer.start()
    return writer


def write(path, name):
    for step in itertools.count():
        weights = torch.full((500 * (1 + step % 7),), float(step))
        save_checkpoint(path, writer=name, step=step, weights=weights)


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(FileExistsError, match="a folder or a device, expected a file or nothing"):
        save_checkpoint(tmp_path, epoch=1)
