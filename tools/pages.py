"""What is written into pages while the book is built: the list of modules, run times, versions."""

import ast
import csv
import hashlib
import os
import platform

import house
from chapters import ROOT

MODULE = """{marks} `{title}`

% {digest}

```{{eval-rst}}
.. automodule:: {name}
{options}```
"""


def fill(text: str, records: dict[str, dict]) -> str:
    """Replace the marks of a page: ``@modules@``, ``@run-times@``, ``@speeds@``, ``@versions@``."""
    for mark, made in (
        ("@modules@", module_list),
        ("@run-times@", lambda: run_times(records)),
        ("@speeds@", speeds),
        ("@versions@", lambda: versions(records)),
    ):
        if mark in text:
            text = text.replace(mark, made())
    return text


def modules() -> dict[str, str]:
    """List the public modules of the package, each with the first paragraph of its docstring."""
    found = {}
    for path in house.files():
        text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        found[house.module_name(path)] = text.split("\n\n")[0].replace("\n", " ").replace("``", "`")
    return found


def module_pages() -> dict[str, str]:
    """Write a page for each room, and for each chapter, from docstrings: file name to text.

    It introduces the room and describes its modules one below the other. What it says changes with
    the modules, so that it is parsed again.
    """
    pages: dict[str, str] = {}
    for file in house.files():
        name = house.module_name(file)
        page, digest = _page_of(name), hashlib.sha256(file.read_bytes()).hexdigest()
        title = name.removeprefix("glassbox.")
        marks, options = ("#", "") if page == name else ("##", "   :members:\n")
        text = MODULE.format(marks=marks, title=title, digest=digest, name=name, options=options)
        pages[f"api/{page}.md"] = pages.get(f"api/{page}.md", "") + "\n" + text
    return pages


def _page_of(name: str) -> str:
    """Name the room that a module is in, or the chapter; rooms come before their modules."""
    parts = name.split(".")
    alone = (
        len(parts) > 2
        and parts[1] == "chapters"
        and (house.PACKAGE / "chapters" / parts[2]).is_dir()
    )
    return ".".join(parts[: 3 if alone else 2])


def module_list() -> str:
    """Write a section for each room: what it is for, its modules, and what readers import."""
    texts = modules()
    return "\n\n".join(_room(room, texts) for room in house.ROOMS)


def _room(room: str, texts: dict[str, str]) -> str:
    name = f"glassbox.{room}"
    inside = {module: text for module, text in texts.items() if module.startswith(f"{name}.")}
    if room == "chapters":  # a chapter's own page tells of its modules
        inside = {module: text for module, text in inside.items() if module.count(".") == 2}
    rows = [f"| {{py:mod}}`{module}` | {text} |" for module, text in inside.items()]
    called = ", ".join(f"`{word}`" for word in sorted(house.listed(room), key=str.lower))
    reader = f"\n`from {name} import` {called}.\n" if called else ""
    lines = [f"## {{doc}}`{room} <api/{name}>`", "", texts[name], reader]
    return "\n".join([*lines, "| Module | What it is for |", "|---|---|", *rows])


def run_times(records: dict[str, dict]) -> str:
    """Write a table of how long each chapter ran."""
    lines = ["| Chapter | Code cells | Seconds | Slowest cell (s) |", "|---|---:|---:|---:|"]
    for page, record in records.items():
        times = f"{record['seconds']:.1f} | {record['slowest']:.1f}"
        lines.append(f"| {{doc}}`{page}` | {record['cells']} | {times} |")
    total = sum(record["seconds"] for record in records.values())
    lines.append(f"| Total | {sum(r['cells'] for r in records.values())} | {total:.1f} | |")
    return "\n".join(lines)


def speeds() -> str:
    """Write what ``benchmarks/comparisons.py`` measured as tables, with bars as long as times."""
    with (ROOT / "book" / "speeds.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row["what"], []).append(row)
    return "\n\n".join(_speeds_of(what, ways) for what, ways in groups.items())


def _speeds_of(what: str, ways: list[dict[str, str]]) -> str:
    longest = max(float(way["longest"]) for way in ways)
    lines = [f"| {what} | Times as fast | Seconds | Compared |", "|---|---:|---:|---|"]
    for way in ways:
        part = 100 * float(way["seconds"]) / longest
        bar = f'<span class="gbx-bar" style="width: {part:.0f}%"></span>'
        times = f"{way['seconds']} ({way['shortest']} to {way['longest']})"
        lines.append(f"| {way['way']} | {float(way['ratio']):.1f} | {times} | {bar} |")
    return "\n".join(lines)


def versions(records: dict[str, dict]) -> str:
    """Write a table of the versions that the chapters ran with."""
    found = next(iter(records.values()), {"versions": {}})["versions"]
    rows = {"system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"} | found
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| What | Version |", "|---|---|", *lines])
