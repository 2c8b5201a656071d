"""A diagram of a plain and of a residual block."""

from itertools import pairwise

from glassbox.plotting.colors import BLUE, MUTED, PAPER, RUST
from glassbox.plotting.diagrams import arrow, box
from glassbox.plotting.figures import Axes, Figure, drawing, figure

_LAYERS = ("conv 3 × 3", "batch norm", "ReLU", "conv 3 × 3", "batch norm")
_WIDTH, _HEIGHT, _STEP = 2.6, 0.62, 0.95
_SPOTS = [-_STEP * (i + 0.5) for i in range(len(_LAYERS))]
_SUM = -_STEP * (len(_LAYERS) + 0.5)
_SIDE = 2.3  # how far the shortcut is from the main path
_TURN = 0.45  # where it leaves the main path


@drawing
def show_blocks() -> Figure:
    """Draw the layers of a plain block, and beside them the same ones with a shortcut."""
    margins = {"left": 0.1, "right": 0.1, "top": 0.4, "bottom": 0.1, "wspace": 0.05}
    fig, panels = figure(1, 2, height=4.7, **margins)
    for ax, title in zip(panels, ("plain block", "residual block"), strict=True):
        ax.set(xlim=(-2.6, 3.4), ylim=(_SUM - 2.3, 1.2), title=title)
        ax.set_axis_off()
        _main_path(ax, joined=ax is panels[1])
    _shortcut(panels[1])
    _name_main_path(panels[1])
    fig.describe(
        "Two columns of layers: convolution, batch norm, ReLU, convolution, batch norm, and a last "
        "ReLU. In the right one the first five are called F, and an arrow runs from the input x "
        "past them to a sum before the last ReLU, whose result is H(x) = ReLU(x + F(x))."
    )
    return fig


def _main_path(ax: Axes, *, joined: bool) -> None:
    """Draw boxes from top to bottom, with the sum before the last one where there is one."""
    last = _SUM - _STEP * joined
    stops = [*((y, _HEIGHT / 2) for y in _SPOTS), *[(_SUM, 0.33)] * joined, (last, _HEIGHT / 2)]
    for y, name in zip(_SPOTS, _LAYERS, strict=True):
        box(ax, (0, y), _WIDTH, name, BLUE, _HEIGHT)
    box(ax, (0, last), _WIDTH, "ReLU", MUTED, _HEIGHT)
    if joined:
        ax.plot(0, _SUM, "o", markersize=22, markerfacecolor=PAPER, markeredgecolor=RUST)
        ax.text(0, _SUM, "+", size=17, weight="bold", color=RUST, ha="center", va="center")
    ends = [(0.75, 0.0), *stops, (last - 1.05, 0.0)]
    for (above, half), (below, other) in pairwise(ends):
        arrow(ax, (0, above - half), (0, below + other))
    ax.text(0, 0.82, "x", size=13, style="italic", ha="center")
    if joined:
        ax.text(0.3, last - 0.75, "H(x)", size=12, style="italic", va="center")


def _name_main_path(ax: Axes) -> None:
    """Draw a bracket beside the five layers that are F."""
    above, below, at = _SPOTS[0] + _HEIGHT / 2, _SPOTS[-1] - _HEIGHT / 2, -_WIDTH / 2 - 0.25
    corners = [at + 0.12, at, at, at + 0.12], [above, above, below, below]
    ax.plot(*corners, color=BLUE, linewidth=1.4)
    ax.text(at - 0.35, _SPOTS[2], "F", size=15, style="italic", color=BLUE, ha="center")


def _shortcut(ax: Axes) -> None:
    ax.plot([0, _SIDE, _SIDE], [_TURN, _TURN, _SUM], color=RUST, linewidth=2.2)
    arrow(ax, (_SIDE, _SUM), (0.33, _SUM), RUST, 2.2)
    ax.text(_SIDE + 0.15, (_TURN + _SUM) / 2, "shortcut", color=RUST, rotation=90, va="center")
