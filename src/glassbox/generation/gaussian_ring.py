"""A toy data set for GANs: eight small Gaussians on a ring, whose lost modes can be counted."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from glassbox.generation.gan import GAN, GANHistory, train_gan
from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_all_finite,
    check_not_empty,
    check_range,
    check_shapes,
)
from glassbox.support.seeds import generator_from

_MODES = 8
_RADIUS = 2.0
_STD = 0.1


def ring_centers() -> Tensor:
    """Return the centers ``(8, 2)``, counterclockwise from the right on a circle of radius 2."""
    angles = torch.arange(_MODES, dtype=torch.float32, device="cpu") * (2 * math.pi / _MODES)
    return _RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)


def draw_ring(count: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw points ``(count, 2)``, at least one, each from a random Gaussian of the ring."""
    (count,) = as_sizes(count=count)
    chosen = torch.randint(_MODES, (count,), generator=generator, device="cpu")
    noise = torch.randn(count, 2, generator=generator, dtype=torch.float32, device="cpu")
    return ring_centers()[chosen] + _STD * noise


class ModeCount(NamedTuple):
    """Which Gaussians points have found.

    Args:
        modes: Gaussians that have at least ``min_fraction`` of the points within three standard
            deviations, from 0 to 8.
        good: Fraction of the points that are so close to any Gaussian.
        counts: Points so close to each Gaussian.
    """

    modes: int
    good: float
    counts: tuple[int, ...]


def count_modes(points: Tensor, min_fraction: float = 0.02) -> ModeCount:
    """Count the Gaussians of the ring that points have found.

    Args:
        points: ``(N, 2)``, at least one, also an array or a list.
        min_fraction: How many of the points, from 0 to 1, have to lie near a Gaussian for it to
            count; an equal part is 1/8.

    Raises:
        ValueError: If ``points`` are not ``(N, 2)`` with N at least 1 or not finite, or
            ``min_fraction`` is not from 0 to 1.

    Reference:
        The count of Lin et al. (2017), "PacGAN: The power of two samples in generative adversarial
        networks", https://arxiv.org/abs/1712.04086, with a fraction in place of a single point.
    """
    points = as_tensor(points=points)
    check_shapes(points=(points, "N 2"))
    check_not_empty(points=points)
    check_all_finite(points=points)
    check_range(0, 1, min_fraction=min_fraction)
    points = points.cpu().to(torch.promote_types(points.dtype, torch.float32))
    near = torch.cdist(points, ring_centers().to(points)) < 3 * _STD
    counts = near.sum(0)
    found = counts >= max(1, float(min_fraction) * len(points))
    good = near.any(1).double().mean().item()
    return ModeCount(int(found.sum()), good, tuple(counts.tolist()))


class _RingGenerator(nn.Module):
    """A generator of points in the plane: three linear layers with ReLU."""

    def __init__(self, noise: int = 2, hidden: int = 128) -> None:
        noise, hidden = as_sizes(noise=noise, hidden=hidden)
        super().__init__()
        self.noise = noise
        self.layers = _three_layers(noise, hidden, 2)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(B, noise)`` to points ``(B, 2)``."""
        return self.layers(noise)


class _RingDiscriminator(nn.Module):
    """A discriminator of points in the plane: three linear layers with ReLU."""

    def __init__(self, hidden: int = 128) -> None:
        (hidden,) = as_sizes(hidden=hidden)
        super().__init__()
        self.layers = _three_layers(2, hidden, 1)

    def forward(self, points: Tensor) -> Tensor:
        """Map points ``(B, 2)`` to logits ``(B, 1)``, high where they look real."""
        return self.layers(points)


@dataclass(frozen=True)
class RingRecipe:
    """The training recipe of a ring; ``generator_steps`` follow each of the discriminator."""

    generator_steps: int = 1
    lr: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.9)


HEALTHY = RingRecipe()
COLLAPSED = RingRecipe(generator_steps=5)


def train_ring(
    recipe: RingRecipe,
    *,
    steps: int = 1500,
    seed: int = 0,
    callbacks: Sequence[Callable[[int, GAN], None]] = (),
    progress: bool = True,
) -> tuple[GAN, GANHistory]:
    """Train a small GAN on the ring; everything follows from the seed.

    Args:
        recipe: ``HEALTHY``, ``COLLAPSED`` or another.
        steps: Steps of the discriminator, at least 1.
        seed: Decides the first weights, the points and the noise.
        callbacks: As :func:`glassbox.generation.gan.train_gan` takes them.
        progress: Whether to show a progress bar.
    """
    if not isinstance(recipe, RingRecipe):
        raise TypeError(f"recipe is a {type(recipe).__name__}, expected a RingRecipe")
    generator = generator_from(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(seed))
        networks = _RingGenerator(), _RingDiscriminator()
    gan = GAN(*networks, lr=recipe.lr, betas=recipe.betas)
    history = train_gan(
        gan,
        draw_ring(20_000, generator),
        steps=steps,
        batch_size=256,
        generator_steps=recipe.generator_steps,
        generator=generator,
        callbacks=callbacks,
        progress=progress,
    )
    return gan, history


def _three_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, outputs),
    )
