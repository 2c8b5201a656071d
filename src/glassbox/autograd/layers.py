"""Finding layers by name or as modules, and acting on their outputs."""

import difflib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from glassbox.support.arguments import check_modules

Layers = Iterable[str | nn.Module]
Act = Callable[[str, Any, Any], Any]


def layers_named(
    model: nn.Module, layers: Layers, argument: str = "layers"
) -> dict[str, nn.Module]:
    """Find layers, given by name or as modules, as a dict by name in the order of ``layers``.

    ``argument`` is what messages call them. In a compiled model the names are those of the model as
    it was written; those with ``_orig_mod.`` are understood too. What is refused is as for
    :func:`capture`.
    """
    check_modules(model=model)
    if isinstance(layers, str | nn.Module) or not isinstance(layers, Iterable):
        given = _shown(layers)
        raise TypeError(f"{argument} is {given}, expected a list of names such as [{given}]")
    exact = dict(model.named_modules(remove_duplicate=False))
    written = {f"{name}.".replace("_orig_mod.", "").rstrip("."): exact[name] for name in exact}
    known = written | exact
    names = {module: name for name, module in reversed(written.items())}
    found = {}
    for layer in layers:
        name = names.get(layer) if isinstance(layer, nn.Module) else layer
        if not isinstance(name, str) or name not in known:
            near = difflib.get_close_matches(str(name), written, n=3, cutoff=0.4)
            near = near or list(written)[1:6]
            raise ValueError(
                f"{argument} has {_shown(layer)}, expected names of layers such as {near}"
            )
        if isinstance(known[name], torch.jit.ScriptModule):
            raise ValueError(
                f"{argument} has {name!r}, a scripted module, which runs no hooks, "
                "expected a layer of the model before torch.jit"
            )
        found[name] = known[name]
    return found


def _shown(layer: Any) -> str:
    """Show what was given as a layer, a module by its type alone: it can be a page long."""
    return f"a {type(layer).__name__}" if isinstance(layer, nn.Module) else repr(layer)


@contextmanager
def on_outputs(model: nn.Module, layers: Layers, act: Act) -> Iterator[None]:
    """Call ``act(name, inputs, output)`` after each call of a layer.

    What it returns replaces the output, unless it is None. Layers, and what is refused, are as for
    :func:`capture`.
    """
    with ExitStack() as stack:
        for name, module in layers_named(model, layers).items():

            def hook(_: nn.Module, *given: Any, name: str = name) -> Any:
                *inputs, output = given  # positional, by keyword
                return act(name, inputs, output)

            stack.enter_context(module.register_forward_hook(hook, with_kwargs=True))
        stack.enter_context(as_written())
        yield


@contextmanager
def as_written() -> Iterator[None]:
    """Let all that ``torch.compile`` made run as it was written."""
    if "torch._dynamo" in sys.modules and not torch.compiler.is_compiling():
        with torch.compiler.set_stance("force_eager"):
            yield
    else:  # nothing was compiled so far, and the import would take seconds
        yield
