"""What is written into pages while the book is made: the list of modules, run times, versions."""

import os
import platform
from pathlib import Path

from chapters import ROOT

MODULE = """## `{name}`

```{{eval-rst}}
.. automodule:: {name}
   :members:
```
"""


def fill(text: str, records: dict[str, dict]) -> str:
    """Replace the marks of a page: ``@modules@``, ``@run-times@`` and ``@versions@``."""
    for mark, made in (
        ("@modules@", lambda: modules()),
        ("@run-times@", lambda: run_times(records)),
        ("@versions@", lambda: versions(records)),
    ):
        if mark in text:
            text = text.replace(mark, made())
    return text


def modules() -> str:
    """Write a section for each module of the package that has a docstring, by its name."""
    source = ROOT / "src"
    names = (_module_name(path.relative_to(source)) for path in source.rglob("*.py"))
    public = sorted(name for name in names if not any(p.startswith("_") for p in name.split(".")))
    return "\n".join(MODULE.format(name=name) for name in public)


def _module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


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
    return "\n".join(
        ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    )
