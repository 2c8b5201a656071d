"""The guard is tested in fresh processes, on both sides: operators missing, operators there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# What torchvision does on import: it describes an operator that its extension should hold.
BROKEN_TORCHVISION = """
import torch

for name in ("nms", "qnms"):
    torch.library.register_fake(f"torchvision::{name}")(lambda dets, scores, iou_threshold: dets)
"""

EXTENSION = r"""
int PyGILState_Ensure(void);
void PyGILState_Release(int);
int PyRun_SimpleString(const char *);

__attribute__((constructor)) static void define_operators(void) {
    int state = PyGILState_Ensure();
    PyRun_SimpleString(
        "import torch\n"
        "arguments = '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor'\n"
        "torch.library.test_library = library = torch.library.Library('torchvision', 'DEF')\n"
        "for name in ('nms', 'qnms'):\n"
        "    library.define(name + arguments)\n"
        "    library.impl(name, lambda dets, scores, iou_threshold: dets + 1, 'CPU')\n");
    PyGILState_Release(state);
}
"""


def run(code: str, *path: Path) -> subprocess.CompletedProcess:
    folders = [*map(str, path), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders))}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(BROKEN_TORCHVISION)
    return tmp_path


def test_without_the_guard_a_torchvision_without_operators_does_not_import(broken: Path):
    result = run("import torchvision", broken)
    assert result.returncode != 0
    assert "operator torchvision::nms does not exist" in result.stderr


def test_with_the_guard_it_imports_and_declaring_again_declares_nothing(broken: Path):
    result = run(
        "import glassbox.support.torchvision_operators as guard, torchvision, torch\n"
        "print(torch.ops.torchvision.nms.default._schema)\n"
        "print(guard.define_missing_operators())",
        broken,
    )
    assert result.returncode == 0, result.stderr
    schema, again = result.stdout.splitlines()
    assert schema == ("torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    assert again == "()"


def test_an_unloadable_extension_counts_as_missing(broken: Path):
    (broken / "torchvision" / "_C.so").write_bytes(b"not a library")
    result = run("import glassbox.support.torchvision_operators, torchvision", broken)
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_operators_that_load_keep_their_kernels(broken: Path):
    """Here torchvision's extension is a library that brings its operators when it is loaded."""
    source = broken / "extension.c"
    source.write_text(EXTENSION)
    flags = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    library = broken / "torchvision" / "_C.so"
    subprocess.run(["cc", "-shared", "-fPIC", *flags, "-o", library, source], check=True)
    result = run(
        "import glassbox.support.torchvision_operators as guard\n"
        "import torch, torchvision\n"
        "x = torch.zeros(1)\n"
        "print(guard.define_missing_operators(), torch.ops.torchvision.nms(x, x, 0.5).item())",
        broken,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["()", "1.0"]


def test_a_missing_torchvision_is_left_missing(tmp_path: Path):
    result = run(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'torchvision' else find(name)\n"
        "import glassbox.support.torchvision_operators as guard, torch\n"
        "print(guard.define_missing_operators(), hasattr(torch.ops.torchvision, 'nms'))"
    )
    assert result.stdout.split() == ["()", "False"], result.stderr


def test_the_installed_torchvision_works_after_the_guard():
    result = run(
        "import glassbox.support.torchvision_operators\n"
        "import torch, torchvision\n"
        "from torchvision.transforms import v2\n"
        "print(v2.functional.hflip(torch.tensor([[[1, 2]]])).tolist())\n"
        "print(torchvision.models.resnet18(num_classes=10)(torch.zeros(1, 3, 64, 64)).shape[1])"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["[[[2,", "1]]]", "10"]
