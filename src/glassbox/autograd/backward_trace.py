"""A real forward and backward pass, recorded step by step by hooks on every node."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.autograd.graphs import Saved, saved_by, walk_graph


@dataclass(frozen=True)
class Card:
    """What is known of one tensor, and of the node that made it, at one moment.

    ``operation`` is the name of the node, ``saved`` what it keeps for its backward. ``place`` is
    the column and row in a picture, ``value`` None before it is made, ``arrived`` the gradient that
    the node has received so far, ``grad`` the tensor's ``.grad``. ``hooks`` are the names of the
    hooks on it.
    """

    name: str
    title: str
    operation: str
    place: tuple[float, float]
    value: Tensor | None = None
    version: int = 0
    arrived: Tensor | None = None
    grad: Tensor | None = None
    hooks: tuple[str, ...] = ()
    saved: tuple[Saved, ...] = ()


@dataclass(frozen=True)
class Moment:
    """One step of a pass.

    ``kind`` is ``"forward"``, ``"backward"``, ``"hook"`` or ``"step"``; ``active`` the index of
    the card at which it happens, ``sentence`` what happens, ``firing`` the name of a hook.
    """

    kind: str
    active: int
    sentence: str
    cards: tuple[Card, ...]
    firing: str = ""


@dataclass(frozen=True)
class Trace:
    """The moments of a pass, and its links: pairs of cards, from input to result."""

    moments: tuple[Moment, ...]
    links: tuple[tuple[int, int], ...]


@dataclass
class _Recorder:
    """Writes down what happens while a program runs.

    The program calls :meth:`note` on each tensor it makes, :meth:`hook` for each hook it registers
    and :meth:`backward` in place of ``output.backward()``.
    """

    constants: dict[str, Tensor] = field(default_factory=dict)  # named, but not in the graph
    cards: list[Card] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    functions: list[Any] = field(default_factory=list)  # the node that made each tensor
    moments: list[Moment] = field(default_factory=list)
    links: list[tuple[int, int]] = field(default_factory=list)

    def note(self, title: str, tensor: Tensor, place: tuple[float, float], sentence: str) -> Tensor:
        """Write down a tensor that was made, and return it; its name is the title's first word."""
        operation = tensor.grad_fn.name() if tensor.grad_fn else "leaf"
        self.cards.append(Card(re.match(r"\w+", title)[0], title, operation, place))
        self.tensors.append(tensor)
        self.functions.append(tensor.grad_fn)
        self._begin("forward", len(self.cards) - 1, sentence)
        self._finish()
        return tensor

    def hook(
        self, name: str, tensor: Tensor, act: Callable[[Tensor], Tensor | None], sentence: str
    ) -> Callable[[Tensor], Tensor | None]:
        """Wrap a hook so that its call is written down; the caller registers what it gets."""
        index = max(i for i, noted in enumerate(self.tensors) if noted is tensor)
        self.cards[index] = replace(self.cards[index], hooks=(*self.cards[index].hooks, name))

        def wrapped(gradient: Tensor) -> Tensor | None:
            self._finish()
            result = act(gradient)
            if result is not None:
                self._arrive(index, result)
            self._begin("hook", index, sentence, name)
            return result

        return wrapped

    def backward(self, output: Tensor) -> None:
        """Run the backward pass and write down each node as it runs."""
        graph = walk_graph(output)
        for node in graph.nodes:
            if node.leaf is not None:
                self.functions[self._index_of_leaf(node.leaf)] = node.function
        index = {node.function: self.functions.index(node.function) for node in graph.nodes}
        ends = [(graph.nodes[a].function, graph.nodes[b].function) for a, b in graph.edges]
        self.links = [(index[parent], index[result]) for result, parent in ends]
        for node in graph.nodes:
            self._watch(index[node.function], [index[p] for f, p in ends if f is node.function])
        output.backward()
        self._finish()

    def step(self, change: Callable[[], None], index: int, sentence: str) -> None:
        """Run a change after the backward pass and write it down at a card."""
        self._finish()
        change()
        self._begin("step", index, sentence)

    def trace(self) -> Trace:
        """Give all that was written down."""
        self._finish()
        return Trace(tuple(self.moments), tuple(self.links))

    def _index_of_leaf(self, leaf: Tensor) -> int:
        return next(i for i, tensor in enumerate(self.tensors) if tensor is leaf)

    def _watch(self, index: int, parents: list[int]) -> None:
        function, card = self.functions[index], self.cards[index]

        def before(arrived: tuple[Tensor, ...]) -> None:
            self._finish()
            self._arrive(index, arrived[0])
            received = _value_or_shape(arrived[0])
            leaf = card.operation == "leaf"
            sentence = f"AccumulateGrad adds {received} to {card.name}.grad." if leaf else ""
            self._begin("backward", index, sentence or f"{card.operation} receives {received}")

        def after(handed: tuple[Tensor | None, ...], _: tuple[Tensor, ...]) -> None:
            fractions = [fraction for fraction in handed if fraction is not None]
            for parent, fraction in zip(parents, fractions, strict=True):
                before_it = self.cards[parent].arrived
                self._arrive(parent, fraction if before_it is None else before_it + fraction)
            if fractions:
                sentence = f"{self.moments[-1].sentence} and hands on "
                sentence += " and ".join(map(_value_or_shape, fractions)) + "."
                self.moments[-1] = replace(self.moments[-1], sentence=sentence)

        function.register_prehook(before)
        function.register_hook(after)

    def _arrive(self, index: int, gradient: Tensor) -> None:
        self.cards[index] = replace(self.cards[index], arrived=gradient.detach().clone())

    def _begin(self, kind: str, index: int, sentence: str, firing: str = "") -> None:
        self.moments.append(Moment(kind, index, sentence, (), firing))

    def _finish(self) -> None:
        """Record all tensors as the latest moment leaves them."""
        if self.moments and not self.moments[-1].cards:
            cards = tuple(map(self._as_it_is, range(len(self.cards))))
            self.moments[-1] = replace(self.moments[-1], cards=cards)

    def _as_it_is(self, index: int) -> Card:
        tensor, function = self.tensors[index], self.functions[index]
        keeps = tensor.is_leaf or tensor.retains_grad
        names = {card.name: noted for card, noted in zip(self.cards, self.tensors, strict=True)}
        return replace(
            self.cards[index],
            value=tensor.detach().clone(),
            version=tensor._version,
            grad=tensor.grad.detach().clone() if keeps and tensor.grad is not None else None,
            saved=tuple(saved_by(function, self.constants | names)) if function else (),
        )


