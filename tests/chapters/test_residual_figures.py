"""The figures of residual blocks show the numbers they are given, and say them."""

from itertools import product

import pytest
import torch
from drawn import assert_inside, line, named, panel

from glassbox.chapters.residual import figures as drawings
from glassbox.chapters.residual.arms import ARMS, CLIPS, DEPTHS, EPOCHS
from glassbox.chapters.residual.block_figure import show_blocks
from glassbox.chapters.residual.study import lesions_of
from glassbox.plotting.figures import to_pixels
from glassbox.training import SeedRuns


def texts_of(ax):
    return [text.get_text() for text in ax.texts if text.get_text() != "x"]


def invented(seed, low, high):
    generator = torch.Generator().manual_seed(seed)
    values = low + (high - low) * torch.rand(5, generator=generator)
    return SeedRuns(tuple(range(5)), tuple(values.tolist()))


RESULTS = {
    (*key, EPOCHS): {"train loss": invented(i, 0.01, 2)}
    for i, key in enumerate(product(ARMS, DEPTHS))
}
LESIONS = {
    (kind, depth): {
        lesion: invented(100 * depth + i, 0.1, 0.99)
        for i, lesion in enumerate(lesions_of(depth, 0))
    }
    for kind, depth in product(drawings.COLORS, (20, 56))
}


def test_losses_are_drawn_over_the_depth():
    fig = drawings.show_degradation(RESULTS)
    for title, kind in product(("batch normalization", "none"), ("plain", "residual")):
        name = kind + (", no norm" if title == "none" else "")
        means = [RESULTS[name, depth, EPOCHS]["train loss"].mean for depth in DEPTHS]
        assert line(panel(fig, title), kind) == pytest.approx(means)
    ends = (RESULTS["plain, no norm", depth, EPOCHS]["train loss"].mean for depth in (8, 56))
    assert "plain from {:.2g} to {:.2g}".format(*ends) in fig.alt
    to_pixels(fig)


def test_the_search_shows_every_rate_and_names_the_best():
    rates = {
        (arm, clip, depth, lr, 99): (0.0, loss, 0.5)
        for arm, clip, depth in product(("plain", "residual"), CLIPS, (20, 56))
        for lr, loss in ((0.01, 2.0), (0.1, 0.5 if depth == 56 else 0.7), (1.0, 1000.0))
    }
    fig = drawings.show_search(rates, 56)
    assert line(panel(fig, "plain, 56 layers"), "clipped") == [2.0, 0.5, drawings._WORST]
    assert fig.alt.count("lowest, 0.5, at 0.1") == 4
    to_pixels(fig)


def test_what_blocks_do_is_drawn_in_three_measures():
    generator = torch.Generator().manual_seed(0)
    network = {
        name: torch.rand(3, 9, generator=generator) for name in ("without", "ratio", "gradient")
    }
    fig = drawings.show_roles({"one": network, "other": {k: v[:1] for k, v in network.items()}})
    top, middle, below = fig.axes
    assert line(top, "one") == pytest.approx((100 * network["without"]).mean(0).tolist())
    assert line(middle, "other") == pytest.approx(network["ratio"][0].tolist())
    assert line(below, "other")[-1] == 1
    assert "Length of F(x) / of x, one: " in fig.alt
    assert f"Accuracy without it, %, other: {100 * network['without'][0, 0]:.2g} " in fig.alt
    to_pixels(fig)


def test_the_diagram_has_a_sum_in_the_residual_block_alone():
    fig = show_blocks()
    plain, residual = (texts_of(panel(fig, f"{kind} block")) for kind in ("plain", "residual"))
    assert plain == ["conv 3 × 3", "batch norm", "ReLU"] * 2
    assert {"+", "shortcut", "F", "H(x)"} <= set(residual)
    assert_inside(fig)


def test_lengths_are_drawn_block_by_block():
    rates = {"one": torch.rand(4, 9), "other": torch.rand(4, 9)}
    fig = drawings.show_growth(rates, (0, 1, 3, 10), (0, 3, 6))
    for name, ratios in rates.items():
        moments = ("at first", "epoch 1", "epoch 3", "epoch 10")
        for moment, expected in zip(moments, ratios, strict=True):
            assert line(panel(fig, name), moment) == expected.tolist()
    first, last = rates["other"][0, 0], rates["other"][-1, 8]
    assert f"{first:.2g} and" in fig.alt and f"and {last:.2g} in the end" in fig.alt
    to_pixels(fig)


def test_a_landscape_shows_its_slice_and_its_gradients():
    losses = torch.full((17, 17), 5.0)
    losses[6:11, 6:11], losses[8, 8], losses[0, 0] = 1.0, 0.25, torch.inf
    norms = torch.logspace(-2, 1, 27)
    fig = drawings.show_landscape({("plain", 56): losses}, {("plain", 56): norms}, "plain", 56)
    shown = 10 ** panel(fig, "loss around it").images[0].get_array()
    assert shown[8, 8] == pytest.approx(0.25) and shown[0, 0] == 1e4
    drawn = line(panel(fig, "gradient before training"), "gradient")
    assert drawn == pytest.approx(norms.log10())
    assert "loss is 0.25 after training" in fig.alt and "on 9 percent" in fig.alt
    assert "0.01 at the first block and 10 at the last" in fig.alt
    to_pixels(fig)


def test_the_worst_block_is_named():
    fig = drawings.show_lesions(LESIONS, 20)
    means = [LESIONS["plain", 20][(i,)].mean for i in range(9)]
    worst = min(range(9), key=means.__getitem__)
    assert f"{100 * means[worst]:.0f} at worst, without block {worst + 1}." in fig.alt
    to_pixels(fig)


def test_accuracy_is_drawn_over_the_number_of_missing_blocks():
    removals = {
        kind: {count: invented(count, 0.1, 0.99) for count in range(0, 25, 2)}
        for kind in drawings.COLORS
    }
    fig = drawings.show_removals(removals)
    assert (
        "plain" not in fig.alt
        and f"{100 * removals['residual'][12].mean:.0f} without 12" in fig.alt
    )
    assert line(fig.axes[0], "residual")[6] == pytest.approx(100 * removals["residual"][12].mean)
    to_pixels(fig)


@pytest.mark.parametrize("stages", list(product((None, 1, 3), repeat=3)))
def test_every_choice_of_blocks_has_its_accuracy(stages):
    fig = drawings.show_surgery(LESIONS, stages)
    gone = drawings._lesion_of(stages)
    assert [i // 3 for i in gone] == [i for i, block in enumerate(stages) if block]
    for kind in drawings.COLORS:
        (bar,) = named(fig.axes[1], kind)
        assert bar.get_width() == pytest.approx(100 * LESIONS[kind, 20][gone].mean)
    shown = {text.get_text() for text in fig.axes[0].texts}
    assert {str(i + 1) for i in range(9)} - shown == {str(i + 1) for i in gone}
    assert ("With all nine blocks" in fig.alt) == (gone == ())


def test_blocks_are_numbered_from_0():
    assert drawings._lesion_of((None, 1, 3)) == (3, 8)
    to_pixels(drawings.show_surgery(LESIONS, (None, 1, 3)))
