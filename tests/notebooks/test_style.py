"""All code, including that of the chapters, is as `make lint` leaves it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("check", [["check"], ["format", "--check"]], ids=lambda check: check[0])
def test_ruff_has_nothing_to_say(check):
    command = [sys.executable, "-m", "ruff", *check, "."]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, f"{checked.stdout}\n`make lint` mends most of it."
