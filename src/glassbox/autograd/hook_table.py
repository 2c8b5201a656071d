"""Every hook of PyTorch, tried on one small layer: order, arguments, returns, and when it fires.

Nothing in these tables is written by hand. A hook is registered on a linear layer with three
inputs and two outputs, the layer is run, and what is reported is what happened.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as every_module

from glassbox.support.seeds import isolated_seed
from glassbox.support.tables import Table

_Call = Callable[..., Any]


class _Layer(nn.Linear):
    """A linear layer that records its input and the gradient of its output."""

    def __init__(self) -> None:
        with isolated_seed(0):
            super().__init__(3, 2)
        nn.init.constant_(self.weight, 0.5)
        nn.init.zeros_(self.bias)
        self.seen: dict[str, Tensor] = {}
        self.node: Any = None

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, 3)`` to ``(B, 2)``."""
        y = F.linear(x, self.weight, self.bias)
        if not torch.compiler.is_compiling():
            self.seen["the input"], self.node = x.detach(), y.grad_fn
        return y

    def take_down(self, gradients: tuple[Tensor, ...]) -> None:
        """Keep the gradient of the output; a pre-hook of the layer's own node."""
        self.seen["the gradient of the output"] = gradients[0].detach()


class _Site(NamedTuple):
    """Where hooks are put: a layer, its input, and its output once there is one."""

    layer: _Layer
    x: Tensor
    y: Tensor | None = None


class _Hook(NamedTuple):
    """A kind of hook.

    ``register`` puts a call on a ``_Site``; with ``late`` it needs the output. ``answer`` is
    the place of the argument that a return replaces.
    """

    name: str
    register: Callable[[_Site, _Call], Any]
    late: bool = False
    answer: int = -1


HOOKS = (
    _Hook("global forward pre-hook",
          lambda site, call: every_module.register_module_forward_pre_hook(call)),
    _Hook("forward pre-hook", lambda site, call: site.layer.register_forward_pre_hook(call)),
    _Hook("global forward hook",
          lambda site, call: every_module.register_module_forward_hook(call)),
    _Hook("forward hook", lambda site, call: site.layer.register_forward_hook(call)),
    _Hook("tensor hook, output", lambda site, call: site.y.register_hook(call), late=True),
    _Hook("node pre-hook", lambda site, call: site.y.grad_fn.register_prehook(call), late=True),
    _Hook("global full backward pre-hook",
          lambda site, call: every_module.register_module_full_backward_pre_hook(call)),
    _Hook("full backward pre-hook",
          lambda site, call: site.layer.register_full_backward_pre_hook(call)),
    _Hook("node hook", lambda site, call: site.y.grad_fn.register_hook(call), late=True, answer=0),
    _Hook("tensor hook, weight", lambda site, call: site.layer.weight.register_hook(call)),
    _Hook("post-accumulate-grad hook, weight",
          lambda site, call: site.layer.weight.register_post_accumulate_grad_hook(call)),
    _Hook("global full backward hook",
          lambda site, call: every_module.register_module_full_backward_hook(call), answer=1),
    _Hook("full backward hook",
          lambda site, call: site.layer.register_full_backward_hook(call), answer=1),
    _Hook("tensor hook, input", lambda site, call: site.x.register_hook(call)),
)  # fmt: skip


def firing_order() -> list[str]:
    """Register all hooks at once, run forward and backward, and list them as they fire."""
    fired: list[str] = []
    site = _site()
    _run(site, [(hook, lambda *_, name=hook.name: fired.append(name)) for hook in HOOKS])
    return fired


def hooks_and_returns() -> Table:
    """Try each hook by itself: what it is called with, and what a return replaces."""
    rows = ((hook.name, _arguments(hook), _replacement(hook)) for hook in HOOKS)
    return Table(("hook", "is called with", "a return replaces"), tuple(rows))


def calls_by_situation() -> Table:
    """Count how often each hook fires in each situation, and in a compiled layer."""
    compiled = _compiled_order()
    rows = (
        (
            hook.name,
            *(_calls(hook, situation) for situation in SITUATIONS),
            str(compiled.count(hook.name)),
        )
        for hook in HOOKS
    )
    return Table(("hook", *SITUATIONS, "compiled"), tuple(rows))


def _arguments(hook: _Hook) -> str:
    """Say what a hook is called with."""
    site, received = _site(), []
    _run(site, [(hook, lambda *given: received.append(_words(given, site)))])
    return received[0].removeprefix("(").removesuffix(")").removesuffix(",")


