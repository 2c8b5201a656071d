"""The figures of the chapter on convolutional networks."""

import torch
import torch.nn.functional as F
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from glassbox.networks.convolution import ReceptiveField
from glassbox.plotting.colors import BLUE, GREEN, MUTED, OCHRE, ON_PICTURE, PAPER, RUST, SIGNED
from glassbox.plotting.figures import Axes, Figure, drawing, figure, on_phone, page_width
from glassbox.training.calibration import calibration_error, reliability


@drawing
def show_convolution(
    image: Tensor, kernel: Tensor, feature_map: Tensor, stride: int, padding: int
) -> Figure:
    """Show an image ``(H, W)`` with the centers of the windows, a kernel ``(3, 3)``, and their map.

    The map ``(H', W')`` is blue where negative and rust where positive.
    """
    side = image.shape[0]
    spaces = _margins(2.9, top=0.8 if on_phone() else 0.88) | {"wspace": 0.1}
    ratios = [side + 2, 5, side + 2]
    fig, (left, middle, right) = figure(1, 3, height=2.9, width_ratios=ratios, **spaces)
    _show_padded(left, image, feature_map.shape, stride, padding)
    comma = ",\n" if on_phone() else ", "
    left.set_title(f"Image, {side} × {side}" + f"{comma}padded by {padding}" * bool(padding))
    _show_numbers(middle, kernel)
    limit = feature_map.abs().max()
    right.imshow(feature_map, cmap=SIGNED, vmin=-limit, vmax=limit)
    height, width = feature_map.shape
    right.set_title(f"Map, {height} × {width}")
    room = side / 2 + 1  # a pixel has the same size in image and map
    for ax, shown, across, down in (
        (left, side, room, room),
        (middle, 3, 2, 4),
        (right, width, room, room),
    ):
        center = shown / 2 - 0.5
        ax.set(xlim=(center - across, center + across), ylim=(center + down, center - down))
        ax.set_axis_off()
    fig.describe(
        f"A digit of {side} by {side} pixels, a 3 by 3 kernel, and the map "
        f"of {height} by {width} numbers that stride {stride} and padding {padding} give."
    )
    return fig


def _margins(height: float, top: float) -> dict[str, float]:
    """Compute narrow margins, with the axes' upper edge at a fraction of the figure's height."""
    edge = 0.02 * page_width()
    return {"left": edge, "right": edge, "bottom": 0.03 * height, "top": (1 - top) * height}


def _show_padded(ax: Axes, image: Tensor, shape: torch.Size, stride: int, padding: int) -> None:
    side = image.shape[0]
    edges = (-padding - 0.5, side + padding - 0.5)
    extent = (*edges, *edges[::-1])
    ax.imshow(F.pad(image, (padding,) * 4), cmap="gray", vmin=0, vmax=1, extent=extent)
    ax.add_patch(Rectangle((-0.5, -0.5), side, side, fill=False, ec=MUTED, lw=0.8))
    rows, columns = torch.meshgrid(*map(torch.arange, shape), indexing="ij")
    centers = {"linestyle": "", "marker": "o", "markersize": 4.5, "mec": PAPER, "mew": 0.7}
    first = 1 - padding  # the center of the first window
    x, y = (first + stride * index.flatten() for index in (columns, rows))
    ax.plot(x, y, color=RUST, label="centers", gid=ON_PICTURE, **centers)


def _show_numbers(ax: Axes, kernel: Tensor) -> None:
    ax.imshow(kernel, cmap=SIGNED, vmin=-5, vmax=5)
    for row in range(3):
        for column in range(3):
            text = f"{kernel[row, column]:.2g}".replace("-", "−").replace("0.11", "⅑")
            ax.text(column, row, text, ha="center", va="center", fontsize=11)
    ax.set_title("Kernel")


