"""Answers to the exercises on autograd and hooks."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from glassbox.autograd import Scalar


def scaled_gradient(value, factor):
    x = torch.tensor(value, requires_grad=True)
    y = x**2
    y.register_hook(lambda gradient: factor * gradient)
    (y**3).backward()
    return x.grad


def scaled_at_the_node(value, factor):
    x = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    y = x * x
    y.grad_fn.register_prehook(lambda gradients: (gradients[0] * factor,))
    (gradient,) = torch.autograd.grad(y.pow(3), x)
    return float(gradient)


def scaled_in_place(value, factor):
    def scale(gradient):
        return gradient.mul(factor)

    x = torch.tensor([value], requires_grad=True)
    y = x.square()
    handle = y.register_hook(scale)
    y.pow(3).sum().backward()
    handle.remove()
    return x.grad.numpy()


def scaled_afterwards(value, factor):
    x = torch.tensor(value, requires_grad=True)
    ((x**2) ** 3).backward()
    return x.grad * factor


def hooked_too_late(value, factor):
    x = torch.tensor(value, requires_grad=True)
    y = x**2
    (y**3).backward()
    y.register_hook(lambda gradient: factor * gradient)
    return x.grad


def hook_without_return(value, factor):
    def scale(gradient):
        gradient = gradient * factor

    x = torch.tensor(value, requires_grad=True)
    y = x**2
    y.register_hook(scale)
    (y**3).backward()
    return x.grad


def sigmoid(x):
    result = 1 / (1 + math.exp(-x.value))
    return Scalar(result, (x, result * (1 - result)))


def sigmoid_by_tanh(x):
    half = np.tanh(x.value / 2)
    return Scalar(float(half + 1) / 2, (x, float(1 - half**2) / 4))


def sigmoid_of_a_tensor(x):
    leaf = torch.tensor(x.value, dtype=torch.float64, requires_grad=True)
    leaf.sigmoid().backward()
    return Scalar(leaf.sigmoid().item(), (x, leaf.grad.item()))


def softmax_pull(gradient, probabilities):
    return probabilities * (gradient - (gradient * probabilities).sum(1, keepdim=True))


def softmax_pull_of_rows(gradient, probabilities):
    return [
        ((torch.diag(p) - torch.outer(p, p)) @ g).tolist()
        for g, p in zip(gradient, probabilities, strict=True)
    ]


def softmax_pull_by_einsum(gradient, probabilities):
    average = np.einsum("rc,rc->r", gradient.numpy(), probabilities.numpy())
    return (gradient.numpy() - average[:, None]) * probabilities.numpy()


class HardSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1)


class OneSign(torch.autograd.Function):
    """The gradient that arrives is not used."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, gradient):
        return (ctx.saved_tensors[0].abs() <= 1).to(gradient)


class NoBackward(HardSign):
    @staticmethod
    def backward(ctx, gradient): ...


class BrokenBackward(HardSign):
    @staticmethod
    def backward(ctx, gradient):
        return gradient * (ctx.saved.abs() <= 1)


def hard_sign_with_a_hook(x):
    y = x + (x.sign() - x).detach()
    inside = x.detach().abs() <= 1
    y.register_hook(lambda gradient: torch.where(inside, gradient, 0))
    return y


def hard_sign_by_hardtanh(x):
    inside = torch.where(x.abs() <= 1, x, x.detach())
    return inside + (x.sign() - x).detach()


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


def fraction_with_block(model, layer, images):
    found = {}

    def hook(module, inputs, output):
        found["output"] = output.detach().numpy()

    with model.get_submodule(layer).register_forward_hook(hook):
        model(images)
    return 1 - np.count_nonzero(found["output"]) / found["output"].size


