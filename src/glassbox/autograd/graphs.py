"""The graph that autograd has recorded: its nodes, its edges and what they keep for backward."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_SIGN = 2**63  # autograd gives a negative dimension as an unsigned number

_Place = tuple[int, int, torch.Size, tuple[int, ...]]


@dataclass(frozen=True)
class Saved:
    """A tensor that a node keeps for its backward.

    ``name`` is what the node calls it, ``tensor`` what the caller of :func:`walk_graph` does, if
    known. ``version`` is the present count of changes in place. ``state`` is ``"kept"``, or
    ``"freed"`` after a backward pass, or ``"modified"`` where it was changed in place since it was
    saved; then ``shape`` and ``version`` are None.
    """

    name: str
    tensor: str | None
    shape: tuple[int, ...] | None
    version: int | None
    state: str


@dataclass(frozen=True)
class Node:
    """One node of the graph.

    ``name`` is autograd's name for it, such as ``PowBackward0``. ``leaf`` is the tensor whose
    ``grad`` an ``AccumulateGrad`` node fills, and None for all others; ``leaf_name`` is its name,
    where known. ``settings`` are saved numbers, such as an exponent. ``depth`` is the longest way
    from the output, ``function`` the node itself.
    """

    name: str
    depth: int
    saved: tuple[Saved, ...]
    settings: dict[str, Any]
    leaf: Tensor | None
    leaf_name: str | None
    function: Any

    @property
    def operation(self) -> str:
        """The name without its ending, in lower case: ``pow`` for ``PowBackward0``."""
        return self.name.rstrip("0123456789").removesuffix("Backward").lower()


@dataclass(frozen=True)
class Graph:
    """All that a backward pass from one tensor reaches.

    ``nodes`` come with the output first, each before those that it hands gradients to. ``edges``
    are pairs of indices into ``nodes``, in the direction of the backward pass.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def leaves(self) -> dict[str, Tensor]:
        """The leaf tensors by name; a leaf without a known name is called by its number."""
        nodes = [node for node in self.nodes if node.leaf is not None]
        return {node.leaf_name or f"leaf {i}": node.leaf for i, node in enumerate(nodes)}


def walk_graph(output: Tensor, names: Mapping[str, Tensor] | None = None) -> Graph:
    """Follow ``grad_fn`` from a tensor to the leaves.

    Args:
        output: A tensor that some operation made from a tensor that requires a gradient.
        names: Name to tensor, such as ``dict(model.named_parameters())``.

    Raises:
        TypeError: If ``output`` is no tensor, or ``names`` no dict of them.
        ValueError: If ``output`` has no ``grad_fn``.

    Reference:
        PyTorch, "Autograd mechanics", https://docs.pytorch.org/docs/stable/notes/autograd.html.
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"output is a {type(output).__name__}, expected a tensor with a grad_fn")
    if output.grad_fn is None:
        raise ValueError("output is a leaf or detached, expected a tensor with a grad_fn")
    names = {} if names is None else names
    if not isinstance(names, Mapping) or any(not isinstance(t, Tensor) for t in names.values()):
        raise TypeError(f"names is a {type(names).__name__}, expected a dict of names and tensors")
    depths = _depths(output.grad_fn)
    index = {function: i for i, function in enumerate(depths)}
    nodes = [_node(function, depth, names) for function, depth in depths.items()]
    edges = [(i, index[parent]) for function, i in index.items() for parent in _parents(function)]
    return Graph(tuple(nodes), tuple(edges))


def _parents(function: Any) -> list[Any]:
    """List the nodes to which a node hands gradients, in the order of its inputs."""
    return [parent for parent, _ in function.next_functions if parent is not None]


def _depths(root: Any) -> dict[Any, int]:
    """Map each node to its longest distance from the root, consumers before their inputs."""
    waiting = dict.fromkeys([root], 0)  # how many gradients a node still waits for
    stack = [root]
    while stack:
        for parent in _parents(stack.pop()):
            if parent not in waiting:
                stack.append(parent)
            waiting[parent] = waiting.get(parent, 0) + 1
    depths, ready, order = {root: 0}, [root], {}
    while ready:
        function = ready.pop(0)
        order[function] = depths[function]
        for parent in _parents(function):
            depths[parent] = depths[function] + 1  # the consumer that comes last is the deepest
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
    return order


def saved_by(function: Any, names: Mapping[str, Tensor] | None = None) -> list[Saved]:
    """List the tensors that a node keeps for its backward, sorted by the node's names for them."""
    known = {_place(tensor): name for name, tensor in (names or {}).items()}
    saved = []
    for label, value in _kept(function).items():
        parts = {label: value}
        if isinstance(value, tuple | list):
            parts = {f"{label}[{i}]": part for i, part in enumerate(value)}
        for name, part in parts.items():
            if isinstance(part, Tensor):
                place = known.get(_place(part))
                saved.append(Saved(name, place, tuple(part.shape), part._version, "kept"))
            elif isinstance(part, str):
                saved.append(Saved(name, None, None, None, part))
    return saved


def _node(function: Any, depth: int, names: Mapping[str, Tensor]) -> Node:
    leaf = getattr(function, "variable", None)
    known = {_place(tensor): name for name, tensor in names.items()}
    numbers = {
        name: _signed(value)
        for name, value in _kept(function).items()
        if not isinstance(value, Tensor | str) and not _holds_tensors(value)
    }
    return Node(
        name=function.name().rpartition("::")[2],
        depth=depth,
        saved=tuple(saved_by(function, names)),
        settings=numbers,
        leaf=leaf,
        leaf_name=None if leaf is None else known.get(_place(leaf)),
        function=function,
    )


def _kept(function: Any) -> dict[str, Any]:
    """Read all that a node has saved; sizes are left out."""
    attributes = [a for a in dir(function) if a.startswith("_saved_") and "_sym_" not in a]
    kept = {a.removeprefix("_saved_"): _unpacked(function, a) for a in attributes}
    if isinstance(function, torch.autograd.function.BackwardCFunction):  # a custom Function
        kept["saved"] = _unpacked(function, "saved_tensors")
    return {name: value for name, value in kept.items() if value is not None}


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, tuple | list) and any(isinstance(part, Tensor) for part in value)


def _unpacked(function: Any, name: str) -> Any:
    """Read a saved value; where autograd refuses to hand it out, the reason in one word."""
    try:
        return getattr(function, name)
    except RuntimeError as refusal:
        return "modified" if "inplace operation" in str(refusal) else "freed"


def _place(tensor: Tensor) -> _Place:
    """Tell where a tensor lies in its storage: a saved result comes back as a new object.

    The storage itself, since empty tensors, and all on the meta device, have no address.
    """
    storage = tensor.untyped_storage()._cdata
    return storage, tensor.storage_offset(), tensor.shape, tensor.stride()


def _signed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_signed, value))
    big = isinstance(value, int) and not isinstance(value, bool) and value >= _SIGN
    return value - 2**64 if big else value
