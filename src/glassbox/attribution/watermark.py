"""A watermark on images, and how much of a saliency map lies on it."""

import torch
from torch import Tensor

from glassbox.support.arguments import (
    check_at_least,
    check_bytes,
    check_range,
    check_shapes,
    reject_tensor,
)

MARK_SIDE = 5  # pixels
MARK_EDGE = 1  # pixels between the mark and the edges of the image

# A diamond with a hole, light on dark: what a tiny logo could look like.
_LOGO = (
    "..#..",
    ".###.",
    "##.##",
    ".###.",
    "..#..",
)


def stamp(images: Tensor, chosen: Tensor, strength: float = 1.0) -> Tensor:
    """Stamp a small logo into the lower right corner of some images; the input stays as it is.

    Args:
        images: Bytes ``uint8 (B, C, H, W)`` of at least 12 x 12 pixels.
        chosen: Which of them, bool ``(B,)``.
        strength: From 0, which leaves an image as it is, to 1, a logo in pure black and white.

    Raises:
        TypeError: If the images are not bytes.
        ValueError: If shapes do not fit, the images are too small, or ``strength`` is out of range.
    """
    check_bytes(images=images)
    if chosen.shape != (len(images),) or chosen.dtype != torch.bool:
        reject_tensor("chosen", chosen, f"bool ({len(images)},)")
    check_range(0, 1, strength=strength)
    where = mark_mask(images.shape[-1])
    logo = torch.zeros(images.shape[-2:])
    logo[where] = torch.tensor([255.0 * (dot == "#") for row in _LOGO for dot in row])
    marked = torch.lerp(images.float(), logo, strength * where.float()).round().to(torch.uint8)
    return torch.where(chosen.view(-1, 1, 1, 1), marked, images)


def mark_mask(size: int) -> Tensor:
    """Mark the pixels that the logo covers, bool ``(size, size)``, where ``size`` is 12 or more."""
    check_at_least(12, size=size)
    mask = torch.zeros(size, size, dtype=torch.bool)
    end = size - MARK_EDGE
    mask[end - MARK_SIDE : end, end - MARK_SIDE : end] = True
    return mask


def mass_on(maps: Tensor, mask: Tensor) -> Tensor:
    """Compute the fraction of each map ``(B, H, W)``, at least 0, that lies on some pixels.

    The mask, bool, is ``(H, W)`` or one for each map. A map that is 0 everywhere gives 0.
    """
    check_shapes(maps=(maps, "B H W"))
    if mask.shape[-2:] != maps.shape[1:] or mask.dtype != torch.bool:
        reject_tensor("mask", mask, f"bool {tuple(maps.shape[1:])}")
    if (maps < 0).any():
        raise ValueError(f"maps is {maps.min():.3g} in places, expected at least 0")
    mass = maps.sum((1, 2))
    return (maps * mask).sum((1, 2)) / torch.where(mass > 0, mass, 1)
