"""Who may work in a folder at one time, and what is said where nobody can."""

import errno
import os

import alone
import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(alone, "ROOT", tmp_path)
    for name in ("HOLDS_TESTS_LOCK", "HOLDS_BUILD_LOCK"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_locks_are_held_for_those_that_a_holder_starts_and_given_back(folder):
    for _ in range(2):
        with alone.building() as lock:
            assert lock is not None and os.environ["HOLDS_TESTS_LOCK"] == f"{folder}/.tests.lock"
            with alone.building() as inherited:
                assert inherited is None
        assert "HOLDS_BUILD_LOCK" not in os.environ
    left = {path.name for path in folder.iterdir()}
    assert left == {".build.lock", ".tests.lock", ".venv.lock"}


def test_a_lock_of_another_folder_is_as_it_was_before(folder, monkeypatch):
    monkeypatch.setenv("HOLDS_TESTS_LOCK", "elsewhere/.tests.lock")
    with alone.building() as lock:
        assert lock is not None and os.environ["HOLDS_TESTS_LOCK"] == f"{folder}/.tests.lock"
    assert os.environ["HOLDS_TESTS_LOCK"] == "elsewhere/.tests.lock"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOTDIR])
def test_a_full_disk_and_a_folder_that_is_closed_end_with_a_sentence(folder, number):
    reason = rf"^Stopped, .* does not count: .*{os.strerror(number)}: 'some file'$"
    with pytest.raises(SystemExit, match=reason), alone.building():
        raise OSError(number, os.strerror(number), "some file")
    with pytest.raises(FileNotFoundError), alone.building():
        raise FileNotFoundError  # a mistake of the tools


def test_where_nothing_can_be_written_nothing_is_made_but_the_environment_stays(
    folder, monkeypatch
):
    monkeypatch.setattr(alone, "ROOT", folder / "nowhere")
    with alone.environment():
        assert list(folder.iterdir()) == []
    with (
        pytest.raises(SystemExit, match=r"^Nothing can be made in this"),
        alone.building(),
    ):
        pass
