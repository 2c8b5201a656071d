"""The command line: python -m glassbox.chapters.your_folder --data DIR --out DIR."""

import sys
from collections.abc import Sequence

import torch

from glassbox.chapters.your_folder.options import parse
from glassbox.chapters.your_folder.run import run
from glassbox.data.downloads import DownloadError


def main(arguments: Sequence[str] | None = None) -> None:
    """Read a command line, that of this process unless given, and run it.

    Raises:
        SystemExit: With one sentence, if something does not fit, or after Ctrl-C.
    """
    options = parse(arguments)
    try:
        run(options)
    except KeyboardInterrupt:
        print("Stopped; the same command goes on.", file=sys.stderr)
        raise SystemExit(130) from None  # what a shell gives for Ctrl-C
    except (ValueError, OSError, FloatingPointError, ImportError, DownloadError) as error:
        raise SystemExit(f"Stopped: {error}") from error
    except torch.OutOfMemoryError as error:
        text = "the GPU has no memory left: take a smaller --batch-size, --size or --backbone"
        raise SystemExit(f"Stopped: {text}") from error


if __name__ == "__main__":
    main()
