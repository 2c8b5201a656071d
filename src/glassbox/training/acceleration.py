"""Ways to make the steps of a training faster, which change nothing of what they leave."""

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from glassbox.training.distributed import unwrapped


class CompiledForward:
    """The forward pass of a model by ``torch.compile``, in its place for the steps alone.

    So the model that callbacks, the validation and the checkpoint see is the one that was given,
    with the names that it had. Its own hooks run as ever; those of its layers are compiled, and
    compiled again where an epoch begins with others.

    Raises:
        ValueError: If nothing can be compiled here, for want of a C++ compiler for instance.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = unwrapped(model)
        _check_compiler(next(self.model.parameters()).device.type)
        self.forward = torch.compile(self.model.forward)
        self.hooks = _hooks(self.model)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model run compiled inside a block."""
        if _hooks(self.model) != self.hooks:  # which compiled code would not notice
            torch.compiler.reset()
            self.hooks = _hooks(self.model)
        before = vars(self.model).get("forward")
        self.model.forward = self.forward
        try:
            yield
        finally:
            del self.model.forward
            if before is not None:
                self.model.forward = before


def _hooks(model: nn.Module) -> list[int]:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    layers = [layer for layer in model.modules() if layer is not model]
    return [number for layer in layers for kind in kinds for number in getattr(layer, kind)]


@functools.cache  # of what works; an error is raised anew each time
def _check_compiler(device: str) -> None:
    """Compile an addition: what is missing here shows before the training begins."""
    new = time.time_ns() % 2**31  # so that nothing compiled before is found on the disk
    try:
        torch.compile(lambda numbers: numbers + new)(torch.ones(2, device=device))
    except Exception as error:  # it fails in as many ways as there are systems
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ValueError(
            "compile is True, expected a system where torch.compile works, which needs a C++ "
            f"compiler: {reason}"
        ) from error
