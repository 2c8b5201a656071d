"""The environment is replaced as a whole, or not at all; a fake Python does as it is told."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "tools" / "environment.sh"
# Makes an environment of itself and a script, and has pip do what PIP says.
PYTHON = f"""#!/bin/sh
case "$1 $2" in
"-m venv")
    shift 3 # -m venv --prompt
    mkdir -p "$2/bin"
    cp "$0" "$2/bin/python"
    echo "#!$PWD/$2/bin/python" >"$2/bin/tool"
    echo "home = somewhere" >"$2/pyvenv.cfg" ;;
"-m pip")
    echo "$@" >>pip
    eval "$PIP" ;;
*)
    exec "{sys.executable}" "$@" ;;
esac
"""
OFFLINE = """echo "WARNING: Retrying" >&2
echo "ERROR: No matching distribution found for torch==2.13.0" >&2
exit 1"""
SLOW = "until [ -e go ]; do sleep 0.1; done"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "with a space"
    for name in ("requirements.txt", "requirements.lock", "pyproject.toml"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"{name}\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text(PYTHON)
    (tmp_path / "bin" / "python3").chmod(0o755)
    return folder


def start(folder: Path, pip: str = "true") -> subprocess.Popen:
    path = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    settings = {"PATH": path, "PIP": pip, "PYTHON": "", "PWD": str(folder)}
    return subprocess.Popen(
        ["sh", str(SCRIPT)],
        cwd=folder,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def make(folder: Path, pip: str = "true") -> tuple[int, str, str]:
    process = start(folder, pip)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def asked_of_pip(folder: Path) -> list[str]:
    return (folder / "pip").read_text().splitlines() if (folder / "pip").exists() else []


def until(condition) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError


@pytest.fixture
def old(folder):
    """An environment of yesterday, for requirements that have changed since."""
    assert make(folder)[0] == 0
    (folder / ".venv" / "of-yesterday").touch()
    (folder / "requirements.lock").write_text("others\n")
    (folder / "pip").unlink()
    return folder


def is_old(folder: Path) -> bool:
    return (folder / ".venv" / "of-yesterday").exists() and (folder / ".venv/bin/tool").exists()


def is_new(folder: Path) -> bool:
    ready = folder / ".venv" / "ready"
    return ready.exists() and (folder / "requirements.lock").read_text() in ready.read_text()


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.glob(".venv*")} - {".venv", ".venv.lock"}


def test_it_is_made_once_from_the_list_and_its_lock(folder):
    assert make(folder)[0] == 0 and is_new(folder)
    assert make(folder) == (0, "", "")
    (asked,) = asked_of_pip(folder)
    assert asked.endswith("--requirement requirements.txt --constraint requirements.lock")
    assert left_over(folder) == set()


def test_a_link_to_the_folder_leads_to_the_same_environment(folder):
    make(folder)
    link = folder.with_name("link")
    link.symlink_to(folder)
    assert make(link) == (0, "", "")


def test_scripts_name_the_place_where_they_are(folder):
    make(folder)
    assert (folder / ".venv/bin/tool").read_text() == f"#!{folder}/.venv/bin/python\n"


def test_other_pins_and_another_place_make_it_anew(old):
    assert make(old)[0] == 0 and is_new(old) and not is_old(old)
    moved = old.rename(old.with_name("moved"))
    make(moved)
    assert len(asked_of_pip(moved)) == 2
    assert (moved / ".venv/bin/tool").read_text() == f"#!{moved}/.venv/bin/python\n"


def test_what_cannot_be_had_is_named_in_a_line_and_the_old_one_is_kept(old):
    missing = "No matching distribution found for torch==2.13.0\n"
    status, _, said = make(old, OFFLINE)
    assert (status, said) == (1, f"Could not create the environment; .venv is unchanged: {missing}")
    assert is_old(old) and left_over(old) == set()
    shutil.rmtree(old / ".venv")
    assert make(old, OFFLINE)[::2] == (1, f"Could not create the environment: {missing}")


def test_a_link_is_refused_and_not_followed(old):
    elsewhere = (old / ".venv").rename(old.with_name("elsewhere"))
    (old / ".venv").symlink_to(elsewhere)
    status, _, said = make(old)
    assert status == 1 and said.startswith(f".venv is a link to {elsewhere}: remove it")
    assert (elsewhere / "of-yesterday").exists() and asked_of_pip(old) == []


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_who_is_stopped_leaves_the_old_one(old, kill):
    process = start(old, SLOW)
    until(lambda: asked_of_pip(old))
    os.killpg(process.pid, kill)
    assert process.wait(timeout=60) != 0
    assert is_old(old) and (kill == signal.SIGKILL or left_over(old) == set())
    assert make(old)[0] == 0 and is_new(old) and left_over(old) == set()


def test_stopped_between_the_two_moves_the_old_one_returns(old):
    (old / ".venv").rename(old / ".venv.old")
    assert make(old, OFFLINE)[0] == 1 and is_old(old) and left_over(old) == set()


def test_two_at_once_make_one(old):
    first = start(old, SLOW)
    until(lambda: asked_of_pip(old))
    second = start(old)
    assert second.stdout.readline().startswith("Another make is creating .venv: waiting")
    (old / "go").touch()
    assert (first.wait(timeout=60), second.wait(timeout=60)) == (0, 0)
    assert is_new(old) and len(asked_of_pip(old)) == 1
