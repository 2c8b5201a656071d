"""A content security policy in each page: it loads only the book's files and runs its own scripts.

Inline scripts are listed by hash when the book is rendered, so that markup which is added to a page
later runs nothing, and nothing is asked of other servers. Only where a page's own script starts a
worker or assembles WebAssembly may it do so, and a worker only from what the script holds.
"""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

from sphinx.errors import ExtensionError

# A page that was opened as a file and the files beside it are not the same origin in all browsers.
OWN = "'self' file:"
POLICY = (
    "default-src 'none'; script-src {own} 'unsafe-hashes' {inline}{needs}; "
    "style-src {own} 'unsafe-inline'; img-src {own} data:; font-src {own} data:; connect-src 'self'; form-action {own}; "
    "base-uri 'none'"
)
# The policy holds for what comes after it, and the encoding has to come first.
ENCODING = re.compile(r'<meta charset="utf-8" ?/?>')
ELEMENT = '<meta http-equiv="Content-Security-Policy" content="{}">'
RUN = (None, "", "module", "text/javascript")
# What scripts contain that need more, and what they then get: a source of scripts, then a directive.
NEEDS = {"WebAssembly": " 'wasm-unsafe-eval'", "new Worker(": "; worker-src blob:"}


class _Inline(HTMLParser):
    """Finds what a page runs: scripts without a source, and handlers of events."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self._inside = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handlers += [code or "" for name, code in attrs if name.startswith("on")]
        given = dict(attrs)
        self._inside = tag == "script" and "src" not in given and given.get("type") in RUN
        if self._inside:
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def protected(pages: dict[str, str]) -> dict[str, str]:
    """Write into pages, given by their names, the policies of those that have none.

    A handler of one page is allowed in all: the search reads the others, to show what was found.

    Raises:
        ExtensionError: If there is no place for the policy of a page.
    """
    inline = {name: _Inline(page) for name, page in pages.items()}
    handlers = {_hash(code) for found in inline.values() for code in found.handlers}
    return {
        name: _with_policy(name, page, handlers, inline[name].scripts)
        for name, page in pages.items()
    }


def _with_policy(name: str, page: str, handlers: set[str], scripts: list[str]) -> str:
    if ELEMENT.partition(" content")[0] in page:
        return page
    hashes = sorted(handlers | {_hash(code) for code in scripts})
    needs = (get for sign, get in NEEDS.items() if any(sign in code for code in scripts))
    policy = POLICY.format(own=OWN, inline=" ".join(hashes), needs="".join(needs))
    element = ELEMENT.format(policy)
    made, count = ENCODING.subn(lambda encoding: f"{encoding[0]}\n    {element}", page, count=1)
    if not count:
        raise ExtensionError(f'{name} has no <meta charset="utf-8">, after which its policy goes')
    return made


def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def protect(app, exception: Exception | None) -> None:
    """Write the policies into the pages of a finished build: all but the theme's templates."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    names = (file.relative_to(folder) for file in sorted(folder.rglob("*.html")))
    pages = {str(n): (folder / n).read_text("utf-8") for n in names if n.parts[0] != "_static"}
    for name, page in protected(pages).items():
        if page != pages[name]:
            (folder / name).write_text(page, "utf-8")


def setup(app) -> dict:
    """Register what is done to the finished build."""
    app.connect("build-finished", protect)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
