"""The book's data sets as tensors in memory, and what is done to images before training."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Index = Tensor | list[int] | list[bool] | slice


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """Labelled images in memory.

    Args:
        name: what the data set is called.
        images: bytes 0 to 255, ``uint8 (N, C, H, W)``.
        labels: class of each image, ``int64 (N,)``, from 0 to ``K - 1``.
        class_names: the ``K`` classes, in the order of their labels.
        masks: the visible pixels of each image's object, ``bool (N, H, W)``, where known.

    Raises:
        ValueError: if shapes, types or labels do not fit together.
    """

    name: str
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    masks: Tensor | None = None

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != torch.uint8:
            _reject("images", self.images, "uint8 (N, C, H, W)")
        count, _, height, width = self.images.shape
        if self.labels.shape != (count,) or self.labels.dtype != torch.int64:
            _reject("labels", self.labels, f"int64 ({count},)")
        if count and not 0 <= self.labels.min() <= self.labels.max() < self.num_classes:
            _reject("labels", self.labels, f"values from 0 to {self.num_classes - 1}")
        if self.masks is not None and (
            self.masks.shape != (count, height, width) or self.masks.dtype != torch.bool
        ):
            _reject("masks", self.masks, f"bool ({count}, {height}, {width})")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, indices: Index) -> "Dataset":
        """Give the part of the data set that ``indices`` chooses, as a data set.

        Args:
            indices: a tensor or list of indices, a boolean mask ``(N,)``, or a slice.
        """
        if not isinstance(indices, Tensor | list | slice):
            raise TypeError(f"indices is {indices!r}; expected a tensor, a list or a slice")
        # An empty list would otherwise become a tensor of floats.
        chosen = torch.tensor([], dtype=torch.int64) if indices == [] else indices
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


def load(
    name: str, *, split: str | None = None, root: str | PathLike[str] | None = None, **options: Any
) -> Dataset:
    """Load a data set by name.

    ``"digits"`` (1,797 handwritten digits of 8 x 8 pixels, which ship with scikit-learn)
    and ``"scenes"`` (drawn on the spot) need neither a network nor a file.
    ``"mnist"``, ``"fashion_mnist"`` and ``"cifar10"`` are read from their official files,
    which are downloaded where they are missing; every file's checksum is verified.

    Args:
        name: ``"digits"``, ``"scenes"``, ``"mnist"``, ``"fashion_mnist"`` or ``"cifar10"``.
        split: ``None`` for the training part (of digits: the whole, which has no official
            split). Otherwise ``"train"`` or ``"test"``, and for CIFAR-10 also
            ``"holdout"`` (every tenth training image of each class) or ``"full_train"``
            (``"train"`` and ``"holdout"`` together).
        root: folder of the official files; by default the folder named by the environment
            variable ``GLASSBOX_DATA``, else a cache folder of the platform.
        options: for scenes, the arguments of :func:`glassbox.scenes.draw_scenes`.

    Returns:
        The data set, its images as bytes.

    Raises:
        ValueError: if the name, the split or an option is unknown.
        glassbox.downloads.DownloadError: if an official file is missing and cannot be had.
    """
    loaders: dict[str, Callable[..., Dataset]] = {
        "digits": _load_digits,
        "scenes": _load_scenes,
        "mnist": _load_official,
        "fashion_mnist": _load_official,
        "cifar10": _load_official,
    }
    if name not in loaders:
        near = difflib.get_close_matches(str(name).lower(), loaders, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(f"name is {name!r}; {hint}there are {', '.join(loaders)}")
    if options and name != "scenes":
        raise ValueError(f"{name} takes no options; got {', '.join(sorted(options))}")
    return loaders[name](name, split, root, **options)


def to_float(images: Tensor) -> Tensor:
    """Turn bytes into numbers from 0 to 1.

    Args:
        images: ``uint8``, any shape.

    Returns:
        ``float32`` of the same shape, equal to ``images / 255``.

    Raises:
        TypeError: if ``images`` are not bytes: scaled twice, they would all be near black.
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"images has type {images.dtype}; expected torch.uint8")
    return images.to(torch.float32).div_(255)


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and standard deviation of each channel.

    Take them from the training part alone; computed over all images they leak the test part.

    Args:
        images: ``(N, C, H, W)``, bytes (read as 0 to 1) or floating point.

    Returns:
        Mean and population standard deviation, each ``(C,)`` of ``float32``, or of the
        type of floating-point ``images``.

    Raises:
        ValueError: if ``images`` is empty or not four-dimensional.
    """
    if images.ndim != 4 or images.numel() == 0:
        _reject("images", images, "non-empty (N, C, H, W)")
    if images.dtype == torch.uint8:
        return _byte_statistics(images)
    dims = (0, 2, 3)
    std, mean = torch.std_mean(images.double(), dim=dims, correction=0)
    return mean.to(images.dtype), std.to(images.dtype)


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Shift and scale each channel: ``(images - mean) / std``.

    Args:
        images: ``(N, C, H, W)``, bytes (read as 0 to 1) or floating point.
        mean: one number a channel, ``(C,)``.
        std: one positive number a channel, ``(C,)``.

    Returns:
        Floating point of the same shape.

    Raises:
        ValueError: if the numbers of channels differ or ``std`` is not positive.
    """
    if images.ndim != 4 or not mean.shape == std.shape == images.shape[1:2]:
        raise ValueError(
            f"mean and std have shapes {tuple(mean.shape)} and {tuple(std.shape)}; expected one "
            f"number a channel of images {tuple(images.shape)}"
        )
    if not (std > 0).all():
        raise ValueError(f"std is {std.tolist()}; expected positive numbers")
    floats = to_float(images) if images.dtype == torch.uint8 else images
    shape = (1, -1, 1, 1)
    return (floats - mean.to(floats).view(shape)) / std.to(floats).view(shape)


