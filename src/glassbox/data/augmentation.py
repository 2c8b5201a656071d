"""Augmentation of whole batches: every image gets its own draw, no loop over images.

An augmentation is a function ``(images, generator) -> images``. It draws from the generator
and hands the numbers to a plain function (:func:`flip`, :func:`shift`, :func:`rotate`,
:func:`adjust_color`), which can be called directly. The input is not changed.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.support.arguments import (
    as_whole,
    check_all_finite,
    check_callables,
    check_floating_point,
    check_range,
    check_shapes,
    has_values,
    reject_tensor,
)

Augmentation = Callable[[Tensor, torch.Generator | None], Tensor]

# Weights of red, green and blue in brightness, as torchvision has them.
_LUMA = (0.2989, 0.587, 0.114)


def flip(images: Tensor, chosen: Tensor) -> Tensor:
    """Mirror the images ``(B, C, H, W)`` where ``chosen``, bool ``(B,)``, left to right."""
    check_shapes(images=(images, "B C H W"), chosen=(chosen, "B"))
    if chosen.dtype != torch.bool:
        reject_tensor("chosen", chosen, "bool, one an image")
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(-1), images)


def shift(images: Tensor, down: Tensor, right: Tensor, *, repeat_edge: bool = False) -> Tensor:
    """Move each image by whole pixels, to images of the same shape and type.

    Args:
        images: ``(B, C, H, W)``, any type.
        down: Pixels down (negative: up), integers ``(B,)``.
        right: Pixels to the right (negative: left), integers ``(B,)``.
        repeat_edge: Fill what comes in with the pixels of the edge in place of zeros.
    """
    check_shapes(images=(images, "B C H W"), down=(down, "B"), right=(right, "B"))
    for name, moves in (("down", down), ("right", right)):
        if moves.is_floating_point() or moves.dtype == torch.bool:
            reject_tensor(name, moves, "integers, one an image")
    batch, channels, height, width = images.shape
    # Where each pixel of the result comes from, which may lie outside of the image.
    rows = torch.arange(height, device=images.device) - down.view(-1, 1)  # (B, H)
    columns = torch.arange(width, device=images.device) - right.view(-1, 1)  # (B, W)
    inside_rows, inside_columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    sources = inside_rows[:, :, None] * width + inside_columns[:, None, :]  # (B, H, W)
    sources = sources.view(batch, 1, -1).expand(-1, channels, -1)  # (B, C, H*W)
    moved = images.reshape(batch, channels, -1).gather(2, sources).view(images.shape)
    if repeat_edge:
        return moved
    inside = (rows == inside_rows)[:, :, None] & (columns == inside_columns)[
        :, None, :
    ]  # (B, H, W)
    return moved.masked_fill(~inside[:, None], 0)  # not times 0, which leaves nan and inf


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turn images ``(B, C, H, W)`` counterclockwise by ``degrees``, ``(B,)``; bilinear."""
    check_floating_point(images=images)
    check_shapes(images=(images, "B C H W"), degrees=(degrees, "B"))
    check_all_finite(degrees=degrees)
    if degrees.dtype == torch.bool:
        reject_tensor("degrees", degrees, "numbers, one an image")
    height, width = images.shape[-2:]
    exact = images.to(torch.promote_types(images.dtype, torch.float32))  # half rounds angles
    turns = degrees.fmod(360)  # exact, where float32 could not tell large angles apart
    angles = turns.to(exact).deg2rad()
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    # The grid runs from -1 to 1 along both sides, so that a turn mixes height and width.
    rows = [cos, -sin * height / width, zero, sin * width / height, cos, zero]
    matrices = torch.stack(rows, dim=1).view(-1, 2, 3)  # (B, 2, 3)
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)  # (B, H, W, 2)
    turned = F.grid_sample(exact, grid, mode="bilinear", align_corners=False)
    return turned.to(images.dtype)


