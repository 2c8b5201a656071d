"""Execute chapters as a reader would and store their outputs: python tools/refresh.py [CHAPTER]."""

import sys
import time

from alone import alone
from chapters import BOOK, chapters, format_code, keep_equal_pictures, read, write
from execution import ChapterError, execute


def main() -> None:
    paths = [BOOK / f"{name}.ipynb" for name in sys.argv[1:]] or chapters()
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        sys.exit(f"There is no {', '.join(missing)} in book/.")
    format_code(paths)
    for path in paths:
        start, stored = time.perf_counter(), path.read_bytes()
        print(f"  {path.stem}: executing", flush=True)
        try:
            fresh, _ = execute(path, "live")
        except ChapterError as error:
            sys.exit(f"{error}\n\nNothing was stored for this chapter.")
        if path.read_bytes() != stored:
            sys.exit(f"{path.name} was edited while it ran: start again. Nothing was stored.")
        keep_equal_pictures(fresh, read(path))
        changed = "stored" if write(fresh, path) else "nothing changed"
        print(f"  {path.stem}: {changed} after {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    with alone():
        main()
