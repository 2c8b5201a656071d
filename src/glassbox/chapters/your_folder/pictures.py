"""A folder of pictures: its classes and counts, what is wrong with it, and how it is split."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from glassbox.chapters.your_folder.listing import counted, list_pictures, listed
from glassbox.data.augmentation import Augmentation, compose, random_flip, random_shift
from glassbox.data.batches import Batches
from glassbox.data.class_counts import class_counts
from glassbox.data.picture_files import PictureFiles
from glassbox.data.pixels import normalize
from glassbox.data.splits import stratified_split
from glassbox.training.distributed import from_all_processes, process_count, process_rank

_WIDER = 8 / 7  # side of what is decoded, of which a random square is seen; as 256 of 224


@dataclass(frozen=True)
class Folder:
    """Pictures with their classes, in the order of their names.

    Args:
        root: The folder that holds a folder for each class.
        classes: Their names, ``K``.
        names: Paths of the pictures from the root on, ``N``.
        targets: Class indices, ``int64 (N,)``.
        notes: Sentences on what was left out.
        stamp: A digest of the names and sizes of all pictures, also of those left out later.
    """

    root: Path
    classes: tuple[str, ...]
    names: tuple[str, ...]
    targets: Tensor
    notes: tuple[str, ...] = ()
    stamp: str = ""

    @property
    def counts(self) -> tuple[int, ...]:
        """Pictures of each class."""
        return class_counts(self.targets, len(self.classes))


def _class_folders(root: str | Path) -> list[str]:
    with os.scandir(root) as inside:
        return sorted(one.name for one in inside if one.is_dir() and not one.name.startswith("."))


def read_folder(root: Path, classes: Sequence[str] | None = None) -> Folder:
    """List the pictures of a folder that has a folder for each class; none is opened.

    Args:
        root: The folder.
        classes: Names of the classes that the network knows, where this is the folder to test on:
            it may lack some of them. The class folders themselves unless given.

    Raises:
        ValueError: If there is no such folder, it has fewer than two classes, one of them is empty,
            a file is in two, or one of a test is unknown.
    """
    if not root.is_dir():
        raise ValueError(f"data is {root}, expected a folder with a folder for each class")
    shown = _class_folders(root)
    if len(shown) < (1 if classes else 2):
        told, least = ", ".join(map(repr, shown)) or "none", "one" if classes else "two"
        raise ValueError(f"{root} has the class folders {told}, expected {least} or more")
    found = list_pictures(root, shown)
    targets = torch.tensor(found.targets).long()
    folder = Folder(root, tuple(shown), tuple(found.names), targets, found.notes(), found.stamp())
    if classes is not None:
        return _renumbered(folder, tuple(classes))
    check_none_empty(folder)
    return folder


def check_none_empty(folder: Folder) -> None:
    """Refuse a class without pictures: no loss could have a margin or a weight for it."""
    counts = zip(folder.classes, folder.counts, strict=True)
    empty = [name for name, count in counts if not count]
    if empty:
        raise ValueError(
            f"{folder.root} has no picture of {listed(empty)}, expected at least one in each "
            "class folder: fill or remove it"
        )


def _renumbered(folder: Folder, classes: tuple[str, ...]) -> Folder:
    """Give classes the numbers that the network knows: a missing one would shift all others."""
    counts = zip(folder.classes, folder.counts, strict=True)
    known = {name: classes.index(name) for name in folder.classes if name in classes}
    if unknown := [name for name, count in counts if count and name not in known]:
        raise ValueError(
            f"{folder.root} has the classes {listed(unknown)}, expected only those to train on: "
            f"{listed(classes)}"
        )
    if not folder.names:
        raise ValueError(f"{folder.root} has no pictures, expected some to test with")
    numbers = torch.tensor([known.get(name, -1) for name in folder.classes])
    return replace(folder, classes=classes, targets=numbers[folder.targets])


def decode(
    folder: Folder, side: int, *, unreadable: str = "refuse", **options: float | None
) -> tuple[Folder, PictureFiles]:
    """Decode all pictures once, each process its part, and leave those out that cannot be read.

    Args:
        folder: From :func:`read_folder`.
        side: Pixels a side.
        unreadable: ``"refuse"`` or ``"skip"``.
        **options: ``memory`` and ``threads`` of :class:`~glassbox.data.picture_files.PictureFiles`.

    Returns:
        The folder with what can be read, and its pictures.

    Raises:
        ValueError: If some cannot be read and are not to be skipped, or a class has no others; the
            message names them.
    """
    files = PictureFiles(folder.root, folder.names, side, **options)
    mine = torch.arange(process_rank(), len(files), process_count())
    bad = files.part(mine).unreadable() if len(mine) else {}
    bad = {name: reason for part in from_all_processes(bad) for name, reason in part.items()}
    if not bad:
        return folder, files
    told = [f"{name} ({reason})" for name, reason in sorted(bad.items())]
    count = counted(len(bad), "picture")
    sentence = f"{count} of {folder.root} cannot be read: {listed(told)}"
    if unreadable == "refuse":
        raise ValueError(f"{sentence}; mend or remove them, or leave them out: --unreadable skip")
    kept = torch.tensor([number for number, name in enumerate(folder.names) if name not in bad])
    if not len(kept):
        raise ValueError(f"{sentence}; expected some that can be")
    names = tuple(folder.names[number] for number in kept)
    notes = (*folder.notes, f"left out: {sentence}")
    return replace(folder, names=names, targets=folder.targets[kept], notes=notes), files.part(kept)


def split(targets: Tensor, fraction: float, *, seed: int) -> tuple[Tensor, Tensor]:
    """Split pictures into those to train on and those to validate on, by class.

    Of each class with two pictures or more at least one is in either part. That of a class with one
    is trained on, so that its accuracy is not known before the test.

    Args:
        targets: Class indices ``(N,)``.
        fraction: Of the second part, above 0 and at most 0.5.
        seed: Decides which.

    Returns:
        Ascending indices of both.

    Raises:
        ValueError: If no class has two pictures.
    """
    single = targets.bincount()[targets] == 1
    several = (~single).nonzero()[:, 0]
    if not len(several):
        raise ValueError("each class has one picture, expected two or more in one of them")
    train, validation = several, several[:0]
    if round((1 - fraction) * len(several)) < len(several):
        parts = stratified_split(targets[several], (1 - fraction, fraction), seed=seed)
        train, validation = (several[part] for part in parts)
    for label in targets[several].unique():
        if not (targets[validation] == label).any():
            moved = train[targets[train] == label][:1]
            train, validation = train[train != moved], torch.cat([validation, moved])
    train = torch.cat([train, single.nonzero()[:, 0]])
    return train.sort().values, validation.sort().values


def side_of(size: int) -> int:
    """Give the side of the square that is decoded, of which the network sees ``size`` pixels."""
    return round(size * _WIDER)


def training_view(size: int, mean: Sequence[float], std: Sequence[float]) -> Augmentation:
    """Make what is seen of a picture in training: a random square, mirrored or not, normalized.

    A shift by less than the margin, of which then the middle is cut out, is a random square.
    """
    margin = (side_of(size) - size) // 2
    return compose(random_flip(), random_shift(margin), fixed_view(size, mean, std))


def fixed_view(size: int, mean: Sequence[float], std: Sequence[float]) -> Augmentation:
    """Make what is seen of a picture else: the square in its middle, normalized."""

    def view(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        start = (images.shape[-1] - size) // 2
        middle = images[..., start : start + size, start : start + size]
        return normalize(middle, torch.tensor(mean), torch.tensor(std))

    return view


def in_order(files: PictureFiles, targets: Tensor, view: Augmentation) -> Batches:
    """Make batches to measure on, in the order of the names."""
    return Batches(files, targets, 64, shuffle=False, augment=view)
