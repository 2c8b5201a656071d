"""The state of a training in one file, whole or not at all."""

import copy
import os
import zipfile
from pathlib import Path
from pickle import PicklingError
from typing import Any

import numpy as np
import torch

from glassbox.support.arguments import as_path
from glassbox.support.files import replacing

_FORMAT = "glassbox checkpoint 1"


def save_checkpoint(path: str | os.PathLike[str], **parts: Any) -> None:
    """Write the parts of a training to one file.

    The file is written under a name of its own beside ``path`` and moved there when it is complete:
    whenever the process is killed, and however many of them write, ``path`` holds one whole
    checkpoint.

    Args:
        path: Where to write. A checkpoint there is replaced, any other file is not.
        **parts: State dicts, tensors, numbers, texts, and lists, tuples or dicts of these. Scalars
            of NumPy become numbers.

    Raises:
        FileExistsError: If ``path`` is a folder, or a file that is not a checkpoint, or a damaged
            one.
        OSError: If it cannot be written.
        TypeError: If a part holds objects that ``weights_only=True`` would refuse to load.
    """
    path = as_path(path=path)
    if path.is_file() and not _is_checkpoint(path):
        raise FileExistsError(f"path {path} is no readable checkpoint, and is left as it is")
    with replacing(path) as partial:
        with partial.open("wb") as file:  # given a path, torch.save would store its name
            try:
                torch.save({"format": _FORMAT, "parts": _without_scalars(parts)}, file)
            except (PicklingError, AttributeError, TypeError) as error:
                message = (
                    f"parts has {', '.join(parts)}, expected tensors and plain values: {error}"
                )
                raise TypeError(message) from error
        if unsafe := torch.serialization.get_unsafe_globals_in_checkpoint(partial):
            raise TypeError(f"parts hold {', '.join(unsafe)}, expected tensors and plain values")


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint and verify that it is complete.

    Returns:
        The parts by name, with all tensors on the CPU.

    Raises:
        OSError: If there is no such file, or it cannot be read.
        ValueError: If the file is damaged, or is not a checkpoint of this package.
    """
    path = as_path(path=path)
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch.load itself does not notice a flipped bit
        if damaged is not None:
            raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        if not _is_checkpoint(path):
            raise ValueError("it was not written by save_checkpoint")
        return torch.load(path, map_location="cpu", weights_only=True)["parts"]
    except OSError:
        raise
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"path {path} is damaged or no checkpoint: {error}") from error


def _without_scalars(value: Any) -> Any:
    """Replace scalars of NumPy, as a learning rate may be one, by what may be loaded safely."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        made = copy.copy(value)  # with its class, and what a state dict says of its version
        made.clear()
        for key, item in value.items():  # one by one, as a Counter would count what it is given
            made[_without_scalars(key)] = _without_scalars(item)
        return made
    return type(value)(map(_without_scalars, value)) if type(value) in (list, tuple) else value


def _is_checkpoint(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            return len(names) == 1 and _FORMAT.encode() in archive.read(names[0])
    except zipfile.BadZipFile:
        return False
