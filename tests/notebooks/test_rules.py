"""Every stored chapter keeps the rules."""

import nbformat
import pytest
import rules
from chapters import BOOK, ROOT, canonical, chapters, listed, read

pytestmark = pytest.mark.notebook
each_chapter = pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
RULES = [
    rules.executed_in_order,
    rules.outputs_of_this_code,
    rules.clean_outputs,
    rules.alt_texts,
    rules.short_cells,
    rules.ignored_outputs_asserted,
    rules.exercises_solved,
]
REFRESH = "`make refresh` brings stored outputs up to date"


def test_the_chapters_on_disk_are_those_of_the_table_of_contents():
    on_disk = {path.relative_to(BOOK).with_suffix("").as_posix() for path in BOOK.rglob("*.ipynb")}
    assert on_disk == {path.relative_to(BOOK).with_suffix("").as_posix() for path in chapters()}


def test_every_page_of_the_table_of_contents_exists():
    assert [page for page in listed() if not list(ROOT.glob(f"{page}.*"))] == []


@each_chapter
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_chapter_keeps_the_rule(path, rule):
    assert list(rule(read(path))) == [], REFRESH


@each_chapter
def test_pictures_have_captions(path):
    if path.stem == "index":
        pytest.skip("the landing page opens with a picture, not with a numbered figure")
    assert list(rules.captions(read(path))) == []


@each_chapter
def test_chapter_is_canonical(path):
    stored = path.read_text("utf-8")
    assert stored == nbformat.writes(canonical(read(path))) + "\n", REFRESH


@each_chapter
def test_chapter_is_small(path):
    assert path.stat().st_size < 1_000_000
