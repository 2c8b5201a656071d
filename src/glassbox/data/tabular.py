"""A table in memory: rows of named measurements, and what is to be predicted from each."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from glassbox.data.dataset import Index, selection
from glassbox.support.arguments import check_all_finite, check_choice, check_types, reject_tensor


@dataclass(frozen=True, repr=False, eq=False)
class TabularDataset:
    """Rows of measurements in memory, each with a target.

    Args:
        name: What the data set is called.
        features: Measurements in the units of their source, ``float32 (N, F)``.
        targets: What is to be predicted from each row, ``int64 (N,)``: a score, or a class.
        feature_names: The ``F`` columns.
        target_name: What the targets are, such as ``"quality"``.
        class_names: The classes in the order of their numbers, where the targets are classes;
            empty where they are scores.

    Raises:
        TypeError: If features or targets are no tensors, or names no tuples.
        ValueError: If shapes, types or names do not fit together, or a feature is not finite.
    """

    name: str
    features: Tensor
    targets: Tensor
    feature_names: tuple[str, ...]
    target_name: str
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_types(Tensor, features=self.features, targets=self.targets)
        check_types(tuple, feature_names=self.feature_names, class_names=self.class_names)
        if self.features.ndim != 2 or self.features.dtype != torch.float32:
            reject_tensor("features", self.features, "float32 (N, F)")
        count, width = self.features.shape
        check_all_finite(features=self.features)
        if self.targets.shape != (count,) or self.targets.dtype != torch.int64:
            reject_tensor("targets", self.targets, f"int64 ({count},)")
        if len(set(self.feature_names)) != width or len(self.feature_names) != width:
            raise ValueError(f"feature_names is {self.feature_names}, expected {width} names")
        last = len(self.class_names) - 1
        if self.class_names and count and not 0 <= self.targets.min() <= self.targets.max() <= last:
            reject_tensor("targets", self.targets, f"values from 0 to {last}")

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, indices: Index) -> "TabularDataset":
        """Select rows by a tensor, array or list of indices, a boolean mask ``(N,)``, or a slice.

        Raises:
            IndexError: If there is no such row.
        """
        chosen = selection(indices, self.targets)
        return replace(self, features=self.features[chosen], targets=self.targets[chosen])

    def __repr__(self) -> str:
        return (
            f"TabularDataset({self.name}: {len(self):,} rows of {len(self.feature_names)} features,"
            f" target {self.target_name})"
        )

    def feature(self, name: str) -> Tensor:
        """Give one column by its name, ``(N,)``."""
        check_choice(self.feature_names, name=name)
        return self.features[:, self.feature_names.index(name)]