def gradient_of_unit(layers: nn.Module, place: str) -> Tensor:
    """Measure how much each pixel of ``(32, 32)`` affects one unit of a layer, the largest as 1.

    It is the absolute gradient of the unit at a place (``"top left"``, ``"center"`` or
    ``"bottom right"``), averaged over the layer's maps and random images.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(200, 1, 32, 32, generator=generator).requires_grad_()
    maps = layers(images)
    row = column = unit_index(place, maps.shape[-1])
    # The sign of a map is arbitrary: a random one keeps maps from canceling each other.
    signs = torch.randint(2, maps.shape[:2], generator=generator) * 2 - 1
    (gradient,) = torch.autograd.grad((maps[:, :, row, column] * signs).sum(), images)
    mean = gradient.abs().mean(dim=(0, 1))
    return mean / mean.max()


def unit_index(place: str, side: int) -> int:
    """Find the row and column of a place in a square map, as in :func:`gradient_of_unit`."""
    return {"top left": 0, "center": side // 2, "bottom right": side - 1}[place]


@drawing
def show_receptive_field(
    image: Tensor, gradient: Tensor, field: ReceptiveField, layer: str, unit: int
) -> Figure:
    """Show which part of an image a unit sees, and which pixels in it affect the unit most.

    Image and gradient are ``(H, W)`` from 0 to 1; ``unit`` is the row and column in the layer's
    map.
    """
    fig, (left, right) = figure(
        1, 2, height=3.6, wspace=0.05, phone_cols=1, **_margins(3.6, top=0.9)
    )
    first, end = field.interval(unit)
    left.imshow(image, cmap="gray", vmin=0, vmax=1)
    left.set_title(f"A unit of {layer} sees {field.size} × {field.size} pixels")
    right.imshow(gradient, cmap="cividis", vmin=0, vmax=1)
    right.set_title("and is moved by these")
    for ax, color in ((left, RUST), (right, PAPER)):
        corner = (first - 0.5, first - 0.5)
        frame = {"fill": False, "ec": color, "lw": 2.5, "gid": ON_PICTURE}
        ax.add_patch(Rectangle(corner, field.size, field.size, **frame))
        ax.set_axis_off()
    fig.describe(
        f"A digit with a frame over rows and columns {first} to {end - 1}, the receptive field of "
        f"a unit of {layer}, and a heat map that is brightest in the middle of that frame and dark "
        "outside."
    )
    return fig


@drawing
def show_reliability(confidences: Tensor, right: Tensor, bins: int = 10) -> Figure:
    """Draw accuracy against confidence ``(N,)``, and the number of answers, bin by bin."""
    parts = reliability(confidences, right, bins)
    spaces = {"left": 0.77, "hspace": 0.18}
    fig, (top, bottom) = figure(2, 1, height=4.6, sharex=True, height_ratios=[3, 1], **spaces)
    top.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
    top.text(0.3, 0.33, "as sure as right", color=MUTED, rotation=24, fontsize=9)
    top.plot(parts.confidence, parts.accuracy, color=BLUE, marker="o", label="accuracy")
    top.set(ylabel="share right", ylim=(0, 1.05), xlim=(0, 1.02))
    error = calibration_error(confidences, right, bins)
    top.set_title(f"Calibration error {100 * error:.1f} percent")
    bottom.bar(parts.confidence.numpy(), parts.count.numpy(), width=0.05, color=OCHRE)
    bottom.set(xlabel="how sure the network was", ylabel="answers", yscale="log")
    fig.describe(
        f"Fraction of right answers against confidence in {len(parts.count)} bins, close to the "
        f"diagonal where there are many answers; {parts.count[-1] / len(right):.0%} of all answers "
        "lie in the last bin."
    )
    return fig


@drawing
def show_threshold(confidences: Tensor, right: Tensor, threshold: float) -> Figure:
    """Draw the error that remains against the fraction of answers handed to a person.

    Handed over is what has a confidence, ``(N,)``, below the threshold.
    """
    order = confidences.argsort(descending=True)
    # For each number of answers kept, the surest first: how many are kept and how many wrong.
    counts = torch.arange(1, len(order) + 1)
    error = (~right[order]).float().cumsum(0) / counts
    kept = int((confidences >= threshold).sum())
    handed_over = 100 * (1 - kept / len(order))
    wrong = int((~right & (confidences >= threshold)).sum())
    fig, ax = figure(height=3.4)
    ax.plot(100 * (1 - counts / len(order)), 100 * error, color=BLUE)
    fraction = 100 * wrong / max(kept, 1)
    dot = {"marker": "o", "markersize": 10, "color": RUST, "clip_on": False}
    ax.plot([handed_over], [fraction], label="threshold", **dot)
    ax.set(
        xlim=(0, 12),
        ylim=(0, 100 * error[-1] * 1.3),
        xlabel="percent of all digits handed to a person",
        ylabel="percent wrong among the rest",
    )
    ax.set_title(
        f"{len(order) - kept} of {len(order)} handed over, {wrong} mistakes left", color=GREEN
    )
    fig.describe(
        f"With a threshold of {threshold:g}, {handed_over:.1f} percent of the digits go to a "
        f"person and {fraction:.2f} percent of the rest are wrong."
    )
    return fig
