"""The figures of what the study of the chapter on CNNs found show what they are given."""

from itertools import product

import pytest
from drawn import named

from glassbox.chapters.cnn import study_figures
from glassbox.chapters.cnn.question import SCALES
from glassbox.chapters.cnn.study import load_question
from glassbox.plotting.figures import narrow_page, to_pixels
from glassbox.training import SeedRuns


def runs(mean):
    return SeedRuns((0, 1), (mean - 0.01, mean + 0.01))


@pytest.mark.parametrize(("optimizer", "updates"), list(product(("SGD", "Adam"), (7, 70))))
def test_the_line_of_each_scale_has_its_accuracies(optimizer, updates):
    found = load_question()
    fig = study_figures.show_question(found, optimizer, updates)
    for scale, drawn in zip(SCALES, fig.axes[0].containers, strict=True):
        x, y = drawn.lines[0].get_data()
        for lr, percent in zip(x, y, strict=True):
            stored = found[optimizer, scale, lr, updates]["test accuracy"]
            assert percent == pytest.approx(100 * stored.mean)
    if optimizer == "SGD":
        (ring,) = named(fig.axes[0], "asked")
        expected = 100 * found["SGD", "0 to 255", 0.01, updates]["test accuracy"].mean
        assert ring.get_offsets().tolist() == [[0.01, pytest.approx(expected)]]
    to_pixels(fig)


def test_an_unknown_number_of_updates_is_refused():
    with pytest.raises(ValueError, match=r"\(optimizer, updates\) is .*SGD.*, 8.*, expected one"):
        study_figures.show_question(load_question(), "SGD", 8)


def test_the_learning_curve_names_its_ends():
    found = {"linear": {50: runs(0.7), 4000: runs(0.9)}, "SVM": {50: runs(0.6), 4000: runs(0.95)}}
    for page in (False, True):
        if page:
            with narrow_page():
                fig = study_figures.show_learning(found)
        else:
            fig = study_figures.show_learning(found)
        assert "linear 70 and 90, SVM 60 and 95" in fig.alt
        to_pixels(fig)


def test_rows_have_their_means_and_intervals():
    fig = study_figures.show_rows({"a": runs(0.5), "b": runs(0.7)}, "error", zero=True)
    (means,) = named(fig.axes[0], "means")
    assert means.get_offsets()[:, 0].tolist() == [0.5, pytest.approx(0.7)]
    assert fig.alt.startswith("error: a 0.50 ± ")


def test_recipes_are_drawn_over_their_seconds():
    curves = {"article": {10.0: 0.5, 20.0: 0.6}, "modern": {15.0: 0.7}}
    fig = study_figures.show_seconds(curves, ends=["modern"])
    first, second = fig.axes[0].lines
    assert first.get_xydata().tolist() == [[10, 50], [20, 60]]
    assert second.get_linestyle() == "None"
    assert "article 60 after 20 seconds, modern 70 after 15 seconds" in fig.alt
    to_pixels(fig)
