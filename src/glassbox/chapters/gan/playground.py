"""The GAN playground: two small players and points in the plane, trained where they are seen."""

from collections.abc import Mapping

import torch
from torch import nn

from glassbox.chapters.gan.figures import show_plane
from glassbox.explorables.js_widgets import show_computed
from glassbox.generation.gan import GAN, train_gan
from glassbox.generation.gan_losses import AdversarialLoss, least_squares, minimax, non_saturating
from glassbox.generation.gaussian_ring import draw_ring
from glassbox.plotting.colors import BLUE, FAINT, PAPER, RUST
from glassbox.plotting.figures import Figure
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed

LOSSES: Mapping[str, AdversarialLoss] = {
    "minimax": minimax,
    "non_saturating": non_saturating,
    "least_squares": least_squares,
}
_FAKE, _REAL = "#e9b8a2", "#a9b8de"  # what the discriminator says of a place, pale behind the dots
_HIDDEN = 16
_ROUNDS = 1000  # before the still picture


def gan_playground(loss: str = "non_saturating") -> None:
    """Show the playground: choose a target, a loss and settings, and watch both players learn.

    ``loss`` is the one it begins with: ``minimax``, ``non_saturating`` or ``least_squares``. The
    still picture in its place comes from the same networks, trained by PyTorch on the same ring.

    Raises:
        ValueError: ``loss`` is unknown.
    """
    check_choice(LOSSES, loss=loss)
    show_computed(
        "gan_playground",
        {"loss": loss},
        still=_still(LOSSES[loss]),
        name="GAN playground",
        colors={"real": BLUE, "fake": RUST, "faint": FAINT, "surface": [_FAKE, PAPER, _REAL]},
    )


def plane_players(loss: AdversarialLoss, lr: float = 0.005) -> GAN:
    """Make the players that the page trains: three linear layers each, with tanh between them."""
    generator, discriminator = _three_layers(2), _three_layers(1)
    generator.noise = 2
    return GAN(generator, discriminator, loss, lr=lr, betas=(0.5, 0.99))


def _three_layers(outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(2, _HIDDEN),
        nn.Tanh(),
        nn.Linear(_HIDDEN, _HIDDEN),
        nn.Tanh(),
        nn.Linear(_HIDDEN, outputs),
    )


def _still(loss: AdversarialLoss) -> Figure:
    drawn = torch.Generator().manual_seed(0)
    with isolated_seed(0):
        gan = plane_players(loss)
    points = draw_ring(20_000, drawn)
    history = train_gan(gan, points, steps=_ROUNDS, batch_size=32, generator=drawn, progress=False)
    return show_plane(gan, points[:500], gan.sample(500, drawn), history)
