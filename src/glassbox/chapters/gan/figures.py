"""The figures of the chapter on generative adversarial networks."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from glassbox.generation.gan import GANHistory
from glassbox.generation.gaussian_ring import count_modes, ring_centers
from glassbox.plotting.colors import BLUE, GREEN, MUTED, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone
from glassbox.plotting.image_rows import draw_rows

GRID = np.linspace(-8, 8, 801)


def game(mean: float, std: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Solve the game of a GAN whose real samples are standard normal and whose fakes are normal.

    Return the densities of real and fake samples on ``GRID``, from -8 to 8, the best discriminator,
    and the Jensen-Shannon divergence in nats.
    """
    real, fake = _normal(0, 1), _normal(mean, std)
    middle = (real + fake) / 2
    divergence = sum(
        np.sum(density * np.log(density / middle)) * (GRID[1] - GRID[0]) / 2
        for density in (real, fake)
    )
    return real, fake, real / (real + fake), float(divergence)


def _normal(mean: float, std: float) -> np.ndarray:
    return np.exp(-(((GRID - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi)) + 1e-300


@drawing
def show_game(mean: float, std: float) -> Figure:
    """Draw real and fake densities and the best discriminator between them, as in :func:`game`."""
    real, fake, best, divergence = game(mean, std)
    fig, (top, below) = figure(2, 1, height=4.0, sharex=True, top=0.4, hspace=0.18)
    for density, color, name in ((real, BLUE, "real"), (fake, RUST, "fake")):
        top.fill_between(GRID, density, color=color, alpha=0.25, linewidth=0)
        top.plot(GRID, density, color=color, label=name)
    top.set(ylim=(0, 0.85), ylabel="density")
    top.legend(loc="upper right")
    value = 2 * divergence - np.log(4)
    top.set_title(f"Value with the best D: {value:.2f}".replace("-", "−"))
    below.axhline(0.5, color=MUTED, linewidth=1)
    below.plot(GRID, best, color=GREEN, label="best")
    below.set(xlim=(-5, 5), ylim=(-0.03, 1.03), ylabel="D(x)", xlabel="x")
    shown = best[np.abs(GRID) <= 5]
    fig.describe(
        f"Real points are standard normal, fakes have mean {mean:g} and deviation {std:g}. Below, "
        f"the best discriminator, from {shown.min():.2f} to {shown.max():.2f}. Its value is "
        f"{value:.2f}, the divergence {divergence:.2f}."
    )
    return fig


@drawing
def show_ring(points: Tensor, step: int, history: GANHistory, limit: int) -> Figure:
    """Draw generated points ``(N, 2)`` on the ring that they should cover, and the losses so far.

    ``limit`` is where the axis of steps ends.
    """
    found = count_modes(points)
    fig, (plane, losses) = figure(1, 2, height=3.5, left=0.3, width_ratios=[1, 1.2], phone_cols=1)
    plane.plot(*ring_centers().T, "o", ms=22, mfc="none", mec=MUTED, mew=1)
    plane.plot(*points.T, ".", ms=3, color=RUST, alpha=0.5)
    plane.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    plane.set_axis_off()
    plane.set_title(f"{found.modes} of 8 modes")
    _draw_losses(losses, history, step, limit)
    fig.describe(
        f"After {step} steps the generated points cover {found.modes} of 8 Gaussians on a ring"
        f"{_losses_sentence(history, step)}."
    )
    return fig


@drawing
def show_samples(images: Tensor, step: int, history: GANHistory) -> Figure:
    """Draw images ``(32, 1, H, W)`` from -1 to 1, made from fixed noise, and the losses so far."""
    left = 0.5 if on_phone() else 0.15  # there the losses are below the images
    fig, (samples, losses) = figure(
        1, 2, height=2.9, left=left, width_ratios=[1.5, 1], phone_cols=1
    )
    nameless = {" " * i: row for i, row in enumerate(images.split(8))}  # keys have to differ
    draw_rows(samples, nameless, low=-1)
    samples.set_title(f"after {step} steps")
    _draw_losses(losses, history, step, len(history.generator))
    fig.describe(
        f"{len(images)} generated digits after {step} steps{_losses_sentence(history, step)}."
    )
    return fig


def _draw_losses(ax: Axes, history: GANHistory, step: int, limit: int) -> None:
    for losses, color, name in (
        (history.discriminator, BLUE, "discriminator"),
        (history.generator, RUST, "generator"),
    ):
        smooth = _smooth(losses[:step])
        ax.plot(np.arange(1, len(smooth) + 1), smooth, color=color, label=name)
    ax.axhline(np.log(4), color=BLUE, linewidth=1, linestyle=":")
    ax.axhline(np.log(2), color=RUST, linewidth=1, linestyle=":")
    ax.set(xlim=(0, limit), ylim=(0, 3), xlabel="step", title="losses")
    ax.legend(loc="upper right")


def _smooth(losses: Sequence[float]) -> np.ndarray:
    """Average each loss with those before it, 20 losses in all where there are as many."""
    sums = np.cumsum([0.0, *losses])
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - 20, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def _losses_sentence(history: GANHistory, step: int) -> str:
    if not step:
        return ""
    last = [np.mean(losses[:step][-20:]) for losses in (history.discriminator, history.generator)]
    return f"; the losses are {last[0]:.2f} and {last[1]:.2f}"


@drawing
def show_slopes(logits: Tensor, slopes: dict[str, Tensor]) -> Figure:
    """Draw the derivative ``(N,)`` of each generator's loss over the logit ``(N,)`` of a fake."""
    fig, ax = figure(height=3.0, top=0.2)
    for (name, slope), color, style in zip(
        slopes.items(), (BLUE, RUST, GREEN), ("--", "-", "-."), strict=True
    ):
        ax.plot(logits, slope, color=color, linestyle=style, label=name)
    ax.set(
        xlabel="logit of a fake: left, the discriminator is sure",
        ylabel="slope of the generator's loss",
        ylim=(-2.2, 1.2),
    )
    ax.legend(loc="lower right")
    at = int(torch.argmin((logits + 4).abs()))
    texts = [f"{name} {slope[at]:.2f}" for name, slope in slopes.items()]
    fig.describe(f"Slopes of three losses of a generator. At a logit of -4: {', '.join(texts)}.")
    return fig
