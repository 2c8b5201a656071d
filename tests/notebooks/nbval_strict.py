"""A pytest plugin that makes nbval strict where a reader would see a difference, and only there.

nbval compares text character by character and pictures not at all. With this plugin

- numbers may differ by 1 in 1,000, since other processors round differently;
- pictures are compared coarsely: a curve may move by a pixel, but not to another place. So the
  still of an explorable cannot go stale (its controls are in its text);
- warnings (stderr) are not compared, since they contain paths; a separate rule lets none be stored;
- a trailing ";" hides a value, as it does in a notebook (nbval #194);
- a cell tagged raises-exception has to raise, even where its outputs are not compared;
- a kernel runs as it does for a page, and of what it puts out only the players are not compared:
  they are for the page alone, to which what was executed is handed over.
"""

import base64
import io
import math
import re

import nbval.kernel as nbval_kernel
import nbval.plugin as nbval
import numpy as np
from chapters import PLAYER
from execution import PATIENCE, environment
from handover import Recorder, hand_over, run_of
from nbval.kernel import RunningKernel
from PIL import Image

RELATIVE, ABSOLUTE = 1e-3, 1e-6
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]*\w)")
PNG = "iVBORw0KGgo"  # how every PNG begins in base64
BLOCK = 8  # pixels; what moves less stays mostly inside its block
LARGEST_CHANGE = 24  # of 255, in the mean color of a block
CHANGED_BLOCKS = 0.002


class Output(str):
    """A stored or fresh output that equals another one if a reader sees no difference."""

    def __eq__(self, other):
        one, other = str(self), str(other)
        if one == other:
            return True
        if one.startswith(PNG) and other.startswith(PNG):
            return same_picture(one, other)
        return same_text(one, other)

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


def same_text(one: str, other: str) -> bool:
    """Compare words exactly, numbers by their value, and whitespace not at all.

    A number with a different count of digits shifts the columns of a printed tensor.
    """
    if _words(one) != _words(other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(
        math.isclose(float(a), float(b), rel_tol=RELATIVE, abs_tol=ABSOLUTE) for a, b in pairs
    )


def _words(text: str) -> str:
    return re.sub(r"\s+", "", NUMBER.sub("#", text))


def same_picture(one: str, other: str) -> bool:
    """Compare the mean colors of blocks; a few may differ, as where a curve crosses an edge."""
    a, b = _blocks(one), _blocks(other)
    if a.shape != b.shape:
        return False
    changed = np.abs(a - b).max(axis=-1) > LARGEST_CHANGE
    return changed.mean() <= CHANGED_BLOCKS


def _blocks(png: str) -> np.ndarray:
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    return np.asarray(picture.reduce(BLOCK)).astype(int)


def pytest_collectstart(collector):
    if isinstance(collector, nbval.IPyNbFile):
        compared = set(collector.skip_compare) - {"image/png"}
        collector.skip_compare = (*compared, "stderr", PLAYER)


def _sanitize(cell, text):
    return Output(text) if isinstance(text, str) else text


def _execute(kernel, source, allow_stdin=None):
    # The kernel heeds a trailing ";" only with history, which nbval turns off.
    request = kernel.kc.execute(source, allow_stdin=allow_stdin, stop_on_error=False)
    kernel.recorder.ask(request)
    return request


_start_kernel = nbval_kernel.start_new_kernel
_get_message = RunningKernel.get_message
_run, _setup, _teardown = nbval.IPyNbCell.runtest, nbval.IPyNbFile.setup, nbval.IPyNbFile.teardown


def _start_kernel_for_page(**options):
    return _start_kernel(env=environment("page"), **options | {"startup_timeout": PATIENCE})


def _hear_message(kernel, stream, timeout=None):
    message = _get_message(kernel, stream, timeout)
    if stream == "iopub" and kernel.recorder:
        kernel.recorder.hear(message)
    return message


def _runtest(cell):
    cell.output_timeout = PATIENCE
    with cell.parent.kernel.recorder.cell(cell.cell_num):
        _run(cell)
        raised = any(output.output_type == "error" for output in cell.test_outputs)
        if cell.options["check_exception"] and not raised:
            cell.raise_cell_error("This cell should raise and does not")


def _setup_recorded(notebook):
    _setup(notebook)
    notebook.kernel.recorder = Recorder(notebook.path, notebook.nb)


def _teardown_handed_over(notebook):
    kernel = notebook.kernel
    try:
        recorder, client = (kernel.recorder, kernel.kc) if kernel else (None, None)
        hand_over(notebook.path, recorder, client, run_of(notebook.config))
    finally:
        _teardown(notebook)


nbval.IPyNbCell.sanitize = _sanitize
nbval.IPyNbCell.runtest = _runtest
nbval.IPyNbFile.setup = _setup_recorded
nbval.IPyNbFile.teardown = _teardown_handed_over
nbval_kernel.start_new_kernel = _start_kernel_for_page
RunningKernel.recorder = None  # until it has started
RunningKernel.get_message = _hear_message
RunningKernel.execute_cell_input = _execute
