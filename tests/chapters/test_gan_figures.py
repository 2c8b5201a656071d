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
    show_plane,
    show_samples,
    show_slopes,
)
from glassbox.chapters.gan.playground import plane_players
from glassbox.generation import GANHistory, draw_ring, least_squares, minimax, non_saturating
from glassbox.plotting.figures import to_pixels


class Right(torch.nn.Module):
    def forward(self, points):
        return points[:, :1]


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


@pytest.mark.parametrize("loss, even", [(non_saturating, 0.0), (least_squares, 0.5)])
def test_a_plane_counts_its_places_and_is_paper_where_the_discriminator_cannot_tell(loss, even):
    gan = plane_players(loss)
    torch.nn.init.zeros_(gan.discriminator[-1].weight)
    torch.nn.init.constant_(gan.discriminator[-1].bias, even)
    history = GANHistory([9.0] * 10 + [1.0] * 20, [5.0] * 10 + [0.5] * 20)
    ring = draw_ring(800, torch.Generator().manual_seed(0))
    fig = show_plane(gan, ring, ring, history)
    assert "After 30 rounds" in fig.alt and "found 8 of 8 Gaussians" in fig.alt
    assert "losses are 1.00 and 0.50" in fig.alt
    assert np.abs(fig.axes[0].images[0].get_array()).max() < 1e-6
    assert "found 0 of 8" in show_plane(gan, ring, torch.zeros(10, 2), history).alt
    to_pixels(fig)


def test_the_surface_lies_as_the_points_do():
    gan = plane_players(non_saturating)
    gan.discriminator = Right()
    ring = draw_ring(8)
    surface = show_plane(gan, ring, ring, GANHistory([1.0], [1.0])).axes[0].images[0]
    shown = surface.get_array()
    assert (shown[:, -1] < 0).all() and (shown[:, 0] > 0).all()  # real to the right


@pytest.mark.parametrize(
    "loss, expected, ends",
    [
        (non_saturating, (math.log(4), math.log(2)), (0, 3)),
        (minimax, (math.log(4), -math.log(2)), (-1, 3)),
        (least_squares, (0.25, 0.125), (0, 1)),
    ],
)
def test_dotted_lines_are_where_the_discriminator_cannot_tell(loss, expected, ends):
    ring = draw_ring(8)
    ax = show_plane(plane_players(loss), ring, ring, GANHistory([0.5], [0.5])).axes[1]
    dotted = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == ":"]
    assert dotted == pytest.approx(expected) and ax.get_ylim() == ends


def test_samples_and_slopes_can_be_drawn():
    fig = show_samples(torch.zeros(32, 1, 8, 8), 20, GANHistory([1.0] * 40, [2.0] * 40))
    assert "32 generated digits after 20 steps; the losses are 1.00 and 2.00" in fig.alt
    assert sum(image.get_array().mask.sum() == 8 * 8 for image in fig.axes[0].images) == 4
    logits = torch.linspace(-6, 6, 13)
    slopes = show_slopes(logits, {"a": logits, "b": 2 * logits, "c": logits + 4})
    assert "At a logit of -4: a -4.00, b -8.00, c 0.00" in slopes.alt
    to_pixels(fig), to_pixels(slopes)
