"""MNIST, Fashion-MNIST and CIFAR-10, read from the files of their official releases."""

import pickle
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from glassbox.data.dataset import Dataset
from glassbox.data.downloads import OfficialFile, data_folder, obtain
from glassbox.support.arguments import check_choice

_CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        "T-shirt/top", "trouser", "pullover", "dress", "coat",
        "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    "cifar10": (
        "airplane", "automobile", "bird", "cat", "deer",
        "dog", "frog", "horse", "ship", "truck",
    ),
}  # fmt: skip

# One training image of each class in so many, in the order of the files, is held out.
_HOLDOUT_EVERY = 10

_MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
_FASHION_MIRRORS = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
# Two sums of each file: that of what is inside, taken from a .gz file verified so, and that of the
# .gz file, which torchvision publishes.
_MNIST_SUMS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624 d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea 9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637 ec29112dd5afa0611ce80d1b7f02629c",
}
_FASHION_SUMS = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a 8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9 25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965 bb300cfdad3c16e7a12a480ee83cd310",
}


def _idx_files(
    folder: str, start: str, sums: dict[str, str], mirrors: tuple[str, ...]
) -> tuple[OfficialFile, ...]:
    """List the images and the labels of the part whose files begin with ``start``."""
    files = []
    for name, both in sums.items():
        if name.startswith(start):
            path, (inside, packed) = f"{folder}/raw/{name}", both.split()
            urls = tuple(f"{mirror}{name}.gz" for mirror in mirrors)
            archive = OfficialFile(f"{path}.gz", f"md5:{packed}", urls)
            files.append(OfficialFile(path, f"md5:{inside}", archive=archive))
    return tuple(files)


_IDX_FILES = {
    ("mnist", "train"): _idx_files("MNIST", "train", _MNIST_SUMS, _MNIST_MIRRORS),
    ("mnist", "test"): _idx_files("MNIST", "t10k", _MNIST_SUMS, _MNIST_MIRRORS),
    ("fashion_mnist", "train"): _idx_files(
        "FashionMNIST", "train", _FASHION_SUMS, _FASHION_MIRRORS
    ),
    ("fashion_mnist", "test"): _idx_files("FashionMNIST", "t10k", _FASHION_SUMS, _FASHION_MIRRORS),
}

_CIFAR_PAGE = "https://www.cs.toronto.edu/~kriz/"
_BINARY_ARCHIVE = OfficialFile(
    "cifar-10-binary.tar.gz",
    "md5:c32a1d4ab5d03f1284b67883e8d87530",
    (_CIFAR_PAGE + "cifar-10-binary.tar.gz",),
)
_PYTHON_ARCHIVE = OfficialFile(
    "cifar-10-python.tar.gz",
    "md5:c58f30108f718f92721af3b95e74349a",
    (_CIFAR_PAGE + "cifar-10-python.tar.gz",),
)
_BINARY_SHA1 = {
    "data_batch_1": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
    "data_batch_2": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
    "data_batch_3": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
    "data_batch_4": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
    "data_batch_5": "26e2849e66a845b7f1e4614ae70f4889ae604628",
    "test_batch": "67eb016db431130d61cd03c7ad570b013799c88c",
}
_PYTHON_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
_BINARY_BATCHES = {
    name: OfficialFile(f"cifar-10-batches-bin/{name}.bin", f"sha1:{sha1}", archive=_BINARY_ARCHIVE)
    for name, sha1 in _BINARY_SHA1.items()
}
_PYTHON_BATCHES = {
    name: OfficialFile(f"cifar-10-batches-py/{name}", f"md5:{md5}", archive=_PYTHON_ARCHIVE)
    for name, md5 in _PYTHON_MD5.items()
}


def read_release(name: str, split: str, root: str | PathLike[str] | None = None) -> Dataset:
    """Read MNIST or Fashion-MNIST, ``(N, 1, 28, 28)``, or CIFAR-10, ``(N, 3, 32, 32)``, in part."""
    check_choice(_CLASS_NAMES, name=name)
    splits = ("train", "holdout", "full_train", "test") if name == "cifar10" else ("train", "test")
    check_choice(splits, split=split)
    folder = data_folder(root)
    if name == "cifar10":
        images, labels = _read_cifar10(split, folder)
    else:
        images, labels = (_read_idx(obtain(file, folder)) for file in _IDX_FILES[name, split])
        images = images[:, None]
    return Dataset(name, images, labels.to(torch.int64), _CLASS_NAMES[name])


def _read_idx(path: Path) -> Tensor:
    """Read bytes in the IDX format: two zeros, the type, the rank, the lengths, the values."""
    content = np.fromfile(path, np.uint8)
    rank = int(content[3])
    lengths = content[4 : 4 + 4 * rank].view(">u4").astype(np.int64)
    return torch.from_numpy(content[4 + 4 * rank :].reshape(*lengths))


def _read_cifar10(split: str, folder: Path) -> tuple[Tensor, Tensor]:
    if split == "test":
        return _read_batch("test_batch", folder)
    batches = [_read_batch(f"data_batch_{number}", folder) for number in range(1, 6)]
    images, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    if split == "full_train":
        return images, labels
    chosen = _held_out(labels) == (split == "holdout")
    return images[chosen], labels[chosen]


def _held_out(labels: Tensor) -> Tensor:
    """Mark the last of every ten images of a class, counted in the order of the files."""
    positions = torch.empty_like(labels)
    for label in labels.unique():
        members = labels == label
        positions[members] = torch.arange(int(members.sum()), device=labels.device)
    return positions % _HOLDOUT_EVERY == _HOLDOUT_EVERY - 1


def _read_batch(name: str, folder: Path) -> tuple[Tensor, Tensor]:
    binary, pickled = _BINARY_BATCHES[name], _PYTHON_BATCHES[name]
    if (folder / pickled.path).is_file() and not (folder / binary.path).is_file():
        # Unpickling runs what the file says: here only after its checksum was verified.
        content = pickle.loads(obtain(pickled, folder).read_bytes(), encoding="latin1")
        labels, pixels = np.array(content["labels"], np.int64), content["data"]
    else:
        records = np.fromfile(obtain(binary, folder), np.uint8).reshape(-1, 3073)
        labels, pixels = records[:, 0].astype(np.int64), np.ascontiguousarray(records[:, 1:])
    return torch.from_numpy(pixels).view(-1, 3, 32, 32), torch.from_numpy(labels)
