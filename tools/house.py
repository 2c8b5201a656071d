"""Read the rooms of the package from its real imports, and draw them: python tools/house.py.

The drawing is in CONTRIBUTING.md. Each room may import only from those above it, so nothing appears
to the right of the diagonal.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chapters import ROOT, write_text

PACKAGE = ROOT / "src" / "glassbox"
# From the ground up.
ROOMS = (
    *("support", "data", "training", "plotting", "autograd", "optim", "losses", "mixing"),
    *("networks", "generation", "attribution", "explorables", "chapters"),
)
GUIDE = ROOT / "CONTRIBUTING.md"
DRAWING = re.compile(r"(?<=<!-- make house -->\n```text\n).*?(?=```)", re.S)


class Import(NamedTuple):
    """One name that a file imports from the package, with its line."""

    file: Path
    line: int
    module: str
    name: str

    def __str__(self) -> str:
        place = self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file
        return f"{place}:{self.line}: from {self.module} import {self.name}"


def module_name(file: Path) -> str:
    """Return the name of the module in a file, as in ``glassbox.data.splits``."""
    parts = ("glassbox", *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """Return the room of a module, or "" for the package itself."""
    return module.split(".")[1] if "." in module else ""


def imports(file: Path, source: str | None = None) -> Iterator[Import]:
    """Find what a file imports from the package, at the top or inside functions."""
    source = file.read_text("utf-8") if source is None else source
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "glassbox":
            for alias in node.names:
                yield Import(file, node.lineno, node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "glassbox":
                    yield Import(file, node.lineno, alias.name, "")


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def listed(room: str) -> dict[str, str]:
    """Read what a room offers its readers: each name, and the module that defines it."""
    stub = PACKAGE / room / "__init__.pyi"
    if not stub.exists():
        return {}
    lines = ast.parse(stub.read_text("utf-8")).body
    return {a.name: f"glassbox.{room}.{line.module}" for line in lines for a in line.names}


def drawing() -> str:
    """Draw the rooms one below another, each with a dot under every room it imports from."""
    used = {room: set() for room in ROOMS}
    for file in files():
        for found in imports(file):
            used.get(room_of(module_name(file)), set()).add(room_of(found.module))
    lines = [f"{'':12}  files  imports from"]
    for i, room in enumerate(ROOMS):
        count = len(list((PACKAGE / room).rglob("*.py")))
        left = "  ".join("●" if other in used[room] else "·" for other in ROOMS[:i])
        lines.append(f"{room:12}  {count:5}  {left}{'  ' * bool(i)}■")
    return "\n".join(lines) + "\n"


def drawn(guide: str) -> str:
    """Put the current drawing into the text of the guide."""
    return DRAWING.sub(lambda _: drawing(), guide)


if __name__ == "__main__":
    write_text(GUIDE, drawn(GUIDE.read_text("utf-8")))
    print(drawing(), end="")
