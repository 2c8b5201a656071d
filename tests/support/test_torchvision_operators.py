"""The guard is tested in fresh processes, on both sides: operators missing, operators there.

They are forked from one that has imported torch and nothing else, since that takes seconds.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

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


# It runs each line that it gets, a folder for the path and code, in a child, and prints the status.
FORKS = """
import json, os, sys, traceback
import torch

assert not {"torchvision", "glassbox"} & set(sys.modules)
for line in sys.stdin:
    folder, code = json.loads(line)
    if not (child := os.fork()):
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT), number)
        sys.path.insert(0, folder)
        status = 0
        try:
            exec(code, {"__name__": "__main__"})
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def forks():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", FORKS], **pipes) as process:
        yield process


@pytest.fixture
def run(forks, tmp_path: Path):
    """Run code, with the test's folder at the beginning of the path."""

    def run(code: str) -> SimpleNamespace:
        forks.stdin.write(json.dumps([str(tmp_path), code]) + "\n")
        forks.stdin.flush()
        status = int(forks.stdout.readline())
        said, errors = ((tmp_path / name).read_text() for name in ("out", "err"))
        return SimpleNamespace(returncode=status, stdout=said, stderr=errors)

    return run


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(BROKEN_TORCHVISION)
    return tmp_path


def test_without_the_guard_a_torchvision_without_operators_does_not_import(broken: Path, run):
    result = run("import torchvision")
    assert result.returncode != 0
    assert "operator torchvision::nms does not exist" in result.stderr


def test_with_the_guard_it_imports_and_declaring_again_declares_nothing(broken: Path, run):
    result = run(
        "import glassbox.support.torchvision_operators as guard, torchvision, torch\n"
        "print(torch.ops.torchvision.nms.default._schema)\n"
        "print(guard.define_missing_operators())"
    )
    assert result.returncode == 0, result.stderr
    schema, again = result.stdout.splitlines()
    assert schema == ("torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    assert again == "()"


def test_an_unloadable_extension_counts_as_missing(broken: Path, run):
    (broken / "torchvision" / "_C.so").write_bytes(b"not a library")
    result = run("import glassbox.support.torchvision_operators, torchvision")
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_operators_that_load_keep_their_kernels(broken: Path, run):
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
        "print(guard.define_missing_operators(), torch.ops.torchvision.nms(x, x, 0.5).item())"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["()", "1.0"]


def test_a_missing_torchvision_is_left_missing(run):
    result = run(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'torchvision' else find(name)\n"
        "import glassbox.support.torchvision_operators as guard, torch\n"
        "print(guard.define_missing_operators(), hasattr(torch.ops.torchvision, 'nms'))"
    )
    assert result.stdout.split() == ["()", "False"], result.stderr


def test_the_installed_torchvision_works_after_the_guard(run):
    result = run(
        "import glassbox.support.torchvision_operators\n"
        "import torch, torchvision\n"
        "from torchvision.transforms import v2\n"
        "print(v2.functional.hflip(torch.tensor([[[1, 2]]])).tolist())\n"
        "print(torchvision.models.resnet18(num_classes=10)(torch.zeros(1, 3, 64, 64)).shape[1])"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["[[[2,", "1]]]", "10"]


def test_importing_the_package_is_enough_for_a_torchvision_without_operators(broken: Path, run):
    result = run("import glassbox\nimport torchvision, torch\ntorch.ops.torchvision.qnms.default")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("code", ["import glassbox", "from glassbox.plotting import Figure"])
def test_importing_the_package_is_enough_for_the_installed_torchvision(run, code):
    result = run(f"{code}\nfrom torchvision.ops import box_iou\nimport torchvision.models")
    assert result.returncode == 0, result.stderr


def test_importing_the_package_alone_imports_no_torch():
    code = "import sys, glassbox\nprint({'torch', 'torchvision'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr
