"""Who may work in this folder at one time: locks that last until their last process has ended."""

import contextlib
import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from chapters import ROOT

BUSY = "Another build is running here, or the tests are: wait until it has finished, or stop it."
MADE_ANEW = "The environment .venv is being made anew here: wait until it is ready."
# What whoever builds can mend: a full disk, what may not be written to, a file in a folder's place.
FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
IN_THE_WAY = (FileExistsError, IsADirectoryError, NotADirectoryError)


@contextlib.contextmanager
def building() -> Iterator[int | None]:
    """Be the only one who makes the book or changes chapters, while nobody tests them.

    Yields:
        The lock of builds, as :func:`alone` does.
    """
    with alone("tests"), alone("build") as lock:
        try:
            yield lock
        except OSError as error:
            if error.errno not in FULL + CLOSED and not isinstance(error, IN_THE_WAY):
                raise
            sys.exit(f"Stopped, and what was in progress does not count: {error}")


@contextlib.contextmanager
def alone(what: str) -> Iterator[int | None]:
    """Hold a lock of this folder, or end with a sentence where somebody else holds it.

    Yields:
        The lock's file descriptor, to be handed on (``pass_fds``) to a process that writes: if this
        one is killed, the lock lasts until that one has ended. None where a process that started
        this one holds the lock for it.
    """
    lock = ROOT / f".{what}.lock"  # not in _build, which `make clean` may remove under a build
    held = f"HOLDS_{what.upper()}_LOCK"
    outer = os.environ.get(held)
    if outer == str(lock):
        yield None
        return
    with environment(), _open(lock) as file:
        _lock(file, fcntl.LOCK_EX, BUSY)
        os.environ[held] = str(lock)
        try:
            yield file.fileno()
        except KeyboardInterrupt:
            print("\nStopped: what was in progress does not count.", file=sys.stderr, flush=True)
            os._exit(130)  # without waiting for chapters that run: kernels end with this process
        finally:  # whoever started this one may hold the same lock of another folder
            if outer is None:
                del os.environ[held]
            else:
                os.environ[held] = outer


@contextlib.contextmanager
def environment() -> Iterator[None]:
    """Have .venv stay as it is: tools/environment.sh waits until all who are in here have left."""
    if not os.access(ROOT, os.W_OK):  # then it cannot be replaced either
        yield
        return
    with _open(ROOT / ".venv.lock") as file:
        _lock(file, fcntl.LOCK_SH, MADE_ANEW)
        yield


def _open(lock: Path) -> IO[str]:
    try:
        return lock.open("a")
    except OSError as error:
        sys.exit(f"Nothing can be made in this folder: {error}")


def _lock(file: IO[str], kind: int, refusal: str) -> None:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(refusal)
