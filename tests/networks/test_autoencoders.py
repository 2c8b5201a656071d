"""Autoencoders: the shapes of their layers, their errors, and PCA as the floor of linear ones."""

from functools import partial

import pytest
import torch
from devices import gives_the_same_in_every_layout, gives_the_same_on_every_device, needs_no_values
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from sklearn.decomposition import PCA
from torch import nn

from glassbox.data import load, to_float
from glassbox.networks import (
    ConvAutoencoder,
    LinearAutoencoder,
    MLPAutoencoder,
    count_parameters,
    pca_error,
    reconstruction_error,
    summed_squared_error,
)
from glassbox.support import isolated_seed

DIGITS = to_float(load("digits").images)


def shapes(layers, images):
    """The shape after each layer that changes it."""
    found = []
    for layer in layers:
        images = layer(images)
        if not found or found[-1] != tuple(images.shape[1:]):
            found.append(tuple(images.shape[1:]))
    return found


def widths(layers):
    return [(layer.in_features, layer.out_features) for layer in layers if hasattr(layer, "bias")]


def test_the_mlp_has_the_source_s_layers():
    model = MLPAutoencoder()
    assert widths(model.encoder) == [(784, 128), (128, 64), (64, 12), (12, 3)]
    assert widths(model.decoder) == [(3, 12), (12, 64), (64, 128), (128, 784)]
    kinds = [type(layer).__name__ for layer in model.encoder]
    assert kinds == ["Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    ends = [type(layer).__name__ for layer in model.decoder][-3:]
    assert ends == ["Linear", "Tanh", "Unflatten"]
    assert count_parameters(model) == 219_891


def test_the_convolutions_have_the_source_s_shapes():
    model, images = ConvAutoencoder(), torch.zeros(2, 1, 28, 28)
    coded = [(16, 10, 10), (16, 5, 5), (8, 3, 3), (8, 2, 2)]
    assert shapes(model.encoder, images) == coded
    decoded = [(16, 5, 5), (8, 15, 15), (1, 28, 28)]
    assert shapes(model.decoder, model.encoder(images)) == decoded
    assert count_parameters(model) == 5_729


@pytest.mark.parametrize("size", [16, 28, 40, 64])
def test_the_convolutions_give_back_these_sizes(size):
    images = torch.rand(2, 1, size, size)
    assert ConvAutoencoder(size)(images).shape == images.shape


@pytest.mark.parametrize("size", [4, 8, 14, 15, 17, 27, 32])
def test_the_convolutions_refuse_the_sizes_they_would_change(size):
    with pytest.raises(ValueError, match=f"size is {size}, expected 16, 28, 40"):
        ConvAutoencoder(size)
    model, images = ConvAutoencoder(), torch.zeros(1, 1, size, size)
    if size > 16:  # below, nothing is left to pool
        assert model(images).shape != images.shape


@pytest.mark.parametrize(("final", "low", "high"), [("tanh", -1, 1), ("sigmoid", 0, 1)])
def test_the_final_layer_sets_the_range(final, low, high):
    model = MLPAutoencoder(size=9, widths=(5,), latent=2, final=final)
    with torch.no_grad():
        model.decoder[2].weight.mul_(1000)
        drawn = model(torch.randn(64, 1, 9, 9))
    assert drawn.shape == (64, 1, 9, 9)
    assert low <= drawn.min() < low + 0.1 and high - 0.1 < drawn.max() <= high


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(1, 8), st.sampled_from([torch.float32, torch.float64]))
def test_errors_equal_pytorch_s(seed, count, dtype):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 1, 4, 4, generator=generator, dtype=dtype)
    model = LinearAutoencoder(size=4, latent=2).to(dtype)
    reconstructions = model(images)
    summed = nn.functional.mse_loss(reconstructions, images, reduction="sum") / count
    torch.testing.assert_close(summed_squared_error(reconstructions, images), summed)
    mean = nn.functional.mse_loss(reconstructions, images).item()
    assert reconstruction_error(model, images) == pytest.approx(mean, rel=1e-5)


def test_the_error_is_measured_in_eval_mode_and_modes_are_kept():
    model = nn.Sequential(nn.Dropout(0.9), nn.Identity())
    assert reconstruction_error(model, DIGITS[:5]) == 0
    assert model.training and model[0].training


