"""Augmentation of whole batches: every image gets its own draw, no loop over images.

An augmentation is a function ``(images, generator) -> images``. It draws from the generator
and hands the numbers to a plain function (:func:`flip`, :func:`shift`, :func:`rotate`), which can
be called directly. The input is not changed.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.support.arguments import check_at_least, check_floating_point, check_range

Augmentation = Callable[[Tensor, torch.Generator | None], Tensor]


def flip(images: Tensor, chosen: Tensor) -> Tensor:
    """Mirror the images ``(B, C, H, W)`` where ``chosen``, bool ``(B,)``, left to right."""
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(-1), images)


def shift(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Move each image ``(B, C, H, W)`` by whole pixels, ``(B,)`` each; its edge is repeated."""
    batch, channels, height, width = images.shape
    # Where each pixel of the result comes from, which may lie outside of the image.
    rows = torch.arange(height, device=images.device) - down.view(-1, 1)  # (B, H)
    columns = torch.arange(width, device=images.device) - right.view(-1, 1)  # (B, W)
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    sources = rows[:, :, None] * width + columns[:, None, :]  # (B, H, W)
    sources = sources.view(batch, 1, -1).expand(-1, channels, -1)  # (B, C, H*W)
    return images.reshape(batch, channels, -1).gather(2, sources).view(images.shape)


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turn images ``(B, C, H, W)`` counterclockwise by ``degrees``, ``(B,)``; bilinear."""
    check_floating_point(images=images)
    height, width = images.shape[-2:]
    angles = degrees.to(images).deg2rad()
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    # The grid runs from -1 to 1 along both sides, so that a turn mixes height and width.
    rows = [cos, -sin * height / width, zero, sin * width / height, cos, zero]
    matrices = torch.stack(rows, dim=1).view(-1, 2, 3)  # (B, 2, 3)
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)  # (B, H, W, 2)
    return F.grid_sample(images, grid, mode="bilinear", align_corners=False)


def random_flip(probability: float = 0.5) -> Augmentation:
    """Mirror each image left to right with a ``probability`` from 0 to 1."""
    check_range(0, 1, probability=probability)

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return flip(images, _uniform(images, 0, 1, generator) < probability)

    return augment


def random_shift(max_pixels: int) -> Augmentation:
    """Move each image by up to ``max_pixels``, at least 0, each way, repeating its edge."""
    check_at_least(0, max_pixels=max_pixels)

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        size = (2, len(images))
        moves = torch.randint(-max_pixels, max_pixels + 1, size, generator=generator)
        return shift(images, *moves.to(images.device))

    return augment


def random_rotation(degrees: float) -> Augmentation:
    """Turn each image by an angle from ``-degrees`` to ``degrees``, at least 0."""
    check_at_least(0, degrees=degrees)

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return rotate(images, _uniform(images, -degrees, degrees, generator))

    return augment


def compose(*augmentations: Augmentation) -> Augmentation:
    """Chain augmentations, functions ``(images, generator) -> images``, first to last."""

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        for augmentation in augmentations:
            images = augmentation(images, generator)
        return images

    return augment


def _uniform(images: Tensor, low: float, high: float, generator: torch.Generator | None) -> Tensor:
    # Drawn on the CPU, so that a run on another device sees the same numbers.
    draws = torch.rand(len(images), generator=generator)
    return torch.lerp(torch.tensor(float(low)), torch.tensor(float(high)), draws).to(images.device)
