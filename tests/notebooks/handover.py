"""What nbval executes becomes the book's pages, too, so that each chapter is executed once.

nbval compares outputs and forgets them. A `Recorder` listens to the same kernel and puts the
notebook together as tools/execution.py does; when nbval is through with a chapter, it is kept where
`make book` looks, and a note says whether it passed. The tests of the page wait for these notes.
"""

import contextlib
import copy
import json
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

import pytest
from chapters import ChapterError, canonical, chapters, write_text
from execution import (
    LOADED,
    PATIENCE,
    discard,
    hashes,
    keep,
    kept,
    record_of,
    without_outputs,
)
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete

RUN = pytest.StashKey[str]()
SILENCE = 2 * PATIENCE  # seconds without a sign of life: of a kernel that starts, then of a cell


def run_of(config) -> str:
    """Name the run of pytest: all of its workers find the same name."""
    given = getattr(config, "workerinput", {}).get("testrunuid")
    return given or config.stash.setdefault(RUN, uuid.uuid4().hex)


class Recorder:
    """What the kernel of a chapter answers to nbval."""

    def __init__(self, path: Path, notebook):
        self.path, self.before = path, hashes()
        self.of_book = path in chapters()
        self.failed: list[str] = []
        # Without a kernel of its own: it only turns messages into outputs, as in a build.
        self.client = NotebookClient(without_outputs(copy.deepcopy(notebook)), record_timing=False)
        cells = enumerate(self.client.nb.cells)
        self.places = [place for place, cell in cells if cell.cell_type == "code"]
        self.place, self.request, self.start = 0, "", 0.0
        self.seconds: dict[int, float] = {}

    @contextlib.contextmanager
    def cell(self, number: int):
        """Note what happens now as the outputs of a code cell."""
        self.place = self.places[number]
        self.client.clear_before_next_output = False
        try:
            yield
        except BaseException:
            self.failed.append(f"cell {number}")
            raise

    def ask(self, request: str) -> None:
        """Listen to the answers to a request from now on."""
        self.request, self.start = request, time.perf_counter()
        if self.of_book:
            _note(self.path).parent.mkdir(parents=True, exist_ok=True)
            _note(self.path).touch()  # a sign of life for those who wait

    def hear(self, message: dict) -> None:
        """Take a message of the kernel."""
        if message["parent_header"].get("msg_id") != self.request:
            return
        try:
            self.client.process_message(message, self.client.nb.cells[self.place], self.place)
        except CellExecutionComplete:
            self.seconds[self.place] = time.perf_counter() - self.start

    @property
    def complete(self) -> bool:
        """Whether all cells ran, and passed."""
        return not self.failed and len(self.seconds) == len(self.places)

    def keep(self, kernel_client) -> None:
        """Keep what was executed, with its record, as a build does."""
        seconds, loaded = list(self.seconds.values()), _loaded(kernel_client)
        record = record_of(self.path, self.client.nb, seconds, loaded, self.before)
        keep(self.path, canonical(self.client.nb), record)


def _loaded(kernel_client) -> str:
    """Ask a kernel what it has loaded."""
    heard: list[dict] = []
    kernel_client.execute_interactive(
        LOADED, store_history=False, output_hook=heard.append, timeout=PATIENCE
    )
    return "".join(m["content"]["text"] for m in heard if m["msg_type"] == "stream")


def hand_over(path: Path, recorder: Recorder | None, kernel_client, run: str) -> None:
    """Keep the execution of a chapter that nbval is through with, and leave a note of how it went.

    Args:
        path: Any notebook; one that is not of the book is left alone.
        recorder: What it answered, or none if its kernel did not start.
        kernel_client: Of its kernel.
        run: The run of pytest.
    """
    if path not in chapters():
        return
    failed = recorder.failed if recorder else ["its kernel does not start"]
    problem = f"{path.name} fails under nbval: {', '.join(failed)}" if failed else ""
    if failed:
        discard(path)
    elif recorder.complete:
        try:
            recorder.keep(kernel_client)
        except (ChapterError, TimeoutError, ValueError) as error:  # also a kernel without an answer
            problem = f"{path.name} is not kept: {error}"
    write_text(_note(path), json.dumps({"run": run, "problem": problem}))


def _note(path: Path) -> Path:
    return kept(path, ".tested")


def wait_for_chapters(tested: Iterable[Path], run: str) -> list[str]:
    """Wait until nbval is through with notebooks, or one of them has failed.

    Those are executed first, so there is little to wait for, and with one worker nothing.

    Args:
        tested: The notebooks that this run of pytest tests.
        run: The run of pytest.

    Returns:
        A sentence for each that failed, or one about those of which nothing is heard any more, as
        when a worker died.
    """
    waiting = time.time()
    while True:
        problems = {path: _problem(path, run) for path in tested}
        if found := [problem for problem in problems.values() if problem]:
            return found
        missing = [path for path, problem in problems.items() if problem is None]
        if not missing:
            return []
        signs = [_note(path).stat().st_mtime for path in missing if _note(path).exists()]
        if time.time() - max([waiting, *signs]) > SILENCE:
            return [f"nothing is heard of {', '.join(path.name for path in missing)}"]
        time.sleep(0.2)


def _problem(path: Path, run: str) -> str | None:
    """Read what a chapter's note of this run says, or nothing as long as there is none."""
    try:
        note = json.loads(_note(path).read_text("utf-8"))
        return note["problem"] if note["run"] == run else None
    except (OSError, ValueError, LookupError, TypeError):  # absent, being written, or damaged
        return None
