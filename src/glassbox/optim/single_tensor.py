"""What all optimizers share: the loop over parameters, saved states of any age, and checks."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from glassbox.support.arguments import check_at_least, check_callables, reject_tensor

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
        super().__init__(params, defaults)

    def _check_settings(self, group: Mapping[str, Any]) -> None:
        """Refuse settings that do not make sense; a subclass adds its own.

        Raises:
            ValueError: If one is out of range, or asks for another implementation.
        """
        check_lr(group["lr"])
        check_at_least(0, weight_decay=group["weight_decay"])
        for name in _IMPLEMENTATION:
            if group.get(name):
                raise ValueError(
                    f"{name} is {group[name]}, expected None or False: other implementations "
                    f"are in torch.optim.{type(self).__name__}"
                )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, with its own settings or the defaults, once they pass."""
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f"param_group is {param_group!r}, expected a dict with params")
        self._check_settings(self.defaults | param_group)
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state of this optimizer or of PyTorch's, once all its settings pass."""
        if not isinstance(state_dict, Mapping) or "param_groups" not in state_dict:
            raise TypeError(f"state_dict is {state_dict!r}, expected one with param_groups")
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
            TypeError: If ``closure`` is no function.
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
    """Drop the dimension of a learning rate that is a tensor with one element."""
    return lr.squeeze() if isinstance(lr, Tensor) else lr


def as_real(*tensors: Tensor) -> list[Tensor]:
    """View complex tensors as pairs of real numbers ``(..., 2)``, which are optimized as two."""
    return [torch.view_as_real(t) if torch.is_complex(t) else t for t in tensors]


def check_lr(lr: float | Tensor) -> None:
    """Refuse a learning rate that is negative, nan, or a tensor of more than one element."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        reject_tensor("lr", lr, "a number or a tensor with one element")
    check_at_least(0, lr=scalar(lr))
