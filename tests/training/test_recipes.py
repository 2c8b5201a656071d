"""The one-cycle recipe is Adam and torch's schedule in the plain loop."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glassbox.data import Batches
from glassbox.training import train_one_cycle

generator = torch.Generator().manual_seed(0)
IMAGES = torch.randn(40, 1, 4, 4, generator=generator)
LABELS = torch.randint(3, (40,), generator=generator)


def make_model():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))


def sgd(model):
    return torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=0.1)


@pytest.mark.parametrize("make", [None, sgd])
def test_it_equals_the_loop_written_out(make):
    ours, theirs = make_model(), make_model()
    options = {"optimizer": make and make(ours), "progress": False}
    train_one_cycle(ours, Batches(IMAGES, LABELS, 16), epochs=3, lr=0.05, **options)
    optimizer = make(theirs) if make else torch.optim.Adam(theirs.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=9)
    batches = Batches(IMAGES, LABELS, 16)
    for _ in range(3):
        for images, labels in batches:
            optimizer.zero_grad()
            F.cross_entropy(theirs(images), labels).backward()
            optimizer.step()
            schedule.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_frozen_parameters_stay():
    model = make_model()
    model[1].requires_grad_(False)
    before = model[1].weight.clone()
    history = train_one_cycle(
        model, Batches(IMAGES, LABELS, 16), epochs=1, lr=0.05, progress=False,
        validation=(IMAGES, LABELS),
    )  # fmt: skip
    assert torch.equal(model[1].weight, before)
    assert history.validation_accuracy[0] is not None


@pytest.mark.parametrize(
    ("epochs", "lr", "message"),
    [(0, 0.1, "epochs is 0"), (1, 0.0, "lr is 0.0"), (1, float("nan"), "lr is nan")],
)
def test_a_wrong_argument_is_named(epochs, lr, message):
    with pytest.raises(ValueError, match=message):
        train_one_cycle(make_model(), Batches(IMAGES, LABELS, 16), epochs=epochs, lr=lr)
