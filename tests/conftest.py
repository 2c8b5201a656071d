"""What all tests share: the tools of the book on the path, and the book itself, made once."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the rendered book, made from the sources as they are now."""
    command = [sys.executable, "tools/book.py"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if made.returncode:
        pytest.fail(f"make book fails:\n{made.stdout}\n{made.stderr}", pytrace=False)
    return ROOT / "_build" / "html"
