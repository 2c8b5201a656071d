"""A data set in memory: images, labels and, where they are known, masks."""

from collections.abc import Sized
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbox.support.arguments import (
    as_tensor,
    check_shapes,
    check_tensors,
    has_values,
    reject_tensor,
)

Index = Tensor | np.ndarray | list[int] | list[bool] | slice


def selection(indices: Index, labels: Tensor) -> Tensor | slice:
    """Check what selects among labels ``(N,)``: indices, a mask, or nothing at all; else a slice.

    Raises:
        IndexError: If there is no such entry.
        ValueError: If these are no indices, or a mask of another length.
    """
    if isinstance(indices, slice):
        return indices
    indices = as_tensor(indices=indices)
    if indices.numel() == 0:
        return torch.zeros(0, dtype=torch.int64, device=labels.device)
    if indices.ndim != 1 or indices.is_floating_point():
        reject_tensor("indices", indices, "integers or bools in one dimension")
    if indices.dtype == torch.bool:
        check_shapes(labels=(labels, "N"), indices=(indices, "N"))
        return indices
    count = len(labels)
    if not (int(indices.min()) >= -count and int(indices.max()) < count):
        raise IndexError(
            f"indices is between {indices.min()} and {indices.max()}, expected below {count}"
        )
    return indices.to(torch.int64)  # as uint8 they would be a mask


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """Labelled images in memory.

    Args:
        name: What the data set is called.
        images: Bytes 0 to 255, ``uint8 (N, C, H, W)``.
        labels: Class of each image, ``int64 (N,)``, from 0 to ``K - 1``.
        class_names: The ``K`` classes, in the order of their labels.
        masks: The visible pixels of each image's object, ``bool (N, H, W)``, where known.

    Raises:
        ValueError: If shapes, types or labels do not fit together.
    """

    name: str
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    masks: Tensor | None = None

    def __post_init__(self) -> None:
        check_tensors(images=self.images, labels=self.labels)
        if not isinstance(self.class_names, Sized):
            raise TypeError(f"class_names is {self.class_names!r}, expected a tuple of names")
        if self.images.ndim != 4 or self.images.dtype != torch.uint8:
            reject_tensor("images", self.images, "uint8 (N, C, H, W)")
        count, _, height, width = self.images.shape
        if self.labels.shape != (count,) or self.labels.dtype != torch.int64:
            reject_tensor("labels", self.labels, f"int64 ({count},)")
        looked_at = count and has_values(self.labels)
        if looked_at and not 0 <= self.labels.min() <= self.labels.max() < self.num_classes:
            reject_tensor("labels", self.labels, f"values from 0 to {self.num_classes - 1}")
        if self.masks is not None:
            check_tensors(masks=self.masks)
        if self.masks is not None and (
            self.masks.shape != (count, height, width) or self.masks.dtype != torch.bool
        ):
            reject_tensor("masks", self.masks, f"bool ({count}, {height}, {width})")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, indices: Index) -> "Dataset":
        """Select by a tensor, array or list of indices, a boolean mask ``(N,)``, or a slice."""
        chosen = selection(indices, self.labels)
        masks = None if self.masks is None else self.masks[chosen]
        return Dataset(self.name, self.images[chosen], self.labels[chosen], self.class_names, masks)

    def __repr__(self) -> str:
        shape = " x ".join(str(length) for length in self.images.shape[1:])
        return f"Dataset({self.name}: {len(self):,} images {shape}, {self.num_classes} classes)"

    @property
    def num_classes(self) -> int:
        """Number of classes ``K``, present or not."""
        return len(self.class_names)

    @property
    def class_counts(self) -> Tensor:
        """Number of images of each class, ``int64 (K,)``."""
        return torch.bincount(self.labels, minlength=self.num_classes)
