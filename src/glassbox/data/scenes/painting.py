"""Painting on a batch of canvases: outlines become covered pixels, shade, shadow and light.

Canvases are ``(B, 3, S, S)`` with colors from 0 to 1 and are changed in place; outlines are
signed distances ``(B, S, S)``, negative inside, in units of half the canvas.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from glassbox.data.augmentation import shift


@dataclass(frozen=True)
class Light:
    """The direction of the light: a unit vector towards it, right and down, ``(B, 1, 1)`` each."""

    x: Tensor
    y: Tensor


def coverage(outline: Tensor) -> Tensor:
    """Return the fraction of each pixel, ``(B, S, S)``, that an outline covers."""
    pixel = 2 / outline.shape[-1]
    return (0.5 - outline / pixel).clamp_(0, 1)


def lay(canvas: Tensor, paint: Tensor, cover: Tensor) -> None:
    """Lay paint ``(B, 3, S, S)`` or ``(B, 3, 1, 1)`` over canvases where ``cover`` hides them."""
    canvas.lerp_(paint.expand_as(canvas), cover.unsqueeze(1).expand_as(canvas))


def bevel(outline: Tensor, light: Light, width: float) -> Tensor:
    """Shade an outline as if its border were rounded, from about -1 (in the shade) to 1 (lit).

    The slope of the distance says where the border faces; what faces the light is bright. The
    rounding reaches ``width`` from the border, in units of half the canvas.
    """
    facing = torch.zeros_like(outline)
    facing[:, :, 1:-1] = (outline[:, :, 2:] - outline[:, :, :-2]) * light.x
    facing[:, 1:-1, :] += (outline[:, 2:, :] - outline[:, :-2, :]) * light.y
    two_pixels = 4 / outline.shape[-1]
    return facing.div_(two_pixels).mul_((outline / width).clamp_(-6, 0).exp_())


def cast_shadow(canvas: Tensor, outline: Tensor, light: Light, reach: float, depth: float) -> None:
    """Darken what lies behind an outline, away from the light.

    ``reach`` is the length of the shadow, in units of half the canvas, ``depth`` the fraction of
    the light that is lost.
    """
    pixels = reach * outline.shape[-1] / 2
    down, right = ((-pixels * part).flatten().round().long() for part in (light.y, light.x))
    moved = shift(outline.unsqueeze(1), down, right, repeat_edge=True)
    canvas.mul_(1 - depth * (0.5 - moved / (2 * reach)).clamp_(0, 1))


def illuminate(canvas: Tensor, position: Tensor, light: Light, exposure: Tensor) -> None:
    """Brighten canvases towards the light and darken their corners, as a lens does.

    ``position`` is that of the pixels along one side, from -1 to 1, ``exposure`` is ``(B, 1, 1)``.
    """
    across = light.x * position + light.y * position[:, None]
    corners = position**2 + position[:, None] ** 2
    canvas.mul_((exposure * (1 + 0.16 * across - 0.12 * corners)).unsqueeze(1))
