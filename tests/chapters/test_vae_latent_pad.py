"""What the pad over a latent plane is given, and what it refuses."""

import json
import re

import pytest
import torch
from refusals import refuses

from glassbox.chapters.vae.latent_pad import latent_pad
from glassbox.explorables import js_widgets as computed
from glassbox.explorables.showing import PLAYER
from glassbox.networks import VAE, posterior_means


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(8, 16, 2)


IMAGES, LABELS = torch.rand(40, 1, 8, 8), torch.arange(40) % 10


def shown_state(model, monkeypatch, images=IMAGES, labels=LABELS, **options):
    shown = []
    monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
    monkeypatch.setattr(computed, "display", lambda data, **_: shown.append(data[PLAYER]))
    latent_pad(model, images, labels, **options)
    found = re.search(r'<script type="application/json">(.*?)</script>', shown[0], re.S)[1]
    return json.loads(found), shown[0]


def test_the_state_holds_the_posterior_means_and_a_typical_one_of_each_digit(model, monkeypatch):
    state, page = shown_state(model, monkeypatch, start=(0.5, -0.2), ends=(3, 8))
    means = posterior_means(model, IMAGES)
    points = torch.tensor(state["points"])
    torch.testing.assert_close(points[:, :2], means, rtol=0, atol=5e-4)
    assert points[:, 2].tolist() == LABELS.tolist()
    for digit, example in enumerate(state["examples"]):
        assert [*example, digit] in state["points"]
    assert means.abs().max() < state["reach"] < means.abs().max() + 0.4
    assert (state["start"], state["from"], state["to"]) == ([0.5, -0.2], 3, 8)
    assert "The codes of 40 digits on a plane" in page


def test_arrays_and_lists_are_as_good_as_tensors(model, monkeypatch):
    expected, _ = shown_state(model, monkeypatch)
    for images, labels in ((IMAGES.numpy(), LABELS.numpy()), (IMAGES.tolist(), LABELS.tolist())):
        state, _ = shown_state(model, monkeypatch, images, labels, ends=[0, 1])
        assert state == expected


test_what_makes_no_plane_is_named = refuses(
    ({"model": VAE(8, 16, 3)}, "model has 3 latent dimensions, expected 2"),
    ({"labels": LABELS[1:]}, r"labels has shape \(39,\) .* expected \(40,\)"),
    ({"labels": LABELS + 1}, "labels is between 1 and 10, expected 0 to 9"),
    ({"labels": LABELS % 9}, r"labels have none of \[9\]"),
    ({"images": IMAGES[:, 0]}, r"images has shape \(40, 8, 8\) .* expected \(N, 1, size, size\)"),
    ({"images": IMAGES / 0}, "images has 0 entries that are nan and 2560 that are infinite"),
    ({"images": None}, TypeError, "images is None, expected a tensor"),
    ({"start": (9, 0)}, r"start is \(9, 0\), expected 2 numbers, -"),
    ({"start": (0, torch.nan)}, r"start is \(0, nan\), expected 2 numbers, -"),
    ({"ends": (0, 10)}, "ends is between 0 and 10, expected 0 to 9"),
    ({"ends": (1, 2.5)}, r"ends has .* expected class indices"),
    ({"ends": (1,)}, r"ends has shape \(1,\)"),
    by=lambda changes: latent_pad(
        **{"model": VAE(8, 16, 2), "images": IMAGES, "labels": LABELS} | changes
    ),
)
