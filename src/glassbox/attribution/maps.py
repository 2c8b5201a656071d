"""What counts as images and maps: those that are given, and outputs of layers that become maps."""

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal

import torch
from torch import Tensor

from glassbox.support.arguments import (
    as_integers,
    as_tensor,
    check_all_finite,
    check_choice,
    check_floating_point,
    reject_tensor,
)

Reshape = (
    Literal["channels_first", "channels_last", "tokens"]
    | tuple[int, int]
    | Callable[[Tensor], Tensor]
    | None
)


def as_finite(**given: Any) -> Tensor:
    """Give finite numbers, under the name of their argument, in ``float32`` or wider.

    Raises:
        TypeError: If they are no tensor, array or list of real numbers.
        ValueError: If they are not finite.
    """
    ((name, values),) = given.items()
    values = as_tensor(**given)
    if values.is_complex():
        raise TypeError(f"{name} has type {values.dtype}, expected real numbers")
    check_all_finite(**{name: values})
    return values.to(torch.promote_types(values.dtype, torch.float32))


def as_maps(*, positive: bool = False, **given: Any) -> Tensor:
    """Give saliency maps ``(B, H, W)`` as :func:`as_finite` does.

    Raises:
        TypeError: As there.
        ValueError: As there, or if they have another shape or no pixels, or are below 0 where they
            have to be ``positive``.
    """
    ((name, _),) = given.items()
    maps = as_finite(**given)
    if maps.ndim != 3 or 0 in maps.shape[1:]:
        reject_tensor(name, maps, "(B, H, W)")
    if positive and not maps.is_meta and (maps < 0).any():
        raise ValueError(f"{name} is {maps.min():.3g} in places, expected at least 0")
    return maps


def as_images(images: Any) -> Tensor:
    """Give images ``(B, C, H, W)``.

    Raises:
        TypeError: If they are no tensor, array or list, or not floating point.
        ValueError: If they have another shape, or no pixels.
    """
    images = as_tensor(images=images)
    check_floating_point(images=images)
    if images.ndim != 4 or 0 in images.shape[1:]:
        reject_tensor("images", images, "(B, C, H, W)")
    return images


def as_filled(images: Any, **fill: Any) -> tuple[Tensor, Tensor]:
    """Give images, and what takes the place of their pixels in the same shape.

    The latter is given under the name of its argument; it may be a number.

    Raises:
        TypeError: As :func:`as_images` and :func:`as_finite` do.
        ValueError: As they do, or if something is not finite, or it cannot be broadcast.
    """
    ((name, value),) = fill.items()
    images = as_images(images)
    check_all_finite(images=images)
    if isinstance(value, Real) and not isinstance(value, bool):
        value = torch.tensor(float(value), dtype=torch.float64, device="cpu")
    value = as_finite(**{name: value})
    try:
        return images, value.to(images).expand_as(images)
    except RuntimeError:
        reject_tensor(name, value, f"one that can be broadcast to {tuple(images.shape)}, as images")


def check_reshape(reshape: Reshape) -> None:
    """Refuse what is no way to reshape an output."""
    if not (reshape is None or callable(reshape) or _is_grid(reshape)):
        names = ("channels_first", "channels_last", "tokens", "a grid (h, w)", "a function")
        check_choice(names, reshape=reshape)


def layer_maps(output: Tensor, reshape: Reshape, name: str, images: Tensor) -> Tensor:
    """Give the output of a layer, or its gradient, as ``(B, C, h, w)``.

    Args:
        output: Of the layer ``name``.
        reshape: As for :class:`~glassbox.attribution.cam.GradCAM`.
        name: Of the layer.
        images: What the model was given, ``(B, C, H, W)``.

    Raises:
        ValueError: If the output does not have the shape that ``reshape`` is for.
    """
    height, width = images.shape[2:]
    maps = _reshaped(output, reshape, height, width)
    if maps is None or maps.ndim != 4 or len(maps) != len(images):
        raise ValueError(
            f"the output of layer {name!r} is {tuple(output.shape)}, expected "
            f"{_EXPECTED.get(reshape, 'what reshape is for')}, for images of {height} x {width}; "
            "reshape takes 'channels_last' for (B, h, w, C), 'tokens' or a grid (h, w) for "
            "(B, N, C), 'channels_first' for maps of other proportions, or a function"
        )
    return maps


_EXPECTED = {
    None: "(B, C, h, w)",
    "channels_first": "(B, C, h, w)",
    "channels_last": "(B, h, w, C)",
    "tokens": "(B, N, C) with a square grid of tokens",
}


def _reshaped(output: Tensor, reshape: Reshape, height: int, width: int) -> Tensor | None:
    if callable(reshape):
        return reshape(output)
    if output.ndim == 4 and reshape is None:
        return output if _proportional(*output.shape[2:], height, width) else None
    if output.ndim == 4 and reshape == "channels_first":
        return output
    if output.ndim == 4 and reshape == "channels_last":
        return output.movedim(3, 1)
    if output.ndim == 3 and reshape == "tokens":
        return _from_tokens(output, _square(output, height, width))
    if output.ndim == 3 and _is_grid(reshape):
        return _from_tokens(output, as_integers(2, reshape=reshape))
    return None


def _is_grid(reshape: Any) -> bool:
    return (
        isinstance(reshape, tuple)
        and len(reshape) == 2
        and all(isinstance(side, Integral) and side > 0 for side in reshape)
    )


def _proportional(h: int, w: int, height: int, width: int) -> bool:
    """Say whether maps have the proportions of images; with channels as a side they have not.

    Of images that are not square, layers without padding take off the same from both sides.
    """
    return h == w if height == width else abs(h - w * height / width) <= max(2, h / 8)


def _square(tokens: Tensor, height: int, width: int) -> tuple[int, int] | None:
    """Find the grid of the tokens of square images."""
    side = math.isqrt(tokens.shape[1])
    return (side, side) if height == width and side and height % side == 0 else None


def _from_tokens(tokens: Tensor, grid: tuple[int, int] | None) -> Tensor | None:
    """Drop what comes before the tokens of a grid, as class tokens do, and lay it out."""
    if grid is None or tokens.shape[1] < math.prod(grid):
        return None
    return tokens[:, tokens.shape[1] - math.prod(grid) :].unflatten(1, grid).movedim(3, 1)
