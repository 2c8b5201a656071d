"""A random mixture of a batch, and its application to images and labels."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.support.arguments import (
    as_sizes,
    check_class_indices,
    check_floating_point,
    check_range,
    check_shapes,
    has_values,
    reject_tensor,
)


@dataclass(frozen=True)
class Mix:
    """How a batch is mixed: everything that was drawn.

    Args:
        partner: The image that each one is mixed with, indices ``(B,)``.
        fraction: The fraction of the image itself in the label, ``(B,)`` from 0 to 1; of a blended
            image also in each pixel.
        boxes: ``(B, 4)`` integers top, bottom, left, right: the pixels taken from the partner, ends
            not included; empty for images that are blended.
        blended: Bool ``(B,)``: which are blended, as by Mixup; the others get their box.

    Raises:
        ValueError: If the shapes do not fit together.
    """

    partner: Tensor
    fraction: Tensor
    boxes: Tensor
    blended: Tensor

    def __post_init__(self) -> None:
        check_shapes(
            partner=(self.partner, "B"),
            fraction=(self.fraction, "B"),
            boxes=(self.boxes, "B 4"),
            blended=(self.blended, "B"),
        )


def apply_mix(
    images: Tensor, labels: Tensor, mix: Mix, num_classes: int, label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Mix a batch; the input is not changed.

    Args:
        images: ``(B, C, H, W)``, floating point; any dtype if every image has a box.
        labels: Class indices ``(B,)``.
        mix: What was drawn.
        num_classes: Length of a soft label, above the largest label.
        label_smoothing: Part of each label that is spread over all classes, from 0 to 1.

    Returns:
        The mixed images, in the dtype and memory format of the images, and soft labels ``(B, K)``
        whose rows sum to 1.

    Raises:
        TypeError: If images to be blended are integers, or the labels are not class indices.
        ValueError: If shapes or numbers do not fit.
    """
    check_images(images)
    if not isinstance(mix, Mix):
        raise TypeError(f"mix is a {type(mix).__name__}, expected a Mix")
    check_shapes(images=(images, "B C H W"), labels=(labels, "B"), partner=(mix.partner, "B"))
    rows = smooth_labels(labels, num_classes, label_smoothing)
    if has_values(mix.fraction) and not ((mix.fraction >= 0) & (mix.fraction <= 1)).all():
        raise ValueError(f"fraction is {mix.fraction.tolist()}, expected 0 to 1")
    partner = mix.partner.to(images.device)
    others, inside = images[partner], _inside(mix.boxes.to(images.device), images)
    mixed = torch.where(inside, others, images)
    if mix.blended.any():  # where it was drawn, without waiting for a GPU
        check_floating_point(images=images)
        fraction = mix.fraction.to(images)[:, None, None, None]
        blend = images * fraction + others * (1 - fraction)
        blended = mix.blended.to(images.device)
        mixed = torch.where(blended[:, None, None, None], blend, mixed)
    if images.is_floating_point():
        rows = rows.to(torch.promote_types(images.dtype, torch.float32))
    fraction = mix.fraction.to(rows)[:, None]
    return mixed, rows * fraction + rows[partner.to(rows.device)] * (1 - fraction)


def check_images(images: Tensor) -> None:
    """Refuse what is no batch of images ``(B, C, H, W)``, or has no pixels."""
    check_shapes(images=(images, "B C H W"))
    if images.numel() == 0:
        reject_tensor("images", images, "non-empty (B, C, H, W)")


def smooth_labels(labels: Tensor, num_classes: int, label_smoothing: float = 0.0) -> Tensor:
    """Turn class indices into soft labels, with a part spread over all classes.

    Args:
        labels: Class indices ``(B,)``.
        num_classes: Length K of a soft label.
        label_smoothing: The part, from 0 to 1.

    Returns:
        ``(B, K)``: 1 - smoothing + smoothing / K for the class itself, smoothing / K for others.

    Raises:
        TypeError: If the labels are not class indices.
        ValueError: If a label or another number is out of range.

    Reference:
        Szegedy et al. (2016), "Rethinking the Inception Architecture for Computer Vision",
        https://arxiv.org/abs/1512.00567.
    """
    check_shapes(labels=(labels, "B"))
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise TypeError(f"labels has type {labels.dtype}, expected class indices")
    (num_classes,) = as_sizes(num_classes=num_classes)
    check_class_indices(num_classes, labels=labels)
    check_range(0, 1, label_smoothing=label_smoothing)
    label_smoothing = float(label_smoothing)
    rows = F.one_hot(labels.to(torch.int64), num_classes).to(torch.get_default_dtype())
    return rows * (1 - label_smoothing) + label_smoothing / num_classes


def _inside(boxes: Tensor, images: Tensor) -> Tensor:
    """Mark the pixels in each image's box, ``(B, 1, H, W)``."""
    top, bottom, left, right = boxes[:, :, None].unbind(1)
    rows = torch.arange(images.shape[2], device=images.device)
    columns = torch.arange(images.shape[3], device=images.device)
    tall = (rows >= top) & (rows < bottom)  # (B, H)
    wide = (columns >= left) & (columns < right)  # (B, W)
    return tall[:, None, :, None] & wide[:, None, None, :]
