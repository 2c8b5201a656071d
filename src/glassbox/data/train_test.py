"""Images to train on and others to test with, normalized alike."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from glassbox.data.dataset import Dataset
from glassbox.data.pixels import channel_statistics, normalize


@dataclass(frozen=True, eq=False)
class TrainTest:
    """Two parts of a data set, both normalized by the same statistics.

    Args:
        train: To train on.
        test: To test with.
        statistics: Mean and standard deviation of each channel, ``(C,)`` each; those of ``train``
            unless given.
    """

    train: Dataset
    test: Dataset
    statistics: tuple[Tensor, Tensor] | None = None

    @cached_property
    def _statistics(self) -> tuple[Tensor, Tensor]:
        return self.statistics or channel_statistics(self.train.images)

    def normalize(self, images: Tensor) -> Tensor:
        """Shift and scale images, bytes or floating point ``(N, C, H, W)``, as both parts are."""
        return normalize(images, *self._statistics)

    @cached_property
    def images(self) -> Tensor:
        """Normalized images to train on, floating point ``(N, C, H, W)``."""
        return self.normalize(self.train.images)

    @property
    def labels(self) -> Tensor:
        """Theirs, ``int64 (N,)``."""
        return self.train.labels

    @cached_property
    def test_images(self) -> Tensor:
        """Normalized images to test with, floating point ``(M, C, H, W)``."""
        return self.normalize(self.test.images)

    @property
    def test_labels(self) -> Tensor:
        """Theirs, ``int64 (M,)``."""
        return self.test.labels

    @property
    def counts(self) -> tuple[int, ...]:
        """Training images of each class."""
        return tuple(self.train.class_counts.tolist())
