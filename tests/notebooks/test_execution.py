"""Chapters are executed again when, and only when, their outputs could have changed."""

import contextlib
import io
import json
import shutil

import chapters
import execution
import pytest
import refresh
from chapters import read, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import book

pytestmark = pytest.mark.notebook

CONTENTS = "format: jb-book\nroot: book/first\nchapters: {}\n"
FILES = {
    "_toc.yml": CONTENTS.format("[{file: book/second}, {file: book/times}]"),
    "requirements.txt": "torch\n",
    "requirements.lock": "torch\nsympy\n",
    "src/parts/__init__.py": "",
    "src/parts/used.py": "value = 'from the package'\n",
    "src/parts/unused.py": "value = 'of no interest'\n",
    "src/parts/data.csv": "first data",
    "tools/execution.py": "",
    "book/times.md": "@run-times@\n",
}
FIRST = "from parts.used import value\nprint(value, open('../src/parts/data.csv').read())"


class Book:
    """A book of two small chapters in a folder of its own, with the real tools."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        for module in (chapters, execution, book):
            monkeypatch.setattr(module, "ROOT", folder)
        for module in (chapters, execution, book):
            monkeypatch.setattr(module, "BOOK", folder / "book")
        monkeypatch.setattr(execution, "EXECUTED", folder / "_build" / "executed")
        for name, place in (("STAGE", "stage"), ("PUBLISHED", "html"), ("REPLACED", "html.old")):
            monkeypatch.setattr(book, name, folder / "_build" / place)
        monkeypatch.setenv("PYTHONPATH", str(folder / "src"))

    def write(self):
        for name, text in FILES.items():
            self.edit(name, text)
        self.chapter("first", FIRST)
        self.chapter("second", "print('alone')")

    def edit(self, name, text):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def chapter(self, name, code, prose="# Title"):
        cells = [new_markdown_cell(prose, id="prose"), new_code_cell(code, id="code")]
        write(new_notebook(cells=cells), self.folder / "book" / f"{name}.ipynb")

    def make(self):
        """Stage the pages and return the names of the chapters that were executed."""
        said, self.error = io.StringIO(), ""
        with contextlib.redirect_stdout(said):
            try:
                book.stage(execution.executed(chapters.chapters()))
            except execution.ChapterError as error:
                self.error = str(error)
        return [name for name in ("first", "second") if f"{name}: executing" in said.getvalue()]

    def page(self, name):
        return self.folder / "_build" / "stage" / "book" / name

    def printed(self, name):
        return read(self.page(f"{name}.ipynb")).cells[1].outputs[0].text


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """A book of which both chapters have been executed, and their names."""
    folder = tmp_path_factory.mktemp("a book")
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = Book(folder, monkeypatch)
        made.write()
        return folder, made.make()


@pytest.fixture
def made(first_run, tmp_path, monkeypatch):
    """A copy of it, in another place."""
    return Book(shutil.copytree(first_run[0], tmp_path / "with a space"), monkeypatch)


def test_all_is_executed_at_first_and_nothing_twice(first_run, made):
    assert first_run[1] == ["first", "second"]
    assert made.printed("first") == "from the package first data\n"
    assert made.make() == []


def test_prose_is_new_and_outputs_are_kept(made):
    stored = made.page("first.ipynb").read_text()
    made.chapter("first", FIRST, prose="# Another title")
    assert made.make() == []
    assert made.page("first.ipynb").read_text() == stored.replace("# Title", "# Another title")


def test_what_is_published_beside_a_page_is_what_it_was_made_from(made):
    chapter = made.folder / "book" / "first.ipynb"
    before = chapter.read_bytes()
    stored = book.stage(execution.executed(chapters.chapters()))
    chapter.write_bytes(before[:50])  # half saved while the pages are rendered
    html = made.folder / "_build" / "rendered"
    (html / "_sources" / "book").mkdir(parents=True)
    book.publish(html, stored)
    assert (book.PUBLISHED / "_sources" / "book" / "first.ipynb").read_bytes() == before


def test_what_is_not_touched_keeps_its_time(made):
    made.make()
    before = made.page("second.ipynb").stat().st_mtime_ns
    made.make()
    assert made.page("second.ipynb").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("name", "text", "again", "printed"),
    [
        (
            "src/parts/unused.py",
            "value = 'still of no interest'\n",
            [],
            "from the package first data",
        ),
        ("src/parts/used.py", "value = 'edited'\n", ["first"], "edited first data"),
        ("src/parts/data.csv", "other data", ["first", "second"], "from the package other data"),
        ("tools/execution.py", "# edited", ["first", "second"], "from the package first data"),
        ("requirements.txt", "numpy\n", ["first", "second"], "from the package first data"),
        ("requirements.lock", "numpy\n", ["first", "second"], "from the package first data"),
    ],
)
def test_an_edit_executes_what_depends_on_it(made, name, text, again, printed):
    made.edit(name, text)
    assert made.make() == again
    assert made.printed("first") == printed + "\n"


def test_other_code_and_other_settings_execute_again(made, monkeypatch):
    made.chapter("second", "print('edited')")
    assert made.make() == ["second"]
    assert made.printed("second") == "edited\n"
    monkeypatch.setenv("GLASSBOX_DATA", "elsewhere")
    assert made.make() == ["first", "second"]


def test_run_times_are_written_into_their_page(made):
    made.make()
    table = made.page("times.md").read_text()
    assert "{doc}`first` | 1 |" in table and "{doc}`second` | 1 |" in table


def test_a_failure_keeps_nothing_of_itself_and_all_of_the_others(made):
    made.chapter("first", "raise RuntimeError('on purpose')")
    made.chapter("second", "print('well')")
    staged = made.page("first.ipynb").read_text()
    assert made.make() == ["first", "second"]
    assert "first.ipynb: code cell 1 of 1 fails" in made.error and "on purpose" in made.error
    assert made.page("first.ipynb").read_text() == staged
    assert made.make() == ["first"]


def test_a_removed_chapter_leaves_nothing(made):
    made.chapter("first", FIRST)
    (made.folder / "book" / "second.ipynb").unlink()
    made.edit("_toc.yml", CONTENTS.format("[{file: book/times}]"))
    made.make()
    assert sorted(
        path.name for path in (made.folder / "_build" / "stage" / "book").glob("*.ipynb")
    ) == ["first.ipynb"]
    assert "second" not in made.page("times.md").read_text()


def test_whatever_changes_under_a_running_chapter_is_an_error(made):
    """Also where its time does not tell."""
    changed = ("src/parts/used.py", "src/parts/data.csv", "src/parts/new.css", "requirements.lock")
    write = f"for name in {changed}:\n    open('../' + name, 'a').write('# edited')"
    made.chapter("first", f"{FIRST}\nimport os\n{write}\n    os.utime('../' + name, (1, 1))")
    made.make()
    assert made.error == f"first.ipynb: {', '.join(sorted(changed))} changed while it ran: " + (
        "start again."
    )


def test_the_record_names_what_was_loaded(made):
    record = json.loads((made.folder / "_build" / "executed" / "first.json").read_text())
    assert record["files"] == ["src/parts/__init__.py", "src/parts/used.py"]


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
def test_what_a_reader_has_installed_in_the_folder_is_not_of_the_book(made, mark):
    made.edit(f"venv/{mark}", "")
    made.edit("venv/lib/python3/site-packages/theirs.py", "value = 1")
    made.edit("more/ours.py", "value = 1")
    assert "more/ours.py" in execution.hashes()
    assert not [name for name in execution.hashes() if name.startswith("venv")]
    loaded = [str(file) for file in made.folder.rglob("*.py") if file.stem in ("theirs", "ours")]
    assert len(loaded) == 2 and execution._ours(loaded) == ["more/ours.py"]
    assert made.make() == []


@pytest.mark.parametrize("content", ["", "{", "null", "[]", "{}", "\udcff"])
def test_a_chapter_that_is_no_notebook_is_named(made, monkeypatch, content):
    chapter = made.folder / "book" / "second.ipynb"
    chapter.write_bytes(content.encode(errors="surrogateescape"))
    assert made.make() == []
    assert made.error.startswith("second.ipynb is not a whole notebook: ")
    monkeypatch.setattr(refresh, "BOOK", made.folder / "book")
    monkeypatch.setattr("sys.argv", ["refresh.py", "second"])
    with pytest.raises(SystemExit, match=r"second\.ipynb (is not a whole|cannot be formatted)"):
        refresh.main()


@pytest.mark.parametrize("content", ["root: [", "", "- a list", "root: book/first\nparts: 1"])
def test_a_table_of_contents_that_is_none_is_named(made, monkeypatch, content):
    made.edit("_toc.yml", content)
    assert made.make() == [] and made.error.startswith("_toc.yml is not a table of contents: ")
    monkeypatch.setattr("sys.argv", ["refresh.py"])
    with pytest.raises(SystemExit, match=r"^_toc\.yml is not"):
        refresh.main()


def test_a_file_that_is_replaced_keeps_its_mode_and_the_links_to_it(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old")
    file.chmod(0o600)
    link.symlink_to(file)
    assert chapters.write_text(link, "new") and not chapters.write_text(link, "new")
    assert link.is_symlink() and file.read_text() == "new" and file.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"file", "link"}


def damages(content: bytes) -> list[bytes]:
    other = content.replace(b"0", b"1") if b"0" in content else content.replace(b"1", b"2")
    return [content[: len(content) // 2], b"", b"\xff", b"null", b"{}", b"[]", other]


@pytest.mark.parametrize("suffix", [".ipynb", ".json"])
def test_a_damaged_execution_is_not_believed(made, suffix):
    path = made.folder / "book" / "first.ipynb"
    kept = execution.kept(path, suffix)
    whole = kept.read_bytes()
    assert execution._valid(path, execution.hashes())
    for damaged in damages(whole):
        kept.write_bytes(damaged)
        assert execution._valid(path, execution.hashes()) is None, damaged
    assert made.make() == ["first"] and made.error == ""
    assert execution._valid(path, execution.hashes())


def test_a_book_that_was_being_replaced_returns(made):
    book.REPLACED.mkdir(parents=True)
    (book.REPLACED / "index.html").touch()
    book.recover()
    assert (book.PUBLISHED / "index.html").exists() and not book.REPLACED.exists()


def test_a_chapter_edited_while_it_is_refreshed_is_not_overwritten(made, monkeypatch):
    edit = "import pathlib\nfile = pathlib.Path('second.ipynb')"
    made.chapter("second", f"{edit}\nfile.write_text(file.read_text().replace('Title', 'Mine'))")
    monkeypatch.setattr(refresh, "BOOK", made.folder / "book")
    monkeypatch.setattr("sys.argv", ["refresh.py", "second"])
    with pytest.raises(SystemExit, match=r"second\.ipynb was edited while it ran"):
        refresh.main()
    assert read(made.folder / "book" / "second.ipynb").cells[0].source == "# Mine"
