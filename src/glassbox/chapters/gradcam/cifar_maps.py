"""What maps of the network for CIFAR-10 are worth where it is right, and where it is wrong."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassbox.attribution.cam import GradCAM, heat_maps
from glassbox.attribution.faithfulness import (
    area_under,
    blurred,
    center_maps,
    deletion_curves,
    edge_maps,
    insertion_curves,
    random_maps,
    rank_correlation,
)
from glassbox.autograd.hooks import capture
from glassbox.chapters.gradcam.cifar import LAYER, cifar_inputs
from glassbox.data.dataset import Dataset

STEPS = 8  # of deletion and insertion
CELLS = 8  # a side of a map
ANSWERS = ("right", "wrong")
RIVALS = ("mean activation", "edges", "center", "random")
ASKED = ("Grad-CAM", "for the second class", "for the true class", *RIVALS)
# What might tell, without the label, that an answer is wrong: all are larger where it should be.
SIGNS = ("doubt", "spread", "low peak", "off center", "like the second")


@dataclass(frozen=True)
class Answers:
    """Images, and what the network says of them.

    Args:
        inputs: ``(N, 3, 32, 32)``, from -1 to 1.
        labels: ``(N,)``, the true classes.
        order: ``(N, 10)``, the classes, the likeliest first.
        odds: ``(N, 10)``, the probabilities of all classes.
    """

    inputs: Tensor
    labels: Tensor
    order: Tensor
    odds: Tensor

    @property
    def right(self) -> Tensor:
        """Whether the likeliest class is the true one, ``(N,)``."""
        return self.order[:, 0] == self.labels


@dataclass(frozen=True)
class Shown:
    """An image of CIFAR-10 as the network sees it, of which the study keeps no pixel.

    Args:
        label: Its true class.
        said: The likeliest one.
        odds: The probability of that.
        odds_of_label: The probability of the true class.
        cells: The map for the likeliest class, ``(8, 8)``.
        cells_of_label: The map for the true class.
    """

    label: str
    said: str
    odds: float
    odds_of_label: float
    cells: Tensor
    cells_of_label: Tensor


@torch.no_grad()
def answers_to(model: nn.Module, data: Dataset) -> Answers:
    """Ask a network about images of CIFAR-10."""
    inputs = cifar_inputs(data.images)
    odds = model(inputs).softmax(dim=1)
    order = odds.argsort(dim=1, descending=True, stable=True)
    return Answers(inputs, data.labels, order, odds)


def raw_maps_of(model: nn.Module, given: Answers, classes: Tensor) -> Tensor:
    """Make Grad-CAM's maps ``(N, 8, 8)`` at the third convolution."""
    with GradCAM(model, LAYER) as cam:
        return cam(given.inputs, classes)


def maps_of(model: nn.Module, given: Answers, *, seed: int = 0) -> dict[str, Tensor]:
    """Make the maps that are compared, each ``(N, 32, 32)`` and not negative, by name.

    All but the edges are from 0 to 1; the measures take the order of their numbers alone. Those of
    :data:`RIVALS` have not been told a class; the seed decides the random ones.
    """
    count, side = len(given.labels), given.inputs.shape[-1]
    with torch.no_grad(), capture(model, [LAYER]) as outputs:
        model(given.inputs)
    asked = (given.order[:, 0], given.order[:, 1], given.labels)
    made = [heat_maps(raw_maps_of(model, given, classes), side) for classes in asked]
    rivals = (
        heat_maps(outputs[LAYER][0].relu().mean(dim=1), side),
        edge_maps(given.inputs),
        center_maps(count, side),
        random_maps(count, side, CELLS, seed=seed),
    )
    return dict(zip(ASKED, (*made, *rivals), strict=True))


def areas_of(model: nn.Module, given: Answers, heats: Tensor) -> Tensor:
    """Measure for the likeliest class the areas of deletion and of insertion, ``(N, 2)``."""
    watched = model, given.inputs, given.order[:, 0], heats, blurred(given.inputs), STEPS
    curves = deletion_curves(*watched), insertion_curves(*watched)
    return torch.stack([area_under(one) for one in curves], dim=1)


def signs_of(model: nn.Module, given: Answers, maps: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give each of :data:`SIGNS`, one number an image.

    *Doubt* is 1 less the largest probability, and looks at no map. *Spread* is the part of the map
    above half of its peak; *low peak* that before it is scaled, with a minus; *off center* how far
    its peak is from the middle of the image; *like the second* its rank correlation with the map
    for the class that is second.
    """
    heats = maps["Grad-CAM"]
    side = heats.shape[-1]
    place = heats.flatten(1).argmax(dim=1)
    middle = (side - 1) / 2
    rows, columns = place // side - middle, place % side - middle
    raw = raw_maps_of(model, given, given.order[:, 0])
    return {
        "doubt": 1 - given.odds.amax(dim=1),
        "spread": (heats > 0.5).float().mean(dim=(1, 2)),
        "low peak": -raw.amax(dim=(1, 2)),
        "off center": torch.hypot(rows, columns),
        "like the second": rank_correlation(heats, maps["for the second class"]),
    }


def found_by(sign: Tensor, wrong: Tensor) -> float:
    """Measure how often a sign is larger for a wrong answer than for a right one, 0 to 1.

    This is the area under the ROC curve: 0.5 is chance. Equal signs count half.
    """
    from scipy.stats import rankdata

    ranks = torch.from_numpy(rankdata(sign.double().numpy()))
    count = int(wrong.sum())
    others = len(wrong) - count
    above = float(ranks[wrong].sum()) - count * (count + 1) / 2
    return above / (count * others)
