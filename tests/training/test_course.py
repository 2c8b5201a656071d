"""The course of a training is told in full, in the same words each time, and without addresses."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from glassbox.training.course import describe_course
from glassbox.training.differences import first_difference, what_moved

SCHEDULERS = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 3),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 5]),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, 20),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1),
    "ReduceLROnPlateau": lr_scheduler.ReduceLROnPlateau,
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [3]
    ),
}
OTHERS = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.8**epoch),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 4),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 6]),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 10, 0.01),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 2),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, 20, pct_start=0.2),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 100),
    "ReduceLROnPlateau": partial(lr_scheduler.ReduceLROnPlateau, patience=1),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o), lr_scheduler.ExponentialLR(o, 0.8)], [3]
    ),
}


def scheduled(make):
    torch.manual_seed(0)
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return {"model": model, "optimizer": optimizer, "scheduler": make(optimizer)}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_scheduler_is_told_from_another_and_known_again_before_and_after_its_steps(name):
    parts = scheduled(SCHEDULERS[name])
    start = describe_course(**parts)
    for _ in range(4):
        parts["optimizer"].step()
        parts["scheduler"].step(*([1.0] if name == "ReduceLROnPlateau" else []))
    now = describe_course(**parts)
    moved = what_moved(start, now)
    assert moved and " at 0x" not in str((start, now))
    assert first_difference(start, moved, describe_course(**scheduled(SCHEDULERS[name]))) is None
    assert first_difference(start, moved, now) is None
    other = describe_course(**scheduled(OTHERS[name]))
    assert first_difference(start, moved, other).startswith(("scheduler.", "optimizer.param_gr"))


def closed(value):
    return lambda logits, labels: F.cross_entropy(logits, labels) * value


def default(value):
    def loss(logits, labels, scale=value):
        return logits.sum() * scale

    return loss


@dataclass
class Setting:
    """Neither called nor iterated, but its fields say what it is."""

    value: float


class Adds:
    def __init__(self, value):
        self.value, self.device, self.started = value, torch.device("cpu"), object()

    def __call__(self, images):
        return images + self.value


class Counts(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.register_buffer("counts", torch.full((100,), value))


def loader(value):
    data = TensorDataset(torch.arange(4.0) + value)
    return DataLoader(data, sampler=WeightedRandomSampler([value, 1.0], 2))


PAIRS = {
    "a closure": (closed, "part.value is 1, expected 2"),
    "a default": (default, "part.scale is 1, expected 2"),
    "a partial": (lambda v: partial(closed, value=v), "part.keywords.value is 1,"),
    "a bound method": (lambda v: Adds(v).__call__, "part.__self__.value is 1,"),
    "a callable": (Adds, "part.value is 1,"),
    "a dataclass": (Setting, "part.value is 1,"),
    "a buffer": (Counts, "part.counts is torch.float32 (100,), checksum"),
    "a module": (nn.LeakyReLU, "part.negative_slope is 1, expected 2"),
    "dropout inside": (lambda v: nn.Sequential(nn.Identity(), nn.Dropout(v / 4)), "part.1.p is"),
    "a loader": (loader, "part.dataset.tensors[0] is torch.float32 (4,) [1.0, 2.0, 3.0, 4.0], "),
    "numbers": (lambda v: [0, (v,)], "part is [0, (1,)], expected [0, (2,)]"),
    "many": (lambda v: [Setting(v)] * 2000, "part is list of 2000, checksum"),
    "a counter": (lambda v: Counter({3: v}), "part is {3: 1}, expected {3: 2}"),
    "defaults": (lambda v: defaultdict(list, a=[v]), "part.a is [1], expected [2]"),
    "a set": (lambda v: {str(v), "a", "b", "c"}, "part is {'1.0', 'a', 'b', 'c'}, expected"),
    "an array": (lambda v: np.full((2, 60), v), "part is float64 (2, 60), checksum"),
    "half precision": (lambda v: torch.full((60,), v).half(), "part is torch.float16 (60,), ch"),
    "a turned tensor": (lambda v: torch.full((9, 9), v).T, "part is torch.float32 (9, 9), check"),
    "a path": (lambda v: Path(str(v)), "part is "),
    "a seed": (lambda v: torch.Generator().manual_seed(int(v)), "part is Generator of seed 1, "),
    "a numpy seed": (
        lambda v: np.random.default_rng(int(v)),
        "part.args[0].state[0].state.s",
    ),
    "what is missing": (lambda v: None if v == 1 else nn.ReLU(), "part is None, expected ReLU"),
}


@pytest.mark.parametrize("make, message", PAIRS.values(), ids=PAIRS)
def test_what_differs_is_named_with_both_values_and_what_is_the_same_is_known(make, message):
    one, again, other = (describe_course(part=make(value)) for value in (1.0, 1.0, 2.0))
    assert one == again and " at 0x" not in str(one)
    assert message in first_difference(one, {}, other)
    assert first_difference(one, {}, again) is None


def test_functions_are_told_apart_by_what_they_do():
    losses = [
        lambda a, b: F.cross_entropy(a, b, label_smoothing=0.1),
        lambda a, b: F.cross_entropy(a, b, label_smoothing=0.2),
        lambda a, b: F.multi_margin_loss(a, b),
        lambda a, b: -F.multi_margin_loss(a, b),
    ]
    told = [str(describe_course(loss=loss)) for loss in losses]
    assert len(set(told)) == len(losses)
    assert first_difference(*({"x": "1"}, {}, {})) == "x is 1, expected none"


def test_devices_loops_and_what_is_only_carried_along_make_no_difference():
    ring = [Adds(1.0)]
    ring.append(ring)
    lines = describe_course(ring=ring, model=torch.compile(nn.Linear(1, 1)))
    assert lines["ring[1]"] == "the same as ring" and lines["model"] == "Linear"
    assert lines["ring[0].started"] == "object" and "ring[0].device" not in lines


def test_a_large_tensor_is_told_by_some_of_its_rows():
    images = torch.zeros(1000, 100_000, dtype=torch.uint8)
    told = describe_course(images=images)
    images[0, 0] = 1
    assert describe_course(images=images) != told
