"""Pictures that are there twice, byte for byte, so that a result flatters or a label is wrong."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from glassbox.chapters.your_folder.listing import counted, listed
from glassbox.chapters.your_folder.pictures import Folder


def copy_notes(train: Folder, test: Folder | None) -> Iterator[str]:
    """Say which pictures are in both folders, and which are in two classes of one.

    Only files of one size can be equal, so only these are read.
    """
    parts = [part for part in (train, test) if part]
    sizes = defaultdict(list)
    for number, part in enumerate(parts):
        for name, label in zip(part.names, part.targets.tolist(), strict=True):
            path = part.root / name
            sizes[os.path.getsize(path)].append((number, label, name, path))
    groups = defaultdict(list)
    for size, found in sizes.items():
        if len(found) > 1:
            for *told, path in found:
                groups[size, _digest(path)].append(told)
    for number, part in enumerate(parts):
        several = [_names(group, number) for group in groups.values() if _classes(group, number)]
        if several:
            yield _told(several, f"of {part.root} in two classes or more")
    if test:
        both = [
            _names(group, 1) for group in groups.values() if {0, 1} == {one[0] for one in group}
        ]
        if any(both):
            yield _told(both, f"of {test.root} also in {train.root}, so that the test flatters")


def _classes(group: Sequence[Sequence], number: int) -> bool:
    return len({label for part, label, _ in group if part == number}) > 1


def _names(group: Sequence[Sequence], number: int) -> list[str]:
    return [name for part, _, name in group if part == number]


def _told(groups: Sequence[Sequence[str]], what: str) -> str:
    names = sorted(name for group in groups for name in group)
    return f"{counted(len(names), 'picture')} {what}, byte for byte: {listed(names)}"


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
