"""Solutions of the exercises on residual blocks, and mistakes."""

from math import comb

import torch
import torch.nn.functional as F


def parameters_of(depth, width):
    n = (depth - 2) // 6
    total, channels = 29 * width, width
    for out in (width, 2 * width, 4 * width):
        total += 9 * channels * out + 9 * out * out * (2 * n - 1) + 4 * n * out
        channels = out
    return total + 40 * width + 10


def without_norms(depth, width):
    n = (depth - 2) // 6
    return parameters_of(depth, width) - 2 * width - 28 * n * width


def path_fractions(slope, blocks):
    parts = [comb(blocks, k) * slope**k for k in range(blocks + 1)]
    return [part / (1 + slope) ** blocks for part in parts]


def preactivated(block, x):
    out = block.conv1(F.relu(block.bn1(x)))
    return x + block.conv2(F.relu(block.bn2(out)))


def in_place(block, x):
    x += block.conv2(F.relu(block.bn2(block.conv1(F.relu(block.bn1(x))))))
    return x


def with_a_relu_behind(block, x):
    return F.relu(preactivated(block, x))


SOLUTIONS = [
    ("parameters_of", parameters_of),
    ("path_fractions", path_fractions),
    ("path_fractions", lambda slope, blocks: torch.tensor(path_fractions(slope, blocks))),
    ("preactivated", preactivated),
]
MISTAKES = [
    ("parameters_of", without_norms, "parameters_of(8, 1) gives"),
    ("parameters_of", lambda depth, width: 269_722, "parameters_of(8, 1)"),
    ("path_fractions", lambda s, n: [comb(n, k) / 2**n for k in range(n + 1)], "(0.5, 3)"),
    ("path_fractions", lambda s, n: path_fractions(s, n)[1:], "(1.0, 1)"),
    ("path_fractions", lambda s, n: [comb(n, k) * s**k for k in range(n + 1)], "(1.0, 1)"),
    ("preactivated", lambda block, x: block(x), "x of both signs"),
    ("preactivated", with_a_relu_behind, "x of both signs"),
    ("preactivated", in_place, "x after"),
]
