"""Beginnings for small images: what is kept of the first layer, and what learns."""

import pytest
import torch
import torch.nn.functional as F

from glassbox.chapters.pretraining import stems as recipe
from glassbox.chapters.pretraining.ways import start_network
from glassbox.data import Dataset

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def first_layer(stem, seed=0):
    model = start_network(3, 0)
    recipe.adapt_first_layer(model, stem, seed)
    return model.conv_stem


def test_the_first_layer_keeps_the_size_of_small_images():
    sides = {stem: first_layer(stem)(IMAGES).shape[-1] for stem in recipe.STEMS}
    assert sides == {"unchanged": 16, "enlarged": 16, "stride 1": 32, "resampled": 32, "fresh": 32}


def test_resampled_kernels_see_what_the_old_ones_see_in_an_image_twice_as_large():
    doubled = F.interpolate(IMAGES, scale_factor=2, mode="bilinear")
    wanted, found = first_layer("enlarged")(doubled), first_layer("resampled")(IMAGES)
    inside = (..., slice(-1), slice(-1))  # on the other two sides the old layer sees zeros
    torch.testing.assert_close(found[inside], wanted[inside], rtol=0, atol=1e-4)
    assert (first_layer("stride 1")(IMAGES)[inside] - wanted[inside]).abs().max() > 0.1


def test_kernels_are_kept_or_drawn_by_the_seed():
    old = start_network(3, 0).conv_stem.weight
    assert torch.equal(first_layer("stride 1").weight, old)
    fresh = [first_layer("fresh", seed).weight for seed in (0, 0, 1)]
    assert torch.equal(fresh[0], fresh[1]) and not torch.equal(fresh[0], fresh[2])
    assert float(fresh[0].detach().std()) == pytest.approx((2 / 288) ** 0.5, rel=0.1)


def test_only_one_beginning_enlarges_its_images():
    images = torch.randint(256, (6, 3, 32, 32), dtype=torch.uint8)
    data = Dataset("any", images, torch.arange(6) % 3, tuple("abc"))
    sides = {stem: recipe.sized(stem, data).images.shape[-1] for stem in recipe.STEMS}
    assert sides.pop("enlarged") == 64 and set(sides.values()) == {32}


def test_an_unknown_beginning_is_named():
    with pytest.raises(ValueError, match="stem is 'corner', expected one of unchanged, enlarged"):
        first_layer("corner")
