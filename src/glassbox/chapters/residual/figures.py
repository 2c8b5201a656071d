"""The figures of the page on residual blocks."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.patches import FancyBboxPatch
from torch import Tensor

from glassbox.chapters.residual.study import Lesion, Lesions, Rates, Results, Slices, by_depth
from glassbox.plotting.colors import BLUE, GREEN, INK, MUTED, OCHRE, ON_PICTURE, PAPER, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone
from glassbox.training.seed_statistics import SeedRuns

COLORS = {"plain": RUST, "residual": BLUE, "residual, zero": GREEN}
_CLIP_STYLES = {"clipped": "-", "unclipped": (0, (4, 2))}
_NETWORK_COLORS = (OCHRE, BLUE, GREEN, RUST)
_WORST = 5.0  # a loss of the search above which it is drawn here
_LOWEST, _HIGHEST = 1e-3, 1e4  # losses in a slice beyond which the color stays the same
_STAGE = {"color": MUTED, "linewidth": 0.8, "linestyle": (0, (2, 3))}  # where one begins


@drawing
def show_degradation(results: Results) -> Figure:
    """Draw the training loss over the depth, with and without batch normalization."""
    fig, panels = figure(1, 2, height=3.6, sharey=True, top=0.85, wspace=0.12, phone_cols=1)
    endings = {"batch normalization": "", "none": ", no norm"}
    for ax, (title, ending) in zip(panels, endings.items(), strict=True):
        ends = []
        for name, color in COLORS.items():
            first, *rest = name.split(",")  # the ending comes before a comma
            depths = by_depth(results, ",".join([first + ending, *rest]), "train loss")
            _points(ax, depths, color, name)
            low, high = (depths[depth].mean for depth in (min(depths), max(depths)))
            ends.append(f"{name} from {low:.2g} to {high:.2g}")
        ax.set(yscale="log", xlabel="layers", ylim=(1e-3, 5), title=title)
        ax.set_xticks(list(depths))
        fig.describe(
            f"Training loss from {min(depths)} to {max(depths)} layers, normalization: {title}: "
            f"{'; '.join(ends)}."
        )
    panels[0].set_ylabel("training loss, last epoch")
    panels[0 if on_phone() else 1].legend(
        ncols=3, fontsize=9, loc="lower right", bbox_to_anchor=(1.02, 1.12)
    )
    return fig


@drawing
def show_search(rates: Rates, depth: int) -> Figure:
    """Draw the loss on the images to choose by over the learning rate, clipped and not."""
    fig, panels = figure(1, 2, height=3.5, sharey=True, wspace=0.12, phone_cols=1)
    for ax, name in zip(panels, ("plain", "residual"), strict=True):
        for clip, style in _CLIP_STYLES.items():
            losses = {
                lr: row[1] for (*key, lr, _), row in rates.items() if key == [name, clip, depth]
            }
            line = {"color": COLORS[name], "marker": "o", "markersize": 4.5, "linestyle": style}
            ax.plot(list(losses), np.minimum(list(losses.values()), _WORST), label=clip, **line)
            best = min(losses, key=losses.__getitem__)
            fig.describe(f"{name.capitalize()}, {clip}: lowest, {losses[best]:.2g}, at {best:g}.")
        ax.set(xscale="log", yscale="log", ylim=(0.05, 1.2 * _WORST))
        ax.set(xlabel="learning rate", title=f"{name}, {depth} layers")
        ax.set_xticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
        ax.set_yticks([0.1, 1], ["0.1", "1"])
        ax.legend(fontsize=9, loc="lower left" if name == "plain" else "upper right")
    panels[0].set_ylabel("validation loss")
    return fig


@drawing
def show_roles(networks: Mapping[str, Mapping[str, Tensor]]) -> Figure:
    """Draw what blocks do in up to four networks: accuracy without each, its share, its gradient.

    Each measure is ``(seeds, blocks)``; points are means, the bars reach from the lowest seed to
    the highest.
    """
    fig, panels = figure(3, 1, height=7.6, sharex=True, top=1.1 if on_phone() else 0.75, hspace=0.2)
    labels = {
        "without": "accuracy without it, %",
        "ratio": "length of F(x) / of x",
        "gradient": "gradient, 1 at the end",
    }
    for ax, (measure, label) in zip(panels, labels.items(), strict=True):
        for first in (1, 4, 7):
            ax.axvline(first, zorder=0, **_STAGE)
        for (name, found), color in zip(networks.items(), _NETWORK_COLORS, strict=False):
            values = _scaled(measure, found[measure])
            _spread(ax, dict(enumerate(values.T.tolist(), start=1)), color, name)
            said = " ".join(f"{mean:.2g}" for mean in values.mean(0))
            fig.describe(f"{label[0].upper()}{label[1:]}, {name}: {said}.")
        ax.set_ylabel(label)
    panels[0].set(ylim=(-3, 103))
    panels[1].set_ylim(bottom=0)
    panels[2].set_ylim(bottom=0)
    panels[2].set_xlabel("block")
    panels[2].set_xticks(range(1, 10))
    panels[0].legend(
        ncols=1 if on_phone() else 2, fontsize=9, loc="lower right", bbox_to_anchor=(1.0, 1.0)
    )
    return fig


def _scaled(measure: str, values: Tensor) -> np.ndarray:
    """Bring a measure into its unit: percent, a ratio, or the gradient relative to the last one."""
    if measure == "without":
        values = 100 * values
    if measure == "gradient":
        values = values / values[:, -1:]
    return values.numpy()


def _points(ax: Axes, values: Mapping[int, SeedRuns], color: str, name: str) -> None:
    """Draw means with the lowest and the highest seed: an interval would leave the axis."""
    _spread(ax, {at: one.values for at, one in values.items()}, color, name)


def _spread(ax: Axes, values: Mapping[int, Sequence[float]], color: str, name: str) -> None:
    means = np.array([np.mean(one) for one in values.values()])
    ends = np.array([(min(one), max(one)) for one in values.values()]).T
    style = {"color": color, "marker": "o", "markersize": 4.5, "linewidth": 1.6, "capsize": 3}
    ax.errorbar(list(values), means, np.abs(ends - means), label=name, **style)


@drawing
def show_growth(
    rates: Mapping[str, Tensor], epochs: Sequence[int], firsts: Sequence[int]
) -> Figure:
    """Draw the ratio of the lengths of F(x) and x, block by block, at some epochs of training.

    The ratios are ``(moments, blocks)``; ``firsts`` are the blocks, from 0, that begin a stage.
    """
    fig, panels = figure(
        1, len(rates), height=3.4, sharey=True, right=1.05, wspace=0.3, phone_cols=1
    )
    shades = ("#aab4dc", "#7686c9", BLUE, INK)
    for ax, (name, ratios) in zip(panels, rates.items(), strict=True):
        blocks = np.arange(1, ratios.shape[1] + 1)
        for first in firsts:
            ax.axvline(first + 1, **_STAGE)
        for epoch, line, color in zip(epochs, ratios.tolist(), shades, strict=True):
            text = "at first" if epoch == 0 else f"epoch {epoch}"
            ax.plot(blocks, line, color=color, marker="o", markersize=4, label=text)
        ax.set(title=name, xlabel="block", ylim=(-0.05, 1.6))
        ax.set_xticks(blocks)
        fig.describe(
            f"{name}: the length of F(x) over that of x in the first and last block is "
            f"{ratios[0, 0]:.2g} and {ratios[0, -1]:.2g} at first, {ratios[-1, 0]:.2g} and "
            f"{ratios[-1, -1]:.2g} in the end."
        )
    panels[0].set_ylabel("length of F(x) / length of x")
    panels[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9, handlelength=1)
    return fig


@drawing
def show_landscape(
    slices: Slices, norms: Mapping[tuple[str, int], Tensor], kind: str, depth: int
) -> Figure:
    """Draw a slice through the loss of a trained network, and its gradients before training.

    ``norms`` hold the norm of the gradient at each block, ``(blocks,)``.
    """
    losses = slices[kind, depth].nan_to_num(nan=_HIGHEST, posinf=_HIGHEST)
    gradient = norms[kind, depth]
    fig, (left, right) = figure(
        1, 2, height=3.5, left=0.7, right=0.5 if on_phone() else 0.3, wspace=0.42, phone_cols=1
    )
    _draw_slice(left, losses)
    blocks = np.arange(1, len(gradient) + 1)
    line = {"color": COLORS[kind], "marker": "o", "markersize": 4, "label": "gradient"}
    right.plot(blocks, gradient.log10().numpy(), **line)
    right.set(ylim=(-3, 2), xlim=(0, 28), xlabel="block")
    right.set_yticks(range(-3, 3), ["0.001", "0.01", "0.1", "1", "10", "100"])
    right.set_title("gradient before training")
    middle = losses[len(losses) // 2, len(losses) // 2]
    low = float((losses < 2.3).float().mean())
    fig.describe(
        f"A {kind} network of {depth} layers. Its loss is {middle:.2g} after training, and below "
        f"2.3, the loss of guessing, on {100 * low:.0f} percent of the square around it. Before "
        f"training the gradient is {gradient[0]:.2g} at the first block and {gradient[-1]:.2g} at "
        "the last."
    )
    return fig


def _draw_slice(ax: Axes, losses: Tensor) -> None:
    """Draw losses by their exponents: colors and contours on a linear scale are drawn faster."""
    shown = losses.clamp(_LOWEST, _HIGHEST).log10().numpy()
    square = {"extent": (-1, 1, -1, 1), "origin": "lower", "interpolation": "bilinear"}
    image = ax.imshow(shown, vmin=np.log10(_LOWEST), vmax=np.log10(_HIGHEST), **square)
    places = np.linspace(-1, 1, len(shown))
    lines = {"colors": PAPER, "linewidths": 0.7, "linestyles": "solid"}
    ax.contour(places, places, shown, levels=np.arange(-2, 4), **lines).set_gid(ON_PICTURE)
    ax.set_title("loss around it")
    ticks = {"xticks": [-1, 0, 1], "yticks": [-1, 0, 1]}
    ax.set(xlabel="along one direction", ylabel="along another", **ticks)
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.04)
    bar.set_ticks([-2, 0, 2, 4], labels=["0.01", "1", "100", "10⁴"])
    bar.outline.set_visible(False)


@drawing
def show_lesions(lesions: Lesions, depth: int) -> Figure:
    """Draw the accuracy of networks without one block, for each of the blocks."""
    fig, ax = figure(height=3.5, top=0.6)
    blocks = (depth - 2) // 2
    for first in (0, blocks // 3, 2 * blocks // 3):
        ax.axvline(first + 1, zorder=0, **_STAGE)
    for name, color in COLORS.items():
        found = {lesion: 100 * one for lesion, one in lesions[name, depth].items()}
        ones = {i + 1: found[(i,)] for i in range(blocks)}
        _points(ax, ones, color, name)
        worst = min(ones, key=lambda block: ones[block].mean)
        median = np.median([one.mean for one in ones.values()])
        fig.describe(
            f"{name.capitalize()}: {found[()].mean:.0f} percent whole, without one block "
            f"{median:.0f} in the middle of {blocks} cases and {ones[worst].mean:.0f} at "
            f"worst, without block {worst}."
        )
    ax.set_xticks(range(1, blocks + 1))
    _finish_accuracy(ax, "the block that is missing")
    return fig


@drawing
def show_removals(removals: Mapping[str, Mapping[int, SeedRuns]]) -> Figure:
    """Draw the accuracy of deep residual networks over the number of missing blocks."""
    fig, ax = figure(height=3.3, top=0.6)
    for name, color in list(COLORS.items())[1:]:
        counts = {count: 100 * one for count, one in removals[name].items()}
        _points(ax, counts, color, name)
        parts = (f"{counts[count].mean:.0f} without {count}" for count in (0, 4, 12, 24))
        fig.describe(f"Test accuracy in percent, {name}: {', '.join(parts)}.")
    ax.set_xticks(range(0, 25, 4))
    _finish_accuracy(ax, "blocks missing, of 27")
    return fig


def _finish_accuracy(ax: Axes, xlabel: str) -> None:
    ax.axhline(10, color=MUTED, linewidth=1)
    ax.set(ylim=(-3, 103), xlabel=xlabel, ylabel="test accuracy, percent")
    ax.legend(ncols=3, fontsize=9, loc="lower right", bbox_to_anchor=(1.0, 1.0))


def _lesion_of(stages: Sequence[int | None]) -> Lesion:
    """List the blocks, from 0 and ascending, that are missing in a ResNet-20.

    ``stages`` gives for each of the three stages the missing block, 1 to 3, or None.
    """
    return tuple(3 * stage + block - 1 for stage, block in enumerate(stages) if block)


@drawing
def show_surgery(lesions: Lesions, stages: Sequence[int | None]) -> Figure:
    """Draw the blocks of a ResNet-20 without those of :func:`_lesion_of`, and the accuracy left."""
    gone = _lesion_of(stages)
    margins = {"left": 1.35, "right": 0.6, "top": 0.25, "hspace": 0.28}
    fig, (top, below) = figure(2, 1, height=3.9, height_ratios=[1, 1.5], **margins)
    _draw_blocks(top, gone)
    names = list(COLORS)
    found = [100 * lesions[name, 20][gone] for name in names]
    places = np.arange(len(names))
    means = np.array([one.mean for one in found])
    ends = np.abs(np.array([(min(one.values), max(one.values)) for one in found]).T - means)
    style = {"height": 0.66, "color": list(COLORS.values()), "label": names}
    below.barh(places, means, xerr=ends, error_kw={"elinewidth": 1, "ecolor": INK}, **style)
    for place, one in zip(places, found, strict=True):
        below.text(106, place, f"{one.mean:.0f}", va="center", weight="bold")
    below.axvline(10, color=MUTED, linewidth=1)
    below.set(xlim=(0, 104), ylim=(2.6, -0.6), xlabel="test accuracy, percent")
    below.set_yticks(places, names)
    below.grid(False)
    which = " and ".join(str(i + 1) for i in gone)
    what = f"Without block{'s' * (len(gone) > 1)} {which}" if gone else "With all nine blocks"
    said = ", ".join(f"{name} {one:.0f}" for name, one in zip(names, found, strict=True))
    fig.describe(f"{what}, in percent: {said}.")
    return fig


def _draw_blocks(ax: Axes, gone: Lesion) -> None:
    """Draw the path of the data through nine blocks, and past those that are missing."""
    ax.set(xlim=(-0.9, 9.1), ylim=(-0.75, 1.15))
    ax.set_axis_off()
    ax.plot([-0.9, 9.1], [0, 0], color=INK, linewidth=1.5, zorder=0)
    for i in range(9):
        missing = i in gone
        face, edge = (PAPER, MUTED) if missing else ("#dfe4f2", BLUE)
        shape = FancyBboxPatch((i - 0.28, -0.3), 0.56, 0.6, boxstyle="round,pad=0.05")
        shape.set(facecolor=face, edgecolor=edge, linestyle=":" if missing else "-")
        ax.add_patch(shape)
        if missing:
            ax.plot([i - 0.33, i + 0.33], [0, 0], color=OCHRE, linewidth=2.2)
        else:
            ax.text(i, 0, str(i + 1), ha="center", va="center", weight="bold")
        if i % 3 == 0:
            ax.text(i - 0.33, 0.75, f"stage {i // 3 + 1}", color=MUTED, size=9)
