"""The workflows of the continuous integration do no more than they have to."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_zizmor_has_nothing_to_say():
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--no-progress", "--quiet", ".github"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


# Programs of a machine, which do nothing, but write down what they were asked.
FAKE = '#!/bin/sh\necho "$(basename "$0") $*" >>"$ASKED"\n'


@pytest.mark.parametrize(
    ("missing", "installed"),
    [
        ((), None),  # node may come from a package that conflicts with Debian's
        (("npm",), "npm"),
        (("node",), "nodejs"),
        (("node", "npm"), "nodejs npm"),
        (("chromium", "make"), "chromium-headless-shell make"),
    ],
)
def test_only_what_is_missing_is_installed(missing, installed, tmp_path):
    programs, asked = tmp_path / "bin", tmp_path / "asked"
    shutil.copytree(ROOT / ".ci", tmp_path / "book" / ".ci")
    programs.mkdir()
    for name in ("sh", "dirname", "basename", "env"):
        (programs / name).symlink_to(shutil.which(name))
    fakes = {"id": "#!/bin/sh\necho 0\n", "git": "#!/bin/sh\necho 7\n"}
    fakes |= dict.fromkeys(("apt-get", "chromium", "make", "node", "npm", "python3"), FAKE)
    for name in fakes.keys() - set(missing):
        (programs / name).write_text(fakes[name])
        (programs / name).chmod(0o755)
    settings = {"PATH": str(programs), "ASKED": str(asked)}
    ran = subprocess.run(
        [tmp_path / "book" / ".ci" / "run"], env=settings, capture_output=True, text=True
    )
    lines = asked.read_text().splitlines()
    options = "install -y -qq --no-install-recommends"
    expected = [] if installed is None else [f"apt-get {options} {installed}"]
    assert [line for line in lines if "install" in line] == expected
    if "make" not in missing:
        assert ran.returncode == 0 and lines[-1] == "make test ORDER=7", ran.stderr
