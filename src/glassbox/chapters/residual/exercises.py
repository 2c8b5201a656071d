"""Checks for the exercises of the page on residual blocks."""

from collections.abc import Iterator
from math import comb

import torch
import torch.nn.functional as F

from glassbox.chapters.checking import Candidate, Case, exercise
from glassbox.networks.classifiers import count_parameters
from glassbox.networks.residual import BasicBlock, ResidualNetwork


@exercise()
def check_parameters_of() -> Iterator[Case]:
    """Check ``parameters_of(depth, width)``: those of a network of 6n + 2 layers for RGB."""
    for given in [(8, 1), (8, 16), (20, 16), (20, 8), (56, 16)]:
        depth, width = given
        expected = count_parameters(ResidualNetwork(depth, width=width))
        yield Case(f"parameters_of{given}", given, expected)


@exercise(read=lambda fractions: torch.as_tensor(fractions).float())
def check_path_fractions() -> Iterator[Case]:
    """Check ``path_fractions(slope, blocks)``: how much paths through k blocks add to the slope."""
    for given in [(1.0, 1), (1.0, 2), (0.5, 3), (0.1, 27), (2.0, 9)]:
        slope, blocks = given
        parts = [comb(blocks, k) * slope**k for k in range(blocks + 1)]
        yield Case(f"path_fractions{given}", given, torch.tensor(parts) / sum(parts))


@exercise()
def check_preactivated() -> Iterator[Case]:
    """Check ``preactivated(block, x)``: a block whose norms and ReLUs come before the weights."""
    block = BasicBlock(4, 4).eval().requires_grad_(False)
    for norm in (block.bn1, block.bn2):
        norm.running_mean.normal_()
        norm.weight.normal_()
    inputs = [torch.randn(2, 4, 3, 3), -torch.rand(2, 4, 3, 3), torch.zeros(1, 4, 2, 2)]
    for text, x in zip(("of both signs", "below 0", "of zeros"), inputs, strict=True):
        inner = block.conv1(F.relu(block.bn1(x)))
        expected = x + block.conv2(F.relu(block.bn2(inner)))
        yield Case(f"preactivated(block, x {text})", (block, x.clone()), expected)
    yield Case("x after preactivated(block, x)", lambda f: _keeps_input(f, block), True)


def _keeps_input(candidate: Candidate, block: BasicBlock) -> bool:
    x = torch.linspace(-1, 1, 64).view(1, 4, 4, 4)
    given = x.clone()
    candidate(block, given)
    return torch.equal(given, x)
