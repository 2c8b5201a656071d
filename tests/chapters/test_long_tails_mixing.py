"""The drawings of mixtures, and of gradients in half precision, show what they say they show."""

import pytest
import torch
from matplotlib.colors import to_rgba

from glassbox.chapters.long_tails.mixing_figure import PLACES, show_mixture
from glassbox.chapters.tracebacks.figures import COLORS, half_fates, show_loss_scale
from glassbox.plotting.figures import to_pixels

BLACK_AND_WHITE = torch.stack([torch.zeros(3, 20, 20), torch.ones(3, 20, 20)])
NAMES = ["night", "day"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.6, 1.0])
def test_the_label_of_a_drawn_cut_is_the_area_that_is_seen(fraction, place):
    made = show_mixture(BLACK_AND_WHITE, NAMES, "CutMix", fraction, place)
    shown = made.axes[2].images[0].get_array()
    bars = [bar.get_width() for bar in made.axes[3].patches]
    assert bars == pytest.approx([1 - shown.mean(), shown.mean()])
    assert f"the label is {bars[0]:.0%} night and {bars[1]:.0%} day" in made.alt
    assert ("was asked for" in made.alt) == (abs(bars[0] - fraction) > 0.005)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_a_drawn_blend_is_everywhere_the_same_whatever_the_place(fraction):
    drawn = [show_mixture(BLACK_AND_WHITE, NAMES, "Mixup", fraction, place) for place in PLACES]
    shown = torch.as_tensor(drawn[0].axes[2].images[0].get_array().data)
    torch.testing.assert_close(shown, torch.full_like(shown, 1 - fraction))
    assert len({made.alt for made in drawn}) == 1 and "asked for" not in drawn[0].alt
    to_pixels(drawn[0])


def test_the_fate_of_a_gradient_in_half():
    sizes = torch.tensor([0.0, 2.0**-26, -(2.0**-20), 2.0**-10, -1.0, 2.0**15])
    expected = {"zero": 0.2, "coarse": 0.2, "fine": 0.6, "infinite": 0.0}
    assert half_fates(sizes, 1.0) == pytest.approx(expected)
    expected = {"zero": 0.0, "coarse": 0.0, "fine": 0.6, "infinite": 0.4}
    assert half_fates(sizes, 2.0**16) == pytest.approx(expected)


@pytest.mark.parametrize("scale", [1.0, 2.0**8, 2.0**24])
def test_bars_stand_where_the_fates_are(scale):
    generator = torch.Generator().manual_seed(0)
    sizes = 2.0 ** (-20 * torch.rand(4000, generator=generator, dtype=torch.float64) - 8)
    made, fates = show_loss_scale(sizes, scale), half_fates(sizes, scale)
    for name, fraction in fates.items():
        color = to_rgba(COLORS[name])
        bars = [bar for bar in made.axes[0].patches if bar.get_facecolor() == color]
        assert sum(bar.get_height() for bar in bars) == pytest.approx(100 * fraction, abs=0.2)
    assert f"{100 * fates['coarse']:.1f} percent coarse" in made.alt
    to_pixels(made)


def test_what_cannot_be_scaled_is_named():
    with pytest.raises(ValueError, match="scale is 0, expected above 0"):
        half_fates(torch.ones(2), 0)
    with pytest.raises(ValueError, match="gradients are all 0"):
        show_loss_scale(torch.zeros(2), 1.0)
