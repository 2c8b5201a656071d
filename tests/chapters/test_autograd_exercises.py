"""The exercises of chapter 1 accept a solution and refuse plausible mistakes."""

import math

import pytest
import torch

from glassbox.autograd import Scalar
from glassbox.chapters.autograd import exercises as autograd


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
    keep = lambda module, inputs, output: fractions.append((output == 0).float().mean())  # noqa: E731
    handle = model.get_submodule(layer).register_forward_hook(keep)
    try:
        model(images)
    finally:
        if release:
            handle.remove()
    return fractions[0]


def fraction_without_finally(model, layer, images):
    fractions = []
    keep = lambda module, inputs, output: fractions.append((output == 0).float().mean())  # noqa: E731
    handle = model.get_submodule(layer).register_forward_hook(keep)
    model(images)
    handle.remove()
    return fractions[0]


def root_or_zero(x):
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1).sqrt(), 0)


def softmax_pull(gradient, probabilities):
    return probabilities * (gradient - (gradient * probabilities).sum(1, keepdim=True))


SOLUTIONS = [
    (autograd.check_scaled_gradient, scaled_gradient),
    (autograd.check_sigmoid, sigmoid),
    (autograd.check_softmax_pull, softmax_pull),
    (autograd.check_hard_sign, HardSign.apply),
    (autograd.check_fraction_of_zeros, fraction_of_zeros),
    (autograd.check_root_or_zero, root_or_zero),
]
MISTAKES = [
    (autograd.check_scaled_gradient, lambda value, factor: 6 * value**5),
    (autograd.check_sigmoid, lambda x: Scalar(1 / (1 + math.exp(-x.value)))),
    (autograd.check_sigmoid, lambda x: 1 / (1 + (-x).exp())),  # right, but not one operation
    (autograd.check_softmax_pull, lambda gradient, p: gradient * p * (1 - p)),
    (autograd.check_hard_sign, torch.sign),
    (autograd.check_hard_sign, lambda x: x + (x.sign() - x).detach()),  # passes beyond 1 as well
    (autograd.check_fraction_of_zeros, lambda *given: fraction_of_zeros(*given, release=False)),
    (autograd.check_fraction_of_zeros, fraction_without_finally),
    (autograd.check_root_or_zero, lambda x: torch.where(x > 0, x.sqrt(), 0)),
]


@pytest.mark.parametrize(("check", "solution"), SOLUTIONS)
def test_a_solution_is_accepted(check, solution, capsys):
    check(solution)
    assert capsys.readouterr().out.startswith("Solved: all ")


@pytest.mark.parametrize(
    ("check", "mistake"), MISTAKES + [(check, lambda *_: None) for check, _ in SOLUTIONS]
)
def test_an_empty_stub_or_a_plausible_mistake_is_not_accepted(check, mistake, capsys):
    check(mistake)
    assert capsys.readouterr().out.startswith("Not yet: ")


def test_checking_leaves_the_random_state_alone(capsys):
    before = torch.get_rng_state()
    for check, solution in SOLUTIONS:
        check(solution)
    assert torch.equal(torch.get_rng_state(), before)