def resize(images: Tensor, size: int) -> Tensor:
    """Resize images to a square, bilinear and antialiased.

    Args:
        images: ``(N, C, H, W)``, bytes or floating point.
        size: pixels a side of the result, at least 1.

    Returns:
        ``(N, C, size, size)`` of the type of ``images``.

    Raises:
        ValueError: if ``images`` is not four-dimensional or ``size`` is not positive.
    """
    if images.ndim != 4:
        _reject("images", images, "(N, C, H, W)")
    if size < 1:
        raise ValueError(f"size is {size}; expected at least 1")
    floats = images.float() if images.dtype == torch.uint8 else images
    resized = F.interpolate(
        floats, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )
    if images.dtype == torch.uint8:
        return resized.round_().clamp_(0, 255).to(torch.uint8)
    return resized


def _reject(argument: str, tensor: Tensor, expected: str) -> None:
    raise ValueError(
        f"{argument} has shape {tuple(tensor.shape)} and type {tensor.dtype}; expected {expected}"
    )


def _byte_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Count the 256 values a channel has: exact, and no float copy of the whole set."""
    values = torch.arange(256, dtype=torch.float64) / 255
    counts = [channel.flatten().int().bincount(minlength=256) for channel in images.unbind(1)]
    share = torch.stack(counts).double() / counts[0].sum()
    mean = (share * values).sum(1)
    variance = (share * (values - mean[:, None]) ** 2).sum(1)
    return mean.float(), variance.sqrt().float()


def _load_digits(name: str, split: str | None, root: object) -> Dataset:
    from sklearn.datasets import load_digits

    if split is not None:
        raise ValueError(
            f"split is {split!r}; digits has no official split, "
            "use glassbox.splits.stratified_split"
        )
    bunch = load_digits()
    # 17 grey levels: 0 to 16 becomes 0 to 255.
    images = torch.from_numpy(bunch.images).mul(255 / 16).round().to(torch.uint8)
    labels = torch.from_numpy(bunch.target).to(torch.int64)
    return Dataset(name, images[:, None], labels, tuple("0123456789"))


def _load_scenes(name: str, split: str | None, root: object, **options: Any) -> Dataset:
    from glassbox.scenes import draw_scenes

    return draw_scenes(split=split or "train", **options)


def _load_official(name: str, split: str | None, root: str | PathLike[str] | None) -> Dataset:
    from glassbox.releases import read_release

    return read_release(name, split or "train", root)
