"""The figures of the chapter on long tails show the numbers they are given, and say them."""

from itertools import product

import pytest
import torch
from drawn import line, named, panel

from glassbox.chapters.long_tails import figures as drawings
from glassbox.chapters.long_tails import margin_figures as margins
from glassbox.chapters.long_tails.mixing_figure import PLACES, show_mixture
from glassbox.chapters.long_tails.study import gain
from glassbox.data import long_tailed_counts
from glassbox.losses import LDAMLoss
from glassbox.plotting.figures import to_pixels


def test_profiles_are_drawn_from_their_counts():
    fig = drawings.show_profiles(300, 10, (10, 100))
    for profile, imbalance in product(("exponential", "step"), (10, 100)):
        expected = long_tailed_counts(300, 10, imbalance, profile)
        assert tuple(line(panel(fig, profile), f"ratio {imbalance}")) == expected
    assert "to 30 for ratio 10, 3 for ratio 100 of class 9" in fig.alt
    to_pixels(fig)


def test_bars_have_the_height_of_the_accuracy():
    accuracy = torch.tensor([0.9, 0.5, 0.0])
    fig = drawings.show_classes(accuracy, (30, 10, 3), {"balanced": 0.47})
    (bars,) = named(fig.axes[0], "accuracy")
    assert [bar.get_height() for bar in bars] == pytest.approx(accuracy.tolist())
    assert "1 of 3 classes are below 5 percent" in fig.alt and "balanced 47 percent" in fig.alt


def test_fewer_points_are_the_first_of_more():
    many, labels = margins.blobs((30, 20, 10), seed=0)
    few, few_labels = margins.blobs((3, 2, 1), seed=0)
    assert torch.equal(labels.bincount(), torch.tensor([30, 20, 10]))
    for label in range(3):
        part = few[few_labels == label]
        assert torch.equal(part, many[labels == label][: len(part)])


@pytest.mark.parametrize(
    ("imbalance", "margin", "scale"), list(product((1, 100), (0, 0.5), (3, 30)))
)
def test_no_turn_of_a_direction_makes_ldam_smaller(imbalance, margin, scale):
    counts = long_tailed_counts(margins._LARGEST_BLOB, 3, imbalance)
    directions = margins.blob_directions(counts, margin, scale)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(3).double())
    points, labels = margins.blobs(counts, seed=0)
    loss_fn = LDAMLoss(counts, margin, scale)
    found = loss_fn(margins.lifted(points) @ directions.T, labels)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        turned = directions + 0.02 * torch.randn(3, 3, generator=generator).double()
        turned = turned / turned.norm(dim=1, keepdim=True)
        assert loss_fn(margins.lifted(points) @ turned.T, labels) > found - 1e-6


def test_the_alt_text_of_the_border_counts_new_points():
    fig = margins.show_boundary(20, 0.25, 30)
    points, labels = margins.blobs((2000,) * 3, seed=1)
    counts = long_tailed_counts(margins._LARGEST_BLOB, 3, 20)
    scores = margins.lifted(points) @ margins.blob_directions(counts, 0.25, 30).T
    rare = (scores.argmax(1) == labels)[labels == 2].double().mean()
    assert f"rare {100 * rare:.0f}." in fig.alt
    widths = [named(fig.axes[1], name)[0].get_width() for name in ("frequent", "medium", "rare")]
    assert widths == pytest.approx(LDAMLoss(counts, 0.25).margins.tolist())
    to_pixels(fig)


def invented():
    generator = torch.Generator().manual_seed(0)
    settings = product(("scenes", "digits"), ("exponential", "step"), (10, 50, 100))
    return {
        setting: {
            method: torch.rand(5, 10, generator=generator).double()
            for method in ("cross-entropy", "LDAM", "focal")
        }
        for setting in settings
    }


def test_gains_are_drawn_at_their_means_and_intervals():
    results = invented()
    fig = drawings.show_gains(results, ["LDAM", "focal"])
    for place, method in enumerate(("LDAM", "focal")):
        for imbalance in (10, 50, 100):
            found = 100 * gain(results["scenes", "exponential", imbalance], method)
            row = f"row {place}, ratio {imbalance}"
            whisker, dot = named(panel(fig, "scenes, exponential"), row)
            assert tuple(whisker.get_xdata()) == pytest.approx(found.interval())
            assert dot.get_xdata()[0] == pytest.approx(found.mean)
    best = max(("LDAM", "focal"), key=lambda m: gain(results["digits", "step", 100], m).mean)
    assert f"digits step {best} by" in fig.alt


def test_a_method_stands_beside_cross_entropy():
    results = invented()
    fig = drawings.show_method(results, "digits", "step", 50, "LDAM")
    methods = results["digits", "step", 50]
    for name in ("cross-entropy", "LDAM"):
        (bars,) = (found for found in fig.axes[0].containers if found.get_label() == name)
        assert bars.datavalues == pytest.approx(100 * methods[name].mean(0))
    assert f"{100 * gain(methods, 'LDAM').half_width():.1f} points" in fig.alt


BLACK_AND_WHITE = torch.stack([torch.zeros(3, 20, 20), torch.ones(3, 20, 20)])
NAMES = ["night", "day"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.6, 1.0])
def test_the_label_of_a_cut_is_the_area_that_is_seen(fraction, place):
    fig = show_mixture(BLACK_AND_WHITE, NAMES, "CutMix", fraction, place)
    shown = panel(fig, "mixed").images[0].get_array()
    bars = [named(panel(fig, "soft label"), name)[0].get_width() for name in NAMES]
    assert bars == pytest.approx([1 - shown.mean(), shown.mean()])
    assert f"{bars[0]:.0%} night and {bars[1]:.0%} day" in fig.alt
    assert ("was asked for" in fig.alt) == (abs(bars[0] - fraction) > 0.005)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_a_blend_is_everywhere_the_same_whatever_the_place(fraction):
    figs = [show_mixture(BLACK_AND_WHITE, NAMES, "Mixup", fraction, place) for place in PLACES]
    shown = torch.as_tensor(panel(figs[0], "mixed").images[0].get_array().data)
    torch.testing.assert_close(shown, torch.full_like(shown, 1 - fraction))
    assert len({fig.alt for fig in figs}) == 1 and "asked for" not in figs[0].alt
    to_pixels(figs[0])
