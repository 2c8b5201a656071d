"""Averages of a model's weights over its training."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from glassbox.support.arguments import check_modules, check_range, check_state
from glassbox.training.distributed import unwrapped


class ExponentialAverage:
    r"""The exponential moving average of a model's weights.

    After update :math:`t = 1, 2, \dots` each average is
    :math:`\bar w \leftarrow d_t\, \bar w + (1 - d_t)\, w`, starting from the weights at
    construction, with :math:`d_t = \min(\text{decay}, (1 + t) / (10 + t))`: early averages forget
    fast. Buffers, such as the running statistics of batch normalization, are averaged too;
    integer buffers are copied.

    The averages of a model in half precision are kept in ``float32``: near the weights, steps of a
    part in ten thousand are smaller than what ``bfloat16`` can tell apart.

    Args:
        model: The model in training. ``average.model`` is a copy of it in ``eval`` mode that
            holds the averages, in the types of the model.
        decay: From 0 up to, but not including, 1. About the last 1 / (1 - decay) updates count.
        warm_up: Whether the decay starts small. Without, :math:`d_t` is ``decay`` throughout.

    Raises:
        ValueError: If ``decay`` is out of range.

    Reference:
        Polyak and Juditsky (1992), "Acceleration of Stochastic Approximation by Averaging",
        https://doi.org/10.1137/0330046; the warm-up is that of TensorFlow's
        ``ExponentialMovingAverage``.
    """

    def __init__(self, model: nn.Module, decay: float = 0.999, *, warm_up: bool = True) -> None:
        check_modules(model=model)
        check_range(0, 1, below=True, decay=decay)
        self.model = copy.deepcopy(unwrapped(model)).requires_grad_(False).eval()
        self.decay = float(decay)
        self.warm_up = warm_up
        self.updates = 0
        self._wide: dict[int, torch.Tensor] = {}  # of tensors in half precision, by their number

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Update the averages with the weights of the model; call it after each optimizer step.

        Raises:
            ValueError: If the model is another one, with other shapes.
        """
        check_modules(model=model)
        means, values = _tensors(self.model), _tensors(unwrapped(model))
        if [mean.shape for mean in means] != [value.shape for value in values]:
            raise ValueError(
                "model has other parameters or buffers, expected those averaged so far"
            )
        self.updates += 1
        decay = self.decay
        if self.warm_up:
            decay = min(decay, (1 + self.updates) / (10 + self.updates))
        for number, (mean, value) in enumerate(zip(means, values, strict=True)):
            if not (mean.is_floating_point() or mean.is_complex()):
                mean.copy_(value)
                continue
            wide = self._wide.get(number, mean.to(torch.promote_types(mean.dtype, torch.float32)))
            wide.lerp_(value.to(wide), 1 - decay)
            if wide is not mean:
                self._wide[number] = wide
                mean.copy_(wide)

    def state_dict(self) -> dict[str, Any]:
        """Return the averages and the number of updates."""
        return {"model": self.model.state_dict(), "updates": self.updates, "wide": self._wide}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore averages that :meth:`state_dict` returned.

        Raises:
            TypeError: If the state is no dict.
            ValueError: If it is of another model; then nothing has been loaded.
        """
        check_state(state, "updates", parts=("model",))
        if _shapes(state["model"]) != _shapes(self.model.state_dict()):
            raise ValueError("state has other tensors than the model, expected those of state_dict")
        self.model.load_state_dict(state["model"])
        self.updates = state["updates"]
        tensors = _tensors(self.model)
        self._wide = {
            number: wide.to(tensors[number].device, copy=True)
            for number, wide in state.get("wide", {}).items()
        }


def _shapes(state: Any) -> dict[str, Any]:
    entries = state.items() if isinstance(state, Mapping) else ()
    return {name: getattr(value, "shape", None) for name, value in entries}


def _tensors(model: nn.Module) -> list[torch.Tensor]:
    return [*model.parameters(), *model.buffers()]
