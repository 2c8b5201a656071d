"""The ring of Gaussians: what counts as a mode, and the two recipes."""

import math
from statistics import fmean

import pytest
import torch
from devices import gives_the_same_on_every_device
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from glassbox.generation import COLLAPSED, HEALTHY, count_modes, draw_ring, ring_centers, train_ring
from glassbox.generation.gaussian_ring import _RingDiscriminator, _RingGenerator


def test_the_centers_lie_on_a_circle_at_equal_distances():
    centers = ring_centers()
    torch.testing.assert_close(centers.norm(dim=1), torch.full((8,), 2.0))
    steps = (centers - centers.roll(1, 0)).norm(dim=1)
    torch.testing.assert_close(steps, torch.full((8,), 4 * math.sin(math.pi / 8)))
    torch.testing.assert_close(centers[0], torch.tensor([2.0, 0.0]))


def test_drawn_points_have_the_ring_s_moments():
    points = draw_ring(40_000, torch.Generator().manual_seed(0))
    assert points.mean().item() == pytest.approx(0, abs=0.03)
    torch.testing.assert_close(points.var(0), torch.full((2,), 2 + 0.01), atol=0.03, rtol=0)
    found = count_modes(points)
    assert found.modes == 8
    # Within three standard deviations in two dimensions.
    assert found.good == pytest.approx(1 - math.exp(-4.5), abs=0.002)
    assert min(found.counts) > 0.11 * 40_000


def test_a_generator_decides_the_points():
    first, second = (draw_ring(9, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=12), st.integers(0, 20))
def test_points_at_centers_are_counted_and_the_middle_is_not(modes, strays):
    points = torch.cat([ring_centers()[modes], torch.zeros(strays, 2)])
    found = count_modes(points, min_fraction=0)
    assert found.counts == tuple(modes.count(mode) for mode in range(8))
    assert found.modes == len(set(modes))
    assert found.good == pytest.approx(len(modes) / (len(modes) + strays))


def test_a_mode_needs_its_fraction():
    points = ring_centers()[[0] * 98 + [3] * 2]
    assert count_modes(points, min_fraction=0.02).modes == 2
    assert count_modes(points, min_fraction=0.03).modes == 1


def test_three_standard_deviations_are_the_limit():
    offset = torch.tensor([[0.299, 0.0], [0.301, 0.0]])
    assert count_modes(ring_centers()[0] + offset).counts[0] == 1


def test_the_healthy_recipe_finds_all_modes():
    gan, _ = train_ring(HEALTHY, steps=800, progress=False)
    found = count_modes(gan.sample(1000, torch.Generator().manual_seed(1)))
    assert found.modes >= 7 and found.good > 0.3


def test_the_collapsed_recipe_finds_hardly_any_while_its_losses_look_ideal():
    gan, history = train_ring(COLLAPSED, steps=350, progress=False)
    points = gan.sample(1000, torch.Generator().manual_seed(1))
    assert count_modes(points).modes <= 1
    assert points.std(0).mean() < 0.3
    assert fmean(history.discriminator[-50:]) == pytest.approx(2 * math.log(2), abs=0.1)
    assert fmean(history.generator[-50:]) == pytest.approx(math.log(2), abs=0.1)


def test_a_run_follows_from_its_seed_alone():
    state = torch.get_rng_state()
    runs = [train_ring(HEALTHY, steps=3, seed=seed, progress=False)[1] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert torch.equal(state, torch.get_rng_state())


def test_the_steps_of_a_recipe_are_seen_by_callbacks():
    seen = []
    train_ring(HEALTHY, steps=2, callbacks=[lambda step, gan: seen.append(step)], progress=False)
    assert seen == [0, 1, 2]


RING = draw_ring(100, torch.Generator().manual_seed(0))
test_a_ring_is_the_same_on_every_device = gives_the_same_on_every_device(
    ("count_modes", count_modes, RING),
    ("draw_ring", lambda: draw_ring(5, torch.Generator().manual_seed(0))),
    ("ring_centers", ring_centers),
)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_points_of_any_type_are_counted_alike(kind):
    assert count_modes(RING.to(kind).numpy() if kind == torch.float64 else RING.to(kind)).modes == 8
    assert count_modes(ring_centers().to(kind)) == count_modes(ring_centers().tolist())


test_a_wrong_argument_is_named = refuses(
    (lambda: draw_ring(0), "count is 0, expected at least 1"),
    (lambda: count_modes(torch.zeros(3, 3)), r"points has shape \(3, 3\) .* expected \(N, 2\)"),
    (lambda: count_modes(torch.zeros(0, 2)), "points is empty"),
    (lambda: count_modes(torch.zeros(3, 2), min_fraction=2), "min_fraction is 2"),
    (lambda: count_modes([[float("nan"), 0.0]]), "points has 1 entries that are nan"),
    (lambda: count_modes("ab"), TypeError, "points is 'ab'"),
    (lambda: train_ring(HEALTHY, steps=1, seed=0.5), TypeError, "seed is 0.5"),
    (lambda: _RingGenerator(noise=0), "noise is 0"),
    (lambda: _RingDiscriminator(hidden=0), "hidden is 0"),
    (lambda: train_ring(HEALTHY, steps=0), "steps is 0"),
)
