import contextlib
import os
import pty
import re
import subprocess
import sys
import textwrap

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from glassbox.support import progress, progress_bar

LOOP = """
    import time
    from glassbox.support import progress_bar
    print("before")
    with progress_bar(4) as advance:
        for step in range(4):
            time.sleep(0.25)
            advance(f"step {step} <of> 4")
    print("after")
"""
LOOP = textwrap.dedent(LOOP)


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn, as share and text, once a second at most."""

    class Recorder(list):
        interval = 1.0

        def draw(self, fraction, text):
            self.append((fraction, text))

        def clear(self):
            self.append("cleared")

    recorder = Recorder()
    monkeypatch.setattr(progress, "_choose_display", lambda: recorder)
    return recorder


def test_the_time_left_is_that_of_the_steps_left(clock, drawn):
    with progress_bar(10) as advance:
        for clock.now in (30.0, 60.0):
            advance("text")
    assert drawn[:2] == [(0.1, "text   10%  4:30 left"), (0.2, "text   20%  4:00 left")]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00")]
)
def test_times_are_written_as_clocks_do(seconds, text):
    assert progress._clock(seconds) == text


def test_fast_steps_are_not_all_drawn(clock, drawn):
    with progress_bar(1000) as advance:
        for step in range(1000):
            clock.now = step / 100
            advance("text")
    assert len(drawn) == 9 + 1


def test_the_display_is_cleared_when_the_loop_raises(drawn):
    with pytest.raises(KeyError), progress_bar(3):
        raise KeyError
    assert drawn == ["cleared"]


def test_nothing_is_shown_where_nothing_is_wanted(clock, drawn):
    with progress_bar(3, show=False) as advance:
        clock.now = 5.0
        advance("text")
    assert drawn == []


def test_a_negative_total_is_an_error():
    with pytest.raises(ValueError, match="total is -1"), progress_bar(-1):
        pass


def test_a_short_loop_writes_nothing_into_a_pipe(tmp_path):
    run = subprocess.run([sys.executable, "-c", LOOP], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "before\nafter\n", "")


def test_a_long_loop_writes_plain_lines_into_a_pipe(capsys, clock):
    with progress_bar(10) as advance:
        for clock.now in (6.0, 12.0, 18.0, 24.0):
            advance("text")
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err == "text   20%  0:48 left\ntext   40%  0:36 left\n"


def read_all(terminal):
    """Read what was written; a terminal hands it out in parts, and its end is an error on Linux."""
    shown = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 4096):
            shown += part
    return shown.decode()


def test_a_terminal_has_a_bar_that_vanishes():
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", LOOP], stdout=subprocess.PIPE, stderr=theirs)
    output, _ = process.communicate()
    os.close(theirs)
    shown = read_all(ours)
    os.close(ours)
    assert output == b"before\nafter\n"
    assert "\n" not in shown
    assert re.search(r"\r\x1b\[K█{10}░{10} step 1 <of> 4   50%  0:0\d left", shown)
    assert shown.endswith("\r\x1b[K")


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(startup_timeout=300, kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def outputs_of(kernel, metadata):
    """Run the loop as a front end does, and collect what the kernel publishes."""
    content = {"code": LOOP, "silent": False, "store_history": True, "allow_stdin": False}
    message = kernel.session.msg("execute_request", content, metadata=metadata)
    kernel.shell_channel.send(message)
    published = []
    while True:
        reply = kernel.get_iopub_msg(timeout=300)
        if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        if reply["content"].get("execution_state") == "idle":
            return published
        if reply["msg_type"] not in ("status", "execute_input"):
            published.append((reply["msg_type"], reply["content"]))


def test_a_reader_sees_a_bar_that_ends_empty(kernel):
    published = outputs_of(kernel, {"cellId": "abc"})  # as JupyterLab and others send it
    assert {content["name"] for kind, content in published if kind == "stream"} == {"stdout"}
    shown = [content for kind, content in published if kind.endswith("display_data")]
    assert [kind for kind, _ in published if kind == "display_data"] == ["display_data"]
    assert len({content["transient"]["display_id"] for content in shown}) == 1
    bars = [content["data"].get("text/html", "") for content in shown]
    assert shown[0]["data"] == shown[-1]["data"] == {}
    assert '<progress value="0.500" aria-label="training"></progress>' in bars[2]
    assert "step 1 &lt;of&gt; 4   50%  0:0" in bars[2]


def test_an_executed_notebook_stores_no_trace_of_progress():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOOP)])
    NotebookClient(notebook, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    assert {(output.output_type, output.name) for output in outputs} == {("stream", "stdout")}
    assert "".join(output.text for output in outputs) == "before\nafter\n"
