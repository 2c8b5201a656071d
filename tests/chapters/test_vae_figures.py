"""The figures of latent planes and of beta say what they show."""

import torch
from drawn import line, named, panel

from glassbox.chapters.vae.figures import show_beta, show_latent_plane
from glassbox.networks import VAE
from glassbox.plotting.figures import to_pixels


def test_a_plane_names_the_nearest_digit_and_shows_what_is_decoded():
    torch.manual_seed(0)
    model, means = VAE(8, 16, 2, "tanh"), torch.tensor([[1.0, 1], [-2, 0]])
    fig = show_latent_plane(model, means, torch.tensor([3, 7]), (-1.0, 0.5))
    assert "point (-1.0, 0.5)" in fig.alt and fig.alt.endswith("The nearest digit is a 7.")
    shown = torch.as_tensor(fig.axes[1].images[0].get_array())
    expected = model.decode(torch.tensor([[-1.0, 0.5]])).detach()[0, 0]
    torch.testing.assert_close(shown.float(), expected)
    to_pixels(fig)


def test_beta_marks_the_chosen_one():
    rows = {"original": torch.zeros(3, 1, 4, 4), "sample": torch.ones(3, 1, 4, 4)}
    parts = {"reconstruction": [90.0, 99.0], "KL": [30.0, 5.0]}
    fig = show_beta(rows, [0, 1], parts, [20, 12], 20, 1)
    assert "beta 1: reconstruction 99.0 nats, KL 5.0 nats, 12 of 20 units active" in fig.alt
    below = panel(fig, "12 of 20 units active")
    assert line(below, "KL") == [30, 5]
    (mark,) = named(below, "chosen")
    assert below.get_xticklabels()[int(mark.get_xdata()[0])].get_text() == "1"
