"""The drawings of the chapter on autograd and hooks."""

from torch import Tensor

from glassbox.autograd.backward_trace import Card, Moment, Trace
from glassbox.chapters.autograd.cards import (
    Cells,
    Rectangle,
    draw_box,
    draw_link,
    draw_number,
    draw_pill,
    inch_axes,
)
from glassbox.plotting.figures import (
    BLUE,
    GREEN,
    GRID,
    INK,
    MUTED,
    OCHRE,
    PAPER,
    RUST,
    WIDTH,
    Axes,
    Figure,
    figure,
)

HEIGHT = 3.7
CARD, GAP = (1.5, 1.2), (0.26, 0.32)
LIMIT = 1.2  # the size of a number at which its color is at its strongest
UNMADE, HOOK = "#a9aab0", "#8a6208"
COLORS = {"forward": BLUE, "backward": RUST, "hook": OCHRE, "step": GREEN}
TINTS = {"forward": "#e9edf8", "backward": "#f9e9e3", "hook": "#f8efdb", "step": "#e2f0eb"}
TITLES = {"forward": "Forward", "backward": "Backward", "hook": "A hook fires", "step": "A step"}


def show_moment(trace: Trace, step: int) -> Figure:
    """Draw one moment of a pass: each tensor as a card, and what moves between them.

    Args:
        trace: A pass, from :mod:`glassbox.autograd.backward_trace`.
        step: Which moment, from 1; beyond the last it stays at the last.

    Returns:
        The figure with its alt sentence.
    """
    number = min(step, len(trace.moments))
    moment = trace.moments[number - 1]
    fig, ax = figure(height=HEIGHT, left=0, right=0, top=0, bottom=0)
    inch_axes(ax, WIDTH, HEIGHT)
    boxes = _places(trace.moments[-1].cards)
    _write_head(ax, moment, number, len(trace.moments))
    for start, end in trace.links:
        _draw_flow(ax, moment, boxes, start, end)
    cells = Cells(LIMIT)
    for i, last in enumerate(trace.moments[-1].cards):
        card = moment.cards[i] if i < len(moment.cards) else last
        _draw_card(
            ax, cells, card, boxes[i], moment, fig=i < len(moment.cards), active=i == moment.active
        )
    cells.draw(ax)
    fig.describe(_sentence(moment, number, len(trace.moments)))
    return fig


def _places(cards: tuple[Card, ...]) -> list[Rectangle]:
    """Lay the cards out in columns and rows around the middle of the figure."""
    columns = max(card.place[0] for card in cards) + 1
    rows = max(card.place[1] for card in cards) + 1
    scale = (WIDTH - 0.3) / (columns * (CARD[0] + GAP[0]) - GAP[0])
    (width, height), (across, down) = ([scale * side for side in sides] for sides in (CARD, GAP))
    left = (WIDTH - columns * (width + across) + across) / 2
    top = (HEIGHT + rows * (height + down) - down) / 2 - 0.05
    return [
        Rectangle(
            left + column * (width + across), top - height - row * (height + down), width, height
        )
        for column, row in (card.place for card in cards)
    ]


def _write_head(ax: Axes, moment: Moment, number: int, count: int) -> None:
    color = COLORS[moment.kind]
    ax.text(0.12, HEIGHT - 0.27, TITLES[moment.kind], size=13, weight="bold", color=color)
    ax.text(WIDTH - 0.12, HEIGHT - 0.27, f"{number} of {count}", size=10, color=MUTED, ha="right")
    ax.text(0.12, 0.16, moment.sentence, size=10, color=INK)


def _draw_flow(ax: Axes, moment: Moment, boxes: list[Rectangle], start: int, end: int) -> None:
    """Draw the link between an input and its result, in the direction in which things move."""
    forward = moment.kind == "forward" and end == moment.active
    backward = moment.kind == "backward" and end == moment.active
    tail, head = boxes[start].edge_towards(boxes[end]), boxes[end].edge_towards(boxes[start])
    if backward:
        draw_link(ax, head, tail, RUST, 2.6)
    else:
        draw_link(ax, tail, head, BLUE if forward else "#c9c8c4", 2.6 if forward else 1.1)


def _draw_card(
    ax: Axes, cells: Cells, card: Card, box: Rectangle, moment: Moment, *, fig: bool, active: bool
) -> None:
    color = COLORS[moment.kind] if active else MUTED
    face = TINTS[moment.kind] if active else "white" if fig else PAPER
    draw_box(ax, box, face=face, edge=color if fig else GRID, strong=active)
    scale = box.width / CARD[0]
    x, high = box.left + 0.1 * scale, box.low + box.height
    ink = INK if fig else UNMADE
    ax.text(x, high - 0.2 * scale, card.title, size=9 * scale, weight="bold", color=ink)
    if not fig:
        return
    leaf = "leaf, " if card.operation == "leaf" else ""
    about = f"{leaf}version {card.version}{_saves(card)}"
    style = {"size": 7.5 * scale, "va": "top", "linespacing": 1.3}
    ax.text(x, high - 0.29 * scale, about, color=RUST if card.version else MUTED, **style)
    middle = box.low + 0.44 * scale
    left, right = box.left + 0.27 * box.width, box.left + 0.74 * box.width
    _draw_tensor(ax, cells, card.value, (left, middle), 13 * scale, faded=False)
    kept = card.grad is not None
    shown = card.grad if kept else card.arrived
    if shown is not None:
        faded = not (kept or active)
        _draw_tensor(ax, cells, shown, (right, middle), 13 * scale, faded=faded)
        label, shade = (".grad", GREEN) if kept else ("gradient", RUST if active else MUTED)
        foot = box.low + 0.06 * scale
        ax.text(right, foot, label, size=7.5 * scale, color=shade, ha="center", weight="bold")
    for i, hook in enumerate(card.hooks):
        place = (box.left + box.width / 2, high + 0.2 + 0.28 * i)
        draw_pill(ax, place, f"hook: {hook}", HOOK, filled=active and hook == moment.firing)


def _draw_tensor(
    ax: Axes, cells: Cells, tensor: Tensor, middle: tuple[float, float], size: float, *, faded: bool
) -> None:
    if tensor.numel() == 1:
        draw_number(ax, tensor, middle, size=size, faded=faded)
    else:
        cells.add(tensor, middle, faded=faded)


def _saves(card: Card) -> str:
    """Say in a second line what the node of a card saves."""
    if any(saved.state == "freed" for saved in card.saved):
        return "\nsaved: freed"
    names = ", ".join(saved.tensor or saved.name for saved in card.saved)
    return f"\nsaves {names}" if names else ""


def _sentence(moment: Moment, number: int, count: int) -> str:
    states = [
        f"{card.title} is {_words(card.value)}, version {card.version}"
        + (f", grad {_words(card.grad)}" if card.grad is not None else "")
        for card in moment.cards
    ]
    return f"Step {number} of {count}: {moment.sentence} {'; '.join(states)}."


def _words(tensor: Tensor) -> str:
    if tensor.numel() == 1:
        return f"{tensor.item():.3g}"
    return f"a {' × '.join(map(str, tensor.shape))} matrix"
