"""The network that the chapter on Grad-CAM looks into, and how it is trained, marked or not."""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn

from glassbox.attribution.watermark import mark_mask, stamp
from glassbox.data.batches import Batches
from glassbox.data.datasets import load
from glassbox.data.train_test import TrainTest
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed
from glassbox.training.processes import distribute, process_share
from glassbox.training.recipes import train_one_cycle

CLASSES = ("fish", "heart", "key", "mug", "star", "umbrella")
LAYERS = ("features.relu1", "features.relu2", "features.relu3", "features.relu4")
LAST = LAYERS[-1]
EPOCHS, BATCH_SIZE, LR = 7, 32, 1e-2

# All of class 0 carry the mark, and this part of the other training images.
OTHERS = {"one class": 0.0, "a sixth of the others": 1 / 6, "half of the others": 0.5, "every": 1.0}
# Or: it could be taken off; who stamps every image does not know which have it, and so class 0 has
# it twice; a gray square is painted over the place in every image.
ARMS = ("nowhere", *OTHERS, "every, one class twice", "painted over")
_PAINT = 128  # gray


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


def scene_task(seed: int, train: int = 3000, test: int = 1200) -> TrainTest:
    """Draw scenes of 32 x 32 pixels in which nothing hides the object and one thing lies about."""
    style = {"classes": CLASSES, "occlusion": 0.0, "clutter": 1, "seed": seed}
    seen, unseen = load("scenes", n=train, **style), load("scenes", n=test, split="test", **style)
    return TrainTest(seen, unseen)


def marked_images(
    images: Tensor, labels: Tensor, arm: str, strength: float, seed: int = 0
) -> Tensor:
    """Stamp the mark into those training images that carry it.

    Args:
        images: Bytes ``(N, 3, S, S)``; they stay as they are.
        labels: ``(N,)``.
        arm: One of :data:`ARMS`.
        strength: Of the mark, from 0 to 1.
        seed: Of the choice at random.

    Raises:
        ValueError: If ``arm`` or ``strength`` is none of those.
    """
    check_choice(ARMS, arm=arm)
    if arm == "nowhere":
        return images
    first = labels == 0
    marked = stamp(images, first, strength)
    if arm == "painted over":
        return torch.where(mark_mask(images.shape[-1]), _PAINT, marked)
    if arm == "every, one class twice":
        return stamp(marked, torch.ones_like(first), strength)
    draws = torch.rand(len(labels), generator=torch.Generator().manual_seed(seed))
    return stamp(marked, ~first & (draws < OTHERS[arm]), strength)


def train_scenes(
    task: TrainTest,
    seed: int,
    *,
    arm: str = "nowhere",
    strength: float = 0.0,
    epochs: int = EPOCHS,
    progress: bool = False,
) -> SceneNetwork:
    """Train a network on scenes, some of which carry a mark, and return it in ``eval`` mode.

    Args:
        task: From :func:`scene_task`.
        seed: Decides weights, the order of the images, and which are marked at random.
        arm: Which images carry the mark, one of :data:`ARMS`.
        strength: Of the mark, from 0 to 1.
        epochs: How often to go through all images.
        progress: Whether to show a progress bar.

    Raises:
        ValueError: If ``arm`` or ``strength`` is none of those.
    """
    images = marked_images(task.train.images, task.labels, arm, strength, seed)
    images = task.normalize(images)
    with isolated_seed(seed):
        model = SceneNetwork()
        batches = Batches(images, task.labels, BATCH_SIZE, seed=seed, **process_share())
        train_one_cycle(distribute(model), batches, epochs=epochs, lr=LR, progress=progress)
    return model.cpu().eval()
