"""Convolution on the tape of :mod:`glassbox.autograd.tensor_tape`, by cutting out windows."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from glassbox.autograd.tensor_tape import Array, as_array
from glassbox.support.arguments import as_whole


def unfold(images: Any, kernel: int, stride: int = 1, padding: int = 0) -> Array:
    """Cut all windows out of images; the backward adds each window back where it came from.

    Args:
        images: ``(B, C, H, W)``, an :class:`Array` or a constant.
        kernel: Side of the window in pixels.
        stride: Step between windows, at least 1.
        padding: Zeros added on every side.

    Returns:
        The windows as columns, ``(B, C * kernel * kernel, H' * W')``, in the order of
        :func:`torch.nn.functional.unfold`.

    Raises:
        ValueError: If this is no batch of images, the window does not fit, or a number is too
            small.
    """
    images = as_array(images=images)
    kernel, stride, padding = _checked_window(images.shape, kernel, stride, padding)
    padded = np.pad(images.value, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(padded, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]
    batch, channels, rows, columns = windows.shape[:4]  # (B, C, H', W', k, k)

    def pull(gradient: np.ndarray) -> np.ndarray:
        pieces = gradient.reshape(batch, channels, kernel, kernel, rows, columns)
        folded = np.zeros_like(padded)
        for i, j in np.ndindex(kernel, kernel):
            bottom, right = i + stride * rows, j + stride * columns
            folded[:, :, i:bottom:stride, j:right:stride] += pieces[:, :, i, j]
        height, width = images.shape[2:]
        return folded[:, :, padding : padding + height, padding : padding + width]

    as_columns = windows.transpose(0, 1, 4, 5, 2, 3)
    shape = batch, channels * kernel**2, rows * columns
    return Array(as_columns.reshape(shape), (images, pull))


def conv2d(images: Any, weight: Any, bias: Any, *, stride: int = 1, padding: int = 0) -> Array:
    """Convolve images into ``(B, K, H', W')``: cut out all windows, multiply once, add the bias.

    There is no backward here: :func:`unfold` and the matrix product bring their own.

    Args:
        images: ``(B, C, H, W)``, an :class:`Array` or a constant.
        weight: ``(K, C, k, k)``, likewise.
        bias: ``(K,)``, likewise.
        stride: Step between windows, at least 1.
        padding: Zeros added on every side.

    Raises:
        ValueError: If the shapes do not fit together.
    """
    images, weight, bias = as_array(images=images), as_array(weight=weight), as_array(bias=bias)
    if len(weight.shape) != 4 or weight.shape[2] != weight.shape[3]:
        raise ValueError(f"weight has shape {weight.shape}, expected (K, C, k, k)")
    kernels, channels, kernel, _ = weight.shape
    if bias.shape != (kernels,):
        raise ValueError(f"bias has shape {bias.shape}, expected ({kernels},)")
    if images.shape[1:2] != (channels,):
        raise ValueError(f"images has shape {images.shape}, expected (B, {channels}, H, W)")
    _, stride, padding = _checked_window(images.shape, kernel, stride, padding)
    windows = unfold(images, kernel, stride, padding)  # (B, C*k*k, H'*W')
    flat = weight.reshape(kernels, channels * kernel**2)
    maps = flat @ windows + bias.reshape(kernels, 1)
    rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in images.shape[2:])
    return maps.reshape(len(images.value), kernels, rows, columns)


def _checked_window(
    shape: tuple[int, ...], kernel: int, stride: int, padding: int
) -> tuple[int, int, int]:
    kernel, stride = as_whole(1, kernel=kernel, stride=stride)
    (padding,) = as_whole(0, padding=padding)
    if len(shape) != 4 or min(shape[2:]) + 2 * padding < kernel:
        raise ValueError(
            f"images has shape {shape}, expected (B, C, H, W) with room for windows of "
            f"{kernel} x {kernel} after padding by {padding}"
        )
    return kernel, stride, padding
