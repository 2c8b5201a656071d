"""The figures of the chapter on Adam."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.ticker import NullLocator
from torch import Tensor

from glassbox.optim.sweeps import Sweep, Task, random_batches
from glassbox.plotting.charts import interval
from glassbox.plotting.colors import BLUE, FAINT, GREEN, MUTED, OCHRE, PAPER, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, figure
from glassbox.plotting.marks import label_ends

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FRAME = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.85}  # behind names
_DASHED = {"color": MUTED, "linestyle": "--", "linewidth": 1}


@drawing
def show_average(values: Tensor, level: Tensor, beta: float, step: int) -> Figure:
    """Draw a running average of noisy values, uncorrected and corrected, and the values' weights.

    Of the values ``(T,)``, which scatter around ``level``, ``step`` have arrived.
    """
    seen = torch.arange(1, step + 1)
    weights = (1 - beta) * beta ** (step - seen).double()  # the newest weighs most
    # After t values the weights are those of the t newest.
    raw = torch.stack([weights[-t:] @ values[:t].double() for t in seen])
    corrected = raw / (1 - beta**seen)
    total = float(weights.sum())
    fig, (top, bottom) = figure(2, 1, height=4.5, right=1.0, height_ratios=[2.1, 1], hspace=0.46)
    limits = (0, len(values) + 1)
    after = torch.arange(1, len(values) + 1)
    top.plot(after, values, "o", color=FAINT, markersize=3)
    top.plot(seen, values[:step], "o", color=MUTED, markersize=3.5)
    top.step(after, level, where="mid", **_DASHED)
    top.plot(seen, raw, color=RUST, label="as it is")
    top.plot(seen, corrected, color=BLUE, label="corrected")
    top.set(xlim=limits, ylim=(-0.3, 4.4), ylabel="value")
    ends = {"corrected": float(corrected[-1]), "as it is": float(raw[-1])}
    label_ends(top, ends, (BLUE, RUST), step + 1, gap=0.36 / 4.7, **_FRAME)
    top.set_title(f"Average with β = {beta:g} after {step} values")
    bottom.vlines(seen, 0, weights, color=OCHRE, linewidth=4.5, label="weights")
    bottom.set(xlim=limits, ylim=(0, 1.15 * (1 - beta)))
    bottom.set(xlabel="step", ylabel="weight", yticks=[0, (1 - beta) / 2, 1 - beta])
    bottom.set_title(f"The weights of the values add up to {total:.3f}", fontweight="normal")
    fig.describe(
        f"Noisy values about a level that jumps, and their running average with β = {beta:g} after "
        f"{step} values: {raw[-1]:.2f} as it is, {corrected[-1]:.2f} corrected, where the level is "
        f"{level[step - 1]:g}. The weights of the values fall from the newest to the oldest and "
        f"add up to {total:.3f}."
    )
    return fig


@drawing
def show_corrections(ratios: Mapping[str, Tensor]) -> Figure:
    """Draw Adam's steps with each correction left out, ``(T,)``, in units of the correct steps."""
    fig, ax = figure(height=3.4)
    parts = []
    looks = ((RUST, 1.1, 2.2), (OCHRE, 1.5, 32), (GREEN, 2.2, 0.13))  # color, place of the name
    for (name, ratio), (color, *place) in zip(ratios.items(), looks, strict=True):
        steps = torch.arange(1, len(ratio) + 1)
        ax.plot(steps, ratio, color=color)
        start = float(ratio[0])
        ax.text(*place, name, color=color, size=9, weight="bold")
        most = int(ratio.argmax()) + 1
        parts.append(f"{name}, {start:.3g} at step 1 and at most {ratio.max():.3g}, at step {most}")
    ax.axhline(1, **_DASHED)
    ax.set(xscale="log", yscale="log", xlabel="step", ylabel="times the correct step")
    ax.set(xlim=(0.9, len(steps) * 1.1), ylim=(0.06, 70))
    ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    _whole_powers(ax, [1, 10, 100, 1000])
    ax.set_title("Without correction, the first steps are too long")
    fig.describe(f"Length of Adam's steps in correct ones. Left out: {'; '.join(parts)}.")
    return fig


def _whole_powers(ax: Axes, ticks: Sequence[float]) -> None:
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_locator(NullLocator())


