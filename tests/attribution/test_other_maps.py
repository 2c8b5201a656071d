"""Integrated gradients and occlusion beside Captum, and cases of pencil and paper."""

from itertools import product

import pytest
import torch
from captum.attr import IntegratedGradients, Occlusion
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from torch import nn

from glassbox.attribution import integrated_gradients, occlusion

IMAGES = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))


def network(seed=0, dtype=torch.float64, side=6):
    """Make a network whose first layer works in place, with dropout and batch normalization."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.LeakyReLU(0.3, inplace=True),
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.Tanh(),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(6 * side * side, 4),
    ).to(dtype)


def drawn(seed, dtype, side=6):
    generator = torch.Generator().manual_seed(seed)
    images, other = torch.randn(2, 3, 3, side, side, generator=generator, dtype=dtype)
    return images, torch.randint(4, (3,), generator=generator), other


def on_a_copy(model):
    """Captum gives a model the caller's own images, which a first layer in place overwrites."""
    return lambda images: model(images.clone())


def tolerance(dtype):
    """Allow for rounding; Captum's steps are computed in float32, whatever the images are."""
    return {"rtol": 1e-6, "atol": 1e-7} if dtype == torch.float64 else {"rtol": 1e-4, "atol": 1e-5}


DTYPES = st.sampled_from([torch.float32, torch.float64])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), DTYPES, st.integers(2, 12), st.booleans())
def test_integrated_gradients_are_captums(seed, dtype, steps, with_baseline):
    model, (images, classes, other) = network(seed, dtype).eval(), drawn(seed, dtype)
    baseline = other if with_baseline else 0.0
    expected = IntegratedGradients(on_a_copy(model)).attribute(
        images, baselines=baseline, target=classes, n_steps=steps, method="riemann_middle"
    )
    found = integrated_gradients(model, images, classes, baseline=baseline, steps=steps)
    assert found.dtype == dtype and not found.requires_grad
    torch.testing.assert_close(found, expected.to(dtype), **tolerance(dtype))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), DTYPES, st.data())
def test_occlusion_is_captums(seed, dtype, data):
    side = data.draw(st.integers(1, 7))
    stride = data.draw(st.integers(1, side))
    model, (images, classes, other) = network(seed, dtype, 7).eval(), drawn(seed, dtype, 7)
    window, strides = (3, side, side), (3, stride, stride)
    expected = Occlusion(on_a_copy(model)).attribute(
        images, window, strides=strides, baselines=other, target=classes
    )
    found = occlusion(model, images, classes, side=side, stride=stride, fill=other)
    assert found.dtype == dtype and found.shape == (3, 7, 7)
    torch.testing.assert_close(found, expected[:, 0].to(dtype), **tolerance(dtype))


def test_shares_add_up_to_the_change_of_the_logit():
    model, (images, classes, other) = network().eval(), drawn(3, torch.float64)
    baselines = (0.0, other, torch.tensor([0.5, -1, 2]).view(3, 1, 1))
    for baseline, power in product(baselines, (1, 2, 3.5)):
        options = {"baseline": baseline, "steps": 400, "power": power}
        shares = integrated_gradients(model, images, classes, **options)
        begin = torch.zeros_like(images) + baseline
        with torch.no_grad():
            change = (model(images) - model(begin)).gather(1, classes[:, None])[:, 0]
        torch.testing.assert_close(shares.sum((1, 2, 3)), change, rtol=1e-3, atol=1e-3)


def test_parts_near_the_baseline_help_where_the_logit_rises_there():
    class Rises(nn.Module):
        def forward(self, images):
            return (50 * images).tanh().mean((2, 3))

    images = torch.ones(1, 2, 4, 4)
    errors = [
        abs(integrated_gradients(Rises(), images, 0, steps=16, power=power).sum().item() - 1)
        for power in (1, 3)
    ]
    assert errors[1] < 0.02 < 0.2 < errors[0]


