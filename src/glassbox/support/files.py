"""Files that other processes may read or write: each is written as a whole or not at all."""

import glob
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

# A writer touches its file far more often. What has lain still for so long, a kill has left.
_ABANDONED_SECONDS = 3600


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a new empty file to write to, which becomes ``path`` when the block has succeeded.

    The new file lies in the same folder under a name that no other writer has. So readers of
    ``path``, even after a kill, find either the old content or the new. A file that
    is replaced keeps its mode, and a symbolic link goes on pointing to what is replaced. Hard
    links do not: their other names keep the old content. What a killed writer has left beside
    ``path`` is removed by the next one that comes an hour later.

    Raises:
        FileExistsError: If ``path`` is a folder or a device.
    """
    target = Path(os.path.realpath(path))
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        raise FileExistsError(f"path is {path}, a folder or a device, expected a file or nothing")
    _remove_abandoned(target)
    partial = target.with_name(f".{target.name}.{uuid4().hex}.partial")
    # It is never more public than what it replaces, and the owner can write to it.
    open_mode = 0o666 if mode is None else stat.S_IMODE(mode) | stat.S_IWUSR
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, open_mode))
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        if mode is not None:
            partial.chmod(stat.S_IMODE(mode))
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text as a whole or not at all, as :func:`replacing` does, in UTF-8."""
    with replacing(path) as partial:
        partial.write_text(text, "utf-8")


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the lock of a file, which does not have to exist; other processes wait for it.

    A file ``.NAME.lock`` stays beside it, as a lock that is removed could be held twice.
    """
    target = Path(os.path.realpath(path))
    with FileLock(target.with_name(f".{target.name}.lock")):
        yield


def _remove_abandoned(target: Path) -> None:
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.partial"):
        try:
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()
        except OSError:  # another writer has just removed it, or it is somebody else's
            continue
