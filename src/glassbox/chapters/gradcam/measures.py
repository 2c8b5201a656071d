"""What the chapter on Grad-CAM measures of maps, and what it compares them with."""

from dataclasses import dataclass, replace

from torch import Tensor, nn

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
from glassbox.chapters.gradcam.arms import LAST, LAYERS, SceneNetwork
from glassbox.chapters.gradcam.grids import make_grids, quarter_fractions
from glassbox.chapters.gradcam.methods import SCENES, Scale, make_maps, raw_maps
from glassbox.data.train_test import TrainTest
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
    scale = replace(SCENES, layer=layer)
    return make_maps("Grad-CAM", model, given.images, given.labels, scale)


def asked(model: nn.Module, given: Sample) -> tuple[nn.Module, Tensor, Tensor, Scale]:
    """Give what a method needs to explain the true class of each image."""
    return model, given.images, given.labels, SCENES


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
        "mean activation": make_maps("mean activation", *asked(model, given)),
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
    watched = model, given.images, given.labels, maps, blurred(given.images), STEPS
    return {
        "pointing": pointing_hits(maps, given.masks).float(),
        "IoU": mask_iou(maps, given.masks),
        "deletion": area_under(deletion_curves(*watched)),
        "insertion": area_under(insertion_curves(*watched)),
    }


def quarters(model: nn.Module, given: Sample, name: str = "Grad-CAM", *, seed: int = 0) -> Tensor:
    """Ask for each image in a grid of four, and measure which fraction of the map lies there.

    Args:
        model: A network that takes images of twice the size.
        given: The images.
        name: Of the method, one of :data:`~glassbox.chapters.gradcam.methods.METHODS`.
        seed: Of the other three images.

    Returns:
        ``(N,)`` from 0 to 1.

    Raises:
        ValueError: If a map is not finite, or there are fewer than four classes.
    """
    grids, places = make_grids(given.images, given.labels, seed=seed)
    return quarter_fractions(raw_maps(name, model, grids, given.labels, SCENES), places)


def cascade(
    model: nn.Module, given: Sample, name: str = "Grad-CAM", *, seed: int = 0
) -> dict[str, Tensor]:
    """Compare the maps of a network with those of one that forgets from the output down.

    Args:
        model: The network.
        given: The images.
        name: Of the method, one of :data:`~glassbox.chapters.gradcam.methods.METHODS`.
        seed: Of the new weights.

    Returns:
        Layer reached, ``"none"`` at first, to the rank correlation of each image's maps, ``(N,)``.
    """
    before = make_maps(name, *asked(model, given))
    return {
        layer or "none": rank_correlation(before, make_maps(name, *asked(changed, given)))
        for layer, changed in cascading_randomization(model, seed=seed)
    }
