"""What the pad over a latent plane is given, and what it refuses."""

import json
import re

import pytest
import torch

from glassbox.chapters.vae.latent_pad import latent_pad
from glassbox.explorables import js_widgets as computed
from glassbox.explorables.showing import PLAYER
from glassbox.networks import VAE, posterior_means


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VAE(8, 16, 2)


IMAGES, LABELS = torch.rand(40, 1, 8, 8), torch.arange(40) % 10


def shown_state(model, monkeypatch, **options):
    shown = []
    monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
    monkeypatch.setattr(computed, "display", lambda data, **_: shown.append(data[PLAYER]))
    latent_pad(model, IMAGES, LABELS, **options)
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


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="model has 3 latent dimensions, expected 2"):
        latent_pad(VAE(8, 16, 3), IMAGES, LABELS)
    with pytest.raises(ValueError, match="images are 40 and labels 39"):
        latent_pad(VAE(8, 16, 2), IMAGES, LABELS[1:])
    with pytest.raises(ValueError, match=r"none of \[9\]"):
        latent_pad(VAE(8, 16, 2), IMAGES[:9], LABELS[:9])
