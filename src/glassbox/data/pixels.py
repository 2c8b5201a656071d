"""What is done to the pixels of images before training: scale, normalize, resize."""

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_all_finite,
    check_bytes,
    check_floating_point,
    check_overflow,
    check_shapes,
    check_tensors,
    has_values,
    reject_tensor,
)


def to_float(images: Tensor) -> Tensor:
    """Turn ``uint8`` images of any shape into numbers from 0 to 1.

    Returns:
        ``float32`` of the same shape, equal to ``images / 255``.

    Raises:
        TypeError: If ``images`` are not bytes: scaled twice, they would all be near black.
    """
    check_bytes(images=images)
    return images.to(torch.float32).div_(255)


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and standard deviation of each channel.

    Take them from the training part alone; computed over all images they leak the test part.

    Args:
        images: ``(N, C, H, W)``, bytes (read as 0 to 1) or floating point.

    Returns:
        Mean and population standard deviation, each ``(C,)`` of ``float32``, or of the
        type of floating-point ``images``, where these are.

    Raises:
        TypeError: If ``images`` are neither bytes nor floating point.
        ValueError: If ``images`` is empty, not four-dimensional, not finite or too large.
    """
    check_tensors(images=images)
    if images.ndim != 4 or images.numel() == 0:
        reject_tensor("images", images, "non-empty (N, C, H, W)")
    if images.dtype == torch.uint8:
        return _byte_statistics(images)
    check_floating_point(images=images)
    check_all_finite(images=images)
    # First to the CPU: some devices have no float64.
    std, mean = torch.std_mean(images.cpu().double(), dim=(0, 2, 3), correction=0)
    check_overflow(std, images=images)
    return mean.to(images.dtype).to(images.device), std.to(images.dtype).to(images.device)


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Shift and scale each channel: ``(images - mean) / std``.

    Args:
        images: ``(N, C, H, W)``, bytes (read as 0 to 1) or floating point.
        mean: One number a channel, ``(C,)``, also as a list.
        std: One positive number a channel, ``(C,)``, also as a list.

    Returns:
        Floating point of the same shape. Half types are computed with in float32.

    Raises:
        TypeError: If ``images`` are neither bytes nor floating point.
        ValueError: If the numbers of channels differ, ``mean`` or ``std`` is not finite or ``std``
            not positive, or so small that one cannot divide by it.
    """
    mean, std = as_tensor(mean=mean), as_tensor(std=std)
    check_shapes(images=(images, "N C H W"), mean=(mean, "C"), std=(std, "C"))
    check_all_finite(mean=mean, std=std)
    floats = to_float(images) if images.dtype == torch.uint8 else images
    check_floating_point(images=floats)
    exact = floats.to(torch.promote_types(floats.dtype, torch.float32))
    center, width = (one.to(exact).view(1, -1, 1, 1) for one in (mean, std))
    check_all_finite(mean=center)
    if has_values(width) and not ((width > 0) & (1 / width).isfinite()).all():
        raise ValueError(f"std is {std.tolist()}, expected numbers above 0 in {exact.dtype}")
    return ((exact - center) / width).to(floats.dtype)


def resize(images: Tensor, size: int) -> Tensor:
    """Resize images to a square, bilinear and antialiased.

    Args:
        images: ``(N, C, H, W)``, bytes or floating point.
        size: Pixels a side of the result, at least 1.

    Returns:
        ``(N, C, size, size)`` of the type of ``images``.

    Raises:
        TypeError: If ``images`` are neither bytes nor floating point.
        ValueError: If ``images`` is not four-dimensional or ``size`` is not positive.
    """
    check_shapes(images=(images, "N C H W"))
    if images[:1].numel() == 0 and len(images):
        reject_tensor("images", images, "(N, C, H, W) with pixels")
    (size,) = as_sizes(size=size)
    floats = images.float() if images.dtype == torch.uint8 else images
    check_floating_point(images=floats)
    exact = floats.to(torch.promote_types(floats.dtype, torch.float32))
    resized = F.interpolate(
        exact, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )
    if images.dtype == torch.uint8:
        return resized.round_().clamp_(0, 255).to(torch.uint8)
    return resized.to(images.dtype)


def _byte_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Count the 256 values a channel has: exact, and no float copy of the whole set."""
    values = torch.arange(256, dtype=torch.float64, device="cpu") / 255
    counts = [channel.flatten().int().bincount(minlength=256) for channel in images.unbind(1)]
    counts = torch.stack(counts).cpu()  # (C, 256)
    fraction = counts.double() / counts[0].sum()
    mean = (fraction * values).sum(1)
    variance = (fraction * (values - mean[:, None]) ** 2).sum(1)
    return mean.float().to(images.device), variance.sqrt().float().to(images.device)
