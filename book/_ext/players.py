"""The players in a page: frames become files, and styles and scripts appear once per page.

The package marks what it writes. An element with the attribute ``data-frames`` holds pictures, and
scripts that load later, as ``data:`` URLs; a style or a script with ``data-shared`` is the same for
all on a page that need it.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path

FOLDER = "_images/frames"
ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "text/javascript": "js"}
FRAME = re.compile(rf"data:({'|'.join(ENDINGS)});base64,([A-Za-z0-9+/=]+)")
FRAMES, SHARED = MARKS = ("data-frames", "data-shared")


class _Finder(HTMLParser):
    """Finds where marked elements begin and end; what is inside of one is not looked at."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.found: list[tuple[str, int, int]] = []
        self._body = body
        self._lines = [0, *accumulate(len(line) + 1 for line in body.split("\n"))]
        self._mark: str | None = None
        self.feed(body)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._mark:
            self._depth += tag == self._tag
            return
        names = {name for name, _ in attrs}
        self._mark = next((mark for mark in MARKS if mark in names), None)
        self._tag, self._start, self._depth = tag, self._position(), 1

    def handle_endtag(self, tag: str) -> None:
        if not self._mark or tag != self._tag:
            return
        self._depth -= 1
        if not self._depth:
            end = self._body.index(">", self._position()) + 1
            self.found.append((self._mark, self._start, end))
            self._mark = None

    def _position(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column


def marked(body: str) -> Iterator[tuple[str | None, str]]:
    """Cut a page into its marked elements, each with its mark, and what lies between them."""
    end = 0
    for mark, start, stop in _Finder(body).found:
        yield None, body[end:start]
        yield mark, body[start:stop]
        end = stop
    yield None, body[end:]


def rewrite(body: str, move: Callable[[re.Match], str]) -> str:
    """Replace pictures and later scripts by what ``move`` gives, and drop what is there twice."""
    parts, seen = [], set()
    for mark, part in marked(body):
        if mark == FRAMES:
            part = FRAME.sub(move, part)
        elif mark == SHARED:
            if part in seen:
                continue
            seen.add(part)
        parts.append(part)
    return "".join(parts)


def split(app, pagename, templatename, context, doctree) -> None:
    """Move the frames of a page's players into files, named by their content, beside the images."""
    body = context.get("body") or ""
    if not any(mark in body for mark in MARKS):
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)

    def moved(match: re.Match) -> str:
        data = base64.b64decode(match[2])
        # Short, since a page names hundreds of them.
        name = f"{hashlib.sha256(data).hexdigest()[:12]}.{ENDINGS[match[1]]}"
        (folder / name).write_bytes(data)
        return context["pathto"](f"{FOLDER}/{name}", 1)

    context["body"] = rewrite(body, moved)


def setup(app) -> dict:
    """Register what is done to each page before it is written."""
    app.connect("html-page-context", split, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
