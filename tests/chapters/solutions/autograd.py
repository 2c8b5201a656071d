"""Solutions of the exercises on autograd and hooks, and mistakes."""

import math

import torch

from glassbox.autograd import Scalar


def scaled_gradient(value, factor):
    x = torch.tensor(value, requires_grad=True)
    y = x**2
    y.register_hook(lambda gradient: factor * gradient)
    (y**3).backward()
    return x.grad


def sigmoid(x):
    result = 1 / (1 + math.exp(-x.value))
    return Scalar(result, (x, result * (1 - result)))


class HardSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1)


def fraction_of_zeros(model, layer, images, release=True):
    fractions = []
    handle = model.get_submodule(layer).register_forward_hook(
        lambda module, inputs, output: fractions.append((output == 0).float().mean())
    )
    try:
        model(images)
    finally:
        if release:
            handle.remove()
    return fractions[0]


def fraction_without_finally(model, layer, images):
    fractions = []
    handle = model.get_submodule(layer).register_forward_hook(
        lambda module, inputs, output: fractions.append((output == 0).float().mean())
    )
    model(images)
    handle.remove()
    return fractions[0]


def root_or_zero(x):
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1).sqrt(), 0)


def softmax_pull(gradient, probabilities):
    return probabilities * (gradient - (gradient * probabilities).sum(1, keepdim=True))


SOLUTIONS = [
    ("scaled_gradient", scaled_gradient),
    ("sigmoid", sigmoid),
    ("softmax_pull", softmax_pull),
    ("hard_sign", HardSign.apply),
    ("fraction_of_zeros", fraction_of_zeros),
    ("root_or_zero", root_or_zero),
]
MISTAKES = [
    ("scaled_gradient", lambda value, factor: 6 * value**5, "scaled_gradient(2.0, 0.5) gives"),
    ("sigmoid", lambda x: Scalar(1 / (1 + math.exp(-x.value))), "the gradient of sigmoid(x) * x"),
    ("sigmoid", lambda x: 1 / (1 + (-x).exp()), "the inputs that"),  # right, but several operations
    ("softmax_pull", lambda gradient, p: gradient * p * (1 - p), "gradient (1, 2)"),
    ("hard_sign", torch.sign, "the gradient of a weighted sum"),
    ("hard_sign", lambda x: x + (x.sign() - x).detach(), "the gradient"),  # passes beyond 1 as well
    ("fraction_of_zeros", lambda *given: fraction_of_zeros(*given, release=False), "hooks left"),
    ("fraction_of_zeros", fraction_without_finally, "hooks left after an error"),
    ("root_or_zero", lambda x: torch.where(x > 0, x.sqrt(), 0), "at [0.0, 1.0, -3.0]"),
]
