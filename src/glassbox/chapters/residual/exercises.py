"""Checks for the exercises of the page on residual blocks."""

from collections.abc import Iterator
from math import comb

import torch
import torch.nn.functional as F

from glassbox.chapters.checking import Candidate, Case, exercise
from glassbox.networks.classifiers import count_parameters
from glassbox.networks.residual import BasicBlock, ResidualNetwork


@exercise
def check_parameters_of(candidate: Candidate) -> Iterator[Case]:
    """Check ``parameters_of(depth, width)``: those of a network of 6n + 2 layers for RGB."""
    for depth, width in [(8, 1), (8, 16), (20, 16), (20, 8), (56, 16)]:
        yield Case(
            f"parameters_of({depth}, {width})",
            lambda given=(depth, width): candidate(*given),
            count_parameters(ResidualNetwork(depth, width=width)),
        )


@exercise
def check_path_fractions(candidate: Candidate) -> Iterator[Case]:
    """Check ``path_fractions(slope, blocks)``: how much paths through k blocks add to the slope."""
    for slope, blocks in [(1.0, 1), (1.0, 2), (0.5, 3), (0.1, 27), (2.0, 9)]:
        parts = [comb(blocks, k) * slope**k for k in range(blocks + 1)]
        yield Case(
            f"path_shares({slope}, {blocks})",
            lambda given=(slope, blocks): torch.as_tensor(candidate(*given)).float(),
            torch.tensor(parts) / sum(parts),
        )


@exercise
def check_preactivated(candidate: Candidate) -> Iterator[Case]:
    """Check ``preactivated(block, x)``: a block whose norms and ReLUs come before the weights."""
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    block = BasicBlock(4, 4).eval().requires_grad_(False)
    for norm in (block.bn1, block.bn2):
        norm.running_mean.normal_()
        norm.weight.normal_()
    inputs = [torch.randn(2, 4, 3, 3), -torch.rand(2, 4, 3, 3), torch.zeros(1, 4, 2, 2)]
    torch.random.set_rng_state(torch_state)
    names = ("of both signs", "below 0", "of zeros")
    for name, x in zip(names, inputs, strict=True):
        inner = block.conv1(F.relu(block.bn1(x)))
        yield Case(
            f"preactivated(block, x {name})",
            lambda x=x: candidate(block, x.clone()),
            x + block.conv2(F.relu(block.bn2(inner))),
        )
    yield Case("x after preactivated(block, x)", lambda: _input_after(candidate, block), True)


def _input_after(candidate: Candidate, block: BasicBlock) -> bool:
    """Tell whether the input is unchanged."""
    x = torch.linspace(-1, 1, 64).view(1, 4, 4, 4)
    given = x.clone()
    candidate(block, given)
    return torch.equal(given, x)
