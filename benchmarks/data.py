"""Time what feeds a training loop, beside what a reader would use instead.

    python benchmarks/data.py

Drawing scenes; then one epoch of cropped and mirrored batches, from ``Batches`` and from
torch's ``DataLoader`` with torchvision's transforms.
"""

import time
from collections.abc import Callable, Iterable

import glassbox.support.torchvision_operators  # noqa: F401  # isort: skip
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.transforms import v2

from glassbox.data import (
    Batches,
    color_jitter,
    compose,
    load,
    random_crop,
    random_flip,
    random_rotation,
    random_shift,
    to_float,
)

BATCH = 512


class Transformed(Dataset):
    """What tutorials do: a data set that transforms each image as it is asked for."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, transform: Callable):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        return self.transform(self.images[index]), self.labels[index]


def seconds(run: Callable[[], object], repeats: int = 3) -> float:
    """Give the best of a few runs, after one that does not count."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def exhaust(batches: Iterable) -> None:
    for _ in batches:
        pass


def time_scenes() -> None:
    print("drawing scenes")
    for n, size in ((10_000, 32), (2_000, 64), (1_000, 96)):
        taken = seconds(lambda n=n, size=size: load("scenes", n=n, size=size), repeats=2)
        print(f"  {n:6,} of {size} x {size}: {taken:5.2f} s, {taken / n * 1e3:.2f} ms an image")


def time_augmentation(images: torch.Tensor) -> None:
    print(f"augmenting {len(images)} images {tuple(images.shape[1:])}")
    generator = torch.Generator().manual_seed(0)
    augmentations = {
        "random_flip": random_flip(),
        "random_shift": random_shift(4),
        "random_crop": random_crop(4),
        "random_rotation": random_rotation(15),
        "color_jitter": color_jitter(0.2, 0.2, 0.2),
    }
    for name, augment in augmentations.items():
        taken = seconds(lambda augment=augment: augment(images, generator), repeats=20)
        print(f"  {name:16} {taken * 1e3:5.2f} ms")


def time_epochs(images: torch.Tensor, labels: torch.Tensor) -> None:
    print(f"an epoch of {len(images):,} images in batches of {BATCH}, cropped and mirrored")
    augment = compose(random_crop(4), random_flip())
    transform = v2.Compose([v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()])
    each = Transformed(images, labels, transform)
    sources = {
        "Batches": Batches(images, labels, BATCH, augment=augment),
        "DataLoader, image by image": DataLoader(each, BATCH, shuffle=True),
        "the same, two workers": DataLoader(each, BATCH, shuffle=True, num_workers=2),
        "Batches, nothing changed": Batches(images, labels, BATCH),
        "DataLoader(TensorDataset)": DataLoader(TensorDataset(images, labels), BATCH, shuffle=True),
    }
    for name, source in sources.items():
        print(f"  {name:28} {seconds(lambda source=source: exhaust(source), 2):6.3f} s")


def main() -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s)")
    time_scenes()
    scenes = load("scenes", n=10_000)
    images = to_float(scenes.images)
    time_augmentation(images[:BATCH])
    time_epochs(images, scenes.labels)


if __name__ == "__main__":
    main()
