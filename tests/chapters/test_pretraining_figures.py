"""The figures of the page on pretraining show what they are given, say it, and do not jump."""

from itertools import combinations, product

import numpy as np
import pytest
import torch
from drawn import line, named, panel

from glassbox.chapters.pretraining import figures as drawings
from glassbox.chapters.pretraining.arms import ARMS
from glassbox.chapters.pretraining.stems import STEM_ARMS
from glassbox.chapters.pretraining.study import load_transfers
from glassbox.chapters.pretraining.tasks import LABELS, TARGETS, UPSTREAM
from glassbox.networks import zoo_entries
from glassbox.networks.zoo import COSTS, frontier
from glassbox.plotting.figures import to_pixels
from glassbox.training import SeedRuns, paired_difference

ENTRIES = zoo_entries()
FAMILIES = (None, *sorted({one.family for one in ENTRIES}))


def invented(seed, low, high):
    generator = torch.Generator().manual_seed(seed)
    values = low + (high - low) * torch.rand(5, generator=generator)
    return SeedRuns(tuple(range(5)), tuple(values.tolist()))


TRANSFERS = {
    key: {labels: invented(10 * i + labels, 0.1, 0.99) for labels in LABELS}
    for i, key in enumerate(product(ARMS, TARGETS))
}


def layout(fig):
    """Return all that must not differ between two pictures of one explorable."""
    axes = ((*ax.get_xlim(), *ax.get_ylim(), *ax.get_position().bounds) for ax in fig.axes)
    return tuple(fig.get_size_inches()), tuple(axes)


def means_of(ax):
    """Return the values of the dots, from the top down."""
    (dots,) = named(ax, "means")
    return dots.get_offsets()[:, 0].tolist()


