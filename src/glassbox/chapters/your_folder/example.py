"""A folder to try the module on: seven unequal classes, cut out of real photographs."""

from pathlib import Path

from torch import Tensor

from glassbox.data.patches import photo_patches
from glassbox.data.splits import long_tailed_counts
from glassbox.support.arguments import as_path, as_sizes

CLASSES = ("china", "coffee", "rocket", "astronaut", "grace_hopper", "cat", "flower")


def make_folder(
    root: str | Path,
    *,
    largest: int = 60,
    imbalance: float = 15,
    test: int = 12,
    side: int = 96,
    seed: int = 0,
) -> tuple[int, ...]:
    """Write a long-tailed folder of squares that are cut out of seven photographs.

    The class of a square is the photograph it is from. Squares to train on are from the left half
    of a photograph, those to test with from the right half: no pixel is in both. Within a half
    they overlap.

    Args:
        root: Where ``train`` and ``test`` are written, each with a folder for each class.
        largest: Training pictures of the first class.
        imbalance: How many times as many it has as the last one.
        test: Test pictures of each class.
        side: Pixels a side.
        seed: Decides the places.

    Returns:
        Training pictures of each class, in the order of :data:`CLASSES`.

    Raises:
        ValueError: If a number is out of range.
        FileExistsError: If there is a folder ``train`` or ``test`` already.
    """
    root = as_path(root=root)
    (largest,) = as_sizes(largest=largest)
    counts = long_tailed_counts(largest, len(CLASSES), imbalance)
    task = photo_patches(*CLASSES, size=side, train_count=largest, test_count=test, seed=seed)
    parts = {"train": (task.train, counts), "test": (task.test, (test,) * len(CLASSES))}
    for part, (squares, wanted) in parts.items():
        for label, (name, count) in enumerate(zip(CLASSES, wanted, strict=True)):
            folder = root / part / name
            folder.mkdir(parents=True)
            for number, square in enumerate(squares.images[squares.labels == label][:count]):
                _write(square, folder / f"{number:03}.jpg")
    return counts


def _write(square: Tensor, path: Path) -> None:
    from PIL import Image

    Image.fromarray(square.permute(1, 2, 0).numpy()).save(path, quality=92)
