"""A forward and backward pass drawn moment by moment, each tensor as a card."""

from textwrap import fill

from torch import Tensor

from glassbox.autograd.backward_trace import Card, Moment, Trace
from glassbox.chapters.autograd.cards import (
    GREEN_TINT,
    Cells,
    Rectangle,
    draw_box,
    draw_link,
    draw_number,
    draw_pill,
    inch_figure,
)
from glassbox.plotting.colors import BLUE, GREEN, GRID, INK, MUTED, OCHRE, RUST
from glassbox.plotting.figures import Axes, Figure, drawing, on_phone, page_width

# Inches: the height of the figure, and that on a phone, where cards stand below each other; width
# and height of a card, and of the gap between two, before they are scaled to the width of the
# figure, on a phone by no more than _SCALE.
_HEIGHT, _TALL = 3.7, 8.0
_SCALE, _LINE = 1.15, 52  # letters
_CARD, _GAP = (1.5, 1.2), (0.26, 0.32)
_LIMIT = 1.2  # the absolute value from which on a color is at its strongest
_UNMADE, _HOOK = "#a9aab0", "#8a6208"
_COLORS = {"forward": BLUE, "backward": RUST, "hook": OCHRE, "step": GREEN}
_TINTS = {"forward": "#e9edf8", "backward": "#f9e9e3", "hook": "#f8efdb", "step": GREEN_TINT}
_TITLES = {"forward": "Forward", "backward": "Backward", "hook": "A hook fires", "step": "A step"}


@drawing
def show_moment(trace: Trace, step: int) -> Figure:
    """Draw one moment of a pass: each tensor as a card, and what moves between them.

    ``step`` counts from 1; beyond the last moment the last one is drawn.
    """
    number = min(step, len(trace.moments))
    moment = trace.moments[number - 1]
    fig, ax = inch_figure(_height())
    boxes = _places(trace.moments[-1].cards)
    _write_head(ax, moment, number, len(trace.moments))
    for start, end in trace.links:
        _draw_flow(ax, moment, boxes, start, end)
    cells = Cells(_LIMIT)
    for i, last in enumerate(trace.moments[-1].cards):
        if i < len(moment.cards):
            _draw_card(ax, cells, moment.cards[i], boxes[i], moment, active=i == moment.active)
        else:
            draw_box(ax, boxes[i], edge=GRID, strong=False)
            _write_title(ax, boxes[i], last.title, _UNMADE)
    cells.draw(ax)
    fig.describe(_sentence(moment, number, len(trace.moments)))
    return fig


def _height() -> float:
    return _TALL if on_phone() else _HEIGHT


def _places(cards: tuple[Card, ...]) -> list[Rectangle]:
    """Lay the cards out in columns and rows around the middle of the figure."""
    places = [card.place[::-1] if on_phone() else card.place for card in cards]
    columns, rows = (max(ends) + 1 for ends in zip(*places, strict=True))
    scale = (page_width() - 0.3) / (columns * (_CARD[0] + _GAP[0]) - _GAP[0])
    scale = min(scale, _SCALE) if on_phone() else scale
    (width, height), (across, down) = ([scale * side for side in sides] for sides in (_CARD, _GAP))
    left = (page_width() - columns * (width + across) + across) / 2
    top = (_height() + rows * (height + down) - down) / 2 - 0.05
    return [
        Rectangle(
            left + column * (width + across), top - height - row * (height + down), width, height
        )
        for column, row in places
    ]


def _write_head(ax: Axes, moment: Moment, number: int, count: int) -> None:
    color = _COLORS[moment.kind]
    top, right = _height() - 0.27, page_width() - 0.12
    ax.text(0.12, top, _TITLES[moment.kind], size=13, weight="bold", color=color)
    ax.text(right, top, f"{number} of {count}", size=10, color=MUTED, ha="right")
    if on_phone():
        ax.text(0.12, 0.1, fill(moment.sentence, _LINE), size=10, color=INK, va="bottom")
    else:
        ax.text(0.12, 0.16, moment.sentence, size=10, color=INK)


def _draw_flow(ax: Axes, moment: Moment, boxes: list[Rectangle], start: int, end: int) -> None:
    """Draw the link between an input and its result, in the direction of what moves along it."""
    forward = moment.kind == "forward" and end == moment.active
    backward = moment.kind == "backward" and end == moment.active
    tail, head = boxes[start].edge_towards(boxes[end]), boxes[end].edge_towards(boxes[start])
    if backward:
        draw_link(ax, head, tail, RUST, 2.6)
    else:
        draw_link(ax, tail, head, BLUE if forward else "#c9c8c4", 2.6 if forward else 1.1)


def _draw_card(
    ax: Axes, cells: Cells, card: Card, box: Rectangle, moment: Moment, *, active: bool
) -> None:
    color, face = (_COLORS[moment.kind], _TINTS[moment.kind]) if active else (MUTED, "white")
    draw_box(ax, box, face=face, edge=color, strong=active)
    scale, high = box.width / _CARD[0], box.low + box.height
    _write_title(ax, box, card.title, INK)
    leaf = "leaf, " if card.operation == "leaf" else ""
    about = f"{leaf}version {card.version}{_saves(card)}"
    style = {"size": 7.5 * scale, "color": RUST if card.version else MUTED}
    ax.text(box.left + 0.1 * scale, high - 0.29 * scale, about, va="top", linespacing=1.3, **style)
    middle = box.left + 0.27 * box.width, box.low + 0.44 * scale
    _draw_tensor(ax, cells, card.value, middle, 13 * scale, faded=False)
    _draw_gradient(ax, cells, card, box, active=active)
    for i, hook in enumerate(card.hooks):
        place = (box.left + box.width / 2, high + 0.2 + 0.28 * i)
        draw_pill(ax, place, f"hook: {hook}", _HOOK, filled=active and hook == moment.firing)


def _write_title(ax: Axes, box: Rectangle, title: str, color: str) -> None:
    scale = box.width / _CARD[0]
    place = box.left + 0.1 * scale, box.low + box.height - 0.2 * scale
    ax.text(*place, title, size=9 * scale, weight="bold", color=color)


def _draw_gradient(ax: Axes, cells: Cells, card: Card, box: Rectangle, *, active: bool) -> None:
    """Draw in the right half of a card the gradient that it keeps, or the one that passes it."""
    kept = card.grad is not None
    shown = card.grad if kept else card.arrived
    if shown is None:
        return
    scale, x = box.width / _CARD[0], box.left + 0.74 * box.width
    middle = x, box.low + 0.44 * scale
    _draw_tensor(ax, cells, shown, middle, 13 * scale, faded=not (kept or active))
    label, color = (".grad", GREEN) if kept else ("gradient", RUST if active else MUTED)
    style = {"size": 7.5 * scale, "color": color, "ha": "center", "weight": "bold"}
    ax.text(x, box.low + 0.06 * scale, label, **style)


def _draw_tensor(
    ax: Axes, cells: Cells, tensor: Tensor, middle: tuple[float, float], size: float, *, faded: bool
) -> None:
    if tensor.numel() == 1:
        draw_number(ax, tensor, middle, size=size, faded=faded)
    else:
        cells.add(tensor, middle, faded=faded)


def _saves(card: Card) -> str:
    """Write in a second line what the node of a card saves."""
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
