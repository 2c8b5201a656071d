"""Functions become scripts with all that they need, and run in a group of processes."""

import math

import pytest
import torch
import torch.nn.functional as F

from glassbox.chapters.more_than_one_machine.launching import launch, script_of
from glassbox.training import process_share

FACTOR = 3
TENSOR = torch.ones(2)


def logits():
    return F.relu(torch.tensor([-1.0, math.pi]))


def scaled():
    values = [FACTOR * value for value in logits()]
    return {"rank": process_share()["rank"], "last": float(values[-1])}


def needs_a_tensor():
    return TENSOR + 1


def fails():
    raise LookupError("nothing is here")


def test_a_script_holds_what_the_function_calls_and_no_more():
    script = script_of(scaled)
    for line in ("FACTOR = 3", "import math", "import torch.nn.functional as F"):
        assert f"\n{line}\n" in f"\n{script}"
    assert "from glassbox.training.processes import process_share" in script
    assert script.index("def logits()") < script.index("def scaled()") < script.index("__main__")
    assert "pytest" not in script and "TENSOR" not in script
    compile(script, "train.py", "exec")


def test_what_no_script_can_hold_is_named():
    with pytest.raises(ValueError, match=r"^TENSOR is a Tensor, expected what a script can hold"):
        script_of(needs_a_tensor)


def test_each_process_gives_its_result():
    job = launch(scaled)
    assert job.succeeded, job.messages
    assert [result["rank"] for result in job.results] == [0, 1]
    for result in job.results:
        assert result["last"] == pytest.approx(3 * math.pi)


def test_a_job_that_fails_says_why():
    job = launch(fails)
    assert not job.succeeded and job.results == [] and "nothing is here" in job.messages
