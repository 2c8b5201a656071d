"""The VAE against torch.distributions, and its bound against its parts."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from devices import gives_the_same_in_every_layout, gives_the_same_on_every_device, needs_no_values
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from glassbox.data import load, to_float
from glassbox.networks import (
    VAE,
    VAEOutput,
    active_units,
    count_parameters,
    kl_to_standard_normal,
    negative_elbo,
    reconstruction_loss,
    reparameterize,
)

DIGITS = to_float(load("digits").images)
FLOATS = [torch.float32, torch.float64]


def random(seed, *shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_the_network_has_the_source_s_layers():
    model = VAE()
    assert count_parameters(model) == 652_824
    output = model(torch.rand(5, 1, 28, 28))
    assert output.decoded.shape == (5, 1, 28, 28)
    assert output.mean.shape == output.logvar.shape == (5, 20)
    assert VAE(size=9, hidden=7, latent=2)(torch.rand(5, 1, 9, 9)).decoded.shape == (5, 1, 9, 9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 8), st.sampled_from(FLOATS))
def test_the_kl_equals_torch_distributions(seed, count, latent, dtype):
    mean, logvar = random(seed, 2, count, latent, dtype=dtype)
    kl = kl_to_standard_normal(mean, logvar)
    expected = kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(1)
    exact = 1e-12 if dtype == torch.float64 else 1e-6
    torch.testing.assert_close(kl, expected, rtol=exact, atol=exact)
    assert kl.shape == (count,) and (kl >= 0).all()


def test_the_kl_keeps_its_digits_near_zero():
    logvar = torch.full((1, 1), 1e-3)  # as exp(logvar) - 1 - logvar, float32 has one digit left
    exact = (math.expm1(1e-3) - 1e-3) / 2
    assert kl_to_standard_normal(torch.zeros(1, 1), logvar).item() == pytest.approx(exact, rel=1e-3)


def test_draws_have_the_posterior_s_mean_and_variance():
    mean, logvar = torch.tensor([1.0, -2.0]), torch.tensor([0.0, math.log(9)])
    many = reparameterize(
        mean.expand(40_000, 2), logvar.expand(40_000, 2), torch.Generator().manual_seed(0)
    )
    torch.testing.assert_close(many.mean(0), mean, atol=0.06, rtol=0)
    torch.testing.assert_close(many.var(0), logvar.exp(), atol=0, rtol=0.03)


def test_a_generator_decides_the_draw_and_leaves_the_global_state_alone():
    mean, logvar, state = torch.zeros(3, 2), torch.zeros(3, 2), torch.get_rng_state()
    first, second = (
        reparameterize(mean, logvar, torch.Generator().manual_seed(1)) for _ in range(2)
    )
    assert torch.equal(first, second) and torch.equal(state, torch.get_rng_state())
    assert not torch.equal(first, reparameterize(mean, logvar, torch.Generator().manual_seed(2)))


def test_the_gradient_of_each_draw_is_exact():
    mean, logvar = random(0, 2, 50).unbind()
    mean.requires_grad_(), logvar.requires_grad_()
    codes = reparameterize(mean, logvar, torch.Generator().manual_seed(3))
    (codes - 3).square().sum().backward()
    slope = 2 * (codes - 3).detach()
    torch.testing.assert_close(mean.grad, slope)
    torch.testing.assert_close(logvar.grad, slope * (codes - mean).detach() / 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.sampled_from(FLOATS))
def test_reconstructions_equal_torch_distributions(seed, dtype):
    decoded = 3 * random(seed, 4, 1, 3, 3, dtype=dtype)
    images = random(seed + 1, 4, 1, 3, 3, dtype=dtype).sigmoid()
    on_off = images.round()
    expected = -Bernoulli(logits=decoded).log_prob(on_off).flatten(1).sum(1)
    torch.testing.assert_close(reconstruction_loss(decoded, on_off, "bernoulli"), expected)
    # A Gaussian of variance 1/2, but for the constant log(pi) / 2 of each pixel.
    gaussian = Normal(decoded.sigmoid(), math.sqrt(0.5))
    expected = -gaussian.log_prob(images).flatten(1).sum(1) - 9 * math.log(math.pi) / 2
    losses = reconstruction_loss(decoded, images, "gaussian")
    torch.testing.assert_close(losses, expected, atol=1e-5, rtol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999))
def test_tanh_weighs_the_same_images_four_times(seed):
    decoded, images = random(seed, 4, 1, 3, 3), random(seed + 1, 4, 1, 3, 3).sigmoid()
    from_zero = reconstruction_loss(2 * decoded, images, "gaussian")
    from_minus_one = reconstruction_loss(decoded, 2 * images - 1, "tanh")
    torch.testing.assert_close(from_minus_one, 4 * from_zero)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 999),
    st.floats(0, 10),
    st.sampled_from(["bernoulli", "gaussian", "tanh"]),
    st.sampled_from(["sum", "mean"]),
)
def test_the_parts_of_the_bound_sum(seed, beta, likelihood, scaling):
    images = random(seed, 6, 1, 4, 4).sigmoid()
    output = VAEOutput(random(seed + 1, 6, 1, 4, 4), *random(seed + 2, 2, 6, 3))
    parts = negative_elbo(output, images, likelihood, beta=beta, scaling=scaling)
    torch.testing.assert_close(parts.loss, parts.reconstruction + beta * parts.kl)
    pixels = {"sum": 1, "mean": 16}[scaling]
    summed = reconstruction_loss(output.decoded, images, likelihood).mean()
    torch.testing.assert_close(parts.reconstruction * pixels, summed)
    torch.testing.assert_close(parts.kl, kl_to_standard_normal(output.mean, output.logvar).mean())


def test_the_bound_is_the_official_example_s_loss():
    images = DIGITS[:7]
    output = VAE(size=8, hidden=9, latent=3)(images)
    mean, logvar = output.mean, output.logvar
    bce = F.binary_cross_entropy(output.decoded.sigmoid(), images, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())
    torch.testing.assert_close(negative_elbo(output, images).loss, (bce + kld) / 7)


@pytest.mark.parametrize(("likelihood", "low"), [("bernoulli", 0), ("gaussian", 0), ("tanh", -1)])
def test_samples_are_in_the_range_of_the_likelihood_and_repeat(likelihood, low):
    model = VAE(size=8, hidden=16, latent=2, likelihood=likelihood)
    with torch.no_grad():
        model.decoder[2].weight.mul_(100)
    first, second = (model.sample(50, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first, second) and first.shape == (50, 1, 8, 8)
    assert low <= first.min() < low + 0.01 and 0.99 < first.max() <= 1
    assert not first.requires_grad


def test_active_units_are_those_whose_mean_varies():
    model = VAE(size=8, hidden=32, latent=5)
    with torch.no_grad():
        model.mean.weight[2:] = 0
        model.mean.weight[:2] = 10 * model.mean.weight[:2].abs()
        model.mean.bias[3] = 7  # a constant mean is not active
    assert active_units(model, DIGITS[:200]) == 2
    assert active_units(model, DIGITS[:200], threshold=1e9) == 0
    assert model.training


IMAGES = torch.full((2, 1, 8, 8), 0.5)
OUTPUT = VAEOutput(IMAGES, torch.zeros(2, 3), torch.zeros(2, 3))


ROWS = random(0, 3, 5, dtype=torch.float32)
PIXELS = DIGITS[:3]
CODES = VAEOutput(random(1, 3, 1, 8, 8, dtype=torch.float32), ROWS, ROWS.flip(0))
COMPUTED = [
    ("kl", kl_to_standard_normal, ROWS, ROWS.flip(0)),
    *(
        (kind, partial(reconstruction_loss, likelihood=kind), CODES.decoded, PIXELS)
        for kind in ("bernoulli", "gaussian", "tanh")
    ),
    ("elbo", lambda images, *codes: negative_elbo(VAEOutput(*codes), images), PIXELS, *CODES),
    ("reparameterize", lambda *both: reparameterize(*both, seeded()), ROWS, ROWS),
]
test_the_bound_is_the_same_on_every_device = gives_the_same_on_every_device(*COMPUTED)
test_the_bound_needs_no_values = needs_no_values(*COMPUTED)
test_the_bound_is_the_same_in_every_layout = gives_the_same_in_every_layout(*COMPUTED[1:5])


def seeded():
    return torch.Generator().manual_seed(0)


def test_codes_are_drawn_on_the_cpu_whatever_the_default_device():
    model = VAE(size=4, hidden=3, latent=2).double()
    expected = model.sample(2, seeded())
    with torch.device("meta"):
        assert torch.equal(model.sample(2, seeded()), expected)


def test_half_types_are_summed_up_in_float32():
    logvar = torch.full((2, 900), 10.0)  # exp(10) * 900 is beyond float16
    mean = torch.zeros(2, 900)
    expected = kl_to_standard_normal(mean, logvar)
    assert torch.equal(kl_to_standard_normal(mean.half(), logvar.half()), expected)


NAN, ZEROS = math.nan, torch.zeros(2, 3)

test_a_wrong_argument_is_named = refuses(
    (lambda: kl_to_standard_normal(ZEROS, ZEROS + 90), "mean is from 0 to 0, logvar is from 90 to"),
    (lambda: kl_to_standard_normal(ZEROS + 1e20, ZEROS), r"mean is from 1e\+20 to 1e\+20"),
    (lambda: kl_to_standard_normal(ZEROS, ZEROS * NAN), "logvar has 6 entries that are nan"),
    (lambda: kl_to_standard_normal([0.0], ZEROS), TypeError, "mean is a list, expected a tensor"),
    (lambda: reconstruction_loss(IMAGES * NAN, IMAGES, "tanh"), "decoded has .* that are nan"),
    (lambda: reconstruction_loss(1e38 + IMAGES, IMAGES, "bernoulli"), r"decoded is from 1e\+38"),
    (lambda: reconstruction_loss(IMAGES, IMAGES * NAN, "tanh"), "images is between nan and nan"),
    (
        lambda: active_units(VAE(size=8), torch.zeros(2, 1, 8, 8) * NAN),
        "images has 128 entries that are",
    ),
    (lambda: active_units(VAE(size=8), torch.zeros(2, 64)), r"images has shape \(2, 64\)"),
    (lambda: active_units(nn.Identity(), IMAGES), TypeError, "model is a Identity, expected a VAE"),
    (lambda: reparameterize(ZEROS, ZEROS + 400), "mean is from 0 to 0, logvar is from 400 to 400"),
    (lambda: active_units(VAE(size=8), torch.zeros(2, 1, 8, 8), NAN), "threshold is nan"),
    (lambda: VAE(size=8).sample(1.5), TypeError, "count is 1.5"),
    (lambda: VAE(size=0), "size is 0, expected at least 1"),
    (lambda: VAE(hidden=0), "hidden is 0"),
    (lambda: VAE(latent=0), "latent is 0"),
    (lambda: VAE(size=8).sample(0), "count is 0, expected at least 1"),
    (lambda: VAE(likelihood="poisson"), "'poisson', expected one of bernoulli, gaussian, tanh"),
    (lambda: reparameterize(torch.zeros(2), torch.zeros(1)), r"logvar has shape \(1,\)"),
    (lambda: kl_to_standard_normal(torch.zeros(2, 1), torch.zeros(2, 3)), r"shape \(2, 3\)"),
    (lambda: reconstruction_loss(IMAGES[:1], IMAGES, "tanh"), r"decoded has shape \(1, 1"),
    (
        lambda: reconstruction_loss(IMAGES, 2 * IMAGES - 2, "bernoulli"),
        "images is between -1 and -1, expected 0 to 1 for bernoulli",
    ),
    (lambda: reconstruction_loss(IMAGES, 255 * IMAGES, "tanh"), "expected -1 to 1 for tanh"),
    (lambda: reconstruction_loss(IMAGES, IMAGES, "none"), "likelihood is 'none'"),
    (lambda: negative_elbo(OUTPUT, IMAGES, beta=-1), "beta is -1"),
    (lambda: negative_elbo(OUTPUT, IMAGES, beta=math.nan), "beta is nan"),
    (lambda: negative_elbo(OUTPUT, IMAGES, scaling="max"), "scaling is 'max', expected one of"),
    (lambda: active_units(VAE(size=8), IMAGES[:1]), "number of images is 1"),
)
