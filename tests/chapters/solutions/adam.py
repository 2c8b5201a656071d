"""Solutions of the exercises on Adam, and mistakes."""

import math

import torch


def corrected_average(values, beta):
    m, averages = 0.0, []
    for t, value in enumerate(values, start=1):
        m = beta * m + (1 - beta) * value
        averages.append(m / (1 - beta**t))
    return torch.stack(averages)


def steps_to_trust(beta2, fraction):
    return math.ceil(math.log(1 - (1 - fraction) ** 2) / math.log(beta2))


def decay_groups(model, weight_decay, least=2):
    groups = [{"params": [], "weight_decay": decay} for decay in (0.0, weight_decay)]
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups[parameter.ndim >= least]["params"].append(parameter)
    return groups


def corrected_amsgrad(param, gradient, state, lr, late=False):
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    correction = 1 - 0.999**t
    largest = state.get("largest", torch.zeros_like(param))
    state["largest"] = torch.maximum(largest, v if late else v / correction)
    root = (state["largest"] / (correction if late else 1)).sqrt()
    param -= lr * m / (1 - 0.9**t) / (root + 1e-8)


def nadam(param, gradient, state, lr, shrink=0.96):
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    now, then = (0.9 * (1 - 0.5 * shrink ** (0.004 * step)) for step in (t, t + 1))
    product = state["product"] = state.get("product", 1) * now
    ahead = then * m / (1 - product * then) + (1 - now) * gradient / (1 - product)
    param -= lr * ahead / ((v / (1 - 0.999**t)).sqrt() + 1e-8)


SOLUTIONS = [
    ("corrected_average", corrected_average),
    ("steps_to_trust", steps_to_trust),
    ("decay_groups", decay_groups),
    ("corrected_amsgrad", corrected_amsgrad),
    ("nadam", nadam),
]
MISTAKES = [
    ("corrected_average", lambda values, beta: corrected_average(values, 0.0), "(2 values, 0.5)"),
    ("corrected_average", lambda values, beta: corrected_average(values, beta)[-1], "(1 values"),
    ("steps_to_trust", lambda beta2, fraction: math.ceil(math.log(fraction, beta2)), "0.01) gives"),
    ("steps_to_trust", lambda beta2, fraction: steps_to_trust(beta2, fraction) - 1, "0.01) gives"),
    ("decay_groups", lambda model, decay: decay_groups(model, decay, least=1), "lets decay by 0.1"),
    ("decay_groups", lambda model, decay: decay_groups(model, 2 * decay), "lets decay by 0.1"),
    ("decay_groups", lambda model, decay: decay_groups(model, decay)[1:], "leaves alone"),
    (  # PyTorch's
        "corrected_amsgrad",
        lambda *given: corrected_amsgrad(*given, late=True),
        "with even gradients gives",
    ),
    ("nadam", corrected_amsgrad, "after one step gives"),
    ("nadam", lambda *given: nadam(*given, shrink=0.0), "after one step gives"),
]
