"""The figure that opens the book: what is inside a small network while it learns."""

import torch
from torch import Tensor

from glassbox.networks.classifiers import ThreeBlockCNN
from glassbox.plotting.colors import BLUE, INK, PALE, RUST, SIGNED
from glassbox.plotting.figures import Axes, Figure, drawing, figure

# Everything is on one pair of axes, which are drawn three times as fast as three. A pixel of the
# image is one unit wide, and image, maps and bars are eight units high.
_SIDE = 8.0
_MAPS_AT, _MAPS_ACROSS = 9.5, 12.2
_BARS_AT, _BARS_ACROSS = 24.2, 5.7
_RIGHT_EDGE = 32.4


@drawing
def show_inside(model: ThreeBlockCNN, image: Tensor, label: int, batches: int) -> Figure:
    """Draw an image ``(1, H, W)``, the feature maps of the first layer, and the network's answer.

    The model has six maps in its first layer and ten classes, and was trained on ``batches``.
    """
    with torch.no_grad():
        maps = model.features[0][0](image[None])[0]
        probabilities = model(image[None]).softmax(1)[0]
    guess = int(probabilities.argmax())
    right = guess == label
    color = BLUE if right else RUST
    fig, ax = figure(height=2.39, left=0.06, right=0.06, top=0.1, bottom=0.1)
    ax.set(xlim=(0, _RIGHT_EDGE), ylim=(_SIDE + 0.4, -1.9))
    ax.set_axis_off()
    place = {"extent": (0, _SIDE, _SIDE, 0), "aspect": "auto"}
    ax.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=1, **place)
    _show_maps(ax, maps)
    _show_bars(ax, probabilities, guess, color)
    answer = f"It says {guess}" + " ✓" * right + " ✗" * (not right)
    titles = {0: "It sees", _MAPS_AT: "Six maps inside", _BARS_AT: answer}
    for x, title in titles.items():
        ax.text(x, -0.75, title, size=13, weight="bold", color=color if x == _BARS_AT else INK)
    fig.describe(
        f"After {batches} batches: shown a handwritten {label}, the network says {guess} with "
        f"{probabilities[guess]:.0%}, which is {'right' if right else 'wrong'}. Between image and "
        "answer stand the six maps of its first layer."
    )
    return fig


def _show_maps(ax: Axes, maps: Tensor) -> None:
    """Draw six maps as one picture, on a scale where zero is the color of the paper."""
    side = maps.shape[-1]
    sheet = torch.full((2, 3, side + 1, side + 1), torch.nan)  # nan, the gap, is not drawn
    sheet[:, :, :side, :side] = maps.unflatten(0, (2, 3))
    sheet = sheet.permute(0, 2, 1, 3).flatten(2).flatten(0, 1)[:-1, :-1]  # two rows of three
    limit = float(maps.abs().max())
    extent = (_MAPS_AT, _MAPS_AT + _MAPS_ACROSS, _SIDE, 0)
    ax.imshow(sheet.numpy(), cmap=SIGNED, vmin=-limit, vmax=limit, extent=extent, aspect="auto")


def _show_bars(ax: Axes, probabilities: Tensor, guess: int, color: str) -> None:
    places = [(digit + 0.5) * _SIDE / 10 for digit in range(10)]
    lengths = _BARS_ACROSS * probabilities.numpy()
    colors = [color if digit == guess else PALE for digit in range(10)]
    ax.barh(places, lengths, left=_BARS_AT, height=0.56, color=colors, gid="probabilities")
    for digit, place in enumerate(places):
        ax.text(_BARS_AT - 0.35, place, str(digit), ha="right", va="center", size=10.5, color=INK)
    end = _BARS_AT + float(lengths[guess]) + 0.25
    ax.text(end, places[guess], f"{probabilities[guess]:.0%}", va="center", size=11, color=color)
