"""Backgrounds for drawn scenes: landscapes, materials and lights, in batches.

Each is a function of a :class:`Ground` and gives colors ``(B, 3, S, S)`` from 0 to 1. All are
made of positions and smooth noise, so that a scene looks the same at any resolution.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_WAVES = 24


@dataclass(frozen=True)
class Ground:
    """What a batch of backgrounds is made of.

    Args:
        x: Horizontal position of each pixel, ``(S,)``, from -1 (left) to 1 (right).
        colors: Four colors an image, dark and light twice, ``(B, 4, 3)``, from 0 to 1.
        noise: Two fields of smooth noise an image, ``(B, 2, S, S)``, mean 0 and deviation 1.
        numbers: Eight numbers an image, uniform from 0 to 1, ``(B, 8)``.
    """

    x: Tensor
    colors: Tensor
    noise: Tensor
    numbers: Tensor

    @property
    def y(self) -> Tensor:
        """Vertical position of each pixel, ``(S, 1)``, from -1 (top) to 1 (bottom)."""
        return self.x[:, None]

    def of(self, rows: Tensor) -> "Ground":
        """Give what some of the images are made of."""
        return Ground(self.x, self.colors[rows], self.noise[rows], self.numbers[rows])

    def number(self, index: int, low: float, high: float) -> Tensor:
        """Give one number an image from ``low`` to ``high``, ``(B, 1, 1)``."""
        return low + (high - low) * self.numbers[:, index, None, None]

    def along(self, index: int) -> Tensor:
        """Give the position along a direction of each image's own, ``(B, S, S)``."""
        angle = self.number(index, 0, 2 * math.pi)
        return self.x * angle.cos() + self.y * angle.sin()

    def blend(self, fraction: Tensor, first: int = 0) -> Tensor:
        """Mix two neighboring colors: ``fraction`` 0 gives the first, 1 the second."""
        dark, light = self.colors[:, first, :, None, None], self.colors[:, first + 1, :, None, None]
        return torch.lerp(dark, light, fraction.unsqueeze(1))


def smooth_noise(count: int, size: int, roughness: float, generator: torch.Generator) -> Tensor:
    """Draw fractal noise ``(B, S, S)`` of mean 0 and deviation 1: ``count`` fields of cosine waves.

    Their strength falls as frequency to minus ``roughness``; the field does not depend on ``size``.
    """
    frequency = torch.arange(_WAVES, dtype=torch.float32)
    strength = (1 + torch.hypot(frequency[:, None], frequency)) ** -roughness
    strength[0, 0] = 0
    power = torch.full((_WAVES,), 0.5)  # of a cosine; the constant has 1
    power[0] = 1
    strength /= (strength**2 * power * power[:, None]).sum().sqrt()
    position = (torch.arange(size) + 0.5) / size
    waves = torch.cos(math.pi * position[:, None] * frequency)
    drawn = torch.randn(count, _WAVES, _WAVES, generator=generator) * strength
    return waves @ drawn @ waves.T


def bokeh(g: Ground) -> Tensor:
    """Lay lights out of focus over a dark ground."""
    canvas = g.blend(0.25 + 0.12 * g.noise[:, 0]) * 0.75
    for index in range(6):
        u, v = g.numbers[:, index, None, None], g.numbers[:, (index * 3 + 1) % 8, None, None]
        w = (u * 7.3 + v * 3.1 + index * 0.37) % 1
        x, y, radius = 2.4 * u - 1.2, 2.4 * w - 1.2, 0.12 + 0.28 * v
        disk = torch.sigmoid((radius - torch.hypot(g.x - x, g.y - y)) * 24)
        color = g.colors[:, 1 + 2 * (index % 2), :, None, None]
        canvas = torch.lerp(canvas, color, (disk * (0.25 + 0.45 * w)).unsqueeze(1))
    return canvas


def bricks(g: Ground) -> Tensor:
    """Build a wall of bricks, each a little different."""
    rows = g.number(0, 2.5, 5)
    down = (g.y + 1) * rows
    course = down.floor()
    right = (g.x + 1) * rows * 0.5 + 0.5 * (course % 2)
    u, v = right - right.floor() - 0.5, down - course - 0.5
    edge = torch.minimum(1 - 2 * u.abs(), 0.5 - v.abs())
    joint = torch.sigmoid((edge - 0.07) * 50)
    own = ((right.floor() * 12.9898 + course * 78.233 + 10 * g.number(1, 0, 1)).sin() * 43.7) % 1
    brick = g.blend(0.3 + 0.5 * own + 0.12 * g.noise[:, 0])
    mortar = g.blend(0.6 + 0.1 * g.noise[:, 1], first=2)
    return torch.lerp(mortar, brick, joint.unsqueeze(1))


