"""A table in memory: rows of named measurements, and what is to be predicted from each."""

from dataclasses import dataclass

import torch
from torch import Tensor

from glassbox.support.arguments import check_all_finite, check_choice, reject_tensor

_Index = Tensor | list[int] | list[bool] | slice


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
        ValueError: If shapes, types or names do not fit together, or a feature is not finite.
    """

    name: str
    features: Tensor
    targets: Tensor
    feature_names: tuple[str, ...]
    target_name: str
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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

    def __getitem__(self, indices: _Index) -> "TabularDataset":
        """Select rows by a tensor or list of indices, a boolean mask ``(N,)``, or a slice."""
        if not isinstance(indices, Tensor | list | slice):
            raise TypeError(f"indices is {indices!r}, expected a tensor, a list or a slice")
        # An empty list would otherwise become a tensor of floats.
        chosen = slice(0, 0) if isinstance(indices, list) and not indices else indices
        return TabularDataset(
            self.name,
            self.features[chosen],
            self.targets[chosen],
            self.feature_names,
            self.target_name,
            self.class_names,
        )

    def __repr__(self) -> str:
        return (
            f"TabularDataset({self.name}: {len(self):,} rows of {len(self.feature_names)} features,"
            f" target {self.target_name})"
        )

    def feature(self, name: str) -> Tensor:
        """Give one column by its name, ``(N,)``."""
        check_choice(self.feature_names, name=name)
        return self.features[:, self.feature_names.index(name)]
