"""Answers to the exercises on residual blocks."""

import math
from math import comb

import numpy as np
import torch.nn.functional as F
from torch import nn

from glassbox.networks import BasicBlock, ResidualNetwork, count_parameters


def parameters_of(depth, width):
    n = (depth - 2) // 6
    total, channels = 29 * width, width
    for out in (width, 2 * width, 4 * width):
        total += 9 * channels * out + 9 * out * out * (2 * n - 1) + 4 * n * out
        channels = out
    return total + 40 * width + 10


def parameters_counted(depth, width):
    return sum(math.prod(p.shape) for p in ResidualNetwork(depth, width=width).parameters())


def parameters_by_blocks(depth, width):
    n = (depth - 2) // 6
    blocks = [BasicBlock(width, width)] * n
    for out in (2 * width, 4 * width):
        blocks += [BasicBlock(out // 2, out, stride=2)] + [BasicBlock(out, out)] * (n - 1)
    stem, head = nn.Conv2d(3, width, 3, bias=False), nn.Linear(4 * width, 10)
    return 2 * width + sum(map(count_parameters, [stem, head, *blocks]))


def without_norms(depth, width):
    n = (depth - 2) // 6
    return parameters_of(depth, width) - 2 * width - 28 * n * width


def path_fractions(slope, blocks):
    parts = [comb(blocks, k) * slope**k for k in range(blocks + 1)]
    return [part / (1 + slope) ** blocks for part in parts]


def path_fractions_as_powers(slope, blocks):
    return np.polynomial.Polynomial([1 / (1 + slope), slope / (1 + slope)]) ** blocks


def path_fractions_of_a_binomial(slope, blocks):
    k = np.arange(blocks + 1)
    logs = [math.lgamma(blocks + 1) - math.lgamma(i + 1) - math.lgamma(blocks - i + 1) for i in k]
    p = slope / (1 + slope)
    return np.exp(logs + k * np.log(p) + (blocks - k) * np.log(1 - p))


def preactivated(block, x):
    out = block.conv1(F.relu(block.bn1(x)))
    return x + block.conv2(F.relu(block.bn2(out)))


def in_place(block, x):
    x += block.conv2(F.relu(block.bn2(block.conv1(F.relu(block.bn1(x))))))
    return x


def with_a_relu_behind(block, x):
    return F.relu(preactivated(block, x))


def by_a_sequence(block, x):
    branch = nn.Sequential(block.bn1, nn.ReLU(), block.conv1, block.bn2, nn.ReLU(), block.conv2)
    return branch(x).detach().add_(x)


def with_clamps(block, x):
    out = x
    for norm, conv in ((block.bn1, block.conv1), (block.bn2, block.conv2)):
        out = conv(norm(out).clamp_(min=0))
    return out.double() + x


def with_the_relu_of_a_layer(block, x):
    """Let an inplace ReLU change x, after a norm that does nothing."""
    kept = x.clone()
    F.relu_(x)
    return preactivated(block, kept)


ANSWERS = {
    "parameters_of": {
        "right": [parameters_of, parameters_counted, parameters_by_blocks],
        "wrong": {
            "The normalizations are missing": without_norms,
            "parameters_of(8, 1) gives 269722, expected 395": lambda depth, width: 269_722,
            "The bias of the last layer": lambda *given: parameters_of(*given) - 10,
        },
    },
    "path_fractions": {
        "right": [
            path_fractions,
            path_fractions_of_a_binomial,
            lambda slope, blocks: tuple(path_fractions_as_powers(slope, blocks).coef),
        ],
        "wrong": {
            "The slope has no effect": lambda s, n: [comb(n, k) / 2**n for k in range(n + 1)],
            "past all blocks is missing": lambda s, n: path_fractions(s, n)[1:],
            "divide by the whole": lambda s, n: [comb(n, k) * s**k for k in range(n + 1)],
            "gives a generator": lambda s, n: (f for f in path_fractions(s, n)),
        },
    },
    "preactivated": {
        "right": [preactivated, by_a_sequence, with_clamps],
        "wrong": {
            "This is the block as it is": lambda block, x: block(x),
            "the sum is left alone": with_a_relu_behind,
            "write x + ... for a new tensor": in_place,
            "changes x, which belongs to the caller": with_the_relu_of_a_layer,
        },
    },
}
