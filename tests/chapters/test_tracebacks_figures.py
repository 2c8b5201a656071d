"""The figures of gradients in half precision and of averages show what they say they show."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from torch import nn

from glassbox.chapters.tracebacks.figures import (
    COLORS,
    _average_fractions,
    half_fates,
    show_loss_scale,
    show_weight_average,
)
from glassbox.plotting.figures import to_pixels
from glassbox.training import ExponentialAverage


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
    fig, fates = show_loss_scale(sizes, scale), half_fates(sizes, scale)
    for name, fraction in fates.items():
        color = to_rgba(COLORS[name])
        bars = [bar for bar in fig.axes[0].patches if bar.get_facecolor() == color]
        assert sum(bar.get_height() for bar in bars) == pytest.approx(100 * fraction, abs=0.2)
    assert f"{100 * fates['coarse']:.1f} percent coarse" in fig.alt
    to_pixels(fig)


def test_what_cannot_be_scaled_is_named():
    with pytest.raises(ValueError, match="scale is 0, expected above 0"):
        half_fates(torch.ones(2), 0)
    with pytest.raises(ValueError, match="gradients are all 0"):
        show_loss_scale(torch.zeros(2), 1.0)


@pytest.mark.parametrize("decay, steps, warm_up", [(0.9, 7, False), (0.99, 40, True)])
def test_the_fractions_are_those_of_the_average(decay, steps, warm_up):
    model = nn.Linear(1, 1, bias=False).double()
    values = torch.randn(steps + 1, dtype=torch.float64)
    model.weight.data.fill_(values[0])
    average = ExponentialAverage(model, decay, warm_up=warm_up)
    for value in values[1:]:
        model.weight.data.fill_(value)
        average.update(model)
    fractions = _average_fractions(decay, steps, warm_up)
    assert fractions.sum() == pytest.approx(1)
    assert average.model.weight.item() == pytest.approx(np.dot(fractions, values), rel=1e-12)


def test_the_fraction_of_the_start_is_told():
    alt = show_weight_average(0.9998, 1000, warm_up=False).alt
    assert f"{100 * 0.9998**1000:.0f} percent of the average is the untrained start" in alt
