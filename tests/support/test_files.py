"""A file is written as a whole or not at all, and stays the kind of file that it was."""

import os
import stat
import sys
import threading

import pytest

from glassbox.support.files import locked, replacing, write_text

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links are those of POSIX")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a [1]*.txt"


def test_a_text_comes_back_and_nothing_else_is_left(path):
    for text in ("first: ä\n", "second"):
        write_text(path, text)
        assert path.read_text("utf-8") == text
        assert os.listdir(path.parent) == [path.name]


def test_until_the_block_has_ended_the_old_content_stays_and_an_error_keeps_it(path):
    write_text(path, "old")
    with pytest.raises(KeyError), replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old" and partial.parent == path.parent
        raise KeyError
    assert path.read_text() == "old" and os.listdir(path.parent) == [path.name]


def test_each_writer_has_a_name_of_its_own(path):
    with replacing(path) as first, replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
        assert first != second
    assert path.read_text() == "first"  # whose block ended last
    assert os.listdir(path.parent) == [path.name]


@posix
def test_the_mode_of_a_replaced_file_stays_and_a_new_one_has_the_usual(path):
    path.with_name("usual").write_text("")
    write_text(path, "")
    assert path.stat().st_mode == path.with_name("usual").stat().st_mode
    for mode in (0o600, 0o755, 0o444):
        path.chmod(mode)
        with replacing(path) as partial:
            assert not stat.S_IMODE(partial.stat().st_mode) & ~mode & ~stat.S_IWUSR
        assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_symbolic_link_stays_and_what_it_points_to_is_replaced(path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    path.symlink_to("elsewhere/target")
    for text in ("made", "replaced"):
        write_text(path, text)
        assert path.is_symlink() and target.read_text() == text
    assert os.listdir(target.parent) == ["target"]


@posix
def test_other_names_of_a_replaced_file_keep_the_old_content(path):
    write_text(path, "old")
    os.link(path, other := path.with_name("other"))
    write_text(path, "new")
    assert (path.read_text(), other.read_text()) == ("new", "old")


@posix
@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_a_folder_or_a_pipe_is_left_as_it_is(path, kind):
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    mode = path.stat().st_mode
    with pytest.raises(FileExistsError, match=r"path is .*, a folder or a device, expected a file"):
        write_text(path, "")
    assert path.stat().st_mode == mode and os.listdir(path.parent) == [path.name]


def test_what_a_killed_writer_left_is_removed_when_it_has_lain_for_an_hour(path):
    old, young, another = (
        path.with_name(f".{name}.partial") for name in (f"{path.name}.0", f"{path.name}.1", "a 1.0")
    )
    for left in (old, young, another):
        left.write_text("")
    for left in (old, another):
        os.utime(left, (0, 0))
    write_text(path, "")
    assert [left.exists() for left in (old, young, another)] == [False, True, True]


def test_a_lock_is_held_by_one_at_a_time(path):
    order = []

    def second():
        with locked(path):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(path):
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"] and not path.exists()
