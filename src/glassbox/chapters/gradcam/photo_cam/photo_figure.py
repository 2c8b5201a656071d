"""The still picture of a photograph that was looked at: its map, and the five likeliest classes."""

import torch
from torch import Tensor, nn

from glassbox.attribution.cam import class_activation_maps, heat_maps
from glassbox.autograd.hooks import capture
from glassbox.data.photos import Photograph
from glassbox.networks.imagenet import imagenet_classes, imagenet_inputs
from glassbox.plotting.colors import BLUE, INK, PALE
from glassbox.plotting.figures import Axes, Figure, drawing, figure
from glassbox.plotting.images import show_image

LAST = "bn2"  # of whose output the network takes the mean
_DARKEST = 0.86  # how much is taken from places that do not speak for the class


@drawing
def show_seen(network: nn.Module, photo: Photograph) -> Figure:
    """Show what the network sees of a photograph, what speaks for its answer, and five classes."""
    seen = imagenet_inputs(photo.image)  # (1, 3, 224, 224), from -1 to 1
    with torch.no_grad(), capture(network, [LAST]) as outputs:
        probabilities = network(seen).softmax(1)[0]
    best = probabilities.topk(5)
    weight = network.classifier.weight.detach()
    maps = class_activation_maps(outputs[LAST][0], weight, best.indices[:1])
    pixels = (seen[0] / 2 + 0.5).permute(1, 2, 0)
    light = heat_maps(maps.clamp(min=0), seen.shape[-1])[0]
    dimmed = pixels * (1 - _DARKEST * (1 - light))[..., None]
    names = [imagenet_classes()[label] for label in best.indices]
    margins = {"left": 0.06, "right": 0.1, "top": 0.42, "bottom": 0.1}
    fig, (left, middle, right) = figure(1, 3, height=2.2, phone_cols=2, **margins)
    show_image(left, pixels, "what the network sees", size=11)
    show_image(middle, dimmed, f"what speaks for {names[0]}", size=11)
    _show_bars(right, best.values, names)
    fig.describe(
        f"{photo.credit}. The network takes it for {names[0]} with {best.values[0]:.0%}, then for "
        f"{names[1]}; what does not speak for {names[0]} is dimmed."
    )
    return fig


def _show_bars(ax: Axes, probabilities: Tensor, names: list[str]) -> None:
    ax.set(xlim=(0, 1), ylim=(4.6, -0.8))
    ax.set_axis_off()
    ax.barh(range(5), probabilities.tolist(), height=0.3, color=[BLUE] + [PALE] * 4)
    for place, (name, probability) in enumerate(zip(names, probabilities.tolist(), strict=True)):
        ax.text(0, place - 0.25, f"{name}, {probability:.0%}", va="bottom", size=9, color=INK)
