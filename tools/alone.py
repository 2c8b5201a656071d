"""One build at a time: a lock that is held until the last process of a build has ended."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator

from chapters import ROOT

BUSY = "Another build is running here, or the tests are: wait until it has finished, or stop it."


@contextlib.contextmanager
def alone(what: str = "build") -> Iterator[int | None]:
    """Hold a lock of this folder, or end with a sentence where somebody else holds it.

    Yields:
        The lock's file descriptor, to be handed on (``pass_fds``) to a process that writes: if this
        one is killed, the lock lasts until that one has ended. None where a process that started
        this one holds the lock for it.
    """
    lock = ROOT / f".{what}.lock"  # not in _build, which `make clean` may remove under a build
    held = f"HOLDS_{what.upper()}_LOCK"
    if os.environ.get(held) == str(lock):
        yield None
        return
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(BUSY)
        os.environ[held] = str(lock)
        try:
            yield file.fileno()
        except KeyboardInterrupt:
            print("\nStopped: what was in progress does not count.", file=sys.stderr, flush=True)
            os._exit(130)  # without waiting for chapters that run: kernels end with this process
        finally:
            del os.environ[held]
