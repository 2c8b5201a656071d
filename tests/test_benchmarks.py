"""Benchmarks only time: they train no study and write no file."""

import ast

import pytest
from chapters import ROOT

FILES = sorted((ROOT / "benchmarks").glob("*.py"))
WRITERS = {"open", "write_text", "write_bytes", "writer", "mkdir", "dump", "RunTable", "save"}


def offenses(source):
    """Name what a program imports of the studies, and what it calls that writes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(
            (".study", ".studies")
        ):
            yield node.module
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in WRITERS:
                yield name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_benchmark_changes_no_file(file):
    assert list(offenses(file.read_text("utf-8"))) == []


def test_what_trains_or_writes_is_found():
    source = "from glassbox.chapters.gan.study import PARTS\nPath('x').write_text('y')\nopen('z')"
    assert list(offenses(source)) == ["glassbox.chapters.gan.study", "write_text", "open"]
