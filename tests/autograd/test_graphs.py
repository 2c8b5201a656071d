"""The walk through autograd's graph finds what PyTorch recorded."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glassbox.autograd import walk_graph
from glassbox.autograd.graphs import _parents


def scalar_example():
    x = torch.tensor(2.0, requires_grad=True)
    y = x**2
    return x, y, y**3


def test_the_scalar_example_is_a_chain_with_its_saved_tensors():
    x, y, z = scalar_example()
    graph = walk_graph(z, {"x": x, "y": y})
    assert [node.name for node in graph.nodes] == ["PowBackward0", "PowBackward0", "AccumulateGrad"]
    assert [node.operation for node in graph.nodes[:2]] == ["pow", "pow"]
    assert graph.edges == ((0, 1), (1, 2))
    assert [node.settings for node in graph.nodes] == [{"exponent": 3}, {"exponent": 2}, {}]
    first, second, leaf = graph.nodes
    assert [
        (s.name, s.tensor, s.shape, s.version, s.state) for s in first.saved + second.saved
    ] == [
        ("self", "y", (), 0, "kept"),
        ("self", "x", (), 0, "kept"),
    ]
    assert leaf.leaf is x and leaf.leaf_name == "x" and graph.leaves == {"x": x}
    assert [node.depth for node in graph.nodes] == [0, 1, 2]


def test_saved_tensors_are_freed_by_backward():
    *_, z = scalar_example()
    z.backward()
    assert [saved.state for node in walk_graph(z).nodes for saved in node.saved] == [
        "freed",
        "freed",
    ]


def test_a_change_in_place_shows_in_the_version_or_as_modified():
    weight = torch.ones(2, 2, requires_grad=True)
    hidden = (weight * 2).exp_()
    output = hidden.sum()
    (saved,) = next(
        n for n in walk_graph(output, {"hidden": hidden}).nodes if n.operation == "exp"
    ).saved
    assert (saved.name, saved.tensor, saved.version) == ("result", "hidden", 1)
    hidden.detach().add_(1)
    (saved,) = next(node for node in walk_graph(output).nodes if node.operation == "exp").saved
    assert (saved.state, saved.shape, saved.version) == ("modified", None, None)


def test_every_parameter_of_a_model_is_a_leaf_under_its_name():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    names = dict(model.named_parameters())
    loss = F.cross_entropy(model(torch.randn(5, 1, 4, 4)), torch.zeros(5, dtype=torch.long))
    graph = walk_graph(loss, names)
    assert graph.leaves.keys() == names.keys()
    assert all(graph.leaves[name] is parameter for name, parameter in names.items())


def test_tensors_without_an_address_are_told_apart():
    for make in (lambda: torch.ones(2, device="meta"), lambda: torch.ones(0)):
        x, y = make().requires_grad_(), make().requires_grad_()
        graph = walk_graph((x * y).exp().sum(), {"x": x, "y": y})
        assert graph.leaves["x"] is x and graph.leaves["y"] is y
        (product,) = (node for node in graph.nodes if node.operation == "mul")
        assert sorted(saved.tensor for saved in product.saved) == ["x", "y"]


def test_each_node_comes_once_and_before_those_it_hands_gradients_to():
    x = torch.ones(3, requires_grad=True)
    y = x.exp()
    for _ in range(30):  # 2 ** 30 paths
        y = y + y.tanh()
    graph = walk_graph(y.sum())
    assert len(graph.nodes) == len({node.function for node in graph.nodes}) == 63
    assert all(above < below for above, below in graph.edges)
    for above, below in graph.edges:
        assert graph.nodes[above].depth < graph.nodes[below].depth
        assert graph.nodes[below].function in _parents(graph.nodes[above].function)
    assert graph.nodes[-1].depth == 62


def test_a_tensor_used_twice_by_one_operation_has_two_edges():
    x = torch.ones(2, requires_grad=True)
    graph = walk_graph((x * x).sum())
    assert graph.edges == ((0, 1), (1, 2), (1, 2))


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


def test_a_custom_function_shows_its_name_and_what_it_saved():
    x = torch.ones(2, 3, requires_grad=True)
    graph = walk_graph(Square.apply(x), {"x": x})
    assert (graph.nodes[0].name, graph.nodes[0].operation) == ("SquareBackward", "square")
    (saved,) = graph.nodes[0].saved
    assert (saved.name, saved.tensor, saved.shape) == ("saved[0]", "x", (2, 3))


def test_negative_dimensions_and_lists_of_tensors_are_readable():
    x = torch.ones(2, 3, requires_grad=True)
    graph = walk_graph(torch.stack([x.softmax(-1), x]).sum((0, -1)))
    settings = {node.operation: node.settings for node in graph.nodes}
    assert settings["softmax"] == {"dim": -1}
    assert settings["sum"] == {"dim": (0, -1), "keepdim": False}
    index = torch.tensor([0, 1])
    (saved,) = walk_graph(x[index]).nodes[0].saved
    assert (saved.name, saved.shape) == ("indices[0]", (2,))


@pytest.mark.parametrize("make", [lambda x: x, lambda x: (2 * x).detach()])
def test_a_tensor_without_a_graph_is_refused(make):
    with pytest.raises(ValueError, match="output is a leaf or detached"):
        walk_graph(make(torch.ones(1, requires_grad=True)))
