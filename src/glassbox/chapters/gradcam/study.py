"""The network that the chapter on Grad-CAM looks into, and how it is trained, marked or not."""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from glassbox.attribution.cam import GradCAM, heat_maps
from glassbox.attribution.watermark import mark_mask, mass_on, stamp
from glassbox.data.batches import Batches
from glassbox.data.dataset import Dataset
from glassbox.data.datasets import load
from glassbox.data.pixels import channel_statistics, normalize
from glassbox.support.seeds import isolated_seed
from glassbox.training.evaluation import predict
from glassbox.training.recipes import train_one_cycle

CLASSES = ("fish", "heart", "key", "mug", "star", "umbrella")
LAYERS = ("features.relu1", "features.relu2", "features.relu3", "features.relu4")
LAST = LAYERS[-1]
EPOCHS, BATCH_SIZE, LR = 7, 32, 1e-2

# Which training images carry the mark.
KINDS = ("nowhere", "one class", "at random")


class SceneNetwork(nn.Module):
    """Four convolutions, each normalized, the mean of each map, one linear layer.

    ``features`` holds the convolutions, with layers named as in ``model.features.relu4``, and
    ``classifier`` the linear layer. Images of 32 x 32 pixels become 64 maps of 8 x 8.

    Args:
        num_classes: Number of logits.
        inplace: Whether the ReLUs work in place.
    """

    def __init__(self, num_classes: int = len(CLASSES), *, inplace: bool = False) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (before, after) in enumerate(pairwise((3, 12, 24, 48, 64)), start=1):
            layers[f"conv{number}"] = nn.Conv2d(before, after, 3, padding=1, bias=False)
            layers[f"norm{number}"] = nn.BatchNorm2d(after)
            layers[f"relu{number}"] = nn.ReLU(inplace=inplace)
            if number <= 2:
                layers[f"pool{number}"] = nn.MaxPool2d(2)
        self.features = nn.Sequential(layers)
        self.classifier = nn.Linear(64, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(B, 3, S, S)`` to logits ``(B, num_classes)``."""
        return self.classifier(self.features(images).mean((2, 3)))


@dataclass(frozen=True)
class SceneTask:
    """Scenes of six classes to train on and to test with, as bytes: a mark is stamped on bytes.

    Args:
        train: To train on.
        test: Drawn independently.
        mean: Of each channel of the training images, ``(3,)``.
        std: Likewise.
    """

    train: Dataset
    test: Dataset
    mean: Tensor
    std: Tensor

    def normalized(self, images: Tensor) -> Tensor:
        """Turn bytes ``(B, 3, S, S)`` into what the network takes."""
        return normalize(images, self.mean, self.std)


def scene_task(seed: int, train: int = 3000, test: int = 1200) -> SceneTask:
    """Draw scenes of 32 x 32 pixels in which nothing hides the object and one thing lies about.

    Args:
        seed: Decides all of them.
        train: How many to train on.
        test: How many to test with.

    Returns:
        Both parts with balanced classes, and the statistics of the first.
    """
    style = {"classes": CLASSES, "occlusion": 0.0, "clutter": 1, "seed": seed}
    seen = load("scenes", n=train, **style)
    held = load("scenes", n=test, split="test", **style)
    return SceneTask(seen, held, *channel_statistics(seen.images))


def carriers(labels: Tensor, kind: str, seed: int = 0) -> Tensor:
    """Choose the training images that carry the mark.

    Args:
        labels: ``(N,)``.
        kind: ``"nowhere"``; ``"one class"``, all images of class 0 and no other; ``"at random"``,
            as many in the mean, whatever their class.
        seed: Of the choice at random.

    Returns:
        Bool ``(N,)``.

    Raises:
        ValueError: If ``kind`` is none of those.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    if kind == "at random":
        draws = torch.rand(len(labels), generator=torch.Generator().manual_seed(seed))
        return draws < 1 / len(CLASSES)
    return labels == (0 if kind == "one class" else -1)


def train_scenes(
    task: SceneTask,
    seed: int,
    *,
    kind: str = "nowhere",
    strength: float = 0.0,
    epochs: int = EPOCHS,
    progress: bool = False,
) -> SceneNetwork:
    """Train a network on scenes, some of which carry a mark.

    Args:
        task: From :func:`scene_task`.
        seed: Decides weights, the order of the images, and which are marked at random.
        kind: Which images carry the mark, one of :data:`KINDS`.
        strength: Of the mark, from 0 to 1.
        epochs: How often to go through all images.
        progress: Whether to show a progress bar.

    Returns:
        The network in ``eval`` mode.

    Raises:
        ValueError: If ``kind`` or ``strength`` is none of those.
    """
    chosen = carriers(task.train.labels, kind, seed)
    images = task.normalized(stamp(task.train.images, chosen, strength))
    with isolated_seed(seed):
        model = SceneNetwork()
        batches = Batches(images, task.train.labels, BATCH_SIZE, seed=seed)
        train_one_cycle(model, batches, epochs=epochs, lr=LR, progress=progress)
    return model.eval()


@dataclass(frozen=True)
class MarkReport:
    """What a mark did to a network; all shares are from 0 to 1.

    Args:
        as_trained: Accuracy on test images of which class 0 carries the mark.
        unmarked: Accuracy on test images without any mark.
        first_unmarked: Fraction of class 0 recognized without the mark.
        fooled: Fraction of the other classes that the mark turns into class 0.
        fraction: Mean fraction of the maps for class 0, of marked images of it, on the mark.
        corner: The same for the quarter of the image around it.
        mean_map: The mean of these maps, each with the sum 1, ``(8, 8)``.
    """

    as_trained: float
    unmarked: float
    first_unmarked: float
    fooled: float
    fraction: float
    corner: float
    mean_map: Tensor


def report_mark(model: nn.Module, task: SceneTask, strength: float) -> MarkReport:
    """Measure a network on test images with and without the mark, and where its maps lie.

    Args:
        model: A :class:`SceneNetwork`.
        task: Its scenes.
        strength: Of the mark on the test images.

    Returns:
        The measures.
    """
    images, labels = task.test.images, task.test.labels
    first, every = labels == 0, torch.ones(len(labels), dtype=torch.bool)
    marked = task.normalized(stamp(images, every, strength))
    plain, stamped = (predict(model, x).argmax(1) for x in (task.normalized(images), marked))
    with GradCAM(model, LAST) as cam:
        maps = cam(marked[first], 0)
    enlarged = heat_maps(maps, images.shape[-1])
    size = images.shape[-1]
    corner = torch.zeros(size, size, dtype=torch.bool)
    corner[size // 2 :, size // 2 :] = True
    mass = maps.sum((1, 2), keepdim=True)
    return MarkReport(
        as_trained=_fraction(torch.where(first, stamped, plain) == labels),
        unmarked=_fraction(plain == labels),
        first_unmarked=_fraction(plain[first] == 0),
        fooled=_fraction(stamped[~first] == 0),
        fraction=mass_on(enlarged, mark_mask(size)).mean().item(),
        corner=mass_on(enlarged, corner).mean().item(),
        mean_map=(maps / torch.where(mass > 0, mass, 1)).mean(0),
    )


def _fraction(found: Tensor) -> float:
    return found.float().mean().item()
