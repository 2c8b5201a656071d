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
    """The direction of the light: a unit vector towards it.

    Args:
        x: To the right, ``(B, 1, 1)``.
        y: Down, ``(B, 1, 1)``.
    """

    x: Tensor
    y: Tensor


def coverage(outline: Tensor) -> Tensor:
    """Return the fraction of each pixel, ``(B, S, S)``, that an outline covers."""
    pixel = 2 / outline.shape[-1]
    return (0.5 - outline / pixel).clamp_(0, 1)


def lay(canvas: Tensor, paint: Tensor, cover: Tensor) -> None:
    """Lay paint over canvases.

    Args:
        canvas: ``(B, 3, S, S)``, changed in place.
        paint: Colors, ``(B, 3, S, S)`` or ``(B, 3, 1, 1)``.
        cover: How much of each pixel the paint hides, ``(B, S, S)``.
    """
    canvas.lerp_(paint.expand_as(canvas), cover.unsqueeze(1).expand_as(canvas))


def bevel(outline: Tensor, light: Light, width: float) -> Tensor:
    """Shade an outline as if its border were rounded.

    The slope of the distance says where the border faces; what faces the light is bright.

    Args:
        outline: Signed distances ``(B, S, S)``.
        light: Direction of the light.
        width: How far from the border the rounding reaches, in units of half the canvas.

    Returns:
        Numbers from about -1 (in the shade) to 1 (lit), ``(B, S, S)``.
    """
    facing = torch.zeros_like(outline)
    facing[:, :, 1:-1] = (outline[:, :, 2:] - outline[:, :, :-2]) * light.x
    facing[:, 1:-1, :] += (outline[:, 2:, :] - outline[:, :-2, :]) * light.y
    two_pixels = 4 / outline.shape[-1]
    return facing.div_(two_pixels).mul_((outline / width).clamp_(-6, 0).exp_())


def cast_shadow(canvas: Tensor, outline: Tensor, light: Light, reach: float, depth: float) -> None:
    """Darken what lies behind an outline, away from the light.

    Args:
        canvas: ``(B, 3, S, S)``, changed in place.
        outline: Signed distances ``(B, S, S)``.
        light: Direction of the light.
        reach: Length of the shadow, in units of half the canvas.
        depth: Fraction of the light that is lost, from 0 to 1.
    """
    pixels = reach * outline.shape[-1] / 2
    down, right = ((-pixels * part).flatten().round().long() for part in (light.y, light.x))
    moved = shift(outline.unsqueeze(1), down, right, repeat_edge=True)
    canvas.mul_(1 - depth * (0.5 - moved / (2 * reach)).clamp_(0, 1))


def illuminate(canvas: Tensor, position: Tensor, light: Light, exposure: Tensor) -> None:
    """Brighten canvases towards the light and darken their corners, as a lens does.

    Args:
        canvas: ``(B, 3, S, S)``, changed in place.
        position: Of the pixels along one side, ``(S,)``, from -1 to 1.
        light: Direction of the light.
        exposure: Brightness of each image, ``(B, 1, 1)``.
    """
    across = light.x * position + light.y * position[:, None]
    corners = position**2 + position[:, None] ** 2
    canvas.mul_((exposure * (1 + 0.16 * across - 0.12 * corners)).unsqueeze(1))
