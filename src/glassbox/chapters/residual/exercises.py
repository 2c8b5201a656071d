"""Exercises of the page on residual blocks."""

import random
from math import comb

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.chapters.checking import Case, Exercise
from glassbox.networks.classifiers import count_parameters
from glassbox.networks.residual import BasicBlock, ResidualNetwork


def _parameters(depth: int, width: int) -> int:
    return count_parameters(ResidualNetwork(depth, width=width))


def _norms(depth: int, width: int) -> int:
    return 2 * width + 2 * 2 * (depth - 2) // 6 * (1 + 2 + 4) * width


check_parameters_of = Exercise(
    "parameters_of",
    reference=_parameters,
    cases=[(8, 1), (8, 16), (20, 16), (20, 8), (56, 16)],
    drawn=lambda: (6 * random.randint(1, 4) + 2, random.randint(2, 12)),
    mistakes={
        "The normalizations are missing: each convolution is followed by one, with two numbers per "
        "channel.": lambda depth, width: _parameters(depth, width) - _norms(depth, width),
        "The norms have one number per channel here: they have a scale and a shift.": (
            lambda depth, width: _parameters(depth, width) - _norms(depth, width) // 2
        ),
        "The bias of the last layer is missing: one for each of the ten classes.": (
            lambda depth, width: _parameters(depth, width) - 10
        ),
        "The last layer is missing: 4 * width features for ten classes, with a bias.": (
            lambda depth, width: _parameters(depth, width) - 40 * width - 10
        ),
        "The first convolution has one channel here: images in color have three.": (
            lambda depth, width: _parameters(depth, width) - 18 * width
        ),
    },
)


def _fractions(slope: float, blocks: int) -> Tensor:
    """Multiply (1 + slope)**blocks out, factor by factor."""
    parts = torch.ones(1, dtype=torch.float64)
    for _ in range(blocks):
        parts = F.pad(parts, (0, 1)) + slope * F.pad(parts, (1, 0))
    return parts / parts.sum()


check_path_fractions = Exercise(
    "path_fractions",
    reference=_fractions,
    cases=[(1.0, 1), (1.0, 2), (0.5, 3), (0.1, 27), (2.0, 9)],
    drawn=lambda: (random.uniform(0.1, 2), random.randint(1, 12)),
    mistakes={
        "The slope has no effect: a path through k blocks carries slope**k.": (
            lambda slope, blocks: [comb(blocks, k) / 2**blocks for k in range(blocks + 1)]
        ),
        "These do not sum to 1: divide by the whole, (1 + slope)**n.": (
            lambda slope, blocks: [comb(blocks, k) * slope**k for k in range(blocks + 1)]
        ),
        "All paths through k blocks count: there are math.comb(n, k) of them.": (
            lambda slope, blocks: [slope**k / (1 + slope) ** blocks for k in range(blocks + 1)]
        ),
        "The path past all blocks is missing: k begins with 0.": (
            lambda slope, blocks: _fractions(slope, blocks)[1:]
        ),
        "The path through all blocks is missing: k ends with n.": (
            lambda slope, blocks: _fractions(slope, blocks)[:-1]
        ),
    },
)


def _preactivated(block: BasicBlock, x: Tensor) -> Tensor:
    inner = block.conv1(F.relu(block.bn1(x)))
    return x + block.conv2(F.relu(block.bn2(inner)))


def _in_place(block: BasicBlock, x: Tensor) -> Tensor:
    x += _preactivated(block, x) - x
    return x


def _block() -> BasicBlock:
    block = BasicBlock(4, 4).eval().requires_grad_(False)
    for norm in (block.bn1, block.bn2):
        norm.running_mean.normal_()
        norm.weight.normal_()
    return block


check_preactivated = Exercise(
    "preactivated",
    reference=_preactivated,
    cases=lambda: [
        Case(f"preactivated(block, x) for x {text}", (_block(), x))
        for text, x in {
            "of both signs": torch.randn(2, 4, 3, 3),
            "below 0": -torch.rand(2, 4, 3, 3),
            "of zeros": torch.zeros(1, 4, 2, 2),
        }.items()
    ],
    drawn=lambda: (_block(), torch.randn(random.randint(1, 3), 4, 5, 5)),
    mistakes={
        "This is the block as it is: norm and ReLU come before each convolution, and none after "
        "the sum.": lambda block, x: block(x),
        "A ReLU follows the sum: the sum is left alone.": (
            lambda block, x: F.relu(_preactivated(block, x))
        ),
        "x is not added: the path past the block is missing.": (
            lambda block, x: _preactivated(block, x) - x
        ),
        "What is added is x after its norm and ReLU: add x as it came.": (
            lambda block, x: _preactivated(block, x) - x + F.relu(block.bn1(x))
        ),
        "The ReLU comes before the norm: it follows it.": (
            lambda block, x: x + block.conv2(block.bn2(F.relu(block.conv1(block.bn1(F.relu(x))))))
        ),
        "x += ... changes what the caller has: write x + ... for a new tensor.": _in_place,
    },
)
