"""The GAN playground in a real browser: its numbers, its controls, its looks."""

import numpy as np
import pytest
import torch
from bare_page import bare_page, displayed

import glassbox
from glassbox.chapters.gan.playground import LOSSES, gan_playground, plane_players
from glassbox.generation import discriminator_step, generator_step

pytestmark = pytest.mark.browser

SHOWN = ".gb-gan"

SETTINGS = {
    "usual": {},
    "unequal": {"dRate": 0.01, "gRate": 0.001, "dSteps": 3, "noise": 0.3, "seed": 4},
    "generator first": {"gSteps": 2, "dRate": 0.001, "gRate": 0.02},
}
# Plays a game, and tells its weights before and after, what was drawn on the way, and its losses.
PLAY = """async ([options, rounds]) => {
  const { Game } = await import("/chapters/gan/playground_game.js");
  const game = new Game(options), drawn = [];
  for (const name of ["drawReal", "drawNoise"]) {
    const draw = game[name].bind(game);
    game[name] = () => {
      const made = draw();
      drawn.push(Array.from(made));
      return made;
    };
  }
  const { generator, discriminator } = game.players;
  const weights = () => [generator, discriminator].map(({ weights }) => Array.from(weights));
  const before = weights();
  game.advance(rounds);
  const { samples, counts, modes, stray } = game.look();
  return { before, after: weights(), drawn, history: game.history, settings: game.settings,
    samples: Array.from(samples), counts, modes, stray };
}"""


@pytest.fixture(scope="module")
def outputs():
    """What the cells of a page show, two playgrounds."""
    with displayed() as shown:
        gan_playground()
        gan_playground("least_squares")
    return shown


@pytest.fixture(scope="module")
def site(tmp_path_factory, outputs):
    folder = tmp_path_factory.mktemp("two games")
    (folder / "index.html").write_text(bare_page("Playground", *outputs), "utf-8")
    return folder


def put(network, flat):
    torch.nn.utils.vector_to_parameters(
        torch.tensor(flat, dtype=torch.float64), network.parameters()
    )


def flat(network):
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach()


def replay(played, loss):
    """Play the same game in PyTorch, from the same weights with the same points and noise."""
    rates = played["settings"]
    gan = plane_players(LOSSES[loss])
    networks = (gan.generator.double(), gan.discriminator.double())
    for network, weights in zip(networks, played["before"], strict=True):
        put(network, weights)
    gan.generator_optimizer.param_groups[0]["lr"] = rates["gRate"]
    gan.discriminator_optimizer.param_groups[0]["lr"] = rates["dRate"]
    drawn = (torch.tensor(flat, dtype=torch.float64).view(-1, 2) for flat in played["drawn"])
    losses = [[], []]
    for _ in played["history"]["generator"]:
        for _ in range(rates["dSteps"]):
            first = discriminator_step(gan, next(drawn), next(drawn))
        for _ in range(rates["gSteps"]):
            second = generator_step(gan, next(drawn))
        losses[0].append(first)
        losses[1].append(second)
    assert next(drawn, None) is None
    return gan, losses


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_weights_after_100_rounds_are_torchs(loss, settings, visit, serve):
    page = visit(serve(glassbox.__path__[0])).page
    played = page.evaluate(PLAY, [{"loss": loss, "settings": settings}, 100])
    gan, losses = replay(played, loss)
    for network, before, after in zip(
        (gan.generator, gan.discriminator), played["before"], played["after"], strict=True
    ):
        moved = np.abs(np.array(after) - before).max()
        assert len(after) < 400 and moved > 0.05
        assert np.abs(flat(network).numpy() - after).max() < 1e-5
    assert np.abs(np.array(losses[0]) - played["history"]["discriminator"]).max() < 1e-5
    assert np.abs(np.array(losses[1]) - played["history"]["generator"]).max() < 1e-5
