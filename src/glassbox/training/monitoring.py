"""Columns of the history that decide something: when the rate falls, which weights are kept."""

import copy
import math
import warnings
from typing import Any

from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from glassbox.support.arguments import check_choice, check_state
from glassbox.training.history import History

_LESS_IS_BETTER = ("train_loss", "validation_loss")


def column(history: History, name: str) -> list[float | None]:
    """Give a list of the history, one of its own or that of a metric."""
    return history.metrics[name] if name in history.metrics else getattr(history, name)


def check_columns(
    validated: bool,
    metrics: dict[str, Any],
    scheduler: LRScheduler | None,
    **columns: str | None,
) -> None:
    """Refuse ``best`` and ``monitor`` that name nothing measured, or more where less is better."""
    if metrics and not validated:
        raise ValueError(f"metrics has {', '.join(metrics)}, expected a validation to measure on")
    kinds = ("train", "validation") if validated else ("train",)
    names = [f"{kind}_{name}" for kind in kinds for name in ("loss", "accuracy")]
    for argument, name in columns.items():
        if name is not None:
            check_choice((*names, *metrics), **{argument: name})
    if (monitor := columns["monitor"]) is None:
        return
    if not isinstance(scheduler, ReduceLROnPlateau):
        raise ValueError(f"monitor is {monitor!r}, expected a ReduceLROnPlateau to follow it")
    mode = "min" if monitor in _LESS_IS_BETTER else "max"
    if scheduler.mode != mode:
        raise ValueError(
            f"scheduler has mode {scheduler.mode!r}, expected {mode!r}: "
            f"{'less' if mode == 'min' else 'more'} of {monitor} is better"
        )


def step_scheduler(scheduler: LRScheduler | None, history: History, monitor: str | None) -> None:
    """Step after an epoch; one that waits for a plateau gets what it follows."""
    if not isinstance(scheduler, ReduceLROnPlateau):
        if scheduler is not None:
            scheduler.step()
        return
    if monitor is None:
        kind = "train" if history.validation_loss[-1] is None else "validation"
        monitor = f"{kind}_{'accuracy' if scheduler.mode == 'max' else 'loss'}"
    scheduler.step(_latest(history, "scheduler", monitor))


def _latest(history: History, argument: str, name: str) -> float:
    value = column(history, name)[-1]
    if value is None:
        raise ValueError(
            f"{argument} follows {name}, which has no value here, expected class indices as labels"
        )
    return value


class BestEpoch:
    """The weights of the epoch in which one column of the history was best.

    Of equal values the first counts, and what is not finite never does.

    Args:
        name: Of the column.
        parts: What to keep, with ``state_dict`` and ``load_state_dict``, by name; ``None`` for what
            there is not.
    """

    def __init__(self, name: str, parts: dict[str, Any]) -> None:
        self.name = name
        self.parts = {name: part for name, part in parts.items() if part is not None}
        self._kept: dict[str, Any] = {}

    def update(self, history: History) -> None:
        """Keep the weights if the latest epoch is the best one so far, and note its number."""
        value = _latest(history, "best", self.name)
        if math.isfinite(value) and self._beats(value, history):
            history.best_epoch = len(history)
            self._kept = {
                name: copy.deepcopy(part.state_dict()) for name, part in self.parts.items()
            }

    def _beats(self, value: float, history: History) -> bool:
        if history.best_epoch is None:
            return True
        known = column(history, self.name)[history.best_epoch - 1]
        return value < known if self.name in _LESS_IS_BETTER else value > known

    def restore(self) -> None:
        """Bring the kept weights back."""
        if not self._kept:
            warnings.warn(
                f"best is {self.name!r}, which was finite in no epoch: the last weights stay",
                stacklevel=3,
            )
        for name, state in self._kept.items():
            self.parts[name].load_state_dict(state)

    def state_dict(self) -> dict[str, Any]:
        """Give the kept weights."""
        return {"kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take kept weights back."""
        check_state(state, parts=["kept"])
        self._kept = state["kept"]
