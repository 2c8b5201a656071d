"""The figures of the page on pretraining show what they are given, say it, and do not jump."""

from itertools import combinations, product

import numpy as np
import pytest
import torch
from drawn import line, named

from glassbox.chapters.pretraining import figures as drawings
from glassbox.chapters.pretraining.channels import loudest_patches, loudest_places
from glassbox.chapters.pretraining.stems import STEMS
from glassbox.chapters.pretraining.study import SIZES, load_cifar
from glassbox.chapters.pretraining.ways import WAYS
from glassbox.networks import zoo_entries
from glassbox.networks.zoo import COSTS, frontier
from glassbox.plotting.figures import to_pixels
from glassbox.training import SeedRuns, paired_difference

ENTRIES = zoo_entries()
FAMILIES = (None, "SWAG", *sorted({one.family for one in ENTRIES}))
ALONE = [one for one in ENTRIES if one.trained_on == "ImageNet"]
SWAG = [one for one in ENTRIES if one.trained_on != "ImageNet"]
LABELS = SIZES["cpu"].labels


def invented(seed, low, high):
    generator = torch.Generator().manual_seed(seed)
    values = low + (high - low) * torch.rand(5, generator=generator)
    return SeedRuns(tuple(range(5)), tuple(values.tolist()))


FOUND = {
    name: {labels: invented(10 * i + labels, 0.1, 0.99) for labels in LABELS}
    for i, name in enumerate(WAYS)
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
    fig = drawings.show_rows({"seen\nbefore": images[0], "new": images[1]})
    (ax,) = fig.axes
    shown = [image.get_array() for image in ax.images]
    for array, image in zip(shown, images.flatten(0, 1), strict=True):
        assert np.array_equal(array, image.permute(1, 2, 0))
    rows = [image.get_extent()[3] // 1 for image in ax.images]
    assert rows == [0] * 5 + [1] * 5
    assert [text.get_text() for text in ax.texts] == ["seen\nbefore", "new"]
    assert "5 small images" in fig.alt and "seen before; new" in fig.alt
    to_pixels(fig)


def test_the_loudest_place_of_a_channel_is_cut_out_of_each_image():
    maps = torch.zeros(3, 2, 4, 4)
    maps[0, 1, 0, 3], maps[1, 1, 2, 1], maps[2, 1, 3, 0] = 1.0, 3.0, 2.0
    order, middles = loudest_places(maps, 1)
    assert order == [1, 2, 0]
    assert middles == [(0.625, 0.375), (0.875, 0.125), (0.125, 0.875)]
    rows = torch.linspace(-1, 1, 16).view(1, 1, 16, 1).expand(3, 3, 16, 16)
    patches = loudest_patches(rows, maps, 1, count=2, size=6)
    assert patches.shape == (2, 3, 6, 6) and patches.dtype == torch.uint8
    # The first is cut around row 10; the second would leave the image, and is moved up.
    tops = [round(float(patch[0, 0, 0]) / 255 * 15) for patch in patches]
    assert tops == [7, 10]


def test_accuracies_are_drawn_over_the_labels():
    fig = drawings.show_ways(FOUND)
    (ax,) = fig.axes
    for name, runs in FOUND.items():
        assert line(ax, name) == pytest.approx([100 * one.mean for one in runs.values()])
        few, many = (100 * runs[labels].mean for labels in (1, 100))
        assert f"{name} {few:.0f} and {many:.0f}" in fig.alt
    assert fig.alt.startswith("Percent right with 1 and 100 labels a class: scratch")
    to_pixels(fig)


@pytest.mark.parametrize("against", WAYS)
def test_a_choice_shows_its_gains(against):
    fig = drawings.show_choice(FOUND, against, 20)
    left, right = fig.axes
    others = [name for name in WAYS if name != against]
    for name, runs in FOUND.items():
        assert line(left, name) == pytest.approx([100 * one.mean for one in runs.values()])
    (compared,) = named(left, "compared")
    assert list(compared.get_xdata()) == [20, 20]
    base = FOUND[against][20]
    gains = [100 * paired_difference(FOUND[name][20], base) for name in others]
    assert means_of(right) == pytest.approx([one.mean for one in gains])
    assert [label.get_text() for label in right.get_yticklabels()] == others
    for name, one in zip(others, gains, strict=True):
        assert f"{name} {one.mean:+.0f} ± {one.half_width():.0f}" in fig.alt
    right_on = f"{against} is right on {100 * base.mean:.0f} percent"
    assert fig.alt.startswith(f"With 20 labels a class, {right_on}; points more")
    to_pixels(fig)


def test_one_label_is_one_label_and_no_gain_has_no_sign_of_loss():
    same = {name: {1: SeedRuns((0, 1), (0.5, 0.5))} for name in WAYS}
    same["probe"] = {1: SeedRuns((0, 1), (0.498, 0.497))}
    alt = drawings.show_choice(same, "scratch", 1).alt
    assert "With 1 label a class" in alt and "probe +0 ±" in alt and "-0" not in alt


def test_a_choice_does_not_jump_and_shows_all_that_is_stored():
    stored = load_cifar()
    layouts = set()
    for choice in product(WAYS, LABELS):
        fig = drawings.show_choice(stored, *choice)
        layouts.add(layout(fig))
        left, right = fig.axes
        (low, high), (intervals,) = right.get_xlim(), named(right, "intervals")
        assert all(low < x < high for ends in intervals.get_segments() for x, _ in ends), choice
        (low, high) = left.get_ylim()
        for runs in stored.values():
            assert all(low < y < high for one in runs.values() for y in (100 * one).values)
    assert len(layouts) == 1


def test_stems_have_their_accuracies():
    stems = {stem: invented(i, 0.2, 0.95) for i, stem in enumerate(STEMS)}
    fig = drawings.show_stems(stems)
    (ax,) = fig.axes
    assert means_of(ax) == pytest.approx([100 * one.mean for one in stems.values()])
    assert [label.get_text() for label in ax.get_yticklabels()] == list(stems)
    for stem, one in stems.items():
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
        rings = named(ax, "swag")[0].get_offsets()
        assert rings.tolist() == [[getattr(one, cost), one.top1] for one in SWAG]
        expected = [one for one in ENTRIES if one.family == family]
        expected = SWAG if family == "SWAG" else expected or frontier(ALONE, cost)
        assert len(chosen) == len(expected)
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
        chosen = [one for one in ENTRIES if one.family == family] or frontier(ALONE, cost)
        chosen = SWAG if family == "SWAG" else chosen
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
    best = frontier(ALONE, "parameters")
    alt = drawings.show_zoo(ENTRIES, "parameters").alt
    assert f"alone, none is as cheap and better than {len(best)} sets" in alt
    assert "SWAG: 12 sets of weights" in drawings.show_zoo(ENTRIES, "gflops", "SWAG").alt


def test_what_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"against is 'sounds', expected one of scratch, probe"):
        drawings.show_choice(FOUND, "sounds", 5)
    with pytest.raises(ValueError, match=r"family is 'LeNet', expected None, SWAG or one of A"):
        drawings.show_zoo(ENTRIES, "gflops", "LeNet")
