"""A progress bar with the time left, which leaves nothing behind."""

import html
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from glassbox.support.arguments import as_whole

Advance = Callable[[str], None]


class _Display(Protocol):
    interval: float  # seconds between two drawings

    def draw(self, fraction: float, text: str) -> None: ...

    def clear(self) -> None: ...


@contextmanager
def progress_bar(total: int, *, show: bool = True) -> Iterator[Advance]:
    """Show how far a loop has come and how long it will still take.

    In a terminal this is one line that vanishes at the end. In a notebook with a reader in front
    of it, it is a bar that is emptied at the end; a notebook executed by a program shows
    nothing, so that what it stores is free of progress. Elsewhere, such as in a log file, it is a
    line on stderr every ten seconds.

    Args:
        total: Number of steps of the loop, at least 0.
        show: Whether to show anything.

    Yields:
        A function to call after each step with a short text that says what was done.

    Raises:
        ValueError: If ``total`` is not an integer or negative.
    """
    (total,) = as_whole(0, total=total)
    display = _choose_display() if show else None
    if display is None:
        yield lambda text: None
        return
    try:
        yield _clocked(display, total)
    finally:
        display.clear()


def _clocked(display: _Display, total: int) -> Advance:
    started = drawn = time.monotonic()
    done = 0

    def advance(text: str) -> None:
        nonlocal done, drawn
        done += 1
        now = time.monotonic()
        if now - drawn >= display.interval:
            drawn = now
            left = (now - started) / done * (total - done)
            fraction = done / total
            display.draw(fraction, f"{text}  {fraction:4.0%}  {_clock(left)} left")

    return advance


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _choose_display() -> _Display | None:
    shell = _notebook_shell()
    if shell is not None:
        # Front ends with a reader say which cell they execute; programs say nothing.
        return _Notebook() if shell.get_parent().get("metadata") else None
    return _Terminal() if sys.stderr.isatty() else _Lines()


def _notebook_shell() -> Any | None:
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


class _Terminal:
    interval = 0.1
    width = 20

    def draw(self, fraction: float, text: str) -> None:
        full = int(fraction * self.width)
        bar = "█" * full + "░" * (self.width - full)
        print(f"\r\x1b[K{bar} {text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class _Lines:
    interval = 10.0

    def draw(self, fraction: float, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        pass


class _Notebook:
    interval = 0.2

    def __init__(self) -> None:
        from IPython.display import display

        # Empty data, here and at the end: nbval finds nothing to compare.
        self.handle = display({}, raw=True, display_id=True)

    def draw(self, fraction: float, text: str) -> None:
        bar = f'<progress value="{fraction:.3f}" aria-label="training"></progress>'
        self.handle.update({"text/html": f"{bar} {html.escape(text)}"}, raw=True)

    def clear(self) -> None:
        self.handle.update({}, raw=True)
