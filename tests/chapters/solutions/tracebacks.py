"""Answers to the exercises on tracebacks."""

import math

import torch
from torch import nn


def accumulate(
    model,
    parts,
    loss_fn,
    optimizer,
    scaler,
    max_norm,
    *,
    clip_each=False,
    divide=True,
    unscale=True,
):
    optimizer.zero_grad()
    for images, labels in parts:
        scaler.scale(loss_fn(model(images), labels) / (len(parts) if divide else 1)).backward()
        if clip_each:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    if unscale:
        scaler.unscale_(optimizer)
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    return norm


def without_clearing(model, parts, loss_fn, optimizer, scaler, max_norm):
    optimizer.zero_grad = lambda: None
    return accumulate(model, parts, loss_fn, optimizer, scaler, max_norm)


def on_the_whole(model, parts, loss_fn, optimizer, scaler, max_norm):
    model.zero_grad()
    losses = torch.stack([loss_fn(model(images), labels) for images, labels in parts])
    losses.mean().backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return norm.item()


def by_grad(model, parts, loss_fn, optimizer, scaler, max_norm):
    """Add the gradients up by hand, without the scaler."""
    parameters = list(model.parameters())
    totals = [torch.zeros_like(parameter) for parameter in parameters]
    for images, labels in parts:
        gradients = torch.autograd.grad(loss_fn(model(images), labels), parameters)
        totals = [total + one / len(parts) for total, one in zip(totals, gradients, strict=True)]
    norm = torch.cat([total.flatten() for total in totals]).norm()
    for parameter, total in zip(parameters, totals, strict=True):
        parameter.grad = total * min(1.0, max_norm / (float(norm) + 1e-6))
    optimizer.step()
    return norm.numpy()


ANSWERS = {
    "half_life": {
        "right": [
            lambda decay: math.ceil(math.log(0.5) / math.log(decay)),
            lambda decay: torch.tensor(0.5).double().log().div(math.log(decay)).ceil(),
            lambda decay: next(t for t in range(10_000) if decay**t <= 0.5),
        ],
        "wrong": {
            "half_life(0.5) gives an ellipsis, expected 1": lambda decay: ...,
            "how many updates an average remembers": lambda decay: round(1 / (1 - decay)),
            "Updates are whole": lambda decay: math.log2(0.5) / math.log2(decay),
            "more than half is left": lambda decay: int(math.log(0.5) / math.log(decay)),
        },
    },
    "accumulate": {
        "right": [accumulate, on_the_whole, by_grad],
        "wrong": {
            "divide each loss by": lambda *given: accumulate(*given, divide=False),
            "Each part is clipped": lambda *given: accumulate(*given, clip_each=True),
            "clear them first": without_clearing,
            "call scaler.unscale_(optimizer)": lambda *given: accumulate(*given, unscale=False),
            "end the function with `return`": lambda *given: [accumulate(*given)].clear(),
        },
    },
}
