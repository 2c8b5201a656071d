"""The networks of the book: shapes and parameter counts as the text states them."""

import numpy as np
import pytest
import torch
from refusals import refuses
from torch import nn

from glassbox.networks import LeNet5, ThreeBlockCNN, count_parameters


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (LeNet5(), 61_706),
        (ThreeBlockCNN(), 1_147_466),
        # Convolutions 896 + 18,496 + 73,856, linear layers 1,049,088 + 5,130.
        (ThreeBlockCNN(batch_norm=True), 1_147_466 + 32 + 64 + 128),
    ],
)
def test_parameter_counts_are_the_known_ones(model, parameters):
    assert count_parameters(model) == parameters


@pytest.mark.parametrize("size", [16, 28, 32, 33, 96, 227])
@pytest.mark.parametrize("channels", [1, 3])
def test_lenet5_takes_any_square_image(size, channels):
    logits = LeNet5(channels, 7, size=size)(torch.zeros(2, channels, size, size))
    assert logits.shape == (2, 7)


@pytest.mark.parametrize("size", [8, 32, 96])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_three_block_cnn_takes_sizes_that_halve_three_times(size, batch_norm):
    model = ThreeBlockCNN(2, 5, size=size, width=4, hidden=6, batch_norm=batch_norm)
    assert model(torch.zeros(2, 2, size, size)).shape == (2, 5)
    assert [model.features[: i + 1](torch.zeros(2, 2, size, size)).shape[1:] for i in range(3)] == [
        (4, size // 2, size // 2),
        (8, size // 4, size // 4),
        (16, size // 8, size // 8),
    ]


def test_count_parameters_leaves_out_what_is_frozen():
    model = nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    assert count_parameters(model) == 6


test_a_wrong_argument_is_named_with_its_value = refuses(
    (lambda: LeNet5(size=15), "size is 15, expected at least 16"),
    (lambda: ThreeBlockCNN(size=30), "size is 30, expected a multiple of 8"),
    (lambda: LeNet5(size=16.5), TypeError, "size is 16.5, expected an integer"),
    (lambda: LeNet5(in_channels=0), "in_channels is 0"),
    (lambda: ThreeBlockCNN(num_classes=0), "num_classes is 0"),
    (lambda: ThreeBlockCNN(width=0), "width is 0"),
    (lambda: ThreeBlockCNN(hidden=0), "hidden is 0"),
    (lambda: ThreeBlockCNN(0), "in_channels is 0, expected at least 1"),
    (lambda: LeNet5(num_classes=2.5), TypeError, "num_classes is 2.5, expected an integer"),
    (lambda: count_parameters(None), TypeError, "model is None, expected a torch.nn.Module"),
)


def test_small_integers_of_numpy_do_not_overflow():
    size = np.uint8(32)  # 16 * 5 * 5 units would become 144
    assert LeNet5(size=size)(torch.zeros(1, 1, 32, 32)).shape == (1, 10)
