"""Answers to the exercises on Adam."""

import math

import numpy as np
import torch


def corrected_average(values, beta):
    m, averages = 0.0, []
    for t, value in enumerate(values, start=1):
        m = beta * m + (1 - beta) * value
        averages.append(m / (1 - beta**t))
    return torch.stack(averages)


def corrected_average_of_numbers(values, beta):
    m, averages = 0.0, []
    for t, value in enumerate(values.tolist(), start=1):
        m += (1 - beta) * (value - m)
        averages.append(m / (1 - beta**t))
    return averages


def corrected_average_by_weights(values, beta):
    return np.array(
        [
            np.average(values[: t + 1], weights=float(beta) ** np.arange(t, -1, -1))
            for t in range(len(values))
        ]
    )


def steps_to_trust(beta2, fraction):
    return math.ceil(math.log(1 - (1 - fraction) ** 2) / math.log(beta2))


def steps_to_trust_with_torch(beta2, fraction):
    beta2, fraction = torch.tensor([beta2, fraction], dtype=torch.float64)
    return torch.ceil((1 - (1 - fraction) ** 2).log() / beta2.log())


def decay_groups(model, weight_decay, least=2):
    groups = [{"params": [], "weight_decay": decay} for decay in (0.0, weight_decay)]
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups[parameter.ndim >= least]["params"].append(parameter)
    return groups


def decay_groups_by_name(model, weight_decay):
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    weights = (p for n, p in named if p.dim() > 1)
    return {"params": weights, "weight_decay": weight_decay}, {
        "params": [p for n, p in named if p.dim() == 1],
        "weight_decay": 0,
    }


def corrected_amsgrad(param, gradient, state, lr, late=False):
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    correction = 1 - 0.999**t
    largest = state.get("largest", torch.zeros_like(param))
    state["largest"] = torch.maximum(largest, v if late else v / correction)
    root = (state["largest"] / (correction if late else 1)).sqrt()
    param -= lr * m / (1 - 0.9**t) / (root + 1e-8)


def amsgrad_of_a_list(param, gradient, state, lr):
    """Keep all gradients, and add them up anew in each step."""
    past = state.setdefault("past", [])
    past.append(gradient)
    stacked = torch.stack(past)
    largest = torch.zeros_like(param)
    for t in range(1, len(past) + 1):
        ages = torch.arange(t - 1, -1, -1, dtype=param.dtype)[:, None]
        mean, square = (
            ((1 - b) * b**ages * one[:t]).sum(0) / (1 - b**t)
            for b, one in ((0.9, stacked), (0.999, stacked**2))
        )
        largest = torch.maximum(largest, square)
    param.copy_(param - lr * mean / (largest.sqrt() + 1e-8))
    return param


def nadam(param, gradient, state, lr, shrink=0.96):
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    now, then = (0.9 * (1 - 0.5 * shrink ** (0.004 * step)) for step in (t, t + 1))
    product = state["product"] = state.get("product", 1) * now
    ahead = then * m / (1 - product * then) + (1 - now) * gradient / (1 - product)
    param -= lr * ahead / ((v / (1 - 0.999**t)).sqrt() + 1e-8)


def nadam_with_products(param, gradient, state, lr):
    t = state.setdefault("t", 0) + 1
    state["t"] = t
    mu = [0.9 * (1 - 0.5 * 0.96 ** (0.004 * i)) for i in range(1, t + 2)]
    m = state.setdefault("m", torch.zeros_like(param)).lerp_(gradient, 0.1)
    v = state.setdefault("v", torch.zeros_like(param))
    v.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    root = (v / (1 - 0.999**t)).sqrt().add(1e-8)
    param.addcdiv_(gradient, root, value=-lr * (1 - mu[-2]) / (1 - math.prod(mu[:-1])))
    param.addcdiv_(m, root, value=-lr * mu[-1] / (1 - math.prod(mu)))


def nadam_by_torch(param, gradient, state, lr):
    if "optimizer" not in state:
        state["optimizer"] = torch.optim.NAdam([param], lr=lr)
    param.grad = gradient
    state["optimizer"].step()


def a_new_param(param, gradient, state, lr):
    param = param - lr * gradient
    return param


ANSWERS = {
    "corrected_average": {
        "right": [
            corrected_average,
            corrected_average_of_numbers,
            corrected_average_by_weights,
        ],
        "wrong": {
            "correction is missing": lambda values, beta: [
                average * (1 - beta**t)
                for t, average in enumerate(corrected_average_of_numbers(values, beta), 1)
            ],
            "last average alone": lambda values, beta: corrected_average(values, beta)[-1],
            "corrected_average([": lambda values, beta: corrected_average(values, 0.0),
        },
    },
    "steps_to_trust": {
        "right": [
            steps_to_trust,
            steps_to_trust_with_torch,
            lambda beta2, fraction: 1 + int(math.log(fraction * (2 - fraction), beta2)),
        ],
        "wrong": {
            "for v itself": lambda beta2, fraction: math.ceil(math.log(fraction, beta2)),
            "It is 1 too large": lambda beta2, fraction: steps_to_trust(beta2, fraction) + 1,
        },
    },
    "decay_groups": {
        "right": [decay_groups, decay_groups_by_name, lambda *given: decay_groups(*given)[::-1]],
        "wrong": {
            "they have one dimension": lambda model, decay: decay_groups(model, decay, least=1),
            "what decays by 0.1 is []": lambda model, decay: decay_groups(model, 2 * decay),
            "what decays by 0 is []": lambda model, decay: decay_groups(model, decay)[1:],
            "ValueError: some parameters appear in more than one": (
                lambda model, decay: [*decay_groups(model, decay), *decay_groups(model, decay)]
            ),
        },
    },
    "corrected_amsgrad": {
        "right": [
            corrected_amsgrad,
            amsgrad_of_a_list,
            lambda param, *given: corrected_amsgrad(param.data, *given),
        ],
        "wrong": {
            "as PyTorch has it": lambda *given: corrected_amsgrad(*given, late=True),
            "`param = ...` makes a new tensor": a_new_param,
        },
    },
    "nadam": {
        "right": [nadam, nadam_with_products, nadam_by_torch],
        "wrong": {
            "the tensor of weights is [": corrected_amsgrad,
            "mu is 0.9 in every step": lambda *given: nadam(*given, shrink=0.0),
            "`param = ...` makes a new tensor": a_new_param,
        },
    },
}
