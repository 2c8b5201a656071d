"""What is said while a training runs: a line an epoch, and what looks wrong."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.data.batches import Batches
from glassbox.data.picture_files import printable
from glassbox.training.distributed import process_rank
from glassbox.training.evaluation import accuracy, evaluate
from glassbox.training.history import History
from glassbox.training.imbalance import balanced_accuracy, per_class_accuracy
from glassbox.training.metrics import Metric
from glassbox.training.state import TrainingState

BEST = "balanced accuracy"
_WIDTH = 82  # characters of a line
_WHOLE_WORDS = {"break_long_words": False, "break_on_hyphens": False}
_ACCURACY = "accuracy of "  # of a class
_TOO_MANY, _HOPELESS = 0.1, 0.5  # fractions of an epoch's steps that are skipped
_LOOKING = 20  # steps in which a scaler halves its scale until it fits
_BEHIND = 0.05  # of balanced accuracy
_START_LEFT = 0.05  # of an average, at the end


def cross_entropy(logits: Tensor, labels: Tensor) -> float:
    """Measure plain cross-entropy, without the margins and weights of the loss to train with."""
    return F.cross_entropy(logits, labels).item()


def _of_class(label: int, logits: Tensor, labels: Tensor) -> float:
    return per_class_accuracy(logits, labels)[label].item()


def metrics_for(classes: tuple[str, ...]) -> dict[str, Metric]:
    """Name what is measured after each epoch: of all, and of each class."""
    one_by_one = {f"{_ACCURACY}{name}": partial(_of_class, k) for k, name in enumerate(classes)}
    return {"cross-entropy": cross_entropy, BEST: balanced_accuracy, **one_by_one}


def say(text: str, root: Path) -> None:
    """Print a line and write it to ``log.txt``, from the first process."""
    if process_rank() == 0:
        text = printable(text)
        print(textwrap.fill(text, _WIDTH, subsequent_indent="    ", **_WHOLE_WORDS), flush=True)
        with (root / "log.txt").open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")


def clock(seconds: float) -> str:
    """Write a time as minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02}"


@dataclass(frozen=True)
class EpochLine:
    """A callback of ``fit``: say how an epoch went, and what looks wrong about it.

    Args:
        epochs: Of the whole training.
        steps: Of an epoch.
        validation: Batches, to look at the weights beside their average.
        root: The folder of the log.
    """

    epochs: int
    steps: int
    validation: Batches
    root: Path

    def __call__(self, state: TrainingState) -> None:
        """Say it of the latest epoch.

        Raises:
            FloatingPointError: If the scaler skipped more than half of the steps of an epoch.
        """
        say(epoch_line(state.history, self.epochs), self.root)
        for note in self._notes(state):
            say(f"  Note: {note}", self.root)

    def _notes(self, state: TrainingState) -> Iterator[str]:
        yield from skipped_notes(state.history, self.steps)
        yield from one_class_notes(state.history)
        done = len(state.history)
        looks = done == self.epochs or (done >= 4 and done & (done - 1) == 0)
        if state.average is not None and looks:
            yield from self._behind(state)

    def _behind(self, state: TrainingState) -> Iterator[str]:
        """Compare the average with the weights, in epochs 4, 8, 16, ... and the last one."""
        if process_rank() != 0:
            return
        place = self.validation.state_dict()
        found = evaluate(state.model, self.validation, metrics={BEST: balanced_accuracy})
        self.validation.load_state_dict(place)  # as if nobody had looked
        average, weights = state.history.metrics[BEST][-1], found.metrics[BEST]
        if average < weights - _BEHIND:
            yield (
                f"the average of the weights is behind the weights: balanced accuracy "
                f"{average:.0%}, and theirs {weights:.0%}. It has a decay of "
                f"{state.average.decay:g} and {state.average.updates} updates so far"
            )


def epoch_line(history: History, epochs: int) -> str:
    """Write the line of the latest epoch, with the time that is left.

    Of the validation it has the plain cross-entropy, the accuracy and the balanced accuracy.
    """
    latest = {name: values[-1] for name, values in history.metrics.items()}
    done, best = len(history), history.best_epoch == len(history)
    left = sum(history.seconds) / done * (epochs - done)
    return (
        f"epoch {done:{len(str(epochs))}}/{epochs}  loss {history.train_loss[-1]:5.2f}  "
        f"validation {latest['cross-entropy']:.3f} right {history.validation_accuracy[-1]:4.0%} "
        f"balanced {latest[BEST]:4.0%} {'best' if best else '    '}  {clock(left)} left"
    )


def skipped_notes(history: History, steps: int) -> Iterator[str]:
    """Say how many steps of the latest epoch were skipped, if they are too many.

    In the first steps of all, a scaler still looks for its scale.
    """
    skipped = history.skipped_steps[-1] or 0
    if (len(history) - 1) * steps < _LOOKING or skipped <= _TOO_MANY * steps:
        return
    sentence = f"{skipped} of {steps} steps were skipped in epoch {len(history)}"
    reason = "their gradients were not finite in float16; bfloat16 has the range of float32"
    if skipped > _HOPELESS * steps:
        raise FloatingPointError(f"{sentence}: {reason}")
    yield f"{sentence}: {reason}"


def one_class_notes(history: History) -> Iterator[str]:
    """Say if the network calls everything by the same name: of one class all is right."""
    latest = {name: values[-1] for name, values in history.metrics.items()}
    known = {
        name.removeprefix(_ACCURACY): value
        for name, value in latest.items()
        if name.startswith(_ACCURACY) and value == value
    }
    right = [name for name, value in known.items() if value > 0]
    if len(known) > 1 and len(right) == 1 and known[right[0]] == 1:
        yield (
            f"everything is called {printable(right[0])!r}, or nearly so. If that stays, the rates "
            "are too high or too low"
        )


def start_left(decay: float, warm_up: bool, updates: int) -> float:
    """Give the fraction of an average that is still the weights it began with, after its updates.

    It is the product of all decays of :class:`glassbox.training.averaging.ExponentialAverage`.
    """
    t = torch.arange(1, updates + 1, dtype=torch.float64)
    decays = torch.full_like(t, decay)
    if warm_up:
        decays = torch.minimum(decays, (1 + t) / (10 + t))
    return decays.prod().item()


def average_note(decay: float, warm_up: bool, updates: int) -> str | None:
    """Say, before a training, if its average will still be what it began with."""
    left = start_left(decay, warm_up, updates)
    if left <= _START_LEFT:
        return None
    return (
        f"after all {updates} steps {left:.0%} of the average will still be the untrained start: "
        "leave its warm-up on, train longer, or give a lower --ema"
    )


def measured(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Measure logits ``(N, K)`` as after an epoch, without the classes."""
    return {
        "cross-entropy": cross_entropy(logits, labels),
        "accuracy": accuracy(logits, labels),
        BEST: balanced_accuracy(logits, labels),
    }
