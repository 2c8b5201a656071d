"""The figures of the chapter on Adam show the numbers they are given, and say them."""

import pytest
import torch
from drawn import assert_inside, line, named, panel

from glassbox.chapters.adam import figures as adam
from glassbox.optim import Sweep, classify_digits, compress_digits
from glassbox.optim.sweeps import random_batches

VALUES = torch.randn(60, generator=torch.Generator().manual_seed(0))
LEVEL = torch.tensor([1.0] * 30 + [3.0] * 30)


def by_recursion(values, beta):
    m = 0.0
    for value in values:
        m = beta * m + (1 - beta) * value
    return float(m)


@pytest.mark.parametrize("beta", [0.5, 0.98])
@pytest.mark.parametrize("step", [3, 60])
def test_the_average_and_its_correction_are_those_of_the_recursion(beta, step):
    fig = adam.show_average(VALUES, LEVEL, beta, step)
    top, below = fig.axes
    raw, corrected = line(top, "as it is"), line(top, "corrected")
    expected = by_recursion(VALUES[:step].tolist(), beta)
    assert len(raw) == step
    assert raw[-1] == pytest.approx(expected, abs=1e-5)
    assert corrected[-1] == pytest.approx(expected / (1 - beta**step), abs=1e-5)
    assert corrected[0] == pytest.approx(float(VALUES[0]), abs=1e-5)
    (weights,) = named(below, "weights")
    heights = [bar[1][1] for bar in weights.get_segments()]
    assert sum(heights) == pytest.approx(1 - beta**step)
    assert heights[-1] == pytest.approx(1 - beta)
    assert f"{1 - beta**step:.3f}" in fig.alt


def test_the_axes_of_the_average_stay_while_the_step_moves():
    first, last = (adam.show_average(VALUES, LEVEL, 0.9, step) for step in (3, 60))
    for before, after in zip(first.axes, last.axes, strict=True):
        assert (before.get_xlim(), before.get_ylim()) == (after.get_xlim(), after.get_ylim())


def test_the_sentence_on_corrections_holds_their_largest():
    ratios = {"none": torch.tensor([3.0, 6.0, 1.0]), "half": torch.ones(3) * 2, "m": torch.ones(3)}
    fig = adam.show_corrections(ratios)
    assert "none, 3 at step 1 and at most 6, at step 2" in fig.alt


def test_the_sentence_on_epsilon_holds_where_the_step_is_half():
    sizes = torch.logspace(-11, -1, 401, dtype=torch.float64)
    steps = {
        name: sizes / (sizes + eps) for name, eps in zip("abc", (1e-9, 1e-6, 1e-3), strict=True)
    }
    fig = adam.show_epsilon(sizes, steps)
    for half in ("1e-09 with epsilon a", "1e-06 with epsilon b", "1e-03 with epsilon c"):
        assert half in fig.alt


def test_decayed_weights_are_drawn_and_told():
    path = torch.linspace(1, 0.25, 11)[:, None] * torch.tensor([1.0, 2.0])
    fig = adam.show_decay({"Adam": path, "AdamW": path / 2}, ["loud", "quiet"])
    assert "Adam: loud 0.25, quiet 0.50; AdamW: loud 0.12, quiet 0.25" in fig.alt
    assert line(panel(fig, "AdamW"), "quiet") == pytest.approx(path[:, 1] / 2)


@pytest.fixture(scope="module")
def noted():
    return adam.record_steps(compress_digits([0]), lr=3e-3, at=[1, 5])


def test_in_the_first_step_each_weight_moves_by_the_learning_rate(noted):
    lengths = torch.cat(noted[1]["length"])
    assert len(noted[1]["length"]) == 8 and lengths.max() < 1.001
    assert lengths.median() > 0.99
    assert torch.cat(noted[5]["length"]).median() < 0.95


def test_the_effective_learning_rate_is_the_rate_by_the_root(noted):
    """In the first step the corrected average of squares is the squared gradient."""
    task = compress_digits([0])
    model = task.make_model([0])
    batch = random_batches([0], 1000, 1, 32)[0]
    inputs = task.inputs[0][:, batch[0]]
    task.loss(model(inputs), inputs).sum().backward()
    for weight, rates in zip(model.weights, noted[1]["rate"], strict=True):
        gradients = weight.grad[weight.grad != 0].abs()
        torch.testing.assert_close(3e-3 / gradients, rates, rtol=1e-3, atol=0)


@pytest.mark.parametrize("what", ["rate", "length"])
def test_each_layer_has_its_bars_and_a_dot_at_its_median(noted, what):
    fig = adam.show_steps(noted, what, 5)
    dots = [float(dot.get_xdata()[0]) for dot in named(fig.axes[0], "median")]
    assert dots == pytest.approx([float(layer.quantile(0.5)) for layer in noted[5][what]])
    assert "Step 5" in fig.alt
    assert fig.axes[0].get_xlim() == adam.show_steps(noted, what, 1).axes[0].get_xlim()


def test_the_counterexample_ends_where_its_sentence_says():
    paths = {"Adam": [0.0] * 101 + [1.0] * 199, "AMSGrad": [0.0] * 101 + [-0.5] * 199}
    fig = adam.show_counterexample(paths, 202, 0.5)
    assert "Adam at 1.00 and AMSGrad at -0.50" in fig.alt
    (path,) = named(fig.axes[0], "Adam")
    assert max(path.get_xdata()) == 202
    longer = adam.show_counterexample(paths, 300, 0.5)
    assert fig.axes[0].get_xlim() == longer.axes[0].get_xlim()


def test_the_sensitivity_marks_the_chosen_rate():
    lrs = (0.01, 0.1, 1.0)
    scores = torch.tensor([[50.0, 52.0], [90.0, 92.0], [10.0, 12.0]])
    tasks = {"apart": classify_digits((0, 1)), "squeezed": compress_digits((0, 1))}
    sweeps = {
        name: {"SGD": Sweep(task, lrs, scores, scores), "Adam": Sweep(task, lrs, scores, scores)}
        for name, task in tasks.items()
    }
    fig = adam.show_sensitivity(sweeps, ["right", "error"])
    assert "apart, SGD: best at 0.1 with 91, 51 at 0.01 and 11 at 1." in fig.alt
    assert "squeezed, Adam: best at 1 with 11" in fig.alt
    marked = [named(ax, "chosen")[0] for ax in fig.axes]
    assert [float(dot.get_xdata()[0]) for dot in marked] == [0.1, 0.1, 1, 1]


@pytest.mark.parametrize("step", [3, 33, 60])
def test_no_name_leaves_the_picture(step):
    fig = adam.show_average(VALUES, LEVEL, 0.9, step)
    assert_inside(fig)
