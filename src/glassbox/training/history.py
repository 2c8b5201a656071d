"""Losses, accuracies and learning rates, epoch by epoch."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from torch import Tensor

from glassbox.support.arguments import check_choice, check_state
from glassbox.training.distributed import sum_over_processes
from glassbox.training.evaluation import count_correct


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
    """

    epoch: list[int] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float | None] = field(default_factory=list)
    validation_loss: list[float | None] = field(default_factory=list)
    validation_accuracy: list[float | None] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list, compare=False, repr=False)
    stopped: bool = False

    def __len__(self) -> int:
        """Give the number of epochs."""
        return len(self.epoch)

    def append(self, **values: float | None) -> None:
        """Append the values of one epoch, each by the name of its list.

        Raises:
            ValueError: If there is no such list.
        """
        for name in values:
            check_choice(_LISTS, values=name)
        for name, value in values.items():
            getattr(self, name).append(value)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy as plain lists."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned.

        Raises:
            TypeError: If ``state`` is no dict.
            ValueError: If it has other keys, or a list has neither an entry an epoch nor none.
        """
        check_state(state, parts=_LISTS)
        lists = [state[name] for name in _LISTS]
        known = state.keys() <= {*_LISTS, "stopped"} and all(isinstance(one, list) for one in lists)
        if not known or {*map(len, lists)} - {0, len(state["epoch"])}:
            raise ValueError(f"state is {state}, expected lists of one entry an epoch, or none")
        self.__dict__.update(asdict(History(**state)))


_LISTS = tuple(field.name for field in fields(History) if field.name != "stopped")


class RunningMean:
    """The mean loss and the accuracy of an epoch, added up batch by batch."""

    def __init__(self) -> None:
        self.loss = 0.0
        self.images = 0
        self.correct: Tensor | int = 0
        self.classified = 0

    def add(self, loss: float, logits: Tensor, labels: Tensor) -> None:
        """Add a batch by its mean loss; what is not logits and class indices has no accuracy."""
        self.loss += loss * len(labels)
        self.images += len(labels)
        correct = count_correct(logits, labels)
        if correct is not None:
            self.correct += correct  # stays on its device: no waiting for a GPU
            self.classified += len(labels)

    def over_processes(self) -> tuple[float, float | None]:
        """Average loss and accuracy, if any, over the images of all processes."""
        sums = [self.loss, self.images, float(self.correct), self.classified]
        loss, images, correct, classified = sum_over_processes(sums)
        return loss / images, correct / classified if classified else None
