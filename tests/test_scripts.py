"""The scripts of the pages: their unit tests, their form, and that the bundles are of today."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "glassbox"
BUNDLES = PACKAGE / "explorables" / "bundles"
INSTALLED = "node_modules/.package-lock.json"
SOURCES = [
    file
    for folder in ("explorables/js", "chapters")
    for file in sorted((PACKAGE / folder).rglob("*"))
    if file.suffix in (".js", ".css")
]


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def node():
    """Have node and the tools; without them tests are skipped, and on CI they fail."""
    missing = pytest.fail if os.environ.get("CI") else pytest.skip
    if not (shutil.which("node") and shutil.which("npm") and shutil.which("make")):
        missing("node, npm or make was not found (Debian: apt-get install nodejs npm make)")
    installed = run("make", INSTALLED)
    if installed.returncode:
        missing(f"npm could not install what package-lock.json names:\n{installed.stderr}")


def test_unit_tests_pass(node):
    tests = [str(file.relative_to(ROOT)) for file in sorted((ROOT / "tests/js").glob("*.test.js"))]
    tested = run("node", "--test", *tests)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert int(re.search(r"(?:#|ℹ) pass (\d+)", tested.stdout)[1]) > 50


def test_biome_has_nothing_to_say(node):
    checked = run("node_modules/.bin/biome", "check", "--error-on-warnings")
    assert checked.returncode == 0, f"{checked.stdout}{checked.stderr}\n`make lint` mends most."


def test_bundles_are_those_of_the_sources(node, tmp_path):
    made = run("node", "tools/bundle.mjs", str(tmp_path))
    assert made.returncode == 0, made.stderr
    now, kept = (
        {file.name: file.read_bytes() for file in folder.iterdir()}
        for folder in (tmp_path, BUNDLES)
    )
    stale = sorted(name for name in now | kept if now.get(name) != kept.get(name))
    assert not stale, f"run `make scripts` and commit: {stale}"


def test_no_bundle_ends_the_element_that_holds_it_or_asks_for_anything():
    for file in BUNDLES.iterdir():
        text = file.read_text("utf-8")
        assert not re.search(r"</(script|style)|<!--|https?:|url\(|@import|\bimport\b", text), file


def test_scripts_and_styles_name_no_color_of_figures():
    """Colors come from Python; a style names those of the interface alone, in one place."""
    named = {
        (file.name, color)
        for file in SOURCES
        for color in re.findall(r"""["'\s:(]#[0-9a-fA-F]{6}\b""", _code(file))
    }
    assert {name for name, _ in named} == {"player.css"} and len(named) <= 13


def test_every_color_that_a_style_asks_for_is_handed_in():
    python = "".join(file.read_text("utf-8") for file in PACKAGE.rglob("*.py"))
    asked = {name for file in SOURCES for name in re.findall(r"--gb-figure-([a-z]+)", _code(file))}
    assert {"paper", "ink"} <= asked
    assert [name for name in sorted(asked) if f'"{name}":' not in python] == []


def test_the_lock_file_names_no_place_to_install_from():
    lock = (ROOT / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock and '"integrity"' in lock


def _code(file: Path) -> str:
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read_text("utf-8"), flags=re.S)
