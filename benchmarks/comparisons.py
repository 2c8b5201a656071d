"""Time what the book does beside what its readers would do instead, as CSV with ratios.

    python benchmarks/comparisons.py

Each comparison alternates between its ways, so that a busy machine slows all of them, and gives the
median of five rounds after one that does not count, with the shortest and the longest. A ratio is
the time of the first way, which is the readers', over that of the way in the row.
"""

import glassbox  # noqa: F401  torchvision works after it, also where its build doesn't fit torch's

# isort: split

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice

import captum.attr
import pytorch_grad_cam
import torch
import torch.nn.functional as F
import torchvision
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from glassbox.attribution import GradCAM
from glassbox.data import (
    Batches,
    color_jitter,
    compose,
    random_crop,
    random_flip,
    random_rotation,
    to_float,
)
from glassbox.networks import ThreeBlockCNN
from glassbox.optim import VectorizedAdam
from glassbox.training import fit

ROUNDS = 5
BATCH = 64
IMAGES = 2_048
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
Ways = dict[str, Callable[[], object]]

PIL_TRANSFORM = transforms.Compose(
    [
        transforms.RandomCrop(32, padding=4),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(0.2, 0.2, 0.2),
        transforms.RandomRotation(15, transforms.InterpolationMode.BILINEAR),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ]
)
OURS = compose(
    lambda images, _: to_float(images),
    random_crop(4),
    random_flip(),
    color_jitter(0.2, 0.2, 0.2),
    random_rotation(15),
    lambda images, _: (images - _column(MEAN)) / _column(STD),
)


class Pictures(Dataset):
    """Images as tutorials keep them: an array each, made a picture when it is asked for."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.arrays, self.labels = images.permute(0, 2, 3, 1).numpy(), labels.tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = transforms.functional.to_pil_image(self.arrays[index])
        return PIL_TRANSFORM(picture), self.labels[index]


def _column(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values).view(-1, 1, 1)


def tutorial_epoch(model: nn.Module, batches: DataLoader) -> None:
    """Train for one epoch as tutorials write it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    correct, total = 0, 0.0
    for images, labels in batches:
        optimizer.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        correct += (logits.argmax(1) == labels).sum().item()


def training(make: Callable[[], nn.Module], images: Tensor, labels: Tensor) -> Ways:
    """An epoch of training, end to end, in the readers' way and in the book's."""
    pictures = DataLoader(Pictures(images, labels), BATCH, shuffle=True)
    fetched = DataLoader(Pictures(images, labels), BATCH, shuffle=True, num_workers=2)

    def with_fit(**options: object) -> None:
        model = make().to(memory_format=torch.channels_last)
        batches = Batches(images, labels, BATCH, augment=OURS, channels_last=True)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        fit(model, batches, optimizer, epochs=1, progress=False, **options)

    return {
        "PIL in a DataLoader": lambda: tutorial_epoch(make(), pictures),
        "PIL in a DataLoader with two workers": lambda: tutorial_epoch(make(), fetched),
        "Batches and fit": with_fit,
        "Batches and fit in bfloat16": lambda: with_fit(autocast=torch.bfloat16),
    }


def augmentation(images: Tensor, labels: Tensor) -> Ways:
    """An epoch of augmented batches, without training."""

    def exhaust(batches: object) -> None:
        for _ in batches:
            pass

    return {
        "PIL in a DataLoader": lambda: exhaust(
            DataLoader(Pictures(images, labels), BATCH, shuffle=True)
        ),
        "Batches": lambda: exhaust(Batches(images, labels, BATCH, augment=OURS)),
    }


def maps() -> Ways:
    """Grad-CAM of the last block of a ResNet-18 for 64 images, at the size of the images."""
    model = torchvision.models.resnet18().eval()
    images, classes = torch.rand(64, 3, 112, 112), torch.arange(64)
    targets = [ClassifierOutputTarget(int(k)) for k in classes]

    def theirs() -> None:
        with pytorch_grad_cam.GradCAM(model, [model.layer4]) as cam:
            cam(images, targets)

    def by_captum() -> None:
        cam = captum.attr.LayerGradCam(model, model.layer4)
        small = cam.attribute(images, classes, relu_attributions=True)
        captum.attr.LayerAttribution.interpolate(small, images.shape[-2:], "bilinear")

    def ours() -> None:
        with GradCAM(model, "layer4") as cam:
            small = cam(images, classes)
        F.interpolate(small[:, None], images.shape[-2:], mode="bilinear")

    return {"pytorch-grad-cam": theirs, "Captum": by_captum, "GradCAM": ours}


def optimizers() -> Ways:
    """Twenty steps of Adam for a thousand tensors of a hundred numbers."""

    def steps(form: Callable[[list[Tensor]], torch.optim.Optimizer]) -> Callable[[], None]:
        params = [torch.randn(100).requires_grad_() for _ in range(1000)]
        for param in params:
            param.grad = torch.randn_like(param)
        optimizer = form(params)
        return lambda: [optimizer.step() for _ in range(20)]

    return {
        "torch with foreach": steps(lambda params: torch.optim.Adam(params, foreach=True)),
        "VectorizedAdam": steps(VectorizedAdam),
    }


def rounds(ways: Ways, count: int) -> Iterator[dict[str, float]]:
    """Time each way in turn, round after round."""
    for _ in range(count):
        times = {}
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            times[name] = time.perf_counter() - start
        yield times


def main() -> None:
    torch.manual_seed(0)
    images = torch.randint(0, 256, (IMAGES, 3, 32, 32), dtype=torch.uint8)
    labels = torch.randint(0, 10, (IMAGES,))
    small, large = "three-block CNN", "ResNet-18"
    comparisons = {
        "augmenting 2048 images of 32 x 32": augmentation(images, labels),
        f"training a {small} on them": training(lambda: ThreeBlockCNN(), images, labels),
        f"training a {large} on them": training(
            lambda: torchvision.models.resnet18(num_classes=10), images, labels
        ),
        "Grad-CAM of 64 images of 112 x 112": maps(),
        "20 steps of Adam for 1000 tensors": optimizers(),
    }
    print("what,way,seconds,ratio,shortest,longest")
    for what, ways in comparisons.items():
        timed = list(islice(rounds(ways, ROUNDS + 1), 1, None))
        medians = {way: statistics.median(times[way] for times in timed) for way in ways}
        for way, median in medians.items():
            all_times = [times[way] for times in timed]
            numbers = median, next(iter(medians.values())) / median, min(all_times), max(all_times)
            print(what, way, *(f"{number:.3g}" for number in numbers), sep=",", flush=True)


if __name__ == "__main__":
    main()
