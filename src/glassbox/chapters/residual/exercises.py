"""Exercises of the page on residual blocks."""

import random
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from math import comb
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Answer, Case, Exercise
from glassbox.networks.classifiers import count_parameters
from glassbox.networks.lesions import removed
from glassbox.networks.residual import BasicBlock, PlainBlock, ResidualNetwork, block_names

_Step = tuple[Tensor, Tensor, list[str]]


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


def _identity_losses(
    block: nn.Module,
    x: Tensor,
    lr: float,
    steps: int,
    *,
    forgets: bool = True,
    moves: bool = True,
    whole: bool = False,
    late: bool = False,
) -> list[float]:
    """Teach a block by hand, with four places to go wrong."""
    losses = []
    for parameter in block.parameters():
        parameter.grad = None
    for _ in range(steps):
        squares = (block(x) - x) ** 2
        loss = squares.sum() if whole else squares.mean()
        loss.backward()
        with torch.no_grad():
            for parameter in block.parameters():
                parameter -= lr * parameter.grad * moves
                parameter.grad = None if forgets else parameter.grad
            losses.append(float(F.mse_loss(block(x), x) if late else loss))
    return losses


def _seen_of_block(answer: Answer, block: nn.Module, x: Tensor, lr: float, steps: int) -> Any:
    losses = answer(block, x, lr, steps)
    return {"": losses, "the weight of conv2 afterwards": block.conv2.weight.detach()}


def _taught(kind: type[BasicBlock] = BasicBlock) -> BasicBlock:
    return kind(4, 4)


check_identity_losses = Exercise(
    "identity_losses",
    reference=_identity_losses,
    observe=_seen_of_block,
    cases=lambda: [
        Case(
            f"identity_losses({kind.__name__}(4, 4), x, {lr}, {steps})",
            (_taught(kind), torch.rand(6, 4, 5, 5), lr, steps),
        )
        for kind, lr, steps in ((BasicBlock, 0.1, 1), (BasicBlock, 0.1, 6), (PlainBlock, 0.2, 4))
    ],
    drawn=lambda: (
        *(_taught(), torch.rand(8, 4, 4, 4)),
        *(random.uniform(0.05, 0.3), random.randint(2, 6)),
    ),
    changes=("block",),
    mistakes={
        "The gradients of all steps add up: call zero_grad() before each backward().": (
            partial(_identity_losses, forgets=False)
        ),
        "The block is not trained: call step() after backward().": (
            partial(_identity_losses, moves=False)
        ),
        "This is the sum of the squares: take their mean, as F.mse_loss does.": (
            partial(_identity_losses, whole=True)
        ),
        "Each loss is measured after its step: keep the one that the step was computed from.": (
            partial(_identity_losses, late=True)
        ),
        "This is the last loss alone: append the loss of each step to a list.": (
            lambda *given: _identity_losses(*given)[-1]
        ),
    },
)


def _train_with_gaps(
    model: nn.Module,
    batches: Sequence[_Step],
    lr: float,
    *,
    gaps: bool = True,
    forgets: bool = True,
    moves: bool = True,
    evaluates: bool = False,
) -> list[float]:
    """Train with blocks left out, with four places to go wrong."""
    optimizer, losses = torch.optim.SGD(model.parameters(), lr), []
    model.train(not evaluates)
    for images, labels, names in batches:
        with removed(model, names) if gaps else nullcontext():
            loss = F.cross_entropy(model(images), labels)
        if forgets:
            optimizer.zero_grad()
        loss.backward()
        if moves:
            optimizer.step()
        losses.append(loss.item())
    return losses


def _seen_of_network(
    answer: Answer, model: nn.Module, batches: Sequence[_Step], lr: float
) -> dict[str, Any]:
    losses = answer(model, batches, lr)
    first = model.get_submodule("layer1.0")
    return {
        "": losses,
        "the weight of layer1.0.conv1 afterwards": first.conv1.weight.detach(),
        "the blocks afterwards": [len(block_names(model))],
    }


def _gapped(model: nn.Module, gaps: Sequence[Sequence[str]]) -> tuple[Any, ...]:
    batches = [(torch.randn(8, 1, 8, 8), torch.randint(10, (8,)), list(names)) for names in gaps]
    return model, batches, 0.1


def _small() -> ResidualNetwork:
    return ResidualNetwork(14, in_channels=1, width=2)


check_train_with_gaps = Exercise(
    "train_with_gaps",
    reference=_train_with_gaps,
    observe=_seen_of_network,
    cases=lambda: [
        Case(f"train_with_gaps with {text}", _gapped(_small(), gaps))
        for text, gaps in {
            "one batch and no block left out": [[]],
            "one batch and layer1.1 left out": [["layer1.1"]],
            "three batches and other gaps in each": [["layer2.0", "layer3.1"], [], ["layer1.0"]],
        }.items()
    ],
    drawn=lambda: _gapped(
        _small(), [random.sample(block_names(_small()), random.randint(0, 3)) for _ in range(3)]
    ),
    changes=("model",),
    mistakes={
        "No block is left out: run the model inside of `with removed(model, names):`.": (
            partial(_train_with_gaps, gaps=False)
        ),
        "The gradients of all steps add up: call zero_grad() before each backward().": (
            partial(_train_with_gaps, forgets=False)
        ),
        "The network is not trained: call step() after backward().": (
            partial(_train_with_gaps, moves=False)
        ),
        "The network is in eval mode, in which batch normalization uses what it measured before: "
        "train in train mode.": partial(_train_with_gaps, evaluates=True),
    },
)
