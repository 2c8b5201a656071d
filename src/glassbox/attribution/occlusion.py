"""Occlusion: by how much a logit falls when a part of the image is covered."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.attribution.maps import as_filled
from glassbox.attribution.scores import as_classes
from glassbox.support.arguments import (
    as_whole,
    check_all_finite,
    check_modules,
    check_not_empty,
    check_range,
)
from glassbox.training.evaluation import predict


def occlusion(
    model: nn.Module,
    images: Tensor,
    classes: Any = None,
    *,
    side: int,
    stride: int | None = None,
    fill: Any = 0.0,
) -> Tensor:
    """Cover one square of the images after another, and note by how much the logit falls.

    Where squares overlap, a pixel has the mean of all that cover it. At the right and lower edges,
    where no whole square is left, it is cut off. The model runs in ``eval`` mode and is left as it
    was.

    Args:
        model: Maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        images: ``(B, C, H, W)``, floating point; taken in the type of the model.
        classes: A class index for each image ``(B,)``, or one for all; the predicted classes unless
            given.
        side: Of the square in pixels, at most that of the images.
        stride: Pixels from one square to the next, at most ``side``, which it is unless given.
        fill: What stands in the square; broadcast to the images.

    Returns:
        ``(B, H, W)``, in ``float32`` or wider; below 0 where covering raises the logit.

    Raises:
        TypeError: If ``model`` is no module, or the images are not floating point.
        ValueError: If shapes do not fit, ``side`` or ``stride`` is out of range, or something is
            not finite, be it a logit.

    Reference:
        Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional Networks",
        https://arxiv.org/abs/1311.2901.
    """
    check_modules(model=model)
    images, fill = as_filled(images, fill=fill)
    check_not_empty(images=images)
    (side,) = as_whole(1, side=side)
    check_range(1, min(images.shape[2:]), side=side)
    (stride,) = as_whole(1, stride=side if stride is None else stride)
    check_range(1, side, stride=stride)
    before = _finite_logits(model, images.clone())  # a first layer may work in place
    asked = as_classes(before, classes)[:, None]
    total = before.new_zeros(len(images), *images.shape[2:])
    covers = before.new_zeros(images.shape[2:])
    for rows in _windows(images.shape[2], side, stride):
        for columns in _windows(images.shape[3], side, stride):
            covered = images.clone()
            covered[:, :, rows, columns] = fill[:, :, rows, columns]
            falls = (before - _finite_logits(model, covered)).gather(1, asked)  # (B, 1)
            total[:, rows, columns] += falls[:, :, None]
            covers[rows, columns] += 1
    return total / covers


def _finite_logits(model: nn.Module, images: Tensor) -> Tensor:
    logits = predict(model, images)
    check_all_finite(**{"the logits that model gives": logits})
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _windows(length: int, side: int, stride: int) -> Iterator[slice]:
    for start in range(0, length - side + stride, stride):
        yield slice(start, min(start + side, length))
