"""What is written into pages while the book is made: the list of modules, run times, versions."""

import ast
import os
import platform

from chapters import ROOT

MODULE = """# `{name}`

```{{eval-rst}}
.. automodule:: {name}
   :members:
```
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
    """Name the public modules of the package, and what each says of itself first."""
    source = ROOT / "src"
    found = {}
    for path in sorted(source.rglob("*.py")):
        name = ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        if not any(part.startswith("_") for part in name.split(".")):
            found[name] = text.split("\n\n")[0].replace("\n", " ").replace("``", "`")
    return found


def module_pages() -> dict[str, str]:
    """Write a page for each module, made of its docstrings: file name to text."""
    return {f"api/{name}.md": MODULE.format(name=name) for name in modules()}


def module_list() -> str:
    """Write a table of the modules."""
    rows = [f"| {{doc}}`{name} <api/{name}>` | {text} |" for name, text in modules().items()]
    return "\n".join(["| Module | What it is for |", "|---|---|", *rows])


def run_times(records: dict[str, dict]) -> str:
    """Write a table of how long each chapter ran."""
    lines = ["| Chapter | Code cells | Seconds | Slowest cell (s) |", "|---|---:|---:|---:|"]
    for page, record in records.items():
        times = f"{record['seconds']:.1f} | {record['slowest']:.1f}"
        lines.append(f"| {{doc}}`{page}` | {record['cells']} | {times} |")
    total = sum(record["seconds"] for record in records.values())
    lines.append(f"| Together | {sum(r['cells'] for r in records.values())} | {total:.1f} | |")
    return "\n".join(lines)


def versions(records: dict[str, dict]) -> str:
    """Write a table of what the chapters ran with."""
    found = next(iter(records.values()), {"versions": {}})["versions"]
    rows = {"system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"} | found
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| What | Version |", "|---|---|", *lines])
