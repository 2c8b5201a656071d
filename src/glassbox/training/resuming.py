"""Training that resumes from a checkpoint exactly where it was interrupted."""

import copy
import os
import random
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from glassbox.support.arguments import as_path
from glassbox.support.seeds import random_states, restore_random_states
from glassbox.training.checkpoints import load_checkpoint, save_checkpoint
from glassbox.training.course import describe_course
from glassbox.training.differences import first_difference, first_not_restored, what_moved
from glassbox.training.distributed import (
    from_all_processes,
    from_first_process,
    process_count,
    process_rank,
    set_epoch,
    unwrapped,
)

_STEPPED = ("average.", "scaler.", "step_scheduler.", "loss_fn.", "batches.")
_IN_AN_EPOCH = ("._next_batch", "._resuming")  # of Batches, whose state brings it back
_SHARE = (".rank", ".world_size", "._used")  # of Batches, whose global batches stay the same
_GLOBAL = (random.random.__self__, np.random.rand.__self__, torch.default_generator)
_OTHER_COUNT = (
    "checkpoint {} is of {} processes and goes on with {}: the global batches stay the same, but "
    "not every bit, since sums are added up in another order and each process draws its own "
    "random numbers"
)


class ResumableRun:
    """Everything that the rest of a training depends on, kept in a checkpoint, if there is a path.

    Besides the parts, which have ``state_dict`` and ``load_state_dict``, these are the random
    states of all processes and the order of the batches: by their ``state_dict`` where they have
    one, else by the ``generator`` of a ``DataLoader``. What else decides the course of the training
    is described, see :func:`glassbox.training.course.describe_course`: parts, batches and settings.
    At a resumption it has to be the same as at the start, apart from what has moved since; and what
    has moved has to be as it was saved when all is loaded.

    Args:
        path: Of the checkpoint; without, nothing is done.
        batches: What is trained on.
        parts: What the checkpoint brings back, by name; ``None`` for what there is not. One is the
            ``history``, whose length is the number of epochs done; neither it nor ``best_epoch``
            decides the course.
        **settings: What else decides the course.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        batches: Iterable,
        parts: dict[str, Any],
        **settings: Any,
    ) -> None:
        self.path = None if path is None else as_path(checkpoint=path)
        self.batches = order_of(batches)
        parts["model"] = unwrapped(parts["model"])
        self.parts = {name: part for name, part in parts.items() if part is not None}
        self._decisive = {"model": parts["model"], **settings, **parts, "batches": batches}
        for result in ("history", "best_epoch"):
            self._decisive.pop(result, None)
        self._start: dict[str, str] = {}

    def save(self) -> None:
        """Write the checkpoint, from the first process."""
        if self.path is None:
            return
        processes = from_all_processes(
            {
                "random": random_states(),
                "batches": self.batches.state_dict(),
                "start": self._start,
                "moved": what_moved(self._start, self._describe()),
            }
        )
        if process_rank() == 0:
            parts = {name: part.state_dict() for name, part in self.parts.items()}
            save_checkpoint(self.path, processes=processes, **parts)

    def resume(self, epochs: int) -> None:
        """Resume from the checkpoint, or start from the beginning if there is no file.

        Raises:
            ValueError: If the checkpoint is damaged, of another training, or of more than
                ``epochs`` epochs. Then nothing has been changed, in any of the processes.

        Warns:
            UserWarning: If it is of another number of processes, so that the rest is not bit for
                bit what it would have been.
        """
        if self.path is None:
            return
        if not self.path.parent.is_dir() or self.path.is_dir():
            raise ValueError(f"checkpoint is {self.path}, expected a file in a folder that exists")
        found = process_rank() == 0 and self.path.exists()
        saved = from_first_process(load_checkpoint(self.path) if found else None)
        if saved is None:
            self.tell_epoch(1)
            self._start = self._describe()
            return
        processes = saved.pop("processes", [{}])
        _raise_first(self._misfit(saved, processes, epochs))
        self.tell_epoch(len(saved["history"]["epoch"]))
        here = self._describe()
        mine = _of_this_process(processes, here)
        stepped = (*_STEPPED, *["optimizer."] * ("step_scheduler" in self.parts))
        difference = first_difference(mine["start"], mine["moved"], here, stepped)
        if difference is None and saved.keys() != self.parts.keys():
            difference = f"parts is {sorted(saved)}, expected {sorted(self.parts)}"
        _raise_first(self._other(difference))
        self._load_all(saved, mine, here)
        self._start = mine["start"]
        if process_rank() == 0 and len(processes) != process_count():
            counts = len(processes), process_count()
            warnings.warn(_OTHER_COUNT.format(self.path, *counts), stacklevel=3)

    def tell_epoch(self, epoch: int) -> None:
        """Tell the epoch that begins to the sampler, and to a loss that has ``set_epoch``."""
        set_epoch(self._decisive["batches"], epoch)
        loss_fn = self._decisive.get("loss_fn")
        if hasattr(loss_fn, "set_epoch"):
            loss_fn.set_epoch(epoch)

    def _describe(self) -> dict[str, str]:
        modules = [self.parts["model"]]
        if "average" in self.parts:
            modules.append(self.parts["average"].model)
        tensors = (t for module in modules for t in module.state_dict(keep_vars=True).values())
        restored = {*map(id, tensors), *map(id, _GLOBAL)}
        if isinstance(self.batches, _LoaderOrder):
            restored.add(id(self.batches.generator))
        lines = describe_course(restored, **self._decisive)
        return {name: line for name, line in lines.items() if not name.endswith(_IN_AN_EPOCH)}

    def _other(self, difference: str | None) -> str | None:
        return difference and f"checkpoint {self.path} is of another training: {difference}"

    def _misfit(
        self, saved: dict[str, Any], processes: list[dict[str, Any]], epochs: int
    ) -> str | None:
        """Say why the checkpoint cannot be of this training; nothing is compared yet."""
        if "start" not in processes[0]:
            return f"checkpoint {self.path} is of an older release, expected one of this release"
        here = process_count()
        if len(processes) != here and isinstance(self.batches, _LoaderOrder):
            count = f"checkpoint {self.path} is of {len(processes)} processes, expected {here}"
            return f"{count}, since only batches of glassbox.data.Batches can be shared out anew"
        if (done := len(saved["history"]["epoch"])) > epochs:
            return f"epochs is {epochs}, expected at least {done}, as {self.path}"
        return None

    def _load_all(self, saved: dict[str, Any], mine: dict[str, Any], here: dict[str, str]) -> None:
        """Load all, or leave all as it was."""
        before = {name: copy.deepcopy(part.state_dict()) for name, part in self._loaded().items()}
        states, error, name = random_states(), None, ""
        try:
            for name, part in self._loaded().items():
                part.load_state_dict(mine["batches"] if name == "batches" else saved[name])
            name = "random states"
            restore_random_states(mine["random"])
        except Exception as caught:  # what does not fit fails in many ways
            error = caught
        problem = f"checkpoint {self.path} does not fit: {name}: {error}"
        if error is None:
            now = self._describe()
            problem = self._other(first_not_restored(mine["start"], mine["moved"], here, now))
        try:
            _raise_first(problem, error)
        except ValueError:
            for name, part in self._loaded().items():
                part.load_state_dict(before[name])
            restore_random_states(states)
            raise

    def _loaded(self) -> dict[str, Any]:
        return {**self.parts, "batches": self.batches}


def _of_this_process(processes: list[dict[str, Any]], here: dict[str, str]) -> dict[str, Any]:
    """Take what a process has saved; where their number is another, with its share from now on."""
    if len(processes) == process_count():
        return processes[process_rank()]
    if process_rank() < len(processes):
        mine = processes[process_rank()]
    else:  # it was not there: its random numbers are its own
        mine = {**processes[0], "random": random_states()}
    ours = (name for name in here if name.startswith("batches.") and name.endswith(_SHARE))
    return {**mine, "start": mine["start"] | {name: here[name] for name in ours}}


def _raise_first(problem: str | None, cause: Exception | None = None) -> None:
    """Raise the problem of the first process that has one, in all processes."""
    for found in from_all_processes(problem):
        if found is not None:
            raise ValueError(found) from cause


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