def _value_or_shape(tensor: Tensor) -> str:
    """Format a single number, or the shape of more: ``12``, ``a 2 × 3 gradient``."""
    if tensor.numel() == 1:
        return f"{tensor.item():.3g}"
    return f"a {' × '.join(map(str, tensor.shape))} gradient"


def trace_scalars() -> Trace:
    """Run z = (x²)³ at x = 2, forward and backward."""
    record = _Recorder()
    x = torch.tensor(2.0, requires_grad=True)
    record.note("x", x, (0, 0), "x is a leaf: no operation made it.")
    y = record.note("y = x²", x**2, (1, 0), "y = x² is 4. Autograd records a node and saves x.")
    z = record.note("z = y³", y**3, (2, 0), "z = y³ is 64. Its node saves y.")
    record.backward(z)
    return record.trace()


def trace_network() -> Trace:
    """Run two layers with an in-place ReLU, forward and backward, and one step of descent."""
    images = torch.tensor([[1.0, -0.5], [0.5, 1.0]])
    labels = torch.tensor([[-1.0], [1.0]])
    record = _Recorder({"images": images, "labels": labels})
    first = torch.tensor([[0.6, -0.9, 0.3], [0.2, 0.8, -0.7]], requires_grad=True)
    second = torch.tensor([[0.5], [-0.4], [0.9]], requires_grad=True)
    record.note("W1", first, (0, 1), "W1 is a leaf, a 2 × 3 matrix of weights.")
    h = record.note("h = images @ W1", images @ first, (0, 0), "The first layer saves the images.")
    h.relu_()
    record.note("h.relu_()", h, (1, 0), "ReLU in place: h is overwritten, its version is 1.")
    record.note("W2", second, (2, 1), "W2 is the other leaf.")
    out = record.note("out = h @ W2", h @ second, (2, 0), "The second layer saves h and W2.")
    loss = F.mse_loss(out, labels)
    record.note("loss", loss, (3, 0), f"The mean squared error is {loss.item():.3g}.")
    record.backward(loss)
    for name, weight in (("W1", first), ("W2", second)):
        record.step(
            lambda weight=weight: _descend(weight, 0.5),
            next(i for i, tensor in enumerate(record.tensors) if tensor is weight),
            f"Descent, after backward: {name} −= 0.5 · {name}.grad, in place. Version 1.",
        )
    return record.trace()


def trace_hooks() -> Trace:
    """Run z = (x²)³ with a hook that halves the gradient of y, and a step as soon as x has one."""
    record = _Recorder()
    x = torch.tensor(2.0, requires_grad=True)
    record.note("x", x, (0, 0), "x is a leaf. A hook waits for its gradient to be complete.")
    y = record.note("y = x²", x**2, (1, 0), "y = x² is 4. A hook on y will halve its gradient.")
    halve = record.hook("halve", y, lambda g: g / 2, "The hook on y halves 48 to 24.")
    y.register_hook(halve)
    y.retain_grad()
    z = record.note("z = y³", y**3, (2, 0), "z = y³ is 64. Nothing has fired yet.")
    step = record.hook(
        "step", x, lambda x: _descend(x, 0.01), "x.grad is complete: the hook on x takes a step."
    )
    x.register_post_accumulate_grad_hook(step)
    record.backward(z)
    return record.trace()


def _descend(weight: Tensor, lr: float) -> None:
    with torch.no_grad():
        weight -= lr * weight.grad
