"""The figure of the page on training in several processes."""

from itertools import pairwise

from glassbox.plotting.colors import BLUE, GREEN, MUTED, RUST
from glassbox.plotting.diagrams import HEIGHT, arrow, box, diagram
from glassbox.plotting.figures import Figure, drawing

_STEP = 0.8  # inches from a row to the next one


@drawing
def show_data_parallel() -> Figure:
    """Draw a step of training in two processes: what each holds, and where they talk."""
    fig, ax = diagram(
        5 * _STEP,
        "A global batch of 64 images is cut in two. Each of two processes has 32 images, its copy "
        "of the network, and its gradient. An all-reduce gives both the average, and both take the "
        "same step.",
    )
    middle = fig.get_figwidth() / 2
    apart, wide = 0.52 * middle, 0.94 * middle
    rows = [_STEP * (4.5 - row) for row in range(5)]
    box(ax, (middle, rows[0]), wide, "64 images", MUTED)
    box(ax, (middle, rows[3]), 1.98 * middle, "all-reduce: both have (g₀ + g₁) / 2", RUST)
    for rank, (x, color) in enumerate(((middle - apart, BLUE), (middle + apart, GREEN))):
        box(ax, (x, rows[1]), wide, f"process {rank}: 32 images", color)
        box(ax, (x, rows[2]), wide, f"its copy, its gradient {'g₀' if rank == 0 else 'g₁'}", color)
        box(ax, (x, rows[4]), wide, "the same step", color)
        arrow(ax, (middle + (x - middle) / 3, rows[0] - HEIGHT / 2), (x, rows[1] + HEIGHT / 2))
        for above, below in pairwise(rows[1:]):
            arrow(ax, (x, above - HEIGHT / 2), (x, below + HEIGHT / 2))
    return fig
