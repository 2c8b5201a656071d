"""Images to train on and others to test with, normalized alike."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from glassbox.data.dataset import Dataset
from glassbox.data.pixels import channel_statistics, normalize
from glassbox.support.arguments import check_shapes


@dataclass(frozen=True, eq=False)
class TrainTest:
    """Two parts of a data set, both normalized by the same statistics.

    Args:
        train: To train on.
        test: To test with.
        statistics: Mean and standard deviation of each channel, ``(C,)`` each; those of ``train``
            unless given.

    Raises:
        TypeError: If a part is no data set, or the statistics are no pair of tensors.
        ValueError: If the statistics are not those of as many channels, not finite, or a deviation
            is not above 0.
    """

    train: Dataset
    test: Dataset
    statistics: tuple[Tensor, Tensor] | None = None

    def __post_init__(self) -> None:
        for name, part in (("train", self.train), ("test", self.test)):
            if not isinstance(part, Dataset):
                raise TypeError(f"{name} is a {type(part).__name__}, expected a Dataset")
        if self.statistics is None:
            return
        if not isinstance(self.statistics, tuple | list) or len(self.statistics) != 2:
            raise TypeError(f"statistics is {self.statistics!r}, expected mean and deviation")
        try:
            normalize(self.train.images[:0], *self.statistics)
        except (TypeError, ValueError) as error:
            raise type(error)(f"statistics: {error}") from error

    @cached_property
    def _statistics(self) -> tuple[Tensor, Tensor]:
        return self.statistics or channel_statistics(self.train.images)

    def normalize(self, images: Tensor) -> Tensor:
        """Shift and scale images, bytes or floating point ``(N, C, H, W)``, as both parts are."""
        mean, std = self._statistics
        check_shapes(images=(images, f"N {len(mean)} H W"))
        return normalize(images, mean, std)

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
