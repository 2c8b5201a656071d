"""The score that a map is about: that of one class for each image."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from glassbox.support.arguments import as_tensor, check_class_indices, check_shapes


@contextmanager
def recording() -> Iterator[None]:
    """Record operations, whatever the surroundings are."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def as_classes(logits: Any, classes: Any = None) -> Tensor:
    """Give the class that is asked for in each image, ``int64 (B,)``, on the device of the logits.

    Args:
        logits: What a model gives, ``(B, K)``.
        classes: A class index for each image ``(B,)``, as a tensor, an array or a list, or one for
            all; the predicted classes unless given.

    Raises:
        TypeError: If the classes are no integers.
        ValueError: If the logits have another shape, or the classes do not fit them.
    """
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"the output of model is {got}, expected logits (B, K)")
    if classes is None:
        return logits.argmax(dim=1)
    if isinstance(classes, Integral) and not isinstance(classes, bool):
        classes = torch.full((len(logits),), int(classes), device=logits.device)
    classes = as_tensor(classes=classes)
    classes = classes.expand(len(logits)) if classes.ndim == 0 else classes
    check_shapes(logits=(logits, "B K"), classes=(classes, "B"))
    check_class_indices(logits.shape[1], classes=classes)
    return classes.to(logits.device, torch.int64)
