"""Training that resumes from a checkpoint exactly where it was interrupted."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch.optim import Optimizer

from glassbox.support.seeds import random_states, restore_random_states
from glassbox.training.checkpoints import load_checkpoint, save_checkpoint
from glassbox.training.distributed import from_all_processes, from_first_process, process_rank


class ResumableRun:
    """Everything that the rest of a training depends on, kept in a checkpoint, if there is a path.

    Besides the parts, which have ``state_dict`` and ``load_state_dict``, these are the random
    states of all processes and the order of the batches: by their ``state_dict`` where they have
    one, else by the ``generator`` of a ``DataLoader``. The settings, as text, must be the same at a
    resumption.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        batches: Iterable,
        settings: dict[str, str],
        parts: dict[str, Any],
    ) -> None:
        self.path = None if path is None else Path(path)
        self.batches = order_of(batches)
        self.settings = settings
        self.parts = {name: part for name, part in parts.items() if part is not None}

    def save(self) -> None:
        """Write the checkpoint, from the first process."""
        if self.path is None:
            return
        processes = from_all_processes(
            {"random": random_states(), "batches": self.batches.state_dict()}
        )
        if process_rank() == 0:
            parts = {name: part.state_dict() for name, part in self.parts.items()}
            save_checkpoint(self.path, settings=self.settings, processes=processes, **parts)

    def resume(self) -> None:
        """Resume from the checkpoint, or start from the beginning if there is no file."""
        if self.path is None:
            return
        if not self.path.parent.is_dir():
            raise ValueError(f"checkpoint is {self.path}, expected a folder that exists")
        found = process_rank() == 0 and self.path.exists()
        saved = from_first_process(load_checkpoint(self.path) if found else None)
        if saved is None:
            return
        processes, rank = saved.pop("processes", []), process_rank()
        self._check(saved.pop("settings", {}), set(saved), len(processes))
        for name, part in self.parts.items():
            self._load(name, part, saved[name])
        self._load("batches", self.batches, processes[rank]["batches"])
        restore_random_states(processes[rank]["random"])

    def _check(self, settings: dict[str, str], names: set[str], processes: int) -> None:
        for name, value in self.settings.items():
            if settings.get(name) != value:
                raise ValueError(
                    f"checkpoint {self.path} is of another training: "
                    f"{name} is {settings.get(name)}, expected {value}"
                )
        if names != set(self.parts):
            raise ValueError(
                f"checkpoint {self.path} is of another training: "
                f"parts is {sorted(names)}, expected {sorted(self.parts)}"
            )
        if processes != (here := len(from_all_processes(None))):
            raise ValueError(f"checkpoint {self.path} is of {processes} processes, expected {here}")

    def _load(self, name: str, part: Any, state: Any) -> None:
        try:
            part.load_state_dict(state)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f"checkpoint {self.path} does not fit: {name}: {error}") from error


def describe_settings(**settings: Any) -> dict[str, str]:
    """Describe the settings of a training, so that it can be told from another.

    An object counts with its class, an optimizer also with its hyperparameters.
    """
    return {name: _description(value) for name, value in settings.items()}


def _description(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float | str | torch.dtype):
        return repr(value)
    if isinstance(value, Optimizer):
        return f"{type(value).__name__}({value.defaults})"
    return getattr(value, "__qualname__", type(value).__qualname__)


def order_of(batches: Iterable) -> Any:
    """Return the object whose ``state_dict`` holds the order of the batches."""
    return batches if hasattr(batches, "state_dict") else _LoaderOrder(batches)


class _LoaderOrder:
    """The order of a ``DataLoader``; without its own generator the global one decides it."""

    def __init__(self, loader: Iterable) -> None:
        self.generator = getattr(loader, "generator", None)

    def state_dict(self) -> dict[str, Any]:
        return {} if self.generator is None else {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.generator is not None:
            self.generator.set_state(state["generator"])
