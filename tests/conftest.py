"""What all tests share: the tools of the book on the path, and the book itself, made once."""

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))


def pytest_collection_modifyitems(items):
    """Begin with what takes longest: the book and all its pages, other pages, then the chapters."""
    order = {"test_pages.py": 0, "browser": 1, "book": 2}
    items.sort(key=lambda item: order.get(item.path.name, order.get(item.path.parent.name, 3)))


@pytest.fixture(scope="session")
def book(testrun_uid) -> Path:
    """The folder of the rendered book, made from the sources as they are now.

    The first worker that asks makes it, and the others wait for it.
    """
    (ROOT / "_build").mkdir(exist_ok=True)
    made_by = ROOT / "_build" / "tested-by"
    with FileLock(made_by.with_suffix(".lock")):
        if not made_by.exists() or made_by.read_text() != testrun_uid:
            command = [sys.executable, "tools/book.py"]
            made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if made.returncode:
                pytest.fail(f"make book fails:\n{made.stdout}\n{made.stderr}", pytrace=False)
            made_by.write_text(testrun_uid)
    return ROOT / "_build" / "html"
