"""What the tests of code and those of chapters share: their order, their locks, and the book.

It is above both of their folders, so that a run of either has it.
"""

import random
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

import glassbox  # noqa: F401  (whoever imports torchvision after it needs do nothing more)

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / folder) for folder in ("tools", "tests", "tests/notebooks")]

import handover  # noqa: E402
from alone import alone, environment  # noqa: E402
from chapters import chapters  # noqa: E402

# How long an example takes is up to the machine, and what else it does.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def pytest_addoption(parser):
    text = "repeat the order of an earlier run: the seed in its header"
    parser.addoption("--order", type=int, default=random.randrange(10**6), help=text)


def pytest_configure(config):
    """Run alone where chapters are executed and kept; workers belong to the run of their master."""
    if hasattr(config, "workerinput"):
        config.option.order = config.workerinput["order"]
        return
    executes = any(getattr(config.option, name, False) for name in ("nbval", "nbval_lax"))
    lock = alone("tests") if executes else environment()
    try:
        lock.__enter__()
    except SystemExit as busy:
        pytest.exit(str(busy), returncode=1)
    config.add_cleanup(lambda: lock.__exit__(None, None, None))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Give each worker of pytest-xdist the order of its master."""
    node.workerinput["order"] = node.config.option.order


def pytest_report_header(config):
    return f"order of tests: {config.option.order} (again: --order={config.option.order})"


def pytest_collection_modifyitems(config, items):
    """Begin with the chapters, the longest first; then tests of code; at last those of pages.

    By the time that a page is opened, the chapters have long been executed, so that no worker waits
    for another one, and one worker alone does not wait for itself. One worker makes the book while
    others test pages that are not in it. Apart from that the order is random, so that no test leans
    on another one: of files, and of tests in a file.
    """
    cells = Counter(item.path for item in items)
    places = {"test_book.py": 2, "browser": 3, "test_pages.py": 4}
    draw = random.Random(config.option.order).random
    files = {path: draw() for path in cells}

    def place(item) -> tuple[int, float, float]:
        if item.path.suffix == ".ipynb":
            return 0, -cells[item.path], 0
        rank = places.get(item.path.name, places.get(item.path.parent.name, 1))
        return rank, files[item.path], draw()

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out tests file by file, but by page or callable where one file has very many."""
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrCase(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            apart = file.endswith(("/test_pages.py", "/test_hostile_input.py"))
            return file + nodeid.partition("[")[2] if apart else file

    return ByFileOrCase(config, log) if config.option.dist == "loadfile" else None


@pytest.fixture(scope="session")
def book(request) -> Path:
    """The folder of the rendered book, made from the sources as they are now.

    What nbval has executed in this run is rendered, and a chapter that failed is not. The first
    worker that asks makes the book, and the others wait for it.
    """
    run = handover.run_of(request.config)
    (ROOT / "_build").mkdir(exist_ok=True)
    made_by = ROOT / "_build" / "tested-by"
    with FileLock(made_by.with_suffix(".lock")):
        if not made_by.exists() or made_by.read_bytes() != run.encode():
            _make_book({item.path for item in request.session.items}, run)
            made_by.write_text(run)
    return ROOT / "_build" / "html"


def _make_book(tested: set[Path], run: str) -> None:
    if problems := handover.wait_for_chapters(tested & set(chapters()), run):
        pytest.fail(f"There is no book to open: {'; '.join(problems)}", pytrace=False)
    command = [sys.executable, "tools/book.py"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if made.returncode:
        pytest.fail(f"make book fails:\n{made.stdout}\n{made.stderr}", pytrace=False)


@pytest.fixture
def no_network(monkeypatch) -> list:
    """Refuse every connection, as a machine without a network does, and list what was asked for."""
    asked = []

    def refuse(*address, **options):
        asked.append(address)
        raise OSError("there is no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return asked
