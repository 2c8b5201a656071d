"""What is written into pages while the book is built: the list of modules, run times, versions."""

import ast
import os
import platform

import house

MODULE = """# `{name}`

```{{eval-rst}}
.. automodule:: {name}
{options}```
"""


def fill(text: str, records: dict[str, dict]) -> str:
    """Replace the marks of a page: ``@modules@``, ``@run-times@`` and ``@versions@``."""
    for mark, made in (
        ("@modules@", module_list),
        ("@run-times@", lambda: run_times(records)),
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
    """Write a page for each module from its docstrings: a dict from file name to text.

    The page of a room introduces it; what it lists is described where it is defined.
    """
    rooms = {f"glassbox.{room}" for room in house.ROOMS} | {"glassbox"}
    return {
        f"api/{name}.md": MODULE.format(
            name=name, options="" if name in rooms else "   :members:\n"
        )
        for name in modules()
    }


def module_list() -> str:
    """Write a section for each room: what it is for, its modules, and what readers import."""
    texts = modules()
    return "\n\n".join(_room(room, texts) for room in house.ROOMS)


def _room(room: str, texts: dict[str, str]) -> str:
    name = f"glassbox.{room}"
    inside = {module: text for module, text in texts.items() if module.startswith(f"{name}.")}
    rows = [f"| {{doc}}`{module} <api/{module}>` | {text} |" for module, text in inside.items()]
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


def versions(records: dict[str, dict]) -> str:
    """Write a table of the versions that the chapters ran with."""
    found = next(iter(records.values()), {"versions": {}})["versions"]
    rows = {"system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"} | found
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| What | Version |", "|---|---|", *lines])