def test_rows_of_images_have_their_names():
    images = torch.randint(256, (2, 5, 3, 4, 4), dtype=torch.uint8)
    fig = drawings.show_worlds({"seen\nbefore": images[0], "new": images[1]})
    (ax,) = fig.axes
    shown = [image.get_array() for image in ax.images]
    for array, image in zip(shown, images.flatten(0, 1), strict=True):
        assert np.array_equal(array, image.permute(1, 2, 0))
    rows = [image.get_extent()[3] // 1 for image in ax.images]
    assert rows == [0] * 5 + [1] * 5
    assert [text.get_text() for text in ax.texts] == ["seen\nbefore", "new"]
    assert "5 small images" in fig.alt and "seen before; new" in fig.alt
    to_pixels(fig)


def test_accuracies_are_drawn_over_the_labels():
    fig = drawings.show_transfers(TRANSFERS)
    for title, target in (("new things", "scenes"), ("digits", "digits")):
        for name in drawings.COLORS:
            found = TRANSFERS[name, target]
            means = [100 * one.mean for one in found.values()]
            assert line(panel(fig, title), name) == pytest.approx(means)
            few, many = 100 * found[1].mean, 100 * found[50].mean
            assert f"{name} {few:.0f} and {many:.0f}" in fig.alt
    assert "New things, percent with 1 and with 50 labels: scratch" in fig.alt
    to_pixels(fig)


@pytest.mark.parametrize(
    ("upstream", "ending", "names"),
    [
        ("things", "", ["probe", "thawed", "fine-tuned"]),
        ("grounds", ", grounds", ["probe", "fine-tuned"]),
    ],
)
def test_a_choice_shows_its_gains(upstream, ending, names):
    fig = drawings.show_choice(TRANSFERS, upstream, "digits", 20)
    left, right = fig.axes
    found = {name: TRANSFERS[name + ending, "digits"] for name in names}
    scratch = TRANSFERS["scratch", "digits"]
    for name, lines in {"scratch": scratch, **found}.items():
        assert line(left, name) == pytest.approx([(100 * one).mean for one in lines.values()])
    (compared,) = named(left, "compared")
    assert list(compared.get_xdata()) == [20, 20]
    gains = [100 * paired_difference(one[20], scratch[20]) for one in found.values()]
    assert means_of(right) == pytest.approx([one.mean for one in gains])
    assert [label.get_text() for label in right.get_yticklabels()] == names
    for name, one in zip(names, gains, strict=True):
        assert f"{name} {one.mean:+.0f} ± {one.half_width():.0f}" in fig.alt
    assert f"{upstream}, used for digits, 20 labels a class: from scratch" in fig.alt
    assert f"scratch {100 * scratch[20].mean:.0f} percent" in fig.alt
    to_pixels(fig)


def test_one_label_is_one_label_and_no_gain_has_no_sign_of_loss():
    same = {key: {1: SeedRuns((0, 1), (0.5, 0.5))} for key in TRANSFERS}
    same["probe", "digits"] = {1: SeedRuns((0, 1), (0.498, 0.497))}
    alt = drawings.show_choice(same, "things", "digits", 1).alt
    assert "digits, 1 label a class" in alt and "probe +0 ±" in alt and "-0" not in alt


def test_a_choice_does_not_jump_and_shows_all_that_is_stored():
    stored = load_transfers()
    layouts = set()
    for choice in product(UPSTREAM, TARGETS, LABELS):
        fig = drawings.show_choice(stored, *choice)
        layouts.add(layout(fig))
        right = fig.axes[1]
        (low, high), (intervals,) = right.get_xlim(), named(right, "intervals")
        assert all(low < x < high for ends in intervals.get_segments() for x, _ in ends), choice
    assert len(layouts) == 1


def test_stems_have_their_accuracies():
    stems = {
        name: {stem: invented(i, 0.6, 0.95) for i, stem in enumerate(network.stems)}
        for name, network in STEM_ARMS.items()
    }
    fig = drawings.show_stems(stems)
    for ax, found in zip(fig.axes, stems.values(), strict=True):
        means = [100 * one.mean for one in found.values()]
        assert means_of(ax) == pytest.approx(means)
        assert [label.get_text() for label in ax.get_yticklabels()] == list(found)
        for stem, one in found.items():
            assert f"{stem} {100 * one.mean:.0f}" in fig.alt
    to_pixels(fig)


def test_what_saw_the_test_part_is_of_another_color():
    reports = {"best epoch on the test part": invented(1, 80, 90), "last": invented(2, 75, 85)}
    fig = drawings.show_reports(reports)
    (dots,) = named(fig.axes[0], "means")
    assert not np.array_equal(*dots.get_facecolors())
    assert means_of(fig.axes[0]) == pytest.approx([one.mean for one in reports.values()])
    for name, one in reports.items():
        assert f"{name} {one.mean:.0f}" in fig.alt
    to_pixels(fig)


@pytest.mark.parametrize("cost", COSTS)
def test_the_zoo_is_whole_and_does_not_jump(cost):
    layouts = set()
    for family in FAMILIES:
        fig = drawings.show_zoo(ENTRIES, cost, family)
        (ax,) = fig.axes
        layouts.add(layout(fig))
        dots, chosen = (named(ax, part)[0].get_offsets() for part in ("all", "named"))
        assert dots.tolist() == [[getattr(one, cost), one.top1] for one in ENTRIES]
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        assert left < dots[:, 0].min() and dots[:, 0].max() < right
        assert low < dots[:, 1].min() and dots[:, 1].max() < high
        expected = [one for one in ENTRIES if one.family == family] if family else None
        assert len(chosen) == len(expected or frontier(ENTRIES, cost))
    assert len(layouts) == 1


@pytest.mark.parametrize("cost", COSTS)
def test_names_never_overlap_and_stay_in_the_picture(cost):
    for family in FAMILIES:
        fig = drawings.show_zoo(ENTRIES, cost, family)
        (ax,), renderer = fig.axes, fig.canvas.get_renderer()
        boxes = {text: text.get_window_extent(renderer) for text in ax.texts}
        assert boxes, family
        for one, other in combinations(boxes, 2):
            assert not boxes[one].overlaps(boxes[other]), (family, one, other)
        for text, box in boxes.items():
            assert ax.bbox.x0 < box.x0 and box.x1 < fig.bbox.x1, (family, text)
            assert ax.bbox.y0 < box.y0 and box.y1 < fig.bbox.y1, (family, text)
        chosen = [one for one in ENTRIES if one.family == family] or frontier(ENTRIES, cost)
        top = max(chosen, key=lambda one: one.top1)
        assert top.name in {text.get_text() for text in boxes}, family
        for text in ax.texts:  # a name stands at its own dot
            assert [text.get_text(), *text.xy] in [
                [one.name, getattr(one, cost), one.top1] for one in chosen
            ]


def test_the_zoo_says_what_is_best_and_cheapest():
    resnets = [one for one in ENTRIES if one.family == "ResNet"]
    cheap, top = min(resnets, key=lambda o: o.gflops), max(resnets, key=lambda o: o.top1)
    alt = drawings.show_zoo(ENTRIES, "gflops", "ResNet").alt
    assert f"ResNet: {len(resnets)} sets of weights, from resnet18 with {cheap.top1:.1f}" in alt
    assert f"to {top.name} with {top.top1:.1f}" in alt
    alone = drawings.show_zoo(ENTRIES, "gflops", "AlexNet").alt
    assert "AlexNet: one set of weights, alexnet with 56.5 percent" in alone
    best = frontier(ENTRIES, "parameters")
    alt = drawings.show_zoo(ENTRIES, "parameters").alt
    assert f"over parameters. No other model is as cheap and better than {len(best)} sets" in alt


def test_what_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"upstream is 'sounds', expected one of things, grounds"):
        drawings.show_choice(TRANSFERS, "sounds", "digits", 5)
    with pytest.raises(ValueError, match=r"family is 'LeNet', expected None or one of AlexNet"):
        drawings.show_zoo(ENTRIES, "gflops", "LeNet")