def fabric(g: Ground) -> Tensor:
    """Weave a cloth with stripes that fall in folds."""
    across = g.along(0) + 0.06 * g.noise[:, 0]
    stripes = torch.sigmoid(6 * torch.sin(g.number(1, 6, 18) * across + 6 * g.number(2, 0, 1)))
    folds = 0.82 + 0.13 * g.noise[:, 1].clamp(-2, 1.5)
    return g.blend(stripes) * folds.unsqueeze(1)


def marble(g: Ground) -> Tensor:
    """Polish a stone with veins."""
    veins = torch.sin(g.number(0, 3, 7) * g.along(1) + 2.2 * g.noise[:, 0]).abs() ** 0.4
    return g.blend(0.15 + 0.85 * veins + 0.06 * g.noise[:, 1])


def meadow(g: Ground) -> Tensor:
    """Look over a field to hills under a cloudy sky."""
    size = len(g.x)
    ridge = g.number(0, -0.25, 0.35) + 0.1 * g.noise[:, 0, size // 2].unsqueeze(1)
    depth = g.y - ridge
    clouds = torch.sigmoid(2.5 * g.noise[:, 1] - 0.8 - 1.5 * depth)
    sky = g.blend(clouds * 0.8 + 0.3 * (g.y + 1).clamp(0, 1), first=2)
    furrows = torch.sin(g.number(1, 8, 16) / (depth.clamp_min(0) + 0.25) + g.noise[:, 0])
    field = g.blend(0.5 - 0.35 * depth + 0.1 * furrows + 0.12 * g.noise[:, 0])
    return torch.lerp(sky, field, torch.sigmoid(depth * size * 0.8).unsqueeze(1))


def plaster(g: Ground) -> Tensor:
    """Leave a wall to the weather."""
    return g.blend(0.55 + 0.22 * g.noise[:, 0] + 0.12 * (g.noise[:, 1] - 0.5).clamp_min(0))


def studio(g: Ground) -> Tensor:
    """Light a sweep of paper from one side."""
    x, y = g.number(0, -0.7, 0.7), g.number(1, -0.9, 0.3)
    pool = torch.exp(-0.9 * ((g.x - x) ** 2 + (g.y - y) ** 2))
    floor = torch.sigmoid((g.y - g.number(2, 0.2, 0.6)) * 8)
    return g.blend(0.15 + 0.8 * pool + 0.12 * floor + 0.02 * g.noise[:, 0])


def tiles(g: Ground) -> Tensor:
    """Lay a floor of two colors, seen at an angle."""
    tilt = g.number(0, 0, 0.45)
    depth = 1 + tilt * (1 - g.y)
    angle = g.number(1, 0, math.pi)
    right, down = g.x * depth, g.y * depth
    u = (right * angle.cos() + down * angle.sin()) * g.number(2, 4, 9)
    v = (down * angle.cos() - right * angle.sin()) * g.number(2, 4, 9)
    check = torch.sigmoid(14 * u.sin() * v.sin())
    return g.blend(check * 0.8 + 0.1 + 0.08 * g.noise[:, 0])


def water(g: Ground) -> Tensor:
    """Ripple a lake that reflects the sky."""
    depth = 1.6 + g.y
    ripples = torch.sin(g.number(0, 14, 26) / depth + 1.6 * g.noise[:, 0] + g.x * 1.5)
    glitter = (ripples * g.noise[:, 1] - 0.9).clamp_min(0)
    return g.blend(0.7 - 0.3 * depth / 2 + 0.2 * ripples + 0.35 * glitter)


def wood(g: Ground) -> Tensor:
    """Saw boards across the grain."""
    boards = g.number(0, 1.5, 3.5)
    across = g.x * boards
    board = across.floor()
    own = ((board * 12.9898 + 10 * g.number(1, 0, 1)).sin() * 43.7) % 1
    rings = torch.sin(14 * (across - board) + 3 * g.noise[:, 0] + 9 * own + 1.5 * g.y)
    gap = torch.sigmoid((0.5 - (across - board - 0.5).abs() - 0.025) * 90)
    shade = 0.35 + 0.3 * own + 0.17 * rings + 0.06 * g.noise[:, 1]
    return g.blend(shade) * (0.45 + 0.55 * gap).unsqueeze(1)


BACKGROUNDS: dict[str, Callable[[Ground], Tensor]] = {
    paint.__name__: paint
    for paint in (bokeh, bricks, fabric, marble, meadow, plaster, studio, tiles, water, wood)
}