def adjust_color(
    images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor
) -> Tensor:
    """Multiply the brightness, then the contrast, then the saturation of each image.

    A factor of 1 changes nothing; 0 gives black, uniform gray and shades of gray.

    Args:
        images: Floating point ``(B, 3, H, W)`` from 0 to 1.
        brightness: Factors, ``(B,)``, at least 0 and finite.
        contrast: Factors, ``(B,)``, likewise.
        saturation: Factors, ``(B,)``, likewise.

    Raises:
        TypeError: If ``images`` are not floating point.
        ValueError: If ``images`` do not have 3 channels or are not from 0 to 1, as after
            normalization, or the factors do not fit.
    """
    check_floating_point(images=images)
    factors = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
    check_shapes(
        images=(images, "B 3 H W"), **{name: (factor, "B") for name, factor in factors.items()}
    )
    _check_between(0, 1, images=images)
    kind, images = images.dtype, images.to(torch.promote_types(images.dtype, torch.float32))
    factors = {name: factor.to(images) for name, factor in factors.items()}
    _check_between(0, torch.finfo(images.dtype).max, **factors)  # infinity times 0 is nan
    brightness, contrast, saturation = (factor.view(-1, 1, 1, 1) for factor in factors.values())
    images = (images * brightness).clamp_(0, 1)
    mean_gray = _gray(images).mean((1, 2, 3), keepdim=True)  # (B, 1, 1, 1)
    images = torch.lerp(mean_gray, images, contrast).clamp_(0, 1)
    return torch.lerp(_gray(images), images, saturation).clamp_(0, 1).to(kind)


def random_flip(probability: float = 0.5) -> Augmentation:
    """Mirror each image left to right with a ``probability`` from 0 to 1."""
    check_range(0, 1, probability=probability)

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return flip(images, _uniform(images, 0, 1, generator) < probability)

    return augment


def random_shift(max_pixels: int) -> Augmentation:
    """Move each image by up to ``max_pixels``, at least 0, each way, repeating its edge."""
    (max_pixels,) = as_whole(0, max_pixels=max_pixels)
    return _random_move(max_pixels, repeat_edge=True)


def random_crop(padding: int) -> Augmentation:
    """Pad each image with ``padding`` zeros on each side, and crop it to its size at random.

    This is torchvision's ``RandomCrop(size, padding)``. Zeros are black before
    normalization and the mean color after it.
    """
    (padding,) = as_whole(0, padding=padding)
    return _random_move(padding, repeat_edge=False)


def random_rotation(degrees: float) -> Augmentation:
    """Turn each image by an angle from ``-degrees`` to ``degrees``, a float32 of at least 0."""
    check_range(0, torch.finfo(torch.float32).max, degrees=degrees)
    degrees = float(degrees)  # an unsigned integer has no negative

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return rotate(images, _uniform(images, -degrees, degrees, generator))

    return augment


def color_jitter(
    brightness: float = 0.0, contrast: float = 0.0, saturation: float = 0.0
) -> Augmentation:
    """Change the colors of each image by factors from ``1 - x`` to ``1 + x``.

    The factors are those of torchvision's ``ColorJitter``; they apply in a fixed order.
    """
    check_range(0, 1, brightness=brightness, contrast=contrast, saturation=saturation)
    strengths = brightness, contrast, saturation

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        factors = [_uniform(images, 1 - x, 1 + x, generator) for x in strengths]
        return adjust_color(images, *factors)

    return augment


def compose(*augmentations: Augmentation) -> Augmentation:
    """Chain augmentations, functions ``(images, generator) -> images``, first to last."""
    for augmentation in augmentations:
        check_callables(augmentations=augmentation)

    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        for augmentation in augmentations:
            images = augmentation(images, generator)
        return images

    return augment


def _random_move(pixels: int, *, repeat_edge: bool) -> Augmentation:
    def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        _check_images(images)
        size = 2, len(images)
        moves = torch.randint(-pixels, pixels + 1, size, generator=generator, device="cpu")
        down, right = moves.to(images.device)
        return shift(images, down, right, repeat_edge=repeat_edge)

    return augment


def _uniform(images: Tensor, low: float, high: float, generator: torch.Generator | None) -> Tensor:
    _check_images(images)
    # Drawn on the CPU, so that a run on another device sees the same numbers.
    draws = torch.rand(len(images), generator=generator, dtype=torch.float32, device="cpu")
    ends = torch.tensor([low, high], dtype=torch.float32, device="cpu")
    return torch.lerp(*ends, draws).to(images.device)


def _check_images(images: Tensor) -> None:
    check_shapes(images=(images, "B C H W"))
    if images.numel() == 0:
        reject_tensor("images", images, "non-empty (B, C, H, W)")


def _check_between(low: float, high: float, **tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        if has_values(tensor) and not ((tensor >= low) & (tensor <= high)).all():
            smallest, largest = tensor.min(), tensor.max()
            raise ValueError(
                f"{name} is between {smallest:g} and {largest:g}, expected {low} to {high}"
            )


def _gray(images: Tensor) -> Tensor:
    luma = torch.tensor(_LUMA, dtype=images.dtype, device=images.device)
    return torch.einsum("bchw,c->bhw", images, luma).unsqueeze(1)  # (B, 1, H, W)
