"""The drawing that opens the book: what is inside a small network while it learns."""

import torch
from torch import Tensor

from glassbox.networks.classifiers import ThreeBlockCNN
from glassbox.plotting.figures import BLUE, INK, RUST, Axes, Figure, figure
from glassbox.plotting.images import SIGNED

# Everything is on one pair of axes, which draws three times as fast as three. A pixel of the image
# is one unit wide, and image, maps and bars are eight units high.
SIDE = 8.0
MAPS_AT, MAPS_ACROSS = 9.5, 12.2
BARS_AT, BARS_ACROSS = 24.2, 5.7
RIGHT_EDGE = 32.4
PALE = "#c3cbdc"


def show_inside(model: ThreeBlockCNN, image: Tensor, label: int, batches: int) -> Figure:
    """Draw an image, the maps that the first layer makes of it, and the answer of the network.

    Args:
        model: Has six maps in its first layer and ten classes.
        image: ``(1, H, W)``, from 0 to 1.
        label: The digit it shows.
        batches: How many batches the network was trained on.

    Returns:
        The figure with its alt sentence.
    """
    with torch.no_grad():
        maps = model.features[0][0](image[None])[0]
        probabilities = model(image[None]).softmax(1)[0]
    guess = int(probabilities.argmax())
    right = guess == label
    color = BLUE if right else RUST
    fig, ax = figure(height=2.39, left=0.06, right=0.06, top=0.1, bottom=0.1)
    ax.set(xlim=(0, RIGHT_EDGE), ylim=(SIDE + 0.4, -1.9))
    ax.set_axis_off()
    ax.imshow(
        image[0].numpy(), cmap="gray", vmin=0, vmax=1, extent=(0, SIDE, SIDE, 0), aspect="auto"
    )
    _show_maps(ax, maps)
    _show_bars(ax, probabilities, guess, color)
    answer = f"It says {guess}" + " ✓" * right + " ✗" * (not right)
    titles = (0, "It sees", INK), (MAPS_AT, "Six maps inside", INK), (BARS_AT, answer, color)
    for x, title, its_color in titles:
        ax.text(x, -0.75, title, size=13, weight="bold", color=its_color)
    fig.describe(
        f"After {batches} batches: shown a handwritten {label}, the network says {guess} with "
        f"{probabilities[guess]:.0%}, which is {'right' if right else 'wrong'}. Between image and "
        "answer stand the six maps of its first layer."
    )
    return fig


def _show_maps(ax: Axes, maps: Tensor) -> None:
    """Draw six maps as one picture, on a scale where zero is the color of the paper."""
    side = maps.shape[-1]
    sheet = torch.full((2, 3, side + 1, side + 1), torch.nan)
    sheet[:, :, :side, :side] = maps.unflatten(0, (2, 3))
    sheet = sheet.permute(0, 2, 1, 3).flatten(2).flatten(0, 1)[:-1, :-1]
    limit = float(maps.abs().max())
    extent = (MAPS_AT, MAPS_AT + MAPS_ACROSS, SIDE, 0)
    ax.imshow(sheet.numpy(), cmap=SIGNED, vmin=-limit, vmax=limit, extent=extent, aspect="auto")


def _show_bars(ax: Axes, probabilities: Tensor, guess: int, color: str) -> None:
    places = [(digit + 0.5) * SIDE / 10 for digit in range(10)]
    lengths = BARS_ACROSS * probabilities.numpy()
    colors = [color if digit == guess else PALE for digit in range(10)]
    ax.barh(places, lengths, left=BARS_AT, height=0.56, color=colors)
    for digit, place in enumerate(places):
        ax.text(BARS_AT - 0.35, place, str(digit), ha="right", va="center", size=10.5, color=INK)
    end = BARS_AT + float(lengths[guess]) + 0.25
    ax.text(end, places[guess], f"{probabilities[guess]:.0%}", va="center", size=11, color=color)
