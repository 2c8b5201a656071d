"""A function of a notebook, run in several processes at once, as a script is by ``torchrun``.

A process begins with an empty memory. So the function becomes a script: its own source, that of the
functions it calls, and an import of all else.
"""

import inspect
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dis import get_instructions
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType, ModuleType
from typing import Any

import torch

_SCRIPT = """{imports}

{sources}

if __name__ == "__main__":
    import sys
    from pathlib import Path

    import torch
    from glassbox.training import process_group, process_share

    with process_group("cpu"):
        result = {name}()
        path = Path(sys.argv[1], str(process_share()["rank"]))
        torch.save(result, path)
"""


@dataclass(frozen=True)
class Job:
    """How several processes ended.

    Args:
        results: What the function returned in each, by rank; fewer where a process did not end.
        succeeded: Whether all have ended as they should.
        messages: What they wrote to stderr.
    """

    results: list[Any]
    succeeded: bool
    messages: str


def launch(function: Callable[[], Any], processes: int = 2) -> Job:
    """Run a function in several processes that form one group, and wait for all of them to end.

    Args:
        function: Takes nothing, and returns tensors and plain values. It may use functions,
            modules and plain values of the notebook, and whatever can be imported.
        processes: How many, on this machine.
    """
    with TemporaryDirectory() as folder:
        script = Path(folder, "train.py")
        script.write_text(script_of(function), "utf-8")
        done = torchrun(processes, script, folder)
        saved = (Path(folder, str(rank)) for rank in range(processes))
        results = [torch.load(path, weights_only=True) for path in saved if path.exists()]
    return Job(results, done.returncode == 0, done.stderr)


def torchrun(processes: int, *command: object) -> subprocess.CompletedProcess:
    """Run a script, or ``-m`` and a module, in processes of this machine, each with one thread.

    Args:
        processes: How many.
        *command: What would stand behind ``python``.

    Returns:
        The exit code, and what was written to stdout and stderr, as texts.
    """
    with socket.socket() as server:  # a port that nobody has
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    launcher = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
    launcher += ["--master-addr=127.0.0.1", f"--master-port={port}", *map(str, command)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # processes share the cores
    return subprocess.run(launcher, env=environment, capture_output=True, text=True)


def script_of(function: Callable[[], Any]) -> str:
    """Write a script that calls a function of a notebook in a group of processes.

    Raises:
        ValueError: If the function uses something of the notebook that cannot be written down, such
            as a tensor.
    """
    imports: dict[str, None] = {}
    sources: dict[str, str] = {}
    _collect(function, imports, sources)
    texts = [text.strip() for text in reversed(sources.values())]
    return _SCRIPT.format(
        imports="\n".join(imports), sources="\n\n\n".join(texts), name=function.__name__
    )


def _collect(function: Any, imports: dict[str, None], sources: dict[str, str]) -> None:
    """Put down the source of a function, and of what it needs."""
    sources[function.__name__] = inspect.getsource(function)
    for name in _names(function.__code__):
        if name not in function.__globals__ or name in sources:
            continue
        value = function.__globals__[name]
        home = getattr(value, "__module__", None)
        if isinstance(value, ModuleType):
            imports[f"import {_as(value.__name__, name)}"] = None
        elif isinstance(value, FunctionType) and home == function.__module__:
            _collect(value, imports, sources)
        elif isinstance(value, int | float | str):
            imports[f"{name} = {value!r}"] = None
        elif callable(value) and home:
            imports[f"from {home} import {_as(value.__name__, name)}"] = None
        else:
            raise ValueError(f"{name} is a {type(value).__name__}, expected what a script can hold")


def _as(name: str, called: str) -> str:
    return name if name == called else f"{name} as {called}"


def _names(code: CodeType) -> Iterator[str]:
    yield from (one.argval for one in get_instructions(code) if one.opname == "LOAD_GLOBAL")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
