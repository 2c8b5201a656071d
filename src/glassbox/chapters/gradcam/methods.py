"""Ways to make a map for a class, all called alike, so that one measure judges them all."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassbox.attribution.cam import GradCAM, heat_maps
from glassbox.attribution.faithfulness import blurred
from glassbox.attribution.integrated_gradients import integrated_gradients
from glassbox.attribution.occlusion import occlusion
from glassbox.autograd.hooks import capture


@dataclass(frozen=True)
class Scale:
    """What the methods need to know of a network and its images.

    Args:
        layer: Of Grad-CAM and the mean activation.
        side: Pixels of the square that occlusion moves by half of its side.
        blur: Pixels of the square over which integrated gradients are averaged, odd.
    """

    layer: str
    side: int
    blur: int


STEPS, POWER = 16, 3  # of integrated gradients
SCENES = Scale("features.relu4", side=8, blur=5)
PHOTOGRAPHS = Scale("bn2", side=64, blur=33)


def _grad_cam(model: nn.Module, images: Tensor, classes: Tensor, scale: Scale) -> Tensor:
    with GradCAM(model, scale.layer) as cam:
        return cam(images, classes)


def _mean_activation(model: nn.Module, images: Tensor, classes: Tensor, scale: Scale) -> Tensor:
    """Average the layer over its channels, which know of no class."""
    with torch.no_grad(), capture(model, [scale.layer]) as outputs:
        model(images)
    return outputs[scale.layer][0].mean(dim=1)


def _shares(model: nn.Module, images: Tensor, classes: Tensor, scale: Scale) -> Tensor:
    """Average integrated gradients, which speak of single pixels, over a neighborhood."""
    shares = integrated_gradients(model, images, classes, steps=STEPS, power=POWER)
    return blurred(shares.sum(dim=1, keepdim=True), scale.blur)[:, 0].relu()


def _occlusion(model: nn.Module, images: Tensor, classes: Tensor, scale: Scale) -> Tensor:
    falls = occlusion(model, images, classes, side=scale.side, stride=scale.side // 2)
    return falls.relu()


# IG are integrated gradients.
METHODS: dict[str, Callable[[nn.Module, Tensor, Tensor, Scale], Tensor]] = {
    "Grad-CAM": _grad_cam,
    "mean activation": _mean_activation,
    "IG": _shares,
    "occlusion": _occlusion,
}


def raw_maps(
    name: str, model: nn.Module, images: Tensor, classes: Tensor, scale: Scale = PHOTOGRAPHS
) -> Tensor:
    """Make maps ``(B, h, w)`` of at least 0 by one of :data:`METHODS`, at its own resolution."""
    return METHODS[name](model, images, classes, scale)


def make_maps(
    name: str, model: nn.Module, images: Tensor, classes: Tensor, scale: Scale = PHOTOGRAPHS
) -> Tensor:
    """Make heat maps ``(B, H, W)`` from 0 to 1 by one of :data:`METHODS`."""
    size = tuple(images.shape[2:])
    return heat_maps(raw_maps(name, model, images, classes, scale), size)
