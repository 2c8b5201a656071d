"""Where in photographs the channels of a network are loudest."""

import torch
from torch import Tensor

from glassbox.support.arguments import check_range, check_shapes


def loudest_places(maps: Tensor, channel: int) -> tuple[list[int], list[tuple[float, float]]]:
    """Order images by how loud a channel is in them, and say where it is loudest in each.

    Args:
        maps: Feature maps of several images, ``(N, C, H, W)``.
        channel: Its number.

    Returns:
        The numbers of the images, the loudest first; and for each the place, down and to the right
        as fractions of the image.
    """
    check_shapes(maps=(maps, "N C H W"))
    check_range(0, maps.shape[1] - 1, channel=channel)
    answers = maps[:, channel]
    rows, columns = answers.shape[1:]
    values, places = answers.flatten(1).max(1)
    order = values.argsort(descending=True).tolist()
    middles = [
        ((int(at) // columns + 0.5) / rows, (int(at) % columns + 0.5) / columns)
        for at in places[order]
    ]
    return order, middles


def loudest_patches(
    inputs: Tensor, maps: Tensor, channel: int, *, count: int = 6, size: int = 80
) -> Tensor:
    """Cut out of images the place where a channel is loudest, one an image, the loudest first.

    Args:
        inputs: From :func:`glassbox.networks.imagenet.imagenet_inputs`, values from -1 to 1,
            ``(N, 3, S, S)``.
        maps: The feature maps of one of its layers, ``(N, C, H, W)``.
        channel: The number of one.
        count: How many patches, at most ``N``.
        size: Pixels a side of each, at most ``S``.

    Returns:
        Bytes, ``(count, 3, size, size)``.
    """
    check_range(1, len(inputs), count=count)
    check_range(1, inputs.shape[-1], size=size)
    order, middles = loudest_places(maps, channel)
    chosen = zip(order[:count], middles, strict=False)
    patches = [_cut(inputs[i], middle, size) for i, middle in chosen]
    return torch.stack(patches).add(1).mul(127.5).round().clamp(0, 255).byte()


def _cut(image: Tensor, middle: tuple[float, float], size: int) -> Tensor:
    """Cut a square around a place, moved inside where it would leave the image."""
    starts = [
        min(max(round(place * side) - size // 2, 0), side - size)
        for place, side in zip(middle, image.shape[-2:], strict=True)
    ]
    rows, columns = (slice(start, start + size) for start in starts)
    return image[:, rows, columns]
