"""Generators and discriminators: the source's shapes at 28 x 28, and other sizes."""

import pytest
import torch
from refusals import refuses
from torch import nn

from glassbox.autograd import capture
from glassbox.networks import (
    DCGANDiscriminator,
    DCGANGenerator,
    MLPDiscriminator,
    MLPGenerator,
    count_parameters,
)


def outputs(model, kind, inputs):
    """The shape that each layer of a kind gives."""
    names = [name for name, layer in model.named_modules() if isinstance(layer, kind)]
    with capture(model, names) as seen:
        model(inputs)
    return [tuple(seen[name][0].shape[1:]) for name in names]


@pytest.mark.parametrize(
    ("model", "count"),
    [
        (MLPGenerator(), 1_952_528),
        (MLPDiscriminator(), 267_009),
        (DCGANGenerator(), 6_675_009),
        (DCGANDiscriminator(), 1_102_721),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_source_s_networks_have_so_many_parameters(model, count):
    assert count_parameters(model) == count


def test_the_mlps_have_the_source_s_layers():
    noise, images = torch.zeros(2, 96), torch.zeros(2, 1, 28, 28)
    assert outputs(MLPGenerator(), nn.Linear, noise) == [(1024,), (1024,), (784,)]
    assert outputs(MLPDiscriminator(), nn.Linear, images) == [(256,), (256,), (1,)]
    slopes = [layer.negative_slope for layer in MLPDiscriminator().layers[2:5:2]]
    assert slopes == [0.2, 0.2]


def test_the_dcgan_has_the_source_s_shapes():
    model = DCGANGenerator()
    maps = outputs(model, nn.Unflatten | nn.ConvTranspose2d, torch.randn(2, 96))
    assert maps == [(128, 7, 7), (64, 14, 14), (1, 28, 28)]
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds[:6] == ["Linear", "ReLU", "BatchNorm1d"] * 2
    assert kinds[7:] == ["ConvTranspose2d", "ReLU", "BatchNorm2d", "ConvTranspose2d", "Tanh"]
    model, images = DCGANDiscriminator(), torch.zeros(2, 1, 28, 28)
    assert outputs(model, nn.MaxPool2d, images) == [(32, 12, 12), (64, 4, 4)]
    assert outputs(model, nn.Flatten | nn.Linear, images) == [(1024,), (1024,), (1,)]
    slopes = {layer.negative_slope for layer in model.layers if isinstance(layer, nn.LeakyReLU)}
    assert slopes == {0.01}
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())


@pytest.mark.parametrize("size", [16, 20, 32, 48])
@pytest.mark.parametrize(
    ("make_generator", "make_discriminator"),
    [(MLPGenerator, MLPDiscriminator), (DCGANGenerator, DCGANDiscriminator)],
)
def test_other_sizes_work(make_generator, make_discriminator, size):
    generator = make_generator(noise=3, hidden=8, size=size)
    images = generator(torch.randn(4, 3))
    assert images.shape == (4, 1, size, size) and images.abs().max() <= 1
    assert make_discriminator(size=size, hidden=8)(images).shape == (4, 1)
    assert generator.noise == 3


test_a_wrong_argument_is_named = refuses(
    (lambda: MLPGenerator(noise=0), "noise is 0, expected at least 1"),
    (lambda: MLPGenerator(hidden=0), "hidden is 0"),
    (lambda: MLPDiscriminator(size=0), "size is 0"),
    (lambda: DCGANGenerator(size=30), "size is 30, expected a multiple of 4"),
    (lambda: DCGANGenerator(channels=3), "channels is 3, expected a multiple of 2"),
    (lambda: DCGANGenerator(hidden=0), "hidden is 0"),
    (lambda: DCGANDiscriminator(size=26), "size is 26, expected a multiple of 4"),
    (lambda: DCGANDiscriminator(size=12), "size is 12, expected at least 16"),
    (lambda: DCGANDiscriminator(channels=0), "channels is 0"),
)
