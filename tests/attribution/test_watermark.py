"""The mark lies where it is said to lie, as strong as asked, on the chosen images alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from glassbox.attribution import mark_mask, stamp
from glassbox.attribution.watermark import mass_on


def drawn(count=3, size=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = count, 3, size, size
    return torch.randint(256, shape, generator=generator, dtype=torch.uint8, device="cpu")


@settings(max_examples=25, deadline=None)
@given(st.integers(12, 40), st.floats(0, 1), st.integers(0, 100))
def test_only_the_mark_of_chosen_images_changes_and_by_the_strength(size, strength, seed):
    images, chosen = drawn(3, size, seed), torch.tensor([True, False, True])
    before, mask = images.clone(), mark_mask(size)
    marked = stamp(images, chosen, strength)
    assert torch.equal(images, before) and marked.dtype == torch.uint8
    assert torch.equal(marked[1], images[1])
    assert torch.equal(marked[..., ~mask], images[..., ~mask])
    logo = stamp(images, chosen)[chosen].float()
    expected = images[chosen].float().lerp(logo, strength)
    assert (marked[chosen].float() - expected).abs().max() <= 0.51


def test_the_logo_is_black_and_white_and_the_same_everywhere():
    marked = stamp(drawn(), torch.ones(3, dtype=torch.bool))
    logos = marked[..., mark_mask(16)].flatten(0, 1)
    assert (logos == logos[0]).all() and set(logos[0].tolist()) == {0, 255}


def test_the_mark_lies_in_the_lower_right_corner():
    rows, columns = mark_mask(32).nonzero().T
    assert (rows.min(), rows.max()) == (columns.min(), columns.max()) == (26, 30)


def test_half_types_do_not_overflow_and_the_default_device_does_not_matter():
    maps = torch.full((1, 12, 12), 60000.0).half()
    assert mass_on(maps, mark_mask(12)).item() == pytest.approx(25 / 144)
    chosen = torch.tensor([True, False, True])
    expected = stamp(drawn(), chosen)
    with torch.device("meta"):
        assert torch.equal(stamp(drawn(), chosen), expected)
    assert torch.equal(stamp(drawn().numpy(), chosen.tolist()), expected)


def test_fractions_of_maps():
    mask = torch.tensor([[True, False], [False, False]])
    maps = torch.tensor([[[1.0, 1], [1, 1]], [[3, 0], [0, 1]], [[0, 0], [0, 0]]])
    assert mass_on(maps, mask).tolist() == [0.25, 0.75, 0]
    each = torch.stack([mask, ~mask, mask])
    assert mass_on(maps, each).tolist() == [0.25, 0.25, 0]
    assert mass_on(maps * 1e38, mask).tolist() == pytest.approx([0.25, 0.75, 0])


test_wrong_arguments_are_named = refuses(
    (lambda: stamp(drawn().float(), torch.ones(3).bool()), TypeError, "images has type"),
    (lambda: stamp(drawn(), torch.ones(3)), r"expected bool \(3,\)"),
    (lambda: stamp(drawn(), torch.ones(2).bool()), r"\(2,\)"),
    (lambda: stamp(drawn(), torch.ones(3).bool(), 1.5), "strength is 1.5"),
    (lambda: stamp(drawn(size=8), torch.ones(3).bool()), "size is 8"),
    (lambda: mass_on(torch.ones(1, 2, 2), torch.ones(2, 2)), "float32"),
    (lambda: mass_on(torch.ones(1, 2, 2), mark_mask(12)), r"\(12, 12\)"),
    (
        lambda: stamp(drawn()[..., :14, :], torch.ones(3).bool()),
        r"images has shape \(3, 3, 14, 16\)",
    ),
    (lambda: stamp(drawn(), torch.ones(3).bool(), float("nan")), "strength is nan"),
    (lambda: mark_mask(12.5), "size is 12.5, expected an integer"),
    (lambda: mass_on(torch.ones(1, 12, 12) / 0, mark_mask(12)), "maps has 0 .* 144 .* infinite"),
    (lambda: mass_on(torch.ones(3, 12, 12), mark_mask(12)[None]), r"mask has shape \(1, 12, 12\)"),
    (lambda: mass_on(-torch.ones(1, 12, 12), mark_mask(12)), "maps is -1"),
)
