"""The figures of the chapter on autograd show what they are given, and say it."""

import pytest
import torch
from drawn import assert_inside, texts
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import nn

from glassbox.autograd import trace_hooks, trace_network, trace_scalars, walk_graph
from glassbox.chapters.autograd import figures as gradients
from glassbox.chapters.autograd import trace_figures as autograd
from glassbox.chapters.autograd.graph_figures import show_graph
from glassbox.plotting.colors import RUST
from glassbox.plotting.figures import to_pixels

TRACES = [trace_scalars, trace_network, trace_hooks]


@pytest.mark.parametrize("make", TRACES)
def test_every_moment_has_a_box_a_tensor_and_a_sentence_of_its_own(make):
    trace = make()
    sentences = set()
    for step, moment in enumerate(trace.moments, start=1):
        fig = autograd.show_moment(trace, step)
        boxes = [patch for patch in fig.axes[0].patches if isinstance(patch, FancyBboxPatch)]
        assert len(boxes) == len(trace.moments[-1].cards)
        assert moment.sentence in texts(fig) and moment.sentence in fig.alt
        sentences.add(fig.alt)
    assert len(sentences) == len(trace.moments)


@pytest.mark.parametrize("make", TRACES)
def test_after_the_last_moment_the_picture_stays(make):
    trace = make()
    last, later = (autograd.show_moment(trace, step) for step in (len(trace.moments), 14))
    assert last.alt == later.alt and (to_pixels(last) == to_pixels(later)).all()


def test_a_backward_arrow_points_from_the_result_to_its_input():
    fig = autograd.show_moment(trace_scalars(), 5)  # y hands 192 to x
    arrows = [patch for patch in fig.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    (active,) = [arrow for arrow in arrows if arrow.get_linewidth() > 2]
    (start, _), (end, _) = active._posA_posB
    assert end < start
    assert {"192", "48"} <= set(texts(fig))


@pytest.mark.parametrize("make", TRACES)
def test_no_text_leaves_the_picture(make):
    trace = make()
    for step in (2, 8, 14):
        assert_inside(autograd.show_moment(trace, step))


def test_the_drawn_graph_has_a_card_for_each_node_and_none_overlap():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.LogSoftmax(1))
    graph = walk_graph(model(torch.randn(2, 4)).sum(), dict(model.named_parameters()))
    fig = show_graph(graph)
    patches = fig.axes[0].patches
    boxes = [patch.get_extents() for patch in patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxes) == len(graph.nodes)
    assert sum(isinstance(patch, FancyArrowPatch) for patch in patches) == len(graph.edges)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert {"0.weight", "2.bias", "addmm", "logsoftmax"} <= set(texts(fig))


def test_a_stale_saved_tensor_is_written_in_red():
    weight = torch.ones(2, requires_grad=True)
    hidden = weight.exp()
    output = hidden.sum()
    hidden.detach().add_(1)
    fig = show_graph(walk_graph(output, {"weight": weight}))
    (stale,) = [text for text in fig.axes[0].texts if "modified" in text.get_text()]
    assert stale.get_color() == RUST


def test_the_norms_are_those_of_the_gradients_at_the_layers():
    torch.manual_seed(0)
    tower = gradients.Tower(4, "tanh", residual=True).double()
    inputs, labels = torch.randn(16, 32).double(), torch.randint(32, (16,))
    outputs, x = [], inputs
    for layer in tower.layers:
        outputs.append(layer(x))
        x = x + outputs[-1].tanh()
    grads = torch.autograd.grad(nn.functional.cross_entropy(x, labels), outputs)
    expected = torch.stack([grad.norm() for grad in grads])
    torch.testing.assert_close(gradients.gradient_norms(4, "tanh", True)[0], expected)


@pytest.mark.parametrize(
    ("activation", "residual", "low", "high"),
    [("sigmoid", False, 0, 1e-9), ("ReLU", False, 1e-5, 1e-2), ("tanh", True, 1, 100)],
)
def test_depth_shrinks_the_gradient_unless_residual_links_carry_it(activation, residual, low, high):
    norms = gradients.gradient_norms(20, activation, residual)
    ratio = (norms[:, 0] / norms[:, -1]).log().mean().exp()
    assert norms.shape == (5, 20) and low < ratio < high


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.2, "0.2 times"), (278.4, "278 times"), (8.9e-13, "9 × 10⁻¹³ times")]
)
def test_a_ratio_is_put_into_words(ratio, words):
    norms = torch.tensor([[ratio, 1.0]], dtype=torch.float64)
    assert f"gets {words} the gradient" in gradients.show_gradient_norms(norms, "", True).alt


def curve(factor, optimizer, clip):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(200, 64, generator=generator)
    return gradients.training_losses(images, images[:, :10].argmax(1), factor, optimizer, clip, 20)


def test_scaling_is_a_learning_rate_to_sgd_and_nothing_to_adam():
    assert curve(2, "SGD", False)[-1] < curve(1, "SGD", False)[-1] < curve(0.1, "SGD", False)[-1]
    torch.testing.assert_close(
        curve(100, "Adam", False), curve(1, "Adam", False), rtol=1e-3, atol=1e-4
    )


def test_clipping_holds_a_scaled_gradient():
    assert not curve(1000, "SGD", False).isfinite().all()
    assert curve(1000, "SGD", True).max() < 5


def test_measuring_leaves_random_state_alone():
    before = torch.get_rng_state()
    gradients.gradient_norms(3, "ReLU", False, seeds=2)
    curve(1, "SGD", True)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_training_curve_names_its_losses():
    plain, scaled = torch.full((20,), 2.0), torch.full((20,), 0.5)
    fig = gradients.show_training_losses(scaled, plain, 3, "SGD")
    assert "0.50 with the hook, 2.00 without" in fig.alt
    to_pixels(fig)
