"""The figures of codes and reconstructions show what their numbers say."""

import numpy as np
import pytest
import torch
from drawn import line, named
from sklearn.neighbors import KNeighborsClassifier

from glassbox.chapters.autoencoders.figures import (
    _project,
    same_neighbor,
    show_bottleneck,
    show_codes,
)
from glassbox.plotting import image_rows
from glassbox.plotting.figures import to_pixels


@pytest.mark.parametrize("azimuth", [0, 50, 200])
@pytest.mark.parametrize("elevation", [-60, 0, 35])
def test_a_turn_keeps_lengths_and_depth_points_to_the_eye(azimuth, elevation):
    points = torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    flat, depth = _project(points, azimuth, elevation)
    turned = torch.cat([flat, depth[:, None]], 1)
    torch.testing.assert_close(turned @ turned.T, points @ points.T)


def test_known_views():
    axes = torch.eye(3, dtype=torch.float64)
    flat, _ = _project(axes, 0, 0)
    torch.testing.assert_close(flat, torch.tensor([[1, 0], [0, 0], [0, 1]]).double())
    flat, depth = _project(axes, 0, 90)  # from above, what points up comes to the eye
    torch.testing.assert_close(flat, torch.tensor([[1, 0], [0, 1], [0, 0]]).double())
    torch.testing.assert_close(depth, torch.tensor([0.0, 0, 1]).double())


def test_neighbors_are_those_of_scikit_learn():
    points = torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(60) % 3
    nearest = KNeighborsClassifier(1).fit(points, labels).kneighbors(None, return_distance=False)
    expected = np.mean(labels.numpy()[nearest[:, 0]] == labels.numpy())
    assert same_neighbor(points, labels) == pytest.approx(expected)


def test_the_sentence_says_what_is_seen_from_this_side():
    points = torch.tensor([[0.0, 0, 0], [0, 5, 0], [0.1, 5, 0], [0.1, 0, 0]])
    labels = torch.tensor([0, 1, 1, 0])
    assert "In the picture 0 percent" in show_codes(points, labels, 0, 0).alt  # y is the depth
    assert "three dimensions 100 percent" in show_codes(points, labels, 0, 0).alt
    assert "In the picture 100 percent" in show_codes(points, labels, 0, 90).alt


def test_a_bottleneck_marks_its_width():
    rows = {"original": torch.zeros(4, 1, 8, 8), "fig": torch.ones(4, 1, 8, 8)}
    errors = {"network": [0.3, 0.2], "PCA": [0.4, 0.1]}
    fig = show_bottleneck(rows, [1, 8], errors, 8)
    assert "after 8 numbers" in fig.alt and "network 0.200, PCA 0.100" in fig.alt
    below = fig.axes[1]
    assert line(below, "PCA") == [0.4, 0.1]
    (mark,) = named(below, "chosen")
    assert below.get_xticklabels()[int(mark.get_xdata()[0])].get_text() == "8"


def test_rows_are_scaled_from_black_to_white():
    fig = image_rows({"a": torch.tensor([-1.0, 0, 1, 3]).view(4, 1, 1, 1)}, alt="x", low=-1)
    shown = fig.axes[0].images[0].get_array()
    assert shown.compressed().tolist() == [0, 0.5, 1, 1]  # the gaps between are masked
    assert to_pixels(fig).shape[1] == 840


def test_rows_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"'b': \(3, 1, 4, 4\).*expected one shape"):
        image_rows({"a": torch.zeros(2, 1, 4, 4), "b": torch.zeros(3, 1, 4, 4)}, alt="x")
