"""Losses, accuracies and learning rates, epoch by epoch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from glassbox.support.arguments import check_choice, check_state


@dataclass
class History:
    """One entry an epoch in each list; ``None`` where nothing could be measured.

    Two histories are equal whatever the seconds they took.

    Args:
        epoch: The numbers of the epochs, from 1.
        train_loss: Mean loss of the training images, each as the model was at its step.
        train_accuracy: From 0 to 1, likewise; ``None`` where labels are not class indices.
        validation_loss: Loss after the epoch; ``None`` without validation.
        validation_accuracy: From 0 to 1; ``None`` without validation or class indices.
        lr: Learning rate of the optimizer's first group when the epoch began.
        seconds: Duration of the epoch with its validation.
        stopped: Whether a callback ended the training.
        skipped_steps: Steps that the gradient scaler left out, as a gradient had overflowed.
        metrics: Further lists, by the names that were given for the metrics.
        best_epoch: The number of the epoch whose weights were kept; ``None`` if none were.
    """

    epoch: list[int] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float | None] = field(default_factory=list)
    validation_loss: list[float | None] = field(default_factory=list)
    validation_accuracy: list[float | None] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list, compare=False, repr=False)
    stopped: bool = False
    skipped_steps: list[int | None] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int | None = None

    def __len__(self) -> int:
        """Give the number of epochs."""
        return len(self.epoch)

    def append(self, **values: float | Mapping[str, float] | None) -> None:
        """Append the values of one epoch, each by the name of its list, and those of ``metrics``.

        Raises:
            ValueError: If there is no such list.
        """
        for name in values:
            check_choice((*LISTS, "metrics"), values=name)
        for name, value in values.pop("metrics", {}).items():
            self.metrics.setdefault(name, []).append(value)
        for name, value in values.items():
            getattr(self, name).append(value)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy as plain lists."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned, also of a release that measured less.

        Raises:
            TypeError: If ``state`` is no dict.
            ValueError: If it has other keys, or a list has neither an entry an epoch nor none.
        """
        check_state(state, parts=[name for name in LISTS if name not in _LATER])
        epochs = len(state["epoch"]) if isinstance(state["epoch"], list) else 0
        state = {name: [None] * epochs for name in _LATER} | {"metrics": {}} | state
        lists = [state[name] for name in LISTS] + list(dict(state["metrics"]).values())
        known = state.keys() <= vars(self).keys() and all(isinstance(one, list) for one in lists)
        if not known or {*map(len, lists)} - {0, epochs}:
            raise ValueError(f"state is {state}, expected lists of one entry an epoch, or none")
        self.__dict__.update(asdict(History(**state)))


LISTS = tuple(name for name, value in vars(History()).items() if isinstance(value, list))
_LATER = ("skipped_steps",)  # which older releases did not write
