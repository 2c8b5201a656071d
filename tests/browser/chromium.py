"""Where a Chromium is found on this machine, for tests and benchmarks."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Playwright

NAMES = (
    "chromium-headless-shell",  # has no windows to prepare: pages open faster
    *("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"),
)
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find_browser(playwright: Playwright) -> str | None:
    """Look where GLASSBOX_BROWSER says, on the path, on macOS, and among playwright's own."""
    named = os.environ.get("GLASSBOX_BROWSER")
    if named:
        return named
    places = [shutil.which(name) for name in NAMES] + [MAC, playwright.chromium.executable_path]
    return next((str(place) for place in places if place and Path(place).exists()), None)
