"""The graph that autograd has recorded, drawn."""

from torch import Tensor

from glassbox.autograd.graphs import Graph, Node, Saved
from glassbox.chapters.autograd.cards import GREEN_TINT, Rectangle, draw_box, draw_link, inch_figure
from glassbox.plotting.colors import GREEN, INK, MUTED, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, on_phone, page_width

# Inches: the widest card, its height, the gaps between cards, the margin around them. On a phone,
# where text is larger, all but the margin are so many times as large.
_WIDEST, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 1.5, 0.72, 0.15, 0.16, 0.1
_ON_PHONE = 1.3


@drawing
def show_graph(graph: Graph) -> Figure:
    """Draw a graph: leaves to the left, the output to the right, links in the backward direction.

    On a phone the output is below. Beside a saved tensor stands its shape, and its version where
    that is not 0. A dozen nodes or so stay legible.
    """
    boxes, height = _places(graph)
    fig, ax = inch_figure(height)
    for start, end in graph.edges:
        tail, head = boxes[start].edge_towards(boxes[end]), boxes[end].edge_towards(boxes[start])
        draw_link(ax, tail, head, "#b9b5aa", 1.2)
    for node, box in zip(graph.nodes, boxes, strict=True):
        _draw_node(ax, node, box)
    leaves = ", ".join(graph.leaves) or "none"
    names = " ".join(node.operation for node in graph.nodes if node.leaf is None)
    fig.describe(
        f"Graph of {len(graph.nodes)} nodes from the output back: {names}; the leaves are {leaves}."
    )
    return fig


def _places(graph: Graph) -> tuple[list[Rectangle], float]:
    """Place each node in the column of its depth, in the first free row at or below its consumer's.

    Return the places and the height of the figure, in inches.
    """
    rows: dict[int, int] = {}
    taken: set[tuple[int, int]] = set()
    consumer = {below: above for above, below in reversed(graph.edges)}
    for i, node in enumerate(graph.nodes):
        row = rows.get(consumer.get(i, i), 0)
        while (node.depth, row) in taken:
            row += 1
        rows[i] = row
        taken.add((node.depth, row))
    deepest = max(node.depth for node in graph.nodes)
    places = [(deepest - node.depth, rows[i]) for i, node in enumerate(graph.nodes)]
    return _boxes([place[::-1] for place in places], _ON_PHONE) if on_phone() else _boxes(places, 1)


def _boxes(places: list[tuple[int, int]], scale: float) -> tuple[list[Rectangle], float]:
    """Make a box for each place, a column and a row."""
    columns, rows = (max(ends) + 1 for ends in zip(*places, strict=True))
    gap, box, down = scale * _ACROSS, scale * _HEIGHT, scale * (_HEIGHT + _DOWN)
    across = min((page_width() - 2 * _MARGIN + gap) / columns, scale * (_WIDEST + _ACROSS))
    height = 2 * _MARGIN + (rows - 1) * down + box
    start = (page_width() - columns * across + gap) / 2
    return [
        Rectangle(start + col * across, height - _MARGIN - box - row * down, across - gap, box)
        for col, row in places
    ], height


def _draw_node(ax: Axes, node: Node, box: Rectangle) -> None:
    is_leaf = node.leaf is not None
    face, edge = (GREEN_TINT, GREEN) if is_leaf else ("white", MUTED)
    draw_box(ax, box, face=face, edge=edge, strong=False)
    x, top = box.left + 0.07, box.low + box.height
    title = node.leaf_name or "leaf" if is_leaf else node.operation
    size = min(9.5, 95 * (box.width - 0.14) / max(len(title), 9))  # so that the longest name fits
    scale = _ON_PHONE if on_phone() else 1
    ax.text(x, top - 0.2 * scale, title, size=size, weight="bold", color=GREEN if is_leaf else INK)
    lines = [_leaf_line(node.leaf)] if is_leaf else [_saved_line(saved) for saved in node.saved]
    stale = any(saved.state == "modified" for saved in node.saved)
    longest = max(map(len, lines), default=0) or 1
    size = min(7 * scale, 118 * (box.width - 0.14) / longest)
    style = {"color": RUST if stale else MUTED, "size": size, "va": "top", "linespacing": 1.3}
    ax.text(x, top - 0.28 * scale, "\n".join(lines), **style)


def _leaf_line(leaf: Tensor) -> str:
    version = f" v{leaf._version}" * bool(leaf._version)
    return ("×".join(map(str, leaf.shape)) or "one number") + version


def _saved_line(saved: Saved) -> str:
    sides = "×".join(map(str, saved.shape or ()))
    state = f"v{saved.version}" * bool(saved.version) if saved.state == "kept" else saved.state
    return " ".join(part for part in (saved.tensor or saved.name, sides, state) if part)
