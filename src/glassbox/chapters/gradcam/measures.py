"""What the chapter on Grad-CAM measures of maps, and what it compares them with."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassbox.attribution.cam import GradCAM, heat_maps
from glassbox.attribution.faithfulness import (
    area_under,
    blurred,
    cascading_randomization,
    center_maps,
    deletion_curves,
    edge_maps,
    insertion_curves,
    mask_iou,
    pointing_hits,
    random_maps,
    rank_correlation,
)
from glassbox.autograd.hooks import capture
from glassbox.chapters.gradcam.arms import LAST, LAYERS, SceneNetwork
from glassbox.data.train_test import TrainTest
from glassbox.support.arguments import check_all_finite
from glassbox.support.seeds import isolated_seed

STEPS = 8  # of deletion and insertion
MEASURES = ("pointing", "IoU", "deletion", "insertion")


@dataclass(frozen=True)
class Sample:
    """Test images that maps are judged by, normalized, and the pixels of their objects."""

    images: Tensor  # (N, 3, S, S)
    labels: Tensor  # (N,)
    masks: Tensor  # bool (N, S, S)


def sample(task: TrainTest, count: int = 500) -> Sample:
    """Take the first test images of a :func:`~glassbox.chapters.gradcam.arms.scene_task`."""
    test = task.test[:count]
    return Sample(task.normalize(test.images), test.labels, test.masks)


def grad_cam(model: nn.Module, given: Sample, layer: str = LAST) -> Tensor:
    """Make heat maps for the true classes, ``(N, S, S)`` from 0 to 1."""
    with GradCAM(model, layer) as cam:
        return heat_maps(cam(given.images, given.labels), given.images.shape[-1])


def _mean_activation(model: nn.Module, images: Tensor) -> Tensor:
    """Average the last layer over its channels, which know of no class, ``(N, h, w)``."""
    with torch.no_grad(), capture(model, [LAST]) as outputs:
        model(images)
    return outputs[LAST][0].mean(dim=1)


def baseline_maps(model: nn.Module, given: Sample, *, seed: int = 0) -> dict[str, Tensor]:
    """Make the maps of the last layer, of earlier ones, and all that they have to beat.

    ``seed`` decides the random maps, and the network that was never trained.
    """
    count, size = len(given.images), given.images.shape[-1]
    with isolated_seed(seed):
        untrained = SceneNetwork().eval()
    earlier = {name.removeprefix("features."): name for name in LAYERS[:-1]}
    return {
        "Grad-CAM": grad_cam(model, given),
        **{f"at {short}": grad_cam(model, given, name) for short, name in earlier.items()},
        "mean activation": heat_maps(_mean_activation(model, given.images), size),
        "untrained": grad_cam(untrained, given),
        "edges": edge_maps(given.images),
        "center": center_maps(count, size),
        "random": random_maps(count, size, 8, seed=seed),
        "random pixels": random_maps(count, size, size, seed=seed),
    }


def score_maps(model: nn.Module, given: Sample, maps: Tensor) -> dict[str, Tensor]:
    """Judge maps ``(N, S, S)`` by the objects' masks, and by the logits without their pixels.

    Returns:
        Each of :data:`MEASURES`, one number from 0 to 1 an image, ``(N,)``. Deletion is good where
        it is small, the others where they are large.
    """
    asked = model, given.images, given.labels, maps, blurred(given.images), STEPS
    return {
        "pointing": pointing_hits(maps, given.masks).float(),
        "IoU": mask_iou(maps, given.masks),
        "deletion": area_under(deletion_curves(*asked)),
        "insertion": area_under(insertion_curves(*asked)),
    }


def side_by_side(given: Sample) -> tuple[Tensor, Tensor]:
    """Put each image beside the nearest later one of another class, the last beside the first.

    Returns:
        Normalized images ``(N, 3, S, 2 S)``, and the index of each right half ``(N,)``.

    Raises:
        ValueError: If all images are of one class: there is no other to put beside them.
    """
    if len(found := given.labels.unique()) < 2:
        raise ValueError(f"labels is {found.tolist()}, expected at least two classes")
    order = torch.arange(len(given.labels), device=given.labels.device)
    partner = order.roll(-1)
    while (same := given.labels[partner] == given.labels).any():
        partner = torch.where(same, partner.roll(-1), partner)
    return torch.cat([given.images, given.images[partner]], dim=3), partner


def fraction_in_own_half(model: nn.Module, given: Sample, *, classes: bool = True) -> Tensor:
    """Ask for the class of each half in turn, and measure which fraction of the map lies there.

    Args:
        model: A network that takes the images :func:`side_by_side`.
        given: The images.
        classes: Whether to ask Grad-CAM; otherwise the mean activation, the same for both.

    Returns:
        ``(N,)`` from 0 to 1, the mean over both halves; a map that is 0 everywhere has 0.5.

    Raises:
        ValueError: If a map is not finite, or all images are of one class.
    """
    wide, partner = side_by_side(given)
    fractions = []
    for labels, half in ((given.labels, 0), (given.labels[partner], 1)):
        if classes:
            with GradCAM(model, LAST) as cam:
                maps = cam(wide, labels)
        else:
            maps = _mean_activation(model, wide)
        check_all_finite(maps=maps)
        own = maps.unflatten(2, (2, -1))[:, :, half].sum((1, 2))
        total = maps.sum((1, 2))
        fractions.append(torch.where(total > 0, own / torch.where(total > 0, total, 1), 0.5))
    return torch.stack(fractions).mean(0)


def cascade(model: nn.Module, given: Sample, *, seed: int = 0) -> dict[str, Tensor]:
    """Compare the maps of a network with those of one that forgets from the output down.

    Returns:
        Layer reached, ``"none"`` at first, to the rank correlation of each image's maps at the
        last layer, ``(N,)``.
    """
    before = grad_cam(model, given)
    return {
        name or "none": rank_correlation(before, grad_cam(changed, given))
        for name, changed in cascading_randomization(model, seed=seed)
    }
