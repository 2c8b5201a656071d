"""Execute chapters as a reader would and store their outputs: python tools/refresh.py [CHAPTER]."""

import sys
import time
from pathlib import Path

from alone import building
from chapters import (
    BOOK,
    ChapterError,
    chapters,
    formatted,
    keep_equal_pictures,
    read,
    write,
    write_text,
)
from execution import execute


def main() -> None:
    try:
        paths = [BOOK / f"{name}.ipynb" for name in sys.argv[1:]] or chapters()
        if missing := [path.name for path in paths if not path.exists()]:
            raise ChapterError(f"There is no {', '.join(missing)} in book/.")
        for path in paths:
            write_text(path, formatted(path.read_bytes(), path))
        for path in paths:
            _refresh(path)
    except ChapterError as error:
        sys.exit(f"{error}\n\nNothing more was stored.")


def _refresh(path: Path) -> None:
    start, stored = time.perf_counter(), path.read_bytes()
    print(f"  {path.stem}: executing", flush=True)
    fresh, _ = execute(path, "live")
    if path.read_bytes() != stored:
        raise ChapterError(f"{path.name} was edited while it ran: start again.")
    keep_equal_pictures(fresh, read(path))
    changed = "stored" if write(fresh, path) else "nothing changed"
    print(f"  {path.stem}: {changed} after {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    with building():
        main()
