"""Which files of a folder are pictures of its classes, and which are left out."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torchvision.datasets.folder import IMG_EXTENSIONS

from glassbox.data.picture_files import printable

_SHOWN = 5  # names in a sentence
_NO_PICTURE, _OUTSIDE = "no pictures by their names", "in no class folder"
_NO_FILE, _AGAIN = "no regular files", "there already by another path"
# Why something is left out, and what it is.
_REASONS = {_NO_PICTURE: "file", _OUTSIDE: "picture", _NO_FILE: "picture", _AGAIN: "path"}


@dataclass
class Listing:
    """What lies in a folder that has a folder for each class.

    Args:
        root: The folder.
        names: Paths of the pictures from the root on, in the order of ``ImageFolder``.
        targets: Class indices of these.
        left_out: Paths that are not taken, by the reason.
    """

    root: Path
    names: list[str] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: {one: [] for one in _REASONS})

    def notes(self) -> tuple[str, ...]:
        """Say which files are not taken, since nothing else would."""
        return tuple(
            f"left out, as {reason}: {counted(len(names), _REASONS[reason])} of {self.root}, "
            f"{listed(names)}"
            for reason, names in self.left_out.items()
            if names
        )

    def stamp(self) -> str:
        """Give a digest of all names and sizes, which says whether these are the same pictures."""
        digest = hashlib.sha256()
        for name in self.names:
            place = self.root / name
            size = place.stat().st_size if place.exists() else -1  # a link to nothing
            digest.update(os.fsencode(name) + f"\0{size}\0".encode())
        return digest.hexdigest()


def list_pictures(root: Path, classes: Sequence[str]) -> Listing:
    """List the pictures of the class folders; none is opened.

    Links are followed, and each file is taken once: a link to a folder above multiplies nothing.

    Raises:
        ValueError: If a file is in two classes.
    """
    found = Listing(root)
    with os.scandir(root) as inside:
        files = sorted(one.name for one in inside if not one.is_dir())
    for name in files:
        picture = name.lower().endswith(IMG_EXTENSIONS)
        if picture or not name.startswith("."):
            found.left_out[_OUTSIDE if picture else _NO_PICTURE].append(name)
    taken: dict[str, int] = {}
    for label, name in enumerate(classes):
        for path in _files(found, name):
            _take(found, path, label, classes, taken)
    return found


def _files(found: Listing, name: str) -> Iterator[str]:
    """Give the paths of all files of a class, in the order of their names, no folder twice."""
    entered, paths = set(), []
    for place, folders, files in os.walk(found.root / name, followlinks=True):
        here, real = os.path.relpath(place, found.root), os.path.realpath(place)
        if real in entered:
            found.left_out[_AGAIN].append(here)
            folders[:] = []
            continue
        entered.add(real)
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        paths.append((here, sorted(files)))
    for here, files in sorted(paths):
        yield from (os.path.join(here, file) for file in files)


def _take(
    found: Listing, path: str, label: int, classes: Sequence[str], taken: dict[str, int]
) -> None:
    """Take a file, or note why not; ``taken`` has the class of each one by its real path."""
    place = found.root / path
    real = os.path.realpath(place)
    if not path.lower().endswith(IMG_EXTENSIONS):
        if not place.name.startswith("."):
            found.left_out[_NO_PICTURE].append(path)
    elif place.exists() and not place.is_file():  # to open a pipe is to wait without end
        found.left_out[_NO_FILE].append(path)
    elif real not in taken:
        taken[real] = label
        found.names.append(path)
        found.targets.append(label)
    elif taken[real] == label:
        found.left_out[_AGAIN].append(path)
    else:
        both = f"{printable(classes[taken[real]])!r} and {printable(classes[label])!r}"
        raise ValueError(
            f"{printable(str(place))} is in the classes {both} through a link, expected each "
            "picture in one class: remove the link"
        )


def counted(count: int, what: str) -> str:
    """Write a number of things, of which there may be one."""
    return f"{count} {what}{'s' * (count != 1)}"


def listed(names: Sequence[str]) -> str:
    """Write the first few of several names, and how many more there are."""
    shown = ", ".join(repr(printable(name)) for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
