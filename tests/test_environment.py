"""The environment is replaced as a whole, or not at all; a fake Python does as it is told."""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import alone
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
"--version ")
    echo "Python $(sed -n 's/^# version //p' "$0")" ;;
"-m pip")
    echo "$@" >>pip
    eval "$PIP" ;;
*)
    exec "{sys.executable}" "$@" ;;
esac
# version 3.12.3
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
    for name, text in (("python3", PYTHON), ("other", PYTHON.replace("3.12.3", "3.11.9"))):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return folder


def start(folder: Path, pip: str = "true", python: str = "") -> subprocess.Popen:
    path = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    settings = {"PATH": path, "PIP": pip, "PYTHON": python, "PWD": str(folder)}
    return subprocess.Popen(
        ["sh", str(SCRIPT)],
        cwd=folder,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A job in the background of a shell ignores Ctrl-C, and hands that on.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def make(folder: Path, pip: str = "true", python: str = "") -> tuple[int, str, str]:
    process = start(folder, pip, python)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def asked_of_pip(folder: Path) -> list[str]:
    return (folder / "pip").read_text().splitlines() if (folder / "pip").exists() else []


WAITING = "Another make, a build or tests use .venv: waiting for them to end.\n"


def until(condition) -> None:
    for _ in range(3000):
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


def test_another_version_that_is_asked_for_makes_it_anew_and_stays(folder):
    make(folder)
    assert make(folder, python="python3") == (0, ".venv has Python 3.12.3, as PYTHON has.\n", "")
    status, said, _ = make(folder, python="other")
    assert (status, said) == (0, "Creating .venv with Python 3.11.9: a few minutes, once.\n")
    assert make(folder) == (0, "", "") and len(asked_of_pip(folder)) == 2
    for no_python in ("nowhere/python3", "false"):
        status, _, said = make(folder, python=no_python)
        assert (status, said.split(",")[0]) == (1, f"PYTHON is {no_python}")
    assert make(folder) == (0, "", "")


def test_a_python_that_has_gone_or_has_other_packages_makes_it_anew(folder):
    make(folder)
    python = folder / ".venv" / "bin" / "python"
    for gone in ("#!/nowhere/python3\n", "#!/bin/sh\nexit 1\n"):
        python.write_text(gone)
        assert make(folder)[0] == 0 and python.read_text() == PYTHON
    assert len(asked_of_pip(folder)) == 3


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
    assert process.wait(timeout=300) != 0
    assert is_old(old) and (kill == signal.SIGKILL or left_over(old) == set())
    assert make(old)[0] == 0 and is_new(old) and left_over(old) == set()


def test_stopped_between_the_two_moves_the_old_one_returns(old):
    (old / ".venv").rename(old / ".venv.old")
    assert make(old, OFFLINE)[0] == 1 and is_old(old) and left_over(old) == set()


def test_two_at_once_make_one(old):
    first = start(old, SLOW)
    until(lambda: asked_of_pip(old))
    second = start(old)
    assert second.stdout.readline() == WAITING
    (old / "go").touch()
    assert (first.wait(timeout=300), second.wait(timeout=300)) == (0, 0)
    assert is_new(old) and len(asked_of_pip(old)) == 1


@pytest.fixture
def used(old, monkeypatch):
    """An old environment that is in use, and the end of that."""
    monkeypatch.setattr(alone, "ROOT", old)
    with contextlib.ExitStack() as use:
        use.enter_context(alone.alone("build"))
        use.enter_context(alone.environment())  # many can use it
        yield old, use.close


def test_it_is_not_replaced_while_it_is_used(used):
    folder, leave = used
    waiting = start(folder)
    assert waiting.stdout.readline() == WAITING
    assert is_old(folder) and asked_of_pip(folder) == []
    leave()
    assert waiting.wait(timeout=300) == 0 and is_new(folder)


def test_who_is_stopped_while_it_waits_says_nothing_more(used):
    folder, _ = used
    waiting = start(folder)
    assert waiting.stdout.readline() == WAITING
    os.killpg(waiting.pid, signal.SIGINT)
    assert waiting.communicate(timeout=300) == ("", "") and waiting.returncode != 0
    assert is_old(folder) and left_over(folder) == set()


def test_it_is_not_used_while_it_is_made_anew(old, monkeypatch):
    monkeypatch.setattr(alone, "ROOT", old)
    making = start(old, SLOW)
    until(lambda: asked_of_pip(old))
    for use in (alone.environment(), alone.alone("build")):
        with pytest.raises(SystemExit, match=r"\.venv is being made anew here: wait"), use:
            pass
    (old / "go").touch()
    assert making.wait(timeout=300) == 0
    with alone.environment():
        assert is_new(old)
