"""Answers to the exercises on residual blocks."""

import math
from math import comb

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from glassbox.networks import BasicBlock, ResidualNetwork, count_parameters, removed


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


def identity_losses(block, x, lr, steps):
    optimizer, losses = torch.optim.SGD(block.parameters(), lr), []
    for _ in range(steps):
        loss = F.mse_loss(block(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def identity_losses_by_grad(block, x, lr, steps):
    parameters, losses = list(block.parameters()), torch.zeros(steps)
    for i in range(steps):
        loss = (block(x) - x).square().mean()
        for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.data.sub_(lr * slope)
        losses[i] = loss.detach()
    return losses


def identity_losses_in_reverse(block, x, lr, steps):
    """Step, then look for the next loss."""
    optimizer, losses = torch.optim.SGD(block.parameters(), lr=lr), []
    while True:
        optimizer.zero_grad(set_to_none=False)
        losses += [nn.MSELoss()(x, block(x))]
        losses[-1].backward()
        optimizer.step()
        if len(losses) == steps:
            return torch.stack(losses).detach().numpy()


def without_zero_grad(block, x, lr, steps):
    optimizer, losses = torch.optim.SGD(block.parameters(), lr), []
    for _ in range(steps):
        losses.append(F.mse_loss(block(x), x))
        losses[-1].backward()
        optimizer.step()
    return losses


def without_a_step(block, x, lr, steps):
    return [F.mse_loss(block(x), x).item() for _ in range(steps)]


def train_with_gaps(model, batches, lr):
    optimizer, losses = torch.optim.SGD(model.parameters(), lr), []
    for images, labels, names in batches:
        with removed(model, names):
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    return losses


def train_with_gaps_by_hooks(model, batches, lr):
    """Replace the outputs of the blocks, as the chapter does; what they compute is not used."""
    losses = []
    for images, labels, names in batches:
        gone = [model.get_submodule(name) for name in names]
        kept = [{k: v.clone() for k, v in block.state_dict().items()} for block in gone]
        handles = [
            block.register_forward_hook(lambda b, args, out: F.relu(b.shortcut(args[0].clone())))
            for block in gone
        ]
        loss = nn.CrossEntropyLoss()(model(images), labels)
        for handle in handles:
            handle.remove()
        for block, state in zip(gone, kept, strict=True):
            block.load_state_dict(state)  # its statistics have moved
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter -= lr * parameter.grad
        losses.append(loss)
    return losses


def train_with_gaps_by_functional(model, batches, lr):
    losses = torch.zeros(len(batches))
    for i, (images, labels, names) in enumerate(batches):
        with removed(model, names):
            used = list(model.parameters())
            loss = F.nll_loss(model(images).log_softmax(1), labels)
        slopes = torch.autograd.grad(loss, used)
        for parameter, slope in zip(used, slopes, strict=True):
            parameter.data -= lr * slope
        losses[i] = loss.detach()
    return losses


def train_without_gaps(model, batches, lr):
    return train_with_gaps(model, [(images, labels, []) for images, labels, _ in batches], lr)


def train_in_eval_mode(model, batches, lr):
    return train_with_gaps(model.eval(), batches, lr)


def losses_alone(model, batches, lr):
    losses = []
    for images, labels, names in batches:
        with removed(model, names):
            losses.append(F.cross_entropy(model(images), labels).item())
    return losses


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
    "identity_losses": {
        "right": [identity_losses, identity_losses_by_grad, identity_losses_in_reverse],
        "wrong": {
            "add up: call zero_grad()": without_zero_grad,
            "The block is not trained": without_a_step,
            "the last loss alone": lambda *given: identity_losses(*given)[-1],
        },
    },
    "train_with_gaps": {
        "right": [train_with_gaps, train_with_gaps_by_hooks, train_with_gaps_by_functional],
        "wrong": {
            "No block is left out": train_without_gaps,
            "The network is in eval mode": train_in_eval_mode,
            "The network is not trained": losses_alone,
        },
    },
}