def fraction_by_backward_hook(model, layer, images):
    counts = []

    def hook(module, inputs, output):
        counts.extend([output.numel(), int(output.count_nonzero())])

    handle = dict(model.named_modules())[layer].register_forward_hook(hook)
    try:
        with torch.no_grad():
            model(images)
    finally:
        handle.remove()
    return (counts[0] - counts[1]) / counts[0]


def fraction_without_finally(model, layer, images):
    fractions = []
    handle = model.get_submodule(layer).register_forward_hook(
        lambda module, inputs, output: fractions.append((output == 0).float().mean())
    )
    model(images)
    handle.remove()
    return fractions[0]


def fraction_that_hides_errors(model, layer, images):
    try:
        return fraction_of_zeros(model, layer, images)
    except Exception:
        return 0.0


def fraction_not_above_zero(model, layer, images):
    fractions = []
    with model.get_submodule(layer).register_forward_hook(
        lambda module, inputs, output: fractions.append((output <= 0).float().mean())
    ):
        model(images)
    return fractions[0]


def root_or_zero(x):
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1).sqrt(), 0)


def root_by_filling(x):
    return x.masked_fill(x <= 0, 1).sqrt().masked_fill(x <= 0, 0)


def root_by_picking(x):
    result = torch.zeros_like(x)
    result[x > 0] = x[x > 0].sqrt()
    return result


ANSWERS = {
    "scaled_gradient": {
        "right": [scaled_gradient, scaled_at_the_node, scaled_in_place],
        "wrong": {
            "a hook on y": scaled_afterwards,
            "No hook had an effect": hooked_too_late,
            "it has to return the new gradient": hook_without_return,
            "The sign is reversed": lambda value, factor: -scaled_gradient(value, factor),
        },
    },
    "sigmoid": {
        "right": [sigmoid, sigmoid_by_tanh, sigmoid_of_a_tensor],
        "wrong": {
            "give Scalar a pair": lambda x: Scalar(1 / (1 + math.exp(-x.value))),
            "several operations": lambda x: 1 / ((-x).exp() + 1),
            "gives 0.047426, which cannot be used": lambda x: 1 / (1 + math.exp(-x.value)),
        },
    },
    "softmax_pull": {
        "right": [softmax_pull, softmax_pull_of_rows, softmax_pull_by_einsum],
        "wrong": {
            "the diagonal of the Jacobian": lambda gradient, p: gradient * (p - p**2),
            "The sign is reversed": lambda *given: -softmax_pull(*given),
            "sum each row": lambda g, p: p * (g - (g * p).sum(0)),
        },
    },
    "hard_sign": {
        "right": [HardSign.apply, hard_sign_with_a_hook, hard_sign_by_hardtanh],
        "wrong": {
            "yours has to be returned by backward": torch.sign,
            "beyond -1 and 1 as well": lambda x: x + (x.sign() - x).detach(),
            "The gradient that arrives is lost": OneSign.apply,
            "the gradient of a weighted sum of it is None": NoBackward.apply,
            "`return gradient * (ctx.saved.abs() <= 1)`": BrokenBackward.apply,
        },
    },
    "fraction_of_zeros": {
        "right": [fraction_of_zeros, fraction_with_block, fraction_by_backward_hook],
        "wrong": {
            "leaves a hook on layer '1' of model": (
                lambda *given: fraction_of_zeros(*given, release=False)
            ),
            "remove() is not reached": fraction_without_finally,
            "expected 'raised'": fraction_that_hides_errors,
            "compare with == 0": fraction_not_above_zero,
        },
    },
    "root_or_zero": {
        "right": [root_or_zero, root_by_filling, root_by_picking, lambda x: F.relu(x).sqrt()],
        "wrong": {
            "0 times infinity is nan": lambda x: torch.where(x > 0, torch.sqrt(x), 0.0),
            "clamp and x >= 0 let pass": lambda x: torch.where(
                x >= 0, torch.where(x >= 0, x, 1).sqrt(), 0
            ),
            "cut off from x": lambda x: root_or_zero(x.detach()),
        },
    },
}