@drawing
def show_epsilon(sizes: Tensor, steps: Mapping[str, Tensor]) -> Figure:
    """Draw the first step of Adam over the size of the gradient, for several places of epsilon.

    The sizes ``(N,)`` ascend by a constant factor; the steps are in units of the learning rate.
    """
    fig, ax = figure(height=3.3, right=0.35)
    halves = []
    looks = ((BLUE, 0.7, 0.5, "right"), (OCHRE, 0.7, 0.3, "left"), (RUST, 1.4, 0.5, "left"))
    for (name, step), (color, away, height, side) in zip(steps.items(), looks, strict=True):
        ax.plot(sizes, step, color=color)
        half = float(sizes[int((step - 0.5).abs().argmin())])
        ax.text(half * away, height, name, color=color, size=9, weight="bold", ha=side)
        halves.append(f"{half:.0e} with epsilon {name}")
    ax.set(xscale="log", xlim=(float(sizes[0]), float(sizes[-1])), ylim=(0, 1.08))
    ax.set(xlabel="size of the gradient", ylabel="first step / lr")
    ax.set_title("Below which gradient do the steps shrink?")
    fig.describe(
        "First step of Adam over the size of the gradient, from 0 to one learning rate. "
        f"It is half as long at a gradient of {', '.join(halves)}."
    )
    return fig


@drawing
def show_decay(paths: Mapping[str, Tensor], names: Sequence[str]) -> Figure:
    """Draw two weights under weight decay, ``(T, 2)`` for each way to decay, in panels."""
    fig, panels = figure(
        1, len(paths), height=3.1, right=1.35, sharey=True, wspace=0.12, phone_cols=1
    )
    said = []
    for ax, (way, path) in zip(panels, paths.items(), strict=True):
        for column, color, name in zip(path.T, (BLUE, RUST), names, strict=True):
            ax.plot(column, color=color, linewidth=1.5, label=name)
        ax.set(xlabel="step", ylim=(-0.1, 1.1))
        ax.set_title(way)
        ends = dict(zip(names, path[-1].tolist(), strict=True))
        said.append(f"{way}: " + ", ".join(f"{name} {end:z.2f}" for name, end in ends.items()))
    panels[0].set_ylabel("weight")
    label_ends(ax, ends, (BLUE, RUST), len(path) * 1.07, gap=0.1, **_FRAME)
    fig.describe(f"Two weights that start at 1, over {len(path) - 1} steps. {'; '.join(said)}.")
    return fig


def record_steps(task: Task, lr: float, at: Sequence[int]) -> dict[int, dict[str, list[Tensor]]]:
    """Train with Adam for one seed, and record at some ascending steps what it does to the weights.

    For each: ``"rate"``, the learning rate divided by the root of the average of squares, and
    ``"length"``, the length of the step in learning rates. Each is a list with one tensor per
    layer, for the weights whose gradient has not always been 0.
    """
    model = task.make_model(task.seeds)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    noted = {}
    for step, (batch,) in enumerate(random_batches(task.seeds, 1000, at[-1], 32), start=1):
        loss = task.loss(model(task.inputs[0][:, batch]), task.targets[0][:, batch]).sum()
        optimizer.zero_grad()
        loss.backward()
        before = [weight.detach().clone() for weight in model.weights]
        optimizer.step()
        if step in at:
            noted[step] = _note(optimizer, model.weights, before, lr)
    return noted


def _note(
    optimizer: torch.optim.Adam, weights: Sequence[Tensor], before: Sequence[Tensor], lr: float
) -> dict[str, list[Tensor]]:
    beta2, rates, lengths = optimizer.param_groups[0]["betas"][1], [], []
    for weight, old in zip(weights, before, strict=True):
        state = optimizer.state[weight]
        root = (state["exp_avg_sq"] / (1 - beta2 ** state["step"])).sqrt()
        rates.append((lr / root)[root > 0])
        lengths.append(((weight.detach() - old).abs() / lr)[root > 0])
    return {"rate": rates, "length": lengths}


@drawing
def show_steps(noted: Mapping[int, Mapping[str, list[Tensor]]], what: str, step: int) -> Figure:
    """Draw how the ``"rate"`` or ``"length"`` of a recorded step spreads over the weights."""
    layers = noted[step][what]
    quantiles = torch.tensor(_QUANTILES)
    spreads = [layer.clamp(min=1e-9).quantile(quantiles).tolist() for layer in layers]
    fig, ax = figure(height=3.7, left=0.85)
    rows = np.arange(len(layers), 0, -1)
    for row, (low, lower, middle, upper, high) in zip(rows, spreads, strict=True):
        ax.plot([low, high], [row, row], color=BLUE, linewidth=1.6, solid_capstyle="round")
        ax.plot([lower, upper], [row, row], color=BLUE, linewidth=7, alpha=0.45)
        ax.plot(middle, row, "o", color=RUST, markersize=6, label="median")
    ax.set_yticks(rows, [f"layer {i}" for i in range(1, len(layers) + 1)])
    ax.set(xscale="log", ylim=(0.3, 8.7))
    ax.grid(axis="x")
    middles = [spread[2] for spread in spreads]
    if what == "rate":
        said = f"medians from {_plain(min(middles))} to {_plain(max(middles))}"
        ax.set(xlim=(1e-2, 1e6), xlabel="effective learning rate")
        ax.set_xticks([1e-2, 1, 1e2, 1e4, 1e6])
    else:
        said = f"medians from {min(middles):.2f} to {max(middles):.2f} lr"
        ax.set(xlim=(1e-5, 2), xlabel="length of the step, in learning rates")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_title(f"Step {step}: {said}")
    fig.describe(
        f"For each of {len(layers)} layers a bar that holds 90% of its weights, a broad one for "
        f"the middle half, and the median, on a logarithmic scale. Step {step}, "
        f"{ax.get_xlabel()}: {said}."
    )
    return fig


