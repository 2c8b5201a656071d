"""Convolution and pooling written out with ``unfold``, and the arithmetic of their sizes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from glassbox.support.arguments import (
    as_sizes,
    as_whole,
    check_shapes,
    check_tensors,
    reject_tensor,
)


class Window(NamedTuple):
    """How a layer looks at its input: a square window and the way it moves.

    ``kernel`` is the side of the window in pixels, ``stride`` the step between two windows,
    ``padding`` the number of pixels added on every side and ``dilation`` the distance between
    neighboring taps of the kernel.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def span(self) -> int:
        """Side of the window in pixels, the gaps of a dilated kernel included."""
        kernel, dilation = as_sizes(kernel=self.kernel, dilation=self.dilation)
        return dilation * (kernel - 1) + 1


def output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Count the positions of a window along one axis, the length of the output in pixels.

    Computes ``floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1``.

    Args:
        size: Length of the input along this axis, in pixels.
        kernel: Side of the window, at least 1.
        stride: Step between windows, at least 1.
        padding: Pixels added at both ends, at least 0.
        dilation: Distance between the taps of the kernel, at least 1.

    Raises:
        ValueError: If an argument is out of range, or the window is larger than the padded input.

    Reference:
        The shape section of :class:`torch.nn.Conv2d`.
    """
    (size,) = as_whole(0, size=size)
    window = _checked(Window(kernel, stride, padding, dilation))
    padded = size + 2 * window.padding
    if padded < window.span:
        raise ValueError(
            f"size is {size} and padding {padding}, expected {window.span} pixels in all"
        )
    return (padded - window.span) // window.stride + 1


def conv2d(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve images into maps ``(B, K, H', W')``: cut out all windows and multiply once.

    Like every deep learning library this computes a cross-correlation: the kernel is not flipped.

    Args:
        images: Input of shape ``(B, C, H, W)``, any float dtype.
        weight: Kernels of shape ``(K, C / groups, h, w)``, the same dtype.
        bias: One number for each kernel, shape ``(K,)``, or None.
        stride: Step between windows, at least 1; a pair gives rows and columns apart.
        padding: Zeros added on every side, at least 0, or a pair.
        dilation: Distance between the taps of a kernel, at least 1, or a pair.
        groups: Number of groups of channels that do not see each other.

    Raises:
        ValueError: If shapes do not fit together or a number is out of range.

    Reference:
        :func:`torch.nn.functional.conv2d`, which gives the same values up to rounding.
    """
    (groups,) = as_whole(1, groups=groups)
    _check_operands(images, weight, bias, groups)
    steps, paddings = _pair(stride=stride), _pair(padding=padding)
    dilations = _pair(dilation=dilation)
    sizes = tuple(map(output_size, images.shape[2:], weight.shape[2:], steps, paddings, dilations))
    windows = F.unfold(images, weight.shape[2:], dilations, paddings, steps)  # (B, C*h*w, H'*W')
    windows = windows.unflatten(1, (groups, -1))  # (B, groups, C/groups*h*w, H'*W')
    kernels = weight.flatten(1).unflatten(0, (groups, -1))  # (groups, K/groups, C/groups*h*w)
    maps = (kernels @ windows).flatten(1, 2).unflatten(2, sizes)  # (B, K, H', W')
    return maps if bias is None else maps + bias[:, None, None]


def max_pool2d(images: Tensor, kernel: int, *, stride: int | None = None) -> Tensor:
    """Keep the largest value of every window of each channel, ``(B, C, H', W')``.

    Args:
        images: Input of shape ``(B, C, H, W)``, any dtype that can be ordered.
        kernel: Side of the window, at least 1.
        stride: Step between windows; None means ``kernel``, so that windows do not overlap.

    Raises:
        ValueError: If the window does not fit into the images or a number is out of range.

    Reference:
        :func:`torch.nn.functional.max_pool2d`.
    """
    check_shapes(images=(images, "B C H W"))
    kernel, stride, *_ = _checked(Window(kernel, kernel if stride is None else stride))
    if min(images.shape[2:]) < kernel:
        reject_tensor("images", images, f"at least {kernel} x {kernel} pixels for the kernel")
    windows = images.unfold(2, kernel, stride).unfold(3, kernel, stride)  # (B, C, H', W', k, k)
    return windows.amax(dim=(4, 5))


class ReceptiveField(NamedTuple):
    """What one unit of a layer can see of the input, along one axis, in pixels.

    ``size`` is the number of input pixels, ``jump`` the distance between the fields of two
    neighboring units, and ``start`` the first pixel that the first unit sees (negative where
    it begins in the padding).
    """

    size: int
    jump: int
    start: int

    def interval(self, index: int) -> tuple[int, int]:
        """Return the first pixel that unit ``index`` sees and the first that it no longer sees."""
        (index,) = as_whole(0, index=index)
        first = self.start + index * self.jump
        return first, first + self.size


def receptive_field(windows: Iterable[Window | tuple[int, ...]]) -> ReceptiveField:
    """Compute the receptive field, in pixels, of one unit behind a stack of layers.

    A layer whose window spans ``s`` pixels adds ``(s - 1) * jump`` to the size and multiplies
    the jump by its stride.

    Args:
        windows: The layers from input to output, each a :class:`Window` or a tuple
            ``(kernel, stride, padding, dilation)`` whose last entries may be left out.

    Raises:
        ValueError: If a number of a window is out of range.

    Reference:
        Araujo, Norris and Sim (2019), "Computing Receptive Fields of Convolutional Neural
        Networks", Distill, https://doi.org/10.23915/distill.00021.
    """
    size, jump, start = 1, 1, 0
    for window in _windows(windows):
        size += (window.span - 1) * jump
        start -= window.padding * jump
        jump *= window.stride
    return ReceptiveField(size, jump, start)


def _pair(**numbers: int | Sequence[int]) -> tuple[int, int]:
    """Give one number, under the name of its argument, as a pair, and a pair as it is."""
    ((name, number),) = numbers.items()
    pair = number if isinstance(number, Sequence) else (number, number)
    if len(pair) != 2:
        raise ValueError(f"{name} is {number!r}, expected a number or a pair")
    return tuple(as_whole(0, **{name: one})[0] for one in pair)


def _check_operands(images: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    check_shapes(images=(images, "B C H W"))
    check_tensors(weight=weight)
    if images.shape[1] % groups or len(weight) % groups:
        raise ValueError(
            f"groups is {groups}, expected a divisor of the {images.shape[1]} channels of images "
            f"and of the {len(weight)} kernels"
        )
    check_shapes(weight=(weight, f"K {images.shape[1] // groups} h w"))
    for name, operand in (("weight", weight), ("bias", bias)):
        if operand is not None and operand.dtype != images.dtype:
            reject_tensor(name, operand, f"the type of images, {images.dtype}")
    if bias is not None:
        check_shapes(weight=(weight, "K C h w"), bias=(bias, "K"))


def _windows(windows: Iterable[Window | tuple[int, ...]]) -> Iterator[Window]:
    try:
        for layer in windows:
            yield _checked(Window(*layer))
    except (TypeError, ValueError) as error:
        raise type(error)(f"windows: {error}") from error


def _checked(window: Window) -> Window:
    kernel, stride, dilation = as_whole(
        1, kernel=window.kernel, stride=window.stride, dilation=window.dilation
    )
    return Window(kernel, stride, *as_whole(0, padding=window.padding), dilation)
