"""Solutions of the exercises on tracebacks, and mistakes."""

import math

from torch import nn


def accumulate(model, parts, loss_fn, optimizer, scaler, max_norm, *, clip_each=False, divide=True):
    optimizer.zero_grad()
    for images, labels in parts:
        scaler.scale(loss_fn(model(images), labels) / (len(parts) if divide else 1)).backward()
        if clip_each:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.unscale_(optimizer)
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    return norm


def without_clearing(model, parts, loss_fn, optimizer, scaler, max_norm):
    optimizer.zero_grad = lambda: None
    return accumulate(model, parts, loss_fn, optimizer, scaler, max_norm)


SOLUTIONS = [
    ("half_life", lambda decay: math.ceil(math.log(0.5) / math.log(decay))),
    ("accumulate", accumulate),
]
MISTAKES = [
    ("half_life", lambda decay: ..., "half_life(0.5) gives Ellipsis, expected 1"),
    ("half_life", lambda decay: round(1 / (1 - decay)), "half_life(0.5) gives 2"),
    ("half_life", lambda decay: math.log(0.5) / math.log(decay), "gives 1.0, expected 1"),
    ("accumulate", lambda *given: accumulate(*given, divide=False), "the norm for 3 parts"),
    ("accumulate", lambda *given: accumulate(*given, clip_each=True), "the norm for 1 parts"),
    ("accumulate", without_clearing, "the weights after 1 parts"),
]
