"""Make the book: execute what needs it, assemble the pages, then render and publish them."""

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from alone import building
from chapters import (
    BOOK,
    PLAYER,
    ROOT,
    ChapterError,
    chapters,
    code_cells,
    code_hash,
    parse,
    write_text,
)
from execution import executed
from nbformat import NotebookNode
from pages import fill, module_pages

STAGE = ROOT / "_build" / "stage"
RENDERING = ROOT / "_build" / "rendering"
PUBLISHED = ROOT / "_build" / "html"
REPLACED = ROOT / "_build" / "html.old"
# A change in one of these can change every page.
MACHINERY = (
    *("_config.yml", "_toc.yml", "requirements.txt", "requirements.lock"),
    *("book/_ext", "book/_templates", "tools"),
)


def merge(prose: NotebookNode, outputs: NotebookNode) -> NotebookNode:
    """Copy the outputs of an execution into the cells of its chapter."""
    if code_hash(prose) != code_hash(outputs):
        raise ChapterError("A chapter was edited while it ran: make the book again.")
    pairs = zip(code_cells(prose), code_cells(outputs), strict=True)
    for mine, theirs in pairs:
        mine.outputs = [_for_page(output) for output in theirs.outputs]
        mine.execution_count = theirs.execution_count
    return prose


def _for_page(output: NotebookNode) -> NotebookNode:
    """Put what a page shows in the place of what is stored: a player, or a figure's pictures."""
    data = output.get("data", {})
    if PLAYER in data:
        output.data = {"text/plain": data["text/plain"], "text/html": data[PLAYER]}
        output.metadata = {}
    return output


def stage(runs: dict[Path, tuple[NotebookNode, dict]]) -> dict[Path, bytes]:
    """Update the folder that is rendered: the pages with their current outputs, and no others.

    Files that do not change are left alone, so that only changed pages are parsed again.

    Returns:
        Each chapter as it is stored, read once, so that what is published beside a page is what
        the page was made from.
    """
    pages, kept, stored = STAGE / "book", set(), {}
    records = {path.stem: record for path, (_, record) in runs.items()}
    for source in sorted(BOOK.rglob("*")):
        inside = source.relative_to(BOOK)
        if source.is_dir() or any(part.startswith((".", "__")) for part in inside.parts):
            continue
        target = pages / inside
        kept.add(target)
        if source in runs:
            stored[source] = source.read_bytes()
            chapter = parse(stored[source], source)
            write_text(target, nbformat.writes(merge(chapter, runs[source][0])))
        elif source.suffix == ".md":
            write_text(target, fill(source.read_text("utf-8"), records))
        elif not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for name, text in module_pages().items():
        write_text(pages / name, text)
        kept.add(pages / name)
    for target in STAGE.rglob("*"):
        if target.is_file() and target not in kept:
            target.unlink()
    return stored


def render(lock: int | None) -> Path:
    """Run Jupyter Book on the staged pages. Every page is written anew, and warnings are errors.

    A page that was parsed is not parsed again, so its warnings do not appear again. Therefore what
    was parsed is used only if the rendering that parsed it succeeded, and is still as it was.
    """
    html, parsed = RENDERING / "_build" / "html", RENDERING / "_build" / ".doctrees"
    machinery = _digest(*(ROOT / name for name in MACHINERY))
    succeeded = RENDERING / "succeeded"
    if not succeeded.exists() or succeeded.read_bytes() != _state(machinery, parsed):
        _remove(RENDERING)
    succeeded.unlink(missing_ok=True)
    _remove(html)
    options = ["-W", "-n", "--keep-going", "--quiet", "--path-output", str(RENDERING)]
    files = ["--config", str(ROOT / "_config.yml"), "--toc", str(ROOT / "_toc.yml")]
    command = [sys.executable, "tools/render.py", "build", str(STAGE), *options, *files]
    # Its standard output names the folder it works in, not the published one.
    quiet, held = subprocess.DEVNULL, [] if lock is None else [lock]
    if subprocess.run(command, cwd=ROOT, stdout=quiet, pass_fds=held).returncode:
        sys.exit("Rendering failed: see the warnings above. The published book was not changed.")
    write_text(succeeded, _state(machinery, parsed).decode())
    return html


def _state(machinery: str, parsed: Path) -> bytes:
    return f"{machinery} {_digest(parsed)}".encode()


def _digest(*places: Path) -> str:
    """Hash files, and all that is in folders."""
    found = {file for place in places for file in [place, *place.rglob("*")] if file.is_file()}
    digest = hashlib.sha256()
    for file in sorted(file for file in found if file.suffix != ".pyc"):
        digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _remove(place: Path) -> None:
    """Remove a folder, or what is in its place."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def publish(html: Path, stored: dict[Path, bytes]) -> None:
    """Replace the published folder with the rendered one, as a whole.

    The notebook that readers download is the chapter as stored, with widgets for a kernel.
    """
    for path, content in stored.items():
        (html / "_sources" / path.relative_to(ROOT)).write_bytes(content)
    _remove(REPLACED)
    if PUBLISHED.exists():
        PUBLISHED.rename(REPLACED)
    html.rename(PUBLISHED)
    _remove(REPLACED)


def recover() -> None:
    """Bring back the published folder where a build was stopped just when it replaced it."""
    if REPLACED.exists() and not PUBLISHED.exists():
        REPLACED.rename(PUBLISHED)


def make(lock: int | None) -> None:
    start = time.perf_counter()
    recover()
    try:
        runs = executed(chapters())
        stored = stage(runs)
    except ChapterError as error:
        sys.exit(f"{error}\n\nNo book was made.")
    print("rendering", flush=True)
    publish(render(lock), stored)
    print(f"The book was made in {time.perf_counter() - start:.1f} s.")


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with building() as lock:
        make(lock)


if __name__ == "__main__":
    main()
