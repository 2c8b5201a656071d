"""Photographs that a network trained on ImageNet names rightly, and how good maps of them are."""

from collections.abc import Iterator
from statistics import fmean

import torch
from torch import Tensor, nn

from glassbox.attribution.faithfulness import (
    area_under,
    blurred,
    cascading_randomization,
    deletion_curves,
    insertion_curves,
    rank_correlation,
)
from glassbox.chapters.gradcam.grids import make_grids, quarter_fractions
from glassbox.chapters.gradcam.methods import make_maps, raw_maps
from glassbox.data.photos import photographs
from glassbox.networks.imagenet import imagenet_classes, imagenet_inputs

# What is on a photograph, in the words of ImageNet, which has no class for what is on the others,
# such as people, galaxies and grass; for a dahlia it has none that is nearer than a daisy.
NAMES = {
    "cat": "tiger cat",
    "coffee": "espresso",
    "camera": "tripod",
    "rocket": "missile",
    "china": "palace",
    "flower": "daisy",
}
# Where a stage of EfficientNet-Lite0 is new from its output to its input: its first layer.
STAGES = {
    None: "none",
    "classifier": "classifier",
    "conv_head": "conv_head",
    **{f"blocks.{stage}.0.conv_pw": f"blocks.{stage}" for stage in range(6, 0, -1)},
    "blocks.0.0.conv_dw": "blocks.0",
    "conv_stem": "conv_stem",
}
STEPS = 14  # of deletion and insertion
BLUR = 63  # pixels a side of what takes the place of deleted ones
MEASURES = ("quarter", "deletion", "insertion", "classifier", "everything")


def named_photographs() -> tuple[Tensor, Tensor]:
    """Give the photographs of :data:`NAMES` as inputs ``(N, 3, 224, 224)``, and their labels."""
    inputs = [imagenet_inputs(photo.image) for photo in photographs(*NAMES).values()]
    classes = imagenet_classes()
    return torch.cat(inputs), torch.tensor([classes.index(name) for name in NAMES.values()])


def randomized_cascade(model: nn.Module, *, seed: int = 0) -> Iterator[tuple[str, nn.Module]]:
    """Randomize EfficientNet-Lite0 from the output down, stage by stage.

    Yields:
        What is new last, of :data:`STAGES`, and the network, the same one each time.
    """
    for layer, changing in cascading_randomization(model, seed=seed):
        if layer in STAGES:
            yield STAGES[layer], changing


def judge_photograph(
    model: nn.Module, photograph: str, method: str, *, grids: int = 2, seeds: int = 3
) -> list[float]:
    """Judge the map of a photograph by each of :data:`MEASURES`.

    Args:
        model: The network.
        photograph: One of :data:`NAMES`.
        method: One of :data:`~glassbox.chapters.gradcam.methods.METHODS`.
        grids: In how many grids it is asked for.
        seeds: How many times the network is randomized.

    Returns:
        Which fraction of the map lies in the right quarter of a grid; the areas under the curves of
        deletion and insertion; and the rank correlation of the map with that of the network whose
        classifier is new, and with that of the network of which everything is new.
    """
    images, labels = named_photographs()
    chosen = list(NAMES).index(photograph)
    image, label = images[chosen : chosen + 1], labels[chosen : chosen + 1]
    inside = [quarter_of(model, images, labels, chosen, method, seed) for seed in range(grids)]
    heat = make_maps(method, model, image, label)
    watched = model, image, label, heat, blurred(image, BLUR), STEPS
    forgotten: dict[str, list[float]] = {"classifier": [], "conv_stem": []}
    for seed in range(seeds):
        for stage, changed in randomized_cascade(model, seed=seed):
            if stage in forgotten:
                other = make_maps(method, changed, image, label)
                forgotten[stage].append(rank_correlation(heat, other).item())
    return [
        fmean(inside),
        area_under(deletion_curves(*watched)).item(),
        area_under(insertion_curves(*watched)).item(),
        *map(fmean, forgotten.values()),
    ]


def quarter_of(
    model: nn.Module, images: Tensor, labels: Tensor, chosen: int, method: str, seed: int
) -> float:
    """Ask for one image in a grid of four, and measure which fraction of the map lies there."""
    grids, quarters = make_grids(images, labels, seed=seed)
    one = slice(chosen, chosen + 1)
    maps = raw_maps(method, model, grids[one], labels[one])
    return quarter_fractions(maps, quarters[one]).item()
