"""What a call leaves behind in its arguments, and in the settings of torch that all code shares."""

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as every_module
from torch.utils._python_dispatch import TorchDispatchMode

_Traces = dict[tuple[str, str], Any]
_CHECKS = tuple(f"{__package__}.{name}" for name in ("answers", "checking", "traces"))
_ADVICE = {
    "mode": "changes the mode of {}: remember `training` before eval(), and restore it",
    "hooks": "leaves a hook on {}: use its handle in a `with` block, or remove it in a `finally`",
    "attributes": "changes the attributes of {}: restore what was replaced",
    "parts": "adds to {} or takes away from it: work on a copy of it",
    "values": "changes {}, which belongs to the caller: work on a copy, such as clone()",
    "statistics": "changes {}: in train mode each forward pass does, so call eval() before it",
    "gradient": "leaves a gradient in {}: use torch.autograd.grad, or work under torch.no_grad()",
    "requires_grad": "changes requires_grad of {}: work on a detach()ed clone()",
    "grad mode": "leaves {} switched: use torch.no_grad() or torch.enable_grad() in a `with` block",
    "setting": "changes {}, which all later code shares: give dtype= and device= instead",
    "seed": "seeds {}, on which all later code depends: draw from a torch.Generator",
}


def traces_in(name: str, value: Any) -> _Traces:
    """Note all that a call could change in one of its arguments, by kind and place."""
    return dict(_notes(name, value))


def _notes(name: str, value: Any) -> Iterator[tuple[tuple[str, str], Any]]:
    if isinstance(value, nn.Module):
        yield from _notes_of_module(name, value)
    elif isinstance(value, Tensor):
        yield from _notes_of_tensor(name, value)
    elif isinstance(value, np.ndarray):
        yield ("values", name), value.tobytes()
    elif isinstance(value, Mapping):
        yield ("parts", name), list(value)
        for key, one in value.items():
            yield from _notes(f"{name}[{key!r}]", one)
    elif isinstance(value, list | tuple):
        yield ("parts", name), len(value)
        for i, one in enumerate(value):
            yield from _notes(f"{name}[{i}]", one)
    elif isinstance(value, set | bytearray):
        yield ("parts", name), value.copy()
    elif isinstance(value, int | float | str | None):
        yield ("values", name), value


def _notes_of_module(name: str, module: nn.Module) -> Iterator[tuple[tuple[str, str], Any]]:
    for path, layer in module.named_modules():
        place = f"layer {path!r} of {name}" if path else name
        yield ("mode", place), layer.training
        hooks = {key: list(one) for key, one in vars(layer).items() if key.endswith("_hooks")}
        yield ("hooks", place), hooks
        yield ("attributes", place), (sorted(vars(layer)), list(layer._modules))
    for path, tensor in module.named_parameters():
        yield from _notes_of_tensor(f"{path} of {name}", tensor)
    for path, tensor in module.named_buffers():
        yield from _notes_of_tensor(f"{path} of {name}", tensor, "statistics")


def _notes_of_tensor(
    name: str, tensor: Tensor, kind: str = "values"
) -> Iterator[tuple[tuple[str, str], Any]]:
    yield (kind, name), tensor.detach().clone()
    yield ("requires_grad", name), tensor.requires_grad
    yield ("gradient", name), None if tensor.grad is None else tensor.grad.detach().clone()
    yield ("hooks", name), list(tensor._backward_hooks or ())


def left_behind(before: _Traces, after: _Traces) -> list[str]:
    """Say for each note that is another one now what that means and what to do about it."""
    places = [place for place in before | after if _differ(before.get(place), after.get(place))]
    return [_ADVICE[kind].format(name) for kind, name in places]


def _differ(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        same = one.shape == other.shape and one.dtype == other.dtype
        return not (same and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True))
    return one is not other and (type(one) is not type(other) or one != other)


class Surroundings:
    """The settings of torch that all code shares, as they are now."""

    def __init__(self) -> None:
        self.grad = torch.is_grad_enabled()
        self.dtype = torch.get_default_dtype()
        self.device = torch.get_default_device()
        self.seed = torch.initial_seed()
        self.hooks = {name: dict(hooks) for name, hooks in _global_hooks().items()}

    def traces(self) -> _Traces:
        """Note them by kind and place, as :func:`traces_in` does."""
        return {
            ("grad mode", "the recording of gradients"): self.grad,
            ("setting", "the default dtype"): self.dtype,
            ("setting", "the default device"): self.device,
            ("hooks", "all modules"): {name: list(hooks) for name, hooks in self.hooks.items()},
            ("seed", "the random numbers of torch"): self.seed,
        }

    def restore(self) -> None:
        """Set all but the seed to what they were."""
        torch.set_grad_enabled(self.grad)
        torch.set_default_dtype(self.dtype)
        if torch.get_default_device() != self.device:
            torch.set_default_device(None if self.device.type == "cpu" else self.device)
        for name, hooks in _global_hooks().items():
            hooks.clear()
            hooks.update(self.hooks[name])


class Code:
    """The functions of torch, and of what judges an answer, as they are now."""

    def __init__(self) -> None:
        checks = [sys.modules[name] for name in _CHECKS if name in sys.modules]
        self.names = {owner: dict(vars(owner)) for owner in (torch, F, Tensor, *checks)}

    def restore(self) -> list[str]:
        """Put back those that were replaced, and say so.

        Those that torch itself has wrapped meanwhile, as it does when it first compiles, may stay.
        """
        replaced = [
            (owner, name, one)
            for owner, names in self.names.items()
            for name, one in names.items()
            if vars(owner).get(name) is not one and _is_replaced(one, vars(owner).get(name))
        ]
        for owner, name, function in replaced:
            setattr(owner, name, function)
        return [f"replaces {name}, on which all later code depends" for _, name, _ in replaced]


def _is_replaced(one: Any, now: Any) -> bool:
    """Say whether a function became another one, which is not a wrapper of it."""
    inner = inspect.unwrap(now, stop=lambda wrapper: wrapper is one)
    return callable(one) and not isinstance(one, type) and inner is not one


def _global_hooks() -> dict[str, dict[Any, Any]]:
    found = ((name, one) for name, one in vars(every_module).items() if isinstance(one, dict))
    return {name: hooks for name, hooks in found if name.startswith("_global_")}


class Operations(TorchDispatchMode):
    """The names of the operations that run inside a ``with`` block, such as ``convolution``.

    They are those that remain when PyTorch has taken a function apart, so that ``nn.Conv2d`` and
    ``F.conv2d`` are the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, and keep its name."""
        self.names.append(function.overloadpacket.__name__)
        return function(*args, **kwargs or {})
