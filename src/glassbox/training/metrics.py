"""Metrics that the caller brings: functions of all logits and labels."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from glassbox.support.arguments import check_callables, check_numbers, check_types
from glassbox.training.measuring import are_classes, counting, widened

Metric = Callable[[Tensor, Tensor], float]


def check_metrics(
    metrics: Mapping[str, Metric] | None, reserved: tuple[str, ...] = ()
) -> dict[str, Metric]:
    """Give metrics as a dict, empty for ``None``, and refuse what is not functions by name."""
    if metrics is None:
        return {}
    check_types(Mapping, metrics=metrics)
    for name, function in metrics.items():
        if not (isinstance(name, str) and name):
            raise TypeError(f"metrics has {name!r}, expected names")
        if name in reserved:
            raise ValueError(f"metrics has {name!r}, expected a name that the history has not")
        check_callables(**{f"metrics[{name!r}]": function})
    return dict(metrics)


def for_metrics(logits: Any, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Give what metrics need of a batch: on the CPU, where they may be computed by any library."""
    if not isinstance(logits, Tensor):
        raise TypeError(f"metrics get a {type(logits).__name__}, expected logits in a tensor")
    return widened(logits).cpu(), labels.cpu()


def compute_metrics(
    metrics: Mapping[str, Metric], parts: list[tuple[Tensor, Tensor]], ignored: int
) -> dict[str, float]:
    """Compute metrics of logits and labels that come in parts, without ignored labels.

    Raises:
        TypeError: If a metric gives no number.
        ValueError: If a metric raises an error, which the message holds.
    """
    if not metrics:
        return {}
    logits, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    if are_classes(logits, labels):
        counts = counting(labels, ignored)
        logits, labels = logits[counts], labels[counts]
    with torch.autocast("cpu", enabled=False):  # they are no part of the model
        return {name: _value(name, one, logits, labels) for name, one in metrics.items()}


def _value(name: str, metric: Metric, logits: Tensor, labels: Tensor) -> float:
    try:
        value = metric(logits.clone(), labels.clone())  # whatever it does with them
    except Exception as error:  # whatever the caller's function raises
        kind = type(error).__name__
        raise ValueError(f"metrics[{name!r}] raised {kind}: {error}") from error
    check_numbers(**{f"metrics[{name!r}]": value})
    return float(value)
