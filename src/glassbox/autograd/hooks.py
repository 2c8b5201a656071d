"""Hooks on layers that are gone when their ``with`` block ends, however it ends.

All of them are forward hooks, or tensor hooks that a forward hook puts on an output. Unlike full
backward hooks these leave the graph as it is, so a following in-place layer does no harm. Both
the forward and the backward pass have to run inside the block, through ``model(images)``:
``model.forward(images)`` runs no hooks. A model from ``torch.compile`` runs as it was written while
the block lasts, since compiled code knows no hooks that are younger than itself.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping, MutableSequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.autograd.layers import Act, Layers, layers_named, on_outputs
from glassbox.autograd.outputs import map_tensors, parts_of, rebuilt
from glassbox.support.arguments import (
    as_tensor,
    check_all_finite,
    check_finite,
    check_modules,
    check_positive,
    check_range,
    reject_tensor,
)

_Holder = MutableSequence[Any] | MutableMapping[Any, Any]


@contextmanager
def capture(model: nn.Module, layers: Layers) -> Iterator[dict[str, list[Any]]]:
    """Record the outputs of layers.

    Args:
        model: Any module.
        layers: Names as in ``model.named_modules()``, or the modules themselves; ``""`` is the
            model.

    Yields:
        Name to a list with one entry for each call of the layer: its output, in the structure in
        which the layer gave it. The tensors are detached copies, so they keep no graph alive, and
        an in-place layer that follows does not change them.

    Raises:
        TypeError: If ``layers`` is a single layer, or the output of one holds something else than
            tensors and plain values in tuples, lists, dicts and dataclasses.
        ValueError: If one is no layer of the model, or a scripted one, which runs no hooks.
    """
    calls: dict[str, list[Any]] = {name: [] for name in layers_named(model, layers)}

    def keep(name: str, _: Any, output: Any) -> None:
        calls[name].append(map_tensors(lambda tensor: tensor.detach().clone(), output, name))

    with on_outputs(model, calls, keep):
        yield calls


@contextmanager
def gradients(model: nn.Module, layers: Layers) -> Iterator[dict[str, list[Any]]]:
    """Record the gradient that arrives at the output of layers; arguments as for :func:`capture`.

    Yields:
        Name to a list with one entry for each call of the layer, in the order of the forward pass:
        the gradient of the latest backward pass, a detached copy, or None where none arrived (no
        backward yet, ``no_grad``, everything before frozen). Where a layer gives a tuple, a list, a
        dict or a dataclass, the entry is a list or a dict of these.
    """
    calls: dict[str, list[Any]] = {name: [] for name in layers_named(model, layers)}
    with ExitStack() as stack:

        def watch(name: str, inputs: Any, output: Any) -> Any:
            calls[name].append(None)
            enter = partial(_with_hook, stack, inputs)
            return _watch(calls[name], len(calls[name]) - 1, output, name, enter)

        stack.enter_context(on_outputs(model, calls, watch))
        yield calls


@contextmanager
def scale_gradients(model: nn.Module, layers: Layers, factor: float) -> Iterator[None]:
    """Multiply the gradient that arrives at the output of layers, given as for :func:`capture`.

    What the layer hands on is scaled too, and so are the gradients of all parameters up to it.
    A negative factor reverses the gradient.

    Raises:
        RuntimeError: At the end of the block, if the model ran in it and one of the layers did not.
        TypeError: As for :func:`capture`.
        ValueError: As for :func:`capture`, or if ``factor`` is not finite in float32.

    Reference:
        With a negative factor, Ganin and Lempitsky (2015), "Unsupervised Domain Adaptation by
        Backpropagation", https://arxiv.org/abs/1409.7495.
    """
    check_finite(factor=factor)
    largest = torch.finfo(torch.float32).max
    check_range(-largest, largest, factor=factor)
    scaled = partial(torch.mul, other=float(factor))
    with ExitStack() as stack:

        def scale(name: str, inputs: Any, output: Any) -> Any:
            return map_tensors(partial(_with_hook, stack, inputs, scaled), output, name)

        stack.enter_context(_changed_outputs(model, layers, scale))
        yield


@contextmanager
def clip_gradients(model: nn.Module, max_norm: float) -> Iterator[None]:
    """Shorten the gradient of each parameter as it arrives, if its norm is above a limit.

    A hook sees one parameter at a time, so this bounds every parameter by itself.
    :func:`torch.nn.utils.clip_grad_norm_` waits for all of them and bounds their common norm. As
    there, a gradient with infinities or nan becomes nan.

    Args:
        model: Any module; its frozen parameters are left out.
        max_norm: Largest Euclidean norm of a parameter's gradient, above 0.

    Raises:
        TypeError: If ``model`` is no module.
        ValueError: If ``max_norm`` is not above 0, or not finite.
    """
    check_modules(model=model)
    check_positive(max_norm=max_norm)
    check_finite(max_norm=max_norm)

    def shorten(gradient: Tensor) -> Tensor:
        exact = torch.promote_types(gradient.dtype, torch.float32)  # half would overflow
        norm = torch.linalg.vector_norm(gradient, dtype=exact)
        return (gradient * (max_norm / norm).clamp(max=1)).to(gradient.dtype)

    with ExitStack() as stack:
        for parameter in model.parameters():
            _enter_hook(stack, shorten, parameter)
        yield


@contextmanager
def mask_outputs(model: nn.Module, masks: Mapping[str | nn.Module, Tensor]) -> Iterator[None]:
    """Multiply the outputs of layers by masks, as if parts of the layers had been pruned.

    Args:
        model: Any module.
        masks: Layer, given as for :func:`capture`, to a mask that can be broadcast to the layer's
            output, such as ``(C, 1, 1)`` for the channels of a convolution; 0 or False removes.

    Raises:
        RuntimeError: At the end of the block, if the model ran in it and a masked layer did not.
        TypeError: If ``masks`` are no dict, or a masked layer gives something other than a tensor.
        ValueError: If one is no layer of the model, or a mask is not finite or does not fit.
    """
    if not isinstance(masks, Mapping):
        raise TypeError(f"masks is a {type(masks).__name__}, expected a dict of layers and masks")
    by_name = {
        name: as_tensor(masks=mask)
        for layer, mask in masks.items()
        for name in layers_named(model, [layer], "masks")
    }
    for mask in by_name.values():
        check_all_finite(masks=mask)

    def multiply(name: str, _: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor):
            kind = type(output).__name__
            raise TypeError(f"the output of layer {name!r} is a {kind}, expected a tensor")
        mask = by_name[name].to(output)
        sizes = zip(mask.shape[::-1], output.shape[::-1], strict=False)
        if mask.ndim > output.ndim or any(size not in (1, whole) for size, whole in sizes):
            shape = tuple(output.shape)
            reject_tensor("masks", mask, f"one that fits {shape}, the output of layer {name!r}")
        return output * mask

    with _changed_outputs(model, by_name, multiply):
        yield


@contextmanager
def _changed_outputs(model: nn.Module, layers: Layers, act: Act) -> Iterator[None]:
    """Do as :func:`on_outputs` does, and refuse a block in which a change could not be made."""
    missing = dict.fromkeys(layers_named(model, layers))
    ran = []

    def change(name: str, inputs: Any, output: Any) -> Any:
        missing.pop(name, None)
        return act(name, inputs, output)

    whole = on_outputs(model, [""], lambda name, *_: ran.append(name))
    with whole, on_outputs(model, list(missing), change):
        yield
    if ran and missing:
        raise RuntimeError(
            f"layer {next(iter(missing))!r} never ran in the block, though the model did, expected "
            "a layer whose output the model uses"
        )


def _enter_hook(stack: ExitStack, hook: Callable[[Tensor], Any], tensor: Tensor) -> None:
    """Put a hook on a tensor until the stack ends."""

    def skip_nothing(gradient: Tensor | None) -> Any:
        # PyTorch passes None where another output of the same layer has a gradient and this not.
        return None if gradient is None else hook(gradient)

    if tensor.requires_grad:  # a hook where no gradient will pass is refused
        stack.callback(tensor.register_hook(skip_nothing).remove)


def _with_hook(
    stack: ExitStack, inputs: Any, hook: Callable[[Tensor], Any], tensor: Tensor
) -> Tensor:
    """Put a hook on a part of an output until the stack ends, and return what to hand on.

    It is a copy where the hook would go wrong. A change in place takes it off a view; and a layer
    may give its own input or weight, which has other uses whose gradients do not concern the layer.
    """
    if not tensor.requires_grad:
        return tensor
    if tensor._is_view() or tensor.is_leaf or _holds(inputs, tensor):
        tensor = tensor.clone()
    _enter_hook(stack, hook, tensor)
    return tensor


def _holds(structure: Any, tensor: Tensor) -> bool:
    """Say whether a tensor is in tuples, lists and dicts."""
    if isinstance(structure, Mapping):
        structure = list(structure.values())
    if isinstance(structure, tuple | list):
        return any(_holds(part, tensor) for part in structure)
    return structure is tensor


def _watch(holder: _Holder, key: Any, output: Any, name: str, enter: Callable[..., Any]) -> Any:
    """Let ``holder[key]`` follow the gradient of an output by part, and return what to hand on."""
    if isinstance(output, Tensor):

        def store(gradient: Tensor) -> None:
            holder[key] = gradient.detach().clone()

        return enter(store, output)
    parts = parts_of(output, name)
    if parts:
        listed = isinstance(output, tuple | list)
        holder[key] = [None] * len(parts) if listed else dict.fromkeys(parts)
    own = {part: _watch(holder[key], part, parts[part], name, enter) for part in parts}
    return rebuilt(output, own)