def _plain(number: float) -> str:
    """Write a number with two digits or more, and without an exponent."""
    return f"{number:.1f}" if number < 10 else f"{float(f'{number:.2g}'):,.0f}"


@drawing
def show_counterexample(paths: Mapping[str, Sequence[float]], steps: int, lr: float) -> Figure:
    """Draw where ``"Adam"`` and ``"AMSGrad"`` are on the interval of the counterexample.

    At least 101 steps are drawn; ``lr``, that of the first step, is for the title.
    """
    fig, ax = figure(height=3.5, right=1.0)
    chosen = np.unique(np.geomspace(1, steps, 1500).astype(int))
    ends = {}
    for (name, path), color in zip(paths.items(), (BLUE, RUST), strict=True):
        ax.plot(chosen, np.asarray(path)[chosen - 1], color=color, linewidth=1.4, label=name)
        ends[name] = float(np.mean(path[steps - 101 : steps]))
    longest = max(map(len, paths.values()))
    ax.set(xscale="log", xlim=(1, longest * 1.3), ylim=(-1.25, 1.25), ylabel="x", xlabel="step")
    _whole_powers(ax, [1, 10, 100, 1000, 10000, 100000])
    label_ends(ax, ends, (BLUE, RUST), steps * 1.15, gap=0.17 / 2.5, **_FRAME)
    for height, words in ((1, "the worst point"), (-1, "the best point")):
        ax.axhline(height, **_DASHED)
        va = "bottom" if height > 0 else "top"
        ax.text(1.15, height * 1.02, words, color=MUTED, size=9, va=va)
    ax.set_title(f"After {steps:,} steps with lr = {lr:g} / √t")
    said = " and ".join(f"{name} at {end:.2f}" for name, end in ends.items())
    fig.describe(
        f"Two optimizers on the interval from -1, the best point, to 1, the worst one, after "
        f"{steps:,} steps: {said}, the mean of the last 101."
    )
    return fig


@drawing
def show_sensitivity(sweeps: Mapping[str, Mapping[str, Sweep]], labels: Sequence[str]) -> Figure:
    """Draw validation scores over the learning rate: a row for each task, a column per optimizer.

    ``labels`` name the score of each task.
    """
    shape = len(sweeps), len(next(iter(sweeps.values())))
    spaces = {"left": 0.85, "wspace": 0.12, "hspace": 0.28}
    fig, axes = figure(*shape, height=4.6, sharex=True, sharey="row", **spaces)
    for row, label, (task, of) in zip(axes, labels, sweeps.items(), strict=True):
        for ax, (name, one) in zip(row, of.items(), strict=True):
            for other in of.values():
                ax.plot(other.lrs, other.validation.mean(dim=1), color=FAINT, linewidth=1)
            _draw_sweep(ax, one)
            if ax in axes[0]:
                ax.set_title(name)
            fig.describe(_sweep_sentence(task, name, one))
        row[0].set_ylabel(label)
        row[0].set_ylim((0, 105) if one.task.best is max else (30, 135))
    for ax in axes[-1]:
        ax.set(xscale="log", xlabel="lr", xlim=(2e-4, 5))
        _whole_powers(ax, [1e-3, 1e-2, 1e-1, 1])
        ax.set_xticklabels(["10⁻³", "", "10⁻¹", ""])
    return fig


def _draw_sweep(ax: Axes, one: Sweep) -> None:
    mean, half = interval(one.validation.T)
    ax.errorbar(one.lrs, mean, half, color=BLUE, marker=".", linewidth=1.6, elinewidth=1.2)
    ax.plot(
        one.lrs[one.chosen], mean[one.chosen], "o", color=RUST, markersize=7, zorder=3, gid="chosen"
    )


def _sweep_sentence(task: str, name: str, one: Sweep) -> str:
    means = one.validation.mean(dim=1)
    return (
        f"{task}, {name}: best at {one.lrs[one.chosen]:.2g} with {means[one.chosen]:.0f}, "
        f"{means[0]:.0f} at {one.lrs[0]:.2g} and {means[-1]:.0f} at {one.lrs[-1]:.2g}."
    )