def _replacement(hook: _Hook) -> str:
    """Return the double of what a hook is given, and say what that changes.

    What follows by itself from a changed input, output or gradient of the output is left out.
    """
    before, after = _site(), _site()
    _run(before, [])
    try:
        _run(after, [(hook, lambda *given: _double(given[hook.answer]))])
    except RuntimeError:
        return "nothing: a return is an error"
    one, other = _readings(before), _readings(after)
    changed = [name for name in one if not torch.equal(one[name], other[name])]
    return changed[0] if changed[0] in before.layer.seen else " and ".join(changed)


def _calls(hook: _Hook, situation: str) -> str:
    """Count how often a hook fires in a situation; ``"refused"`` if it cannot be registered."""
    fired: list[int] = []
    try:
        SITUATIONS[situation](_site(), [(hook, lambda *_: fired.append(1))])
    except (RuntimeError, AttributeError):
        return "refused"
    return str(len(fired))


def _compiled_order() -> list[str]:
    """List the hooks that fire when the layer is compiled, with all of them registered before."""
    fired: list[str] = []
    site = _site()
    torch._dynamo.reset()
    compiled = torch.compile(site.layer, backend="eager")
    both = [(hook, lambda *_, name=hook.name: fired.append(name)) for hook in HOOKS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _run(site, both, forward=compiled)
    return fired


def _site() -> _Site:
    return _Site(_Layer(), torch.ones(1, 3, requires_grad=True))


_Registered = list[tuple[_Hook, _Call]]


def _run(
    site: _Site,
    hooks: _Registered,
    *,
    forward: _Call | None = None,
    backward: _Call = Tensor.backward,
    times: int = 1,
) -> None:
    """Run forward and backward with hooks, and take them off again."""
    layer, forward = site.layer, site.layer if forward is None else forward
    handles = [hook.register(site, call) for hook, call in hooks if not hook.late]
    try:
        outputs = [forward(site.x) for _ in range(times)]
        for y in outputs:
            late = [(hook, call) for hook, call in hooks if hook.late]
            handles += [hook.register(site._replace(y=y), call) for hook, call in late]
        if layer.node is not None:
            handles.append(layer.node.register_prehook(layer.take_down))
        layer.seen["the output"] = outputs[0].detach()
        loss = torch.stack(outputs).sum()
        if loss.requires_grad:
            backward(loss)
    finally:
        for handle in handles:
            handle.remove()


def _run_without_grad(site: _Site, hooks: _Registered) -> None:
    with torch.no_grad():
        _run(site, hooks)


def _run_frozen(site: _Site, hooks: _Registered) -> None:
    site.layer.requires_grad_(False)
    _run(site, hooks)


def _run_all_frozen(site: _Site, hooks: _Registered) -> None:
    site.x.requires_grad_(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # full backward hooks warn that no input needs a gradient
        _run_frozen(site, hooks)


SITUATIONS: dict[str, Callable[[_Site, _Registered], None]] = {
    "once": _run,
    "twice in one forward": lambda site, hooks: _run(site, hooks, times=2),
    "autograd.grad": lambda site, hooks: _run(
        site, hooks, backward=lambda loss: torch.autograd.grad(loss, [site.x, site.layer.weight])
    ),
    "layer.forward(x)": lambda site, hooks: _run(site, hooks, forward=site.layer.forward),
    "no_grad": _run_without_grad,
    "weights frozen": _run_frozen,
    "all frozen": _run_all_frozen,
}


def _readings(site: _Site) -> dict[str, Tensor]:
    names = ("the input", "the output", "the gradient of the output")
    leaves = {"the gradient of the weight": site.layer.weight, "the gradient of the input": site.x}
    taken = {name: site.layer.seen[name] for name in names}
    return taken | {name: leaf.grad for name, leaf in leaves.items()}


def _double(given: Any) -> Any:
    if isinstance(given, tuple):
        return tuple(map(_double, given))
    return None if given is None else 2 * given


def _words(given: Any, site: _Site) -> str:
    """Name what a hook was given; in this layer the shape tells which tensor it is."""
    if isinstance(given, tuple):
        return f"({', '.join(_words(part, site) for part in given)}{',' * (len(given) == 1)})"
    if isinstance(given, nn.Module):
        return "layer"
    if given is site.layer.weight:
        return "weight"
    if given is None:
        return "None"
    names = {(1, 3): "input", (1, 2): "output", (2, 3): "weight", (3, 2): "weight", (2,): "bias"}
    name = names[tuple(given.shape)]
    return name if given.grad_fn is not None or given is site.x else f"∂{name}"
