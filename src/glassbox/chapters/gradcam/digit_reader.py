"""A small network that reads drawn digits, and the way from a drawing to what it sees."""

import json
from importlib.resources import files

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.explorables.tiny_network import unpack
from glassbox.support.arguments import check_shapes

CANVAS = 112  # pixels a side of a drawing
NETWORK_SIDE = 20  # pixels a side of what the network sees
FIT = 15  # of which the longer side of the digit takes so many
_SAMPLES = 4  # a pixel and direction
LAST_CONVOLUTION = "features.6"  # the layer of the maps
WEIGHTS = "digit_reader.json"  # made by `--part digit-reader` of the study


class DigitReader(nn.Module):
    """Three convolutions, the mean of each map, one linear layer.

    ``features`` holds the convolutions, ``classifier`` the linear layer. The maps of the last
    convolution have ``NETWORK_SIDE // 2`` pixels a side.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 56, 3, padding=1),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(56, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Map centered images ``(B, 1, 20, 20)`` to logits ``(B, 10)``."""
        return self.classifier(self.features(images).mean((2, 3)))


def load_reader() -> DigitReader:
    """Give the trained network, frozen and in ``eval`` mode, with the weights of the page."""
    packed = json.loads(files(__package__).joinpath(WEIGHTS).read_text("utf-8"))
    reader = DigitReader()
    reader.load_state_dict(unpack(packed))
    return reader.eval().requires_grad_(False)


def place(digits: Tensor) -> Tensor:
    """Put small pictures into the middle of empty drawings, as the page does with its examples.

    Of ``(B, 1, h, w)``, at most 11 pixels a side, each pixel becomes a square of 10 x 10.
    """
    large = F.interpolate(digits, scale_factor=10)
    down, right = CANVAS - large.shape[2], CANVAS - large.shape[3]
    return F.pad(large, (right // 2, right - right // 2, down // 2, down - down // 2))


def center(drawings: Tensor) -> Tensor:
    """Bring drawings to the size, place and darkness of the digits that the network learned from.

    Of ``(B, 1, H, W)``, 0 where there is no ink and 1 at most, it makes ``(B, 1, 20, 20)``: the
    longer side of the ink becomes 15 pixels, the darkest pixel 1, the center of mass the middle.
    Ink counts for the size where it is at least half as dark as the darkest. No ink at all gives
    zeros.
    """
    check_shapes(drawings=(drawings, "B 1 H W"))
    height, width = drawings.shape[2:]
    mass = drawings.sum((1, 2, 3)).clamp_min(1e-6)
    rows = torch.arange(height, device=drawings.device) + 0.5
    columns = torch.arange(width, device=drawings.device) + 0.5
    middle = (drawings.sum((1, 3)) @ rows) / mass, (drawings.sum((1, 2)) @ columns) / mass
    dark = drawings[:, 0] >= drawings.amax(3).amax(2, keepdim=True).clamp_min(1e-6) / 2
    longest = torch.maximum(_extent(dark.any(2), rows), _extent(dark.any(1), columns))
    reach = longest * NETWORK_SIDE / FIT  # of the window, in pixels of the drawing
    zero = torch.zeros_like(mass)
    across = [reach / width, zero, 2 * middle[1] / width - 1]
    down = [zero, reach / height, 2 * middle[0] / height - 1]
    window = torch.stack([torch.stack(across, 1), torch.stack(down, 1)], 1)
    fine = (len(drawings), 1, NETWORK_SIDE * _SAMPLES, NETWORK_SIDE * _SAMPLES)
    grid = F.affine_grid(window, list(fine), align_corners=False)
    seen = F.avg_pool2d(F.grid_sample(drawings, grid, align_corners=False), _SAMPLES)
    return seen / seen.amax((2, 3), keepdim=True).clamp_min(1e-6)


def _extent(taken: Tensor, places: Tensor) -> Tensor:
    """Measure from the first to the last place that is taken; at least 1."""
    first = torch.where(taken, places, torch.inf).amin(1)
    last = torch.where(taken, places, -torch.inf).amax(1)
    return (last - first + 1).clamp_min(1)
