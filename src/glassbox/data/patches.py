"""A task from photographs: which of them a small patch was cut from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from glassbox.data.dataset import Dataset
from glassbox.data.photos import photographs
from glassbox.data.train_test import TrainTest
from glassbox.support.arguments import as_whole, check_range

# Of red, green and blue: ITU-R BT.601.
_LUMA = (0.299, 0.587, 0.114)


def photo_patches(
    *names: str, size: int = 32, train_count: int = 200, test_count: int = 100, seed: int = 0
) -> TrainTest:
    """Cut patches out of photographs; which photograph a patch is from is its label.

    Patches to train on come from the left half of a photograph, patches to test with from the right
    half, so that no pixel is in both. Within a half they overlap.

    Args:
        names: Of the photographs, as for :func:`glassbox.data.photos.photographs`, and of the
            classes; all if none is given.
        size: Pixels a side.
        train_count: Patches of each class to train on.
        test_count: Patches of each class to test with.
        seed: Of the places, no two of which are the same.

    Returns:
        Patches ``(N, C, size, size)`` whose classes take turns: in color if all the photographs
        are, else all in gray.

    Raises:
        ValueError: If a name is unknown or given twice, or an argument is too large or below 1.
        ModuleNotFoundError: If a package is missing; the message says how to install it.
    """
    size, train_count, test_count = as_whole(
        1, size=size, train_count=train_count, test_count=test_count
    )
    (seed,) = as_whole(0, seed=seed)
    check_range(0, 2**63 - 1, seed=seed)
    photos = photographs(*names)
    if names and len(photos) != len(names):
        raise ValueError(f"names has {len(names)} names of {len(photos)}, expected each once")
    images = _in_one_mode([photo.image for photo in photos.values()])
    halves = {
        "train": [image[:, :, : image.shape[2] // 2] for image in images],
        "test": [image[:, :, image.shape[2] // 2 :] for image in images],
    }
    generator = torch.Generator().manual_seed(seed)
    parts = {}
    for part, count in (("train", train_count), ("test", test_count)):
        for name, half in zip(photos, halves[part], strict=True):
            _check_room(name, half, size, **{f"{part}_count": count})
        patches = torch.stack([_cut(half, size, count, generator) for half in halves[part]], dim=1)
        labels = torch.arange(len(photos), device="cpu").repeat(count)
        parts[part] = Dataset("photo_patches", patches.flatten(0, 1), labels, tuple(photos))
    return TrainTest(**parts)


def _in_one_mode(images: Sequence[Tensor]) -> list[Tensor]:
    """Give images as they are if all are in color, else as gray ones, ``(1, H, W)``."""
    if all(len(image) == 3 for image in images):
        return list(images)
    weights = torch.tensor(_LUMA, device="cpu").view(3, 1, 1)
    return [
        image if len(image) == 1 else (image * weights).sum(0, keepdim=True).round().to(torch.uint8)
        for image in images
    ]


def _check_room(name: str, half: Tensor, size: int, **counts: int) -> None:
    """Refuse a size or a number of patches that half a photograph has no room for."""
    _, height, width = half.shape
    if size > min(height, width):
        raise ValueError(f"size is {size}, expected at most {min(height, width)} for {name}")
    places = (height - size + 1) * (width - size + 1)
    for argument, count in counts.items():
        if count > places:
            raise ValueError(f"{argument} is {count}, expected at most {places} for {name}")


def _cut(half: Tensor, size: int, count: int, generator: torch.Generator) -> Tensor:
    """Cut patches ``(count, C, size, size)`` at different places."""
    windows = half.unfold(1, size, 1).unfold(2, size, 1)  # a view: (C, rows, columns, size, size)
    rows, columns = windows.shape[1:3]
    places = torch.randperm(rows * columns, generator=generator, device="cpu")[:count]
    return windows[:, places // columns, places % columns].transpose(0, 1)
