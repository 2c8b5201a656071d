"""A small integer of NumPy's is the number that it shows, whatever is computed from it."""

import numpy as np
import pytest
import torch
from torch import nn

from glassbox.attribution import deletion_curves, heat_maps
from glassbox.autograd import conv2d as tape_conv2d
from glassbox.data import (
    Batches,
    draw_scenes,
    random_crop,
    random_rotation,
    random_shift,
    stratified_split,
)
from glassbox.generation import precision_recall_density_coverage
from glassbox.losses import deferred_weights
from glassbox.mixing import CutMix, MixedBatches, MixingSchedule, box_around, kept_area
from glassbox.networks import (
    ThreeBlockCNN,
    count_parameters,
    max_pool2d,
    output_size,
    receptive_field,
)
from glassbox.networks.convolution import Window, conv2d
from glassbox.optim import SGD
from hostile.observed import differences, parts

IMAGES = torch.rand(4, 3, 40, 40, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 1, 0])


def seeded(start=0):
    return torch.Generator().manual_seed(start)


def mixed(n):
    mixer = CutMix(num_classes=n(2))
    return list(MixedBatches(Batches(IMAGES, LABELS, n(2)), mixer, seed=n(200)))


def stepped(lr):
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    optimizer = SGD([weight], lr)
    optimizer.step()
    return weight.detach()


CALLS = {
    "output_size": lambda n: output_size(n(200), n(3), n(1), n(100)),
    "span": lambda n: Window(n(100), dilation=n(3)).span,
    "receptive_field": lambda n: receptive_field([(n(200), n(200))] * 3),
    "interval": lambda n: receptive_field([(3, 4)]).interval(n(100)),
    "kept_area": lambda n: kept_area((n(0), n(16), n(0), n(16)), n(20), n(20)),
    "box_around": lambda n: box_around(0.25, (n(200), n(100)), n(255), n(255)),
    "random_shift": lambda n: random_shift(n(2))(IMAGES, seeded()),
    "random_rotation": lambda n: random_rotation(n(30))(IMAGES, seeded()),
    "a learning rate": lambda n: stepped(n(1)),
    "random_crop": lambda n: random_crop(n(200))(IMAGES, seeded()),
    "MixedBatches": mixed,
    "a schedule in pairs": lambda n: MixingSchedule(num_classes=n(5), mode="pair").draw(
        n(4), n(20), n(20), seeded()
    ),
    "stratified_split": lambda n: stratified_split([0] * 300, [n(200), n(100)]),
    "conv2d": lambda n: conv2d(
        IMAGES, torch.ones(3, 1, 3, 3), padding=(n(120), n(120)), dilation=n(100), groups=n(3)
    ),
    "max_pool2d": lambda n: max_pool2d(IMAGES, n(16), stride=n(20)),
    "the tape's conv2d": lambda n: tape_conv2d(
        IMAGES[:, :1].numpy(), np.ones((1, 1, 3, 3)), np.ones(1), padding=n(120), stride=n(100)
    ),
    "ThreeBlockCNN": lambda n: count_parameters(
        ThreeBlockCNN(size=n(248), width=n(1), hidden=n(1))
    ),
    "deletion_curves": lambda n: deletion_curves(
        nn.Flatten(),
        IMAGES[:1, :, :8, :8],
        LABELS[:1],
        IMAGES[:1, 0, :8, :8],
        torch.zeros(1),
        n(255),
    ),
    "heat_maps": lambda n: heat_maps(IMAGES[:, 0], (n(200), n(100))),
    "coverage": lambda n: precision_recall_density_coverage(
        torch.arange(300.0)[:, None], torch.arange(300.0)[:, None], n(255)
    ),
    "deferred_weights": lambda n: deferred_weights([4, 2], n(200), n(100)),
    "draw_scenes": lambda n: draw_scenes(n(2), size=n(32), seed=n(200), clutter=n(3)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.filterwarnings("error::RuntimeWarning")  # as NumPy gives of an overflow
def test_a_small_integer_is_the_number_that_it_shows(call):
    expected = dict(parts(call(int)))
    assert differences(dict(parts(call(np.uint8))), expected) == []
