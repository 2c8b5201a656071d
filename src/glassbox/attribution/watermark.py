"""A watermark on images, and how much of a saliency map lies on it."""

import torch
from torch import Tensor

from glassbox.attribution.maps import as_maps
from glassbox.support.arguments import (
    as_tensor,
    as_whole,
    check_bytes,
    check_range,
    check_shapes,
    reject_tensor,
)
from glassbox.support.scaling import scales

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
        images: Bytes ``uint8 (B, C, S, S)`` of at least 12 x 12 pixels.
        chosen: Which of them, bool ``(B,)``.
        strength: From 0, which leaves an image as it is, to 1, a logo in pure black and white.

    Raises:
        TypeError: If the images are not bytes.
        ValueError: If shapes do not fit, the images are too small, or ``strength`` is out of range.
    """
    images, chosen = as_tensor(images=images), as_tensor(chosen=chosen)
    check_bytes(images=images)
    check_shapes(images=(images, "B C S S"))
    if chosen.shape != (len(images),) or chosen.dtype != torch.bool:
        reject_tensor("chosen", chosen, f"bool ({len(images)},)")
    check_range(0, 1, strength=strength)
    where = mark_mask(images.shape[-1]).to(images.device)
    logo = torch.zeros_like(where, dtype=torch.float32)
    logo[where] = logo.new_tensor([255.0 * (dot == "#") for row in _LOGO for dot in row])
    marked = torch.lerp(images.float(), logo, float(strength) * where.to(logo))
    marked = marked.round().to(torch.uint8)
    return torch.where(chosen.to(images.device).view(-1, 1, 1, 1), marked, images)


def mark_mask(size: int) -> Tensor:
    """Mark the pixels that the logo covers, bool ``(size, size)`` on the CPU.

    Raises:
        ValueError: If ``size`` is not an integer of at least 12.
    """
    (size,) = as_whole(12, size=size)
    mask = torch.zeros(size, size, dtype=torch.bool, device="cpu")
    end = size - MARK_EDGE
    mask[end - MARK_SIDE : end, end - MARK_SIDE : end] = True
    return mask


def mass_on(maps: Tensor, mask: Tensor) -> Tensor:
    """Compute the fraction of each map ``(B, H, W)``, at least 0, that lies on some pixels.

    The mask, bool, is ``(H, W)`` or one for each map. A map that is 0 everywhere gives 0.

    Raises:
        ValueError: If the shapes do not fit, or a map is below 0 or not finite.
    """
    maps, mask = as_maps(maps=maps, positive=True), as_tensor(mask=mask)
    if mask.shape not in (maps.shape[1:], maps.shape) or mask.dtype != torch.bool:
        reject_tensor("mask", mask, f"bool {tuple(maps.shape[1:])}")
    maps = maps / scales(maps, (1, 2))
    mass = maps.sum((1, 2))
    return (maps * mask).sum((1, 2)) / torch.where(mass > 0, mass, 1)
