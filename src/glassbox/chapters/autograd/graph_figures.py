"""A drawing of the graph that autograd has recorded."""

from torch import Tensor

from glassbox.autograd.graphs import Graph, Node, Saved
from glassbox.chapters.autograd.cards import Rectangle, draw_box, draw_link, inch_axes
from glassbox.plotting.figures import GREEN, INK, MUTED, RUST, WIDTH, Axes, Figure, figure

WIDEST, CARD_HEIGHT, GAP_ACROSS, GAP_DOWN, MARGIN = 1.5, 0.72, 0.15, 0.16, 0.1
LEAF = "#e2f0eb"


def show_graph(graph: Graph) -> Figure:
    """Draw a graph: leaves to the left, the output to the right, links in the backward direction.

    A saved tensor has its shape beside it, and its version where that is not 0.

    Args:
        graph: From :func:`glassbox.autograd.graphs.walk_graph`; a dozen nodes or so can be read.

    Returns:
        The figure with its alt sentence.
    """
    boxes, height = _places(graph)
    fig, ax = figure(height=height, left=0, right=0, top=0, bottom=0)
    inch_axes(ax, WIDTH, height)
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
    """Give each node a column by its depth, and the first free row from that of its consumer on."""
    rows: dict[int, int] = {}
    taken: set[tuple[int, int]] = set()
    consumer = {below: above for above, below in reversed(graph.edges)}
    for i, node in enumerate(graph.nodes):
        row = rows.get(consumer.get(i, i), 0)
        while (node.depth, row) in taken:
            row += 1
        rows[i] = row
        taken.add((node.depth, row))
    columns, deepest = max(node.depth for node in graph.nodes) + 1, max(rows.values()) + 1
    across = min((WIDTH - 2 * MARGIN + GAP_ACROSS) / columns, WIDEST + GAP_ACROSS)
    height = 2 * MARGIN + deepest * (CARD_HEIGHT + GAP_DOWN) - GAP_DOWN
    start = (WIDTH - columns * across + GAP_ACROSS) / 2
    return [
        Rectangle(
            start + (columns - 1 - node.depth) * across,
            height - MARGIN - CARD_HEIGHT - rows[i] * (CARD_HEIGHT + GAP_DOWN),
            across - GAP_ACROSS,
            CARD_HEIGHT,
        )
        for i, node in enumerate(graph.nodes)
    ], height


def _draw_node(ax: Axes, node: Node, box: Rectangle) -> None:
    is_leaf = node.leaf is not None
    draw_box(
        ax, box, face=LEAF if is_leaf else "white", edge=GREEN if is_leaf else MUTED, strong=False
    )
    x, top = box.left + 0.07, box.low + box.height
    title = node.leaf_name or "leaf" if is_leaf else node.operation
    size = min(9.5, 95 * (box.width - 0.14) / max(len(title), 9))  # so that the longest name fits
    ax.text(x, top - 0.2, title, size=size, weight="bold", color=GREEN if is_leaf else INK)
    lines = [_leaf_line(node.leaf)] if is_leaf else [_saved_line(saved) for saved in node.saved]
    stale = any(saved.state == "modified" for saved in node.saved)
    longest = max(map(len, lines), default=1)
    style = {
        "size": min(7, 118 * (box.width - 0.14) / max(longest, 1)),
        "va": "top",
        "linespacing": 1.3,
    }
    ax.text(x, top - 0.28, "\n".join(lines), color=RUST if stale else MUTED, **style)


def _leaf_line(leaf: Tensor) -> str:
    version = f" v{leaf._version}" * bool(leaf._version)
    return ("×".join(map(str, leaf.shape)) or "one number") + version


def _saved_line(saved: Saved) -> str:
    sides = "×".join(map(str, saved.shape or ()))
    state = f"v{saved.version}" * bool(saved.version) if saved.state == "kept" else saved.state
    return " ".join(part for part in (saved.tensor or saved.name, sides, state) if part)
