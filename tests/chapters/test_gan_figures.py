"""The figures of the game, of rings and of samples show what their sentences say."""

import math

import numpy as np
import pytest
import torch
from drawn import line
from scipy.spatial.distance import jensenshannon

from glassbox.chapters.gan.figures import (
    GRID,
    game,
    show_game,
    show_ring,
    show_samples,
    show_slopes,
)
from glassbox.generation import GANHistory, draw_ring
from glassbox.plotting.figures import to_pixels


@pytest.mark.parametrize("mean, std", [(0, 1), (1.5, 0.7), (-3, 2)])
def test_the_game_is_that_of_the_formula(mean, std):
    real, fake, best, divergence = game(mean, std)
    spacing = GRID[1] - GRID[0]
    assert np.sum(real) * spacing == pytest.approx(1)
    assert np.sum(fake) * spacing == pytest.approx(1, abs=0.01)
    assert divergence == pytest.approx(jensenshannon(real, fake) ** 2, abs=1e-3)
    value = np.sum(real * np.log(best) + fake * np.log(fake / (real + fake))) * spacing
    assert value == pytest.approx(2 * divergence - math.log(4), abs=1e-2)


def test_equal_players_are_at_the_value_of_equilibrium():
    fig = show_game(0.0, 1.0)
    assert "from 0.50 to 0.50. Its value is -1.39, the divergence 0.00" in fig.alt
    assert line(fig.axes[1], "best") == pytest.approx([0.5] * len(GRID))


def test_a_ring_counts_its_modes_and_averages_the_last_losses():
    history = GANHistory([9.0] * 10 + [1.0] * 20, [5.0] * 10 + [0.5] * 20)
    fig = show_ring(draw_ring(800, torch.Generator().manual_seed(0)), 30, history, 30)
    assert "cover 8 of 8 Gaussians" in fig.alt and "losses are 1.00 and 0.50" in fig.alt
    start = show_ring(torch.zeros(10, 2), 0, history, 30)
    assert "cover 0 of 8" in start.alt and "losses" not in start.alt
    to_pixels(start)


def test_samples_and_slopes_can_be_drawn():
    fig = show_samples(torch.zeros(32, 1, 8, 8), 20, GANHistory([1.0] * 40, [2.0] * 40))
    assert "32 generated digits after 20 steps; the losses are 1.00 and 2.00" in fig.alt
    assert sum(image.get_array().mask.sum() == 8 * 8 for image in fig.axes[0].images) == 4
    logits = torch.linspace(-6, 6, 13)
    slopes = show_slopes(logits, {"a": logits, "b": 2 * logits, "c": logits + 4})
    assert "At a logit of -4: a -4.00, b -8.00, c 0.00" in slopes.alt
    to_pixels(fig), to_pixels(slopes)
