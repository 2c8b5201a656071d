"""The package is a house: rooms import downwards, and each name has one home."""

import ast
import io
import re
import zipfile

import house
import pytest
from chapters import BOOK, ROOT, code_cells, read
from house import PACKAGE, ROOMS, Import, imports, listed, module_name, room_of

HERE = [found for file in house.files() for found in imports(file)]
OUTSIDE = [
    found
    for folder in ("tests", "benchmarks", "tools", "book/_ext")
    for file in sorted((ROOT / folder).rglob("*.py"))
    for found in imports(file)
]


def upward(found: Import) -> bool:
    """Say whether a module imports from a room after its own, or from another chapter."""
    mine, theirs = module_name(found.file), found.module
    if mine == "glassbox":  # outside of all rooms, it knows of the first alone
        return room_of(theirs) != ROOMS[0]
    if room_of(theirs) not in ROOMS:
        return theirs != "glassbox" or found.name in ROOMS[ROOMS.index(room_of(mine)) + 1 :]
    if room_of(mine) == room_of(theirs) == "chapters":
        return len(theirs.split(".")) > 3 and mine.split(".")[2] != theirs.split(".")[2]
    return ROOMS.index(room_of(theirs)) > ROOMS.index(room_of(mine))


def defined(file) -> set[str]:
    """Name what a module defines itself, at its top level."""
    names = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        for target in filter(None, targets):
            names |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return names


def path_of(module: str):
    stem = PACKAGE.parent / module.replace(".", "/")
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def test_every_room_is_in_the_list_and_says_what_it_is():
    found = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert found == set(ROOMS)
    for room in ROOMS:
        text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8")))
        assert text and len(text.splitlines()) <= 6, room


def test_imports_go_downwards():
    assert [str(found) for found in HERE if upward(found)] == []


@pytest.mark.parametrize(
    ("room", "line", "wrong"),
    [
        ("data/splits.py", "from glassbox.training.loop import fit", True),
        ("chapters/vae/figures.py", "from glassbox.chapters.gan.figures import show_ring", True),
        ("chapters/vae/figures.py", "from glassbox.chapters.vae.study import train_vae", False),
        ("chapters/vae/exercises.py", "from glassbox.chapters.checking import Case", False),
        ("optim/adam.py", "def f():\n    from glassbox.explorables import explore", True),
        ("optim/adam.py", "from glassbox import explorables", True),
        ("__init__.py", "def f():\n    from glassbox.data import load", True),
    ],
)
def test_an_import_upwards_is_found(room, line, wrong):
    (found,) = imports(PACKAGE / room, line)
    assert upward(found) == wrong


def test_inside_the_house_a_name_comes_from_the_module_that_defines_it():
    wrong = [
        str(found)
        for found in HERE
        if found.name
        and found.name not in defined(path_of(found.module))
        and not path_of(f"{found.module}.{found.name}").exists()
    ]
    assert wrong == []


def test_no_module_takes_what_is_private_to_another():
    private = [found for found in HERE if found.name.startswith("_")]
    assert [str(found) for found in private] == []


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_what_readers_call_is_defined_once_and_documented(room):
    for name, module in listed(room).items():
        assert name in defined(path_of(module)), f"{module} does not define {name}"
        assert [other for other in ROOMS if name in listed(other)] == [room], name


def test_readers_find_each_name_in_its_room():
    """Notebooks, tests and benchmarks import from the room what the room lists."""
    cells = (
        found
        for path in sorted(BOOK.glob("*.ipynb"))
        for cell in code_cells(read(path))
        for found in imports(path, "\n".join(_python(cell.source)))
    )
    wrong = [
        str(found)
        for found in (*OUTSIDE, *cells)
        if found.module.count(".") > 1
        and found.name in listed(room_of(found.module))
        and listed(room_of(found.module))[found.name] == found.module
    ]
    assert wrong == []


def _python(source: str) -> list[str]:
    return [line for line in source.splitlines() if not line.startswith(("%", "!"))]


def test_the_drawing_in_the_guide_is_that_of_now():
    text = house.GUIDE.read_text("utf-8")
    assert house.DRAWING.search(text), "CONTRIBUTING.md has no place for the drawing"
    assert house.drawn(text) == text, "run `make house`"


def test_what_the_house_reads_goes_into_the_wheel():
    """Every file beside the modules is package data; of scripts and styles the bundles alone."""
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    kinds = {path.suffix for path in PACKAGE.rglob("*.*")} - {".py", ".pyc", ".js", ".css"}
    covered = re.findall(r'"(?:\*\*/\*|py)(\.\w+)"', settings)
    assert kinds - set(covered) == set()
    assert '"explorables/bundles/*"' in settings


def test_the_wheel_stays_small():
    """Tables and weights that chapters read are in it; 5 MB is what a reader should wait for."""
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(PACKAGE.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                archive.write(path, path.relative_to(PACKAGE.parent))
    assert len(archive.namelist()) > 200
    assert wheel.tell() < 5_000_000