class Linear(nn.Module):
    """Its logits are weighted sums of the pixels."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, images):
        return torch.einsum("kchw,bchw->bk", self.weights, images)


def test_of_a_linear_model_both_are_its_terms():
    weights, images = torch.randn(5, 3, 4, 4), torch.randn(2, 3, 4, 4)
    model, classes = Linear(weights), torch.tensor([1, 4])
    terms = weights[classes] * images
    for steps in (1, 7):
        found = integrated_gradients(model, images, classes, steps=steps)
        torch.testing.assert_close(found, terms)
    torch.testing.assert_close(occlusion(model, images, classes, side=1), terms.sum(1))
    whole = occlusion(model, images, classes, side=4)
    torch.testing.assert_close(whole, terms.sum((1, 2, 3)).view(2, 1, 1).expand(2, 4, 4))


def test_squares_are_cut_off_at_the_edges_and_averaged_where_they_overlap():
    tall = torch.tensor([1.0, 2, 3, 4, 5]).expand(1, 1, 3, 5)
    model = Linear(torch.ones(1, 1, 3, 5) / 3)
    # Windows of columns 0-2, 2-4: the sums are 6 and 12, and column 2 has both.
    found = occlusion(model, tall, 0, side=3, stride=2)
    torch.testing.assert_close(found[0, 1], torch.tensor([6.0, 6, 9, 12, 12]))
    # Of columns 0-2 and 3-4: the second is cut off.
    found = occlusion(model, tall, 0, side=3)
    torch.testing.assert_close(found[0, 1], torch.tensor([6.0, 6, 6, 9, 9]))


METHODS = {
    "integrated gradients": integrated_gradients,
    "occlusion": lambda *given, **named: occlusion(*given, **named, side=2),
}


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
def test_the_model_is_left_as_it_was(make):
    model, images = network(dtype=torch.float32).train(), IMAGES.clone()
    model[2].eval()
    modes = [module.training for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    make(model, images, 1)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(images, IMAGES) and not images.requires_grad


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
def test_classes_are_the_predicted_ones_unless_given(make):
    model = network(2, torch.float32).eval()
    predicted = model(IMAGES.clone()).argmax(1)
    assert torch.equal(make(model, IMAGES), make(model, IMAGES, predicted))
    assert torch.equal(make(model, IMAGES, 3), make(model, IMAGES, [3, 3]))


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_frozen_models_and_blocks_without_gradients_make_no_difference(make, mode):
    model = network(dtype=torch.float32).eval()
    expected = make(model, IMAGES, 2)
    model.requires_grad_(False)
    with mode():
        found = make(model, IMAGES, 2)
    torch.testing.assert_close(found, expected)


class Detached(nn.Module):
    def forward(self, images):
        return images.detach().mean((2, 3))


class Overflows(nn.Module):
    def forward(self, images):
        return images.mean((2, 3)) * float("inf")


M = network(dtype=torch.float32)
test_what_makes_no_sense_is_refused = refuses(
    (lambda: integrated_gradients(Detached(), IMAGES), RuntimeError, "no gradient of the logits"),
    (lambda: integrated_gradients(M, IMAGES, steps=0), "steps is 0, expected"),
    (lambda: integrated_gradients(M, IMAGES, power=0.5), "power is 0.5, expected at least 1"),
    (lambda: integrated_gradients(M, IMAGES, baseline=torch.zeros(5)), r"baseline has shape \(5,"),
    (lambda: integrated_gradients(M, IMAGES, baseline=float("nan")), "baseline has 1 entries"),
    (lambda: integrated_gradients(M, IMAGES[0]), r"images has shape \(3, 6, 6\)"),
    (
        lambda: integrated_gradients(M, IMAGES.relu().byte()),
        TypeError,
        "images has type torch.uint8",
    ),
    (lambda: integrated_gradients(M, IMAGES, [4, 0]), "classes is between 0 and 4, expected 0 to"),
    (lambda: integrated_gradients(torch.relu, IMAGES), TypeError, "model is <built-in"),
    (lambda: integrated_gradients(nn.Identity(), IMAGES), r"output of model is \(2, 3, 6, 6\)"),
    (lambda: occlusion(M, IMAGES, side=7), "side is 7, expected 1 to 6"),
    (lambda: occlusion(M, IMAGES, side=2, stride=3), "stride is 3, expected 1 to 2"),
    (lambda: occlusion(M, IMAGES, side=0), "side is 0, expected"),
    (lambda: occlusion(M, IMAGES, side=2, fill=torch.zeros(4, 1, 1)), r"fill has shape \(4, 1, 1"),
    (lambda: occlusion(M, IMAGES[:0], side=2), "images is empty"),
    (lambda: occlusion(Overflows(), IMAGES, side=2), "the logits that model gives has .* infinite"),
)
