"""Hooks on named layers that are gone when their ``with`` block ends, however it ends.

All of them are forward hooks, or tensor hooks that a forward hook puts on an output. Unlike full
backward hooks these leave the graph as it is, so a following in-place layer does no harm. Both
the forward and the backward pass have to run inside the block, through ``model(images)``:
``model.forward(images)`` runs no hooks.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.support.arguments import check_positive

_Holder = MutableSequence[Any] | MutableMapping[Any, Any]


@contextmanager
def capture(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, list[Any]]]:
    """Record the outputs of layers.

    Args:
        model: Any module.
        layers: Names as in ``model.named_modules()``; ``""`` is the model itself.

    Yields:
        Name to a list with one entry for each call of the layer: its output, in the structure in
        which the layer gave it. The tensors are detached copies, so they keep no graph alive, and
        an in-place layer that follows does not change them.

    Raises:
        TypeError: If ``layers`` is a single string.
        ValueError: If the model has no layer of one of these names.
    """
    calls: dict[str, list[Any]] = {name: [] for name in layers_named(model, layers)}

    def keep(name: str, output: Any) -> None:
        calls[name].append(_map_tensors(lambda tensor: tensor.detach().clone(), output))

    with _on_outputs(model, calls, keep):
        yield calls


@contextmanager
def gradients(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, list[Any]]]:
    """Record the gradient that arrives at the output of layers; arguments as for :func:`capture`.

    Yields:
        Name to a list with one entry for each call of the layer, in the order of the forward pass:
        the gradient of the latest backward pass, a detached copy, or None where none arrived (no
        backward yet, ``no_grad``, everything before frozen). Where a layer gives a tuple, a list or
        a dict, the entry is a list or a dict of these.
    """
    calls: dict[str, list[Any]] = {name: [] for name in layers_named(model, layers)}
    with ExitStack() as stack:

        def watch(name: str, output: Any) -> None:
            calls[name].append(None)
            _watch(calls[name], len(calls[name]) - 1, output, stack)

        stack.enter_context(_on_outputs(model, calls, watch))
        yield calls


@contextmanager
def scale_gradients(model: nn.Module, layers: Iterable[str], factor: float) -> Iterator[None]:
    """Multiply the gradient that arrives at the output of layers, named as for :func:`capture`.

    What the layer hands on is scaled too, and so are the gradients of all parameters up to it.
    A negative factor reverses the gradient.

    Reference:
        With a negative factor, Ganin and Lempitsky (2015), "Unsupervised Domain Adaptation by
        Backpropagation", https://arxiv.org/abs/1409.7495.
    """
    names = layers_named(model, layers)
    with ExitStack() as stack:

        def scale(_: str, output: Any) -> None:
            hook = partial(torch.mul, other=factor)
            _map_tensors(partial(_enter_hook, stack, hook), output)

        stack.enter_context(_on_outputs(model, names, scale))
        yield


@contextmanager
def clip_gradients(model: nn.Module, max_norm: float) -> Iterator[None]:
    """Shorten the gradient of each parameter as it arrives, if its norm is above a limit.

    A hook sees one parameter at a time, so this bounds every parameter by itself.
    :func:`torch.nn.utils.clip_grad_norm_` waits for all of them and bounds their common norm.

    Args:
        model: Any module; its frozen parameters are left out.
        max_norm: Largest Euclidean norm of a parameter's gradient, above 0.

    Raises:
        ValueError: If ``max_norm`` is not above 0.
    """
    check_positive(max_norm=max_norm)

    def shorten(gradient: Tensor) -> Tensor:
        exact = torch.promote_types(gradient.dtype, torch.float32)  # half would overflow
        norm = torch.linalg.vector_norm(gradient, dtype=exact)
        return (gradient * (max_norm / norm).clamp(max=1)).to(gradient.dtype)

    with ExitStack() as stack:
        for parameter in model.parameters():
            _enter_hook(stack, shorten, parameter)
        yield


@contextmanager
def mask_outputs(model: nn.Module, masks: Mapping[str, Tensor]) -> Iterator[None]:
    """Multiply the outputs of layers by masks, as if parts of the layers had been pruned.

    Args:
        model: Any module.
        masks: Layer name to a mask that can be broadcast to the layer's output, such as
            ``(C, 1, 1)`` for the channels of a convolution; 0 or False removes.

    Raises:
        TypeError: If a masked layer gives something other than a tensor.
        ValueError: If the model has no layer of one of these names.
    """

    def mask(name: str, output: Any) -> Tensor:
        if not isinstance(output, Tensor):
            kind = type(output).__name__
            raise TypeError(f"the output of layer {name!r} is a {kind}, expected a tensor")
        return output * masks[name].to(output)

    with _on_outputs(model, layers_named(model, masks), mask):
        yield


@contextmanager
def _on_outputs(
    model: nn.Module, names: Iterable[str], act: Callable[[str, Any], Any]
) -> Iterator[None]:
    """Call ``act(name, output)`` after each call of a layer; what it returns replaces the output.

    Nothing is replaced where it returns None.
    """
    with ExitStack() as stack:
        for name, module in layers_named(model, names).items():

            def hook(_: nn.Module, __: Any, output: Any, name: str = name) -> Any:
                return act(name, output)

            stack.enter_context(module.register_forward_hook(hook))
        yield


def layers_named(model: nn.Module, layers: Iterable[str]) -> dict[str, nn.Module]:
    """Find layers by their names, as a dict in the order of ``layers``."""
    if isinstance(layers, str):
        raise TypeError(f"layers is {layers!r}, expected a list of names such as [{layers!r}]")
    known = dict(model.named_modules(remove_duplicate=False))
    found = {}
    for name in layers:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.4) or list(known)[1:6]
            raise ValueError(f"layers has {name!r}, expected names of layers such as {near}")
        found[name] = known[name]
    return found


def _enter_hook(stack: ExitStack, hook: Callable[[Tensor], Any], tensor: Tensor) -> None:
    """Put a hook on a tensor until the stack ends."""

    def skip_nothing(gradient: Tensor | None) -> Any:
        # PyTorch passes None where another output of the same layer has a gradient and this not.
        return None if gradient is None else hook(gradient)

    if tensor.requires_grad:  # a hook where no gradient will pass is refused
        stack.callback(tensor.register_hook(skip_nothing).remove)


def _watch(holder: _Holder, key: Any, output: Any, stack: ExitStack) -> None:
    """Let ``holder[key]`` follow the gradient of an output, part by part."""
    if isinstance(output, Tensor):

        def store(gradient: Tensor) -> None:
            holder[key] = gradient.detach().clone()

        _enter_hook(stack, store, output)
    elif isinstance(output, Mapping | tuple | list):
        keys = output.keys() if isinstance(output, Mapping) else range(len(output))
        parts = dict.fromkeys(keys) if isinstance(output, Mapping) else [None] * len(output)
        holder[key] = parts
        for part in keys:
            _watch(parts, part, output[part], stack)


def _map_tensors(function: Callable[[Tensor], Any], structure: Any) -> Any:
    """Apply a function to each tensor inside tuples, lists and dicts."""
    if isinstance(structure, Tensor):
        return function(structure)
    if isinstance(structure, Mapping):
        return {key: _map_tensors(function, part) for key, part in structure.items()}
    if isinstance(structure, tuple | list):
        parts = [_map_tensors(function, part) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    return structure
