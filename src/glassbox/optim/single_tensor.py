"""What all optimizers share: the loop over parameters, saved states of any age, and checks."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from glassbox.support.arguments import (
    check_at_least,
    check_callables,
    check_finite,
    check_not_empty,
    check_types,
    reject_tensor,
)

# Settings that choose between PyTorch's implementations and not between results. They are part of
# its state dicts, so that a saved state can go both ways.
_IMPLEMENTATION = ("foreach", "capturable", "differentiable", "fused")


class SingleTensorOptimizer(torch.optim.Optimizer):
    """Steps one parameter after the other; a subclass says how in :meth:`update`.

    ``params`` and ``defaults`` are PyTorch's. Settings out of range, and those that ask for another
    implementation, are refused: as arguments, in a group, and in a state that is loaded.
    """

    missing: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Settings that state dicts of old releases lack, with what they then mean."""
    accepts_sparse = False

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self._check_settings(defaults)
        if isinstance(params, Tensor | str | Mapping) or not isinstance(params, Iterable):
            raise TypeError(f"params is a {type(params).__name__}, expected tensors or groups")
        params = list(params)
        check_not_empty(params=params)
        super().__init__(params, defaults)

    def _check_settings(self, group: Mapping[str, Any]) -> None:
        """Refuse settings that do not make sense; a subclass adds its own.

        Raises:
            ValueError: If one is out of range, or asks for another implementation.
        """
        check_lr(group["lr"])
        check_at_least(0, weight_decay=group["weight_decay"])
        check_finite(weight_decay=group["weight_decay"])
        for name in _IMPLEMENTATION:
            if group.get(name):
                raise ValueError(
                    f"{name} is {group[name]}, expected None or False: other implementations "
                    f"are in torch.optim.{type(self).__name__}"
                )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, with its own settings or the defaults, once they pass."""
        check_types(Mapping, param_group=param_group)
        if "params" not in param_group:
            raise ValueError(f"param_group has {list(param_group)}, expected 'params' among them")
        group = dict(param_group)  # the caller's own is not filled with defaults
        self._check_settings(self.defaults | group)
        group["params"] = _checked_params(group["params"])
        super().add_param_group(group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state of this optimizer or of PyTorch's, once all its settings pass."""
        check_types(Mapping, state_dict=state_dict)
        if "param_groups" not in state_dict:
            raise ValueError("state_dict has no 'param_groups', expected what state_dict returns")
        for group in state_dict["param_groups"]:
            self._check_settings(self.defaults | self.missing | group)
        super().load_state_dict(state_dict)

    def update(
        self, param: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """Step one parameter in place by the gradient of what is minimized.

        ``state`` is what is kept of this parameter between steps, empty at first; ``group`` holds
        the settings.
        """
        raise NotImplementedError

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step all parameters that have a gradient.

        Raises:
            RuntimeError: If a gradient is sparse and this optimizer needs dense ones.
        """
        loss = None
        if closure is not None:
            check_callables(closure=closure)
            with torch.enable_grad():
                loss = closure()
        self._refuse_sparse_gradients()
        for group in self.param_groups:
            self.update_group([p for p in group["params"] if p.grad is not None], group)
        return loss

    def update_group(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """Step in place those parameters of a group that have a gradient."""
        for param in params:
            gradient = -param.grad if group["maximize"] else param.grad
            self.update(param, gradient, self.state[param], group)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Complete a state that an older release saved: missing settings, steps as numbers."""
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self.missing.items():
                group.setdefault(name, value)
            for param in group["params"]:
                remembered = self.state.get(param, {})
                if "step" in remembered and not isinstance(remembered["step"], Tensor):
                    remembered["step"] = counter(remembered["step"])

    def _refuse_sparse_gradients(self) -> None:
        if self.accepts_sparse:
            return
        for param in (param for group in self.param_groups for param in group["params"]):
            if param.grad is not None and param.grad.is_sparse:
                raise RuntimeError(
                    f"the gradient of a parameter of shape {tuple(param.shape)} is sparse, "
                    f"expected a dense one: {type(self).__name__} moves all averages in each step"
                )


def counter(start: float = 0.0) -> Tensor:
    """Make a step counter as PyTorch keeps it: a number in a tensor on the CPU."""
    double = torch.get_default_dtype() == torch.float64
    dtype = torch.float64 if double else torch.float32
    return torch.tensor(float(start), dtype=dtype, device="cpu")


def scalar(lr: float | Tensor) -> float | Tensor:
    """Give a learning rate as a float, or as a tensor without dimensions where it is a tensor."""
    return lr.squeeze() if isinstance(lr, Tensor) else float(lr)


def as_real(*tensors: Tensor) -> list[Tensor]:
    """View complex tensors as pairs of real numbers ``(..., 2)``, which are optimized as two."""
    return [torch.view_as_real(t) if torch.is_complex(t) else t for t in tensors]


def _checked_params(params: Any) -> list[Any]:
    """Refuse what cannot be optimized; what torch refuses by name itself is left to it."""
    found = list(params) if isinstance(params, Iterable) else [params]
    check_not_empty(params=found)
    for one in [params] if isinstance(params, Tensor) else found:
        tensor = one[1] if isinstance(one, tuple) and len(one) == 2 else one
        if not isinstance(tensor, Tensor):
            raise TypeError(f"params has a {type(tensor).__name__}, expected tensors")
        if not (tensor.is_floating_point() or tensor.is_complex()):
            raise TypeError(f"params has a tensor of type {tensor.dtype}, expected floating point")
        if not (tensor.is_leaf or tensor.retains_grad):
            raise ValueError("params has a tensor that was computed, expected leaves")
    return [params] if isinstance(params, Tensor) else found


def check_lr(lr: float | Tensor) -> None:
    """Refuse a learning rate that is negative, nan, or a tensor of more than one element."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        reject_tensor("lr", lr, "a number or a tensor with one element")
    number = lr.squeeze() if isinstance(lr, Tensor) else lr
    check_at_least(0, lr=number)
    check_finite(lr=number)