@pytest.mark.parametrize("latent", [1, 3, 16, 64])
def test_the_floor_equals_scikit_learn_s_pca(latent):
    pixels = DIGITS.flatten(1).double().numpy()
    pca = PCA(latent, svd_solver="full").fit(pixels)
    drawn = pca.inverse_transform(pca.transform(pixels))
    expected = ((drawn - pixels) ** 2).mean()
    assert pca_error(DIGITS, latent) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_without_a_code_the_floor_is_the_variance():
    variance = DIGITS.double().var(0, correction=0).mean().item()
    assert pca_error(DIGITS, 0) == pytest.approx(variance)


def test_a_linear_autoencoder_reaches_pca_within_one_percent():
    with isolated_seed(0):
        model = LinearAutoencoder(size=8, latent=3)
        optimizer = torch.optim.LBFGS(
            model.parameters(), max_iter=400, history_size=20, line_search_fn="strong_wolfe"
        )

        def closure():
            optimizer.zero_grad()
            loss = summed_squared_error(model(DIGITS), DIGITS)
            loss.backward()
            return loss

        optimizer.step(closure)
    ratio = reconstruction_error(model, DIGITS) / pca_error(DIGITS, 3)
    assert 1 - 1e-6 < ratio < 1.01


FEW = DIGITS[:20]
MEASURES = [
    ("summed_squared_error", summed_squared_error, FEW, 1 - FEW),
    ("reconstruction_error", partial(reconstruction_error, nn.ReLU()), FEW - 0.5),
    ("pca_error", lambda images: pca_error(images, 3), FEW),
]
test_errors_are_the_same_on_every_device = gives_the_same_on_every_device(*MEASURES)
test_errors_are_the_same_in_every_layout = gives_the_same_in_every_layout(*MEASURES)
test_an_error_needs_no_values = needs_no_values(MEASURES[0])


def test_arrays_have_errors_too():
    assert pca_error(FEW.numpy(), 2) == pca_error(FEW, 2)
    model = nn.Hardtanh(0, 0.5)
    assert reconstruction_error(model, FEW.numpy()) == reconstruction_error(model, FEW)


NAN, INF = float("nan"), float("inf")

test_a_wrong_argument_is_named = refuses(
    (lambda: MLPAutoencoder(widths=(8, 2.5)), TypeError, "widths is 2.5, expected an integer"),
    (lambda: ConvAutoencoder(16.0), TypeError, "size is 16.0, expected an integer"),
    (lambda: pca_error(FEW * NAN, 2), "images has 1280 entries that are nan"),
    (lambda: pca_error(FEW, 2.5), "latent is 2.5"),
    (lambda: reconstruction_error(nn.Identity(), FEW + INF), "and 1280 that are infinite"),
    (lambda: reconstruction_error(nn.LogSoftmax(0), FEW[:0]), "images is empty"),
    (lambda: summed_squared_error(FEW * NAN, FEW), "reconstructions has 1280 entries that are nan"),
    (lambda: summed_squared_error(FEW + 1e30, FEW), r"reconstructions is from 1e\+30"),
    (lambda: summed_squared_error(FEW[:0], FEW[:0]), "images is empty"),
    (lambda: MLPAutoencoder(size=0), "size is 0, expected at least 1"),
    (lambda: MLPAutoencoder(latent=0), "latent is 0, expected at least 1"),
    (lambda: MLPAutoencoder(widths=(8, 0)), "widths is 0, expected at least 1"),
    (lambda: MLPAutoencoder(widths="ab"), TypeError, "widths is 'ab', expected a tuple"),
    (lambda: MLPAutoencoder(final="relu"), "final is 'relu', expected one of tanh, sigmoid"),
    (lambda: LinearAutoencoder(latent=0), "latent is 0"),
    (lambda: pca_error(DIGITS[:0], 2), "images is empty"),
    (lambda: pca_error(DIGITS, -1), "latent is -1, expected an integer of at least 0"),
    (lambda: reconstruction_error(nn.Identity(), DIGITS[:0]), "images is empty"),
    (
        lambda: reconstruction_error(nn.Flatten(), DIGITS[:2]),
        r"reconstructions has shape \(2, 64\) .* \(2, 1, 8, 8\)",
    ),
    (lambda: summed_squared_error(DIGITS[:1], DIGITS[:2]), r"shape \(1, 1, 8, 8\)"),
)
