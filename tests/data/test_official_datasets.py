"""Small files in the official formats stand in for the releases; the real ones are read
as well where the environment variable GLASSBOX_DATA names a folder that holds them."""

import gzip
import hashlib
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import glassbox.support.torchvision_operators  # noqa: F401
from glassbox.data import DownloadError, load
from glassbox.data import official_datasets as releases

from torchvision import datasets  # isort: skip

REAL = Path(os.environ.get("GLASSBOX_DATA", "/nonexistent"))


def digest(content: bytes) -> str:
    return "md5:" + hashlib.md5(content).hexdigest()


def idx(values: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    return header + values.astype(np.uint8).tobytes()


def write_small_mnist(folder: Path, monkeypatch, *, packed: bool = False) -> None:
    random = np.random.default_rng(0)
    for split, count in (("train", 30), ("test", 10)):
        parts = (random.integers(0, 256, (count, 28, 28)), np.arange(count) % 10)
        files = []
        for file, values in zip(releases._IDX_FILES["mnist", split], parts, strict=True):
            content = idx(values)
            gz = gzip.compress(content, mtime=0)
            archive = replace(file.archive, checksum=digest(gz), urls=())
            files.append(replace(file, checksum=digest(content), archive=archive))
            path = folder / (archive.path if packed else file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gz if packed else content)
        monkeypatch.setitem(releases._IDX_FILES, ("mnist", split), tuple(files))


def write_small_cifar10(folder: Path, monkeypatch, *, pickled: bool = False) -> dict:
    random = np.random.default_rng(0)
    table = releases._PYTHON_BATCHES if pickled else releases._BINARY_BATCHES
    content = {}
    for name, file in list(table.items()):
        labels, pixels = random.permutation(np.arange(40) % 10), random.integers(0, 256, (40, 3072))
        content[name] = labels, pixels
        if pickled:
            written = pickle.dumps({"labels": labels.tolist(), "data": pixels.astype(np.uint8)})
        else:
            written = np.concatenate([labels[:, None], pixels], 1).astype(np.uint8).tobytes()
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written)
        archive = replace(file.archive, urls=())
        patched = replace(file, checksum=digest(written), archive=archive)
        monkeypatch.setitem(table, name, patched)
    return content


@pytest.mark.parametrize("packed", [False, True])
def test_mnist_files_are_read_as_torchvision_reads_them(tmp_path, monkeypatch, packed):
    write_small_mnist(tmp_path, monkeypatch, packed=packed)
    parts = {split: load("mnist", split=split, root=tmp_path) for split in ("train", "test")}
    for (split, ours), count in zip(parts.items(), (30, 10), strict=True):
        theirs = datasets.MNIST(tmp_path, train=split == "train")
        assert ours.images.shape == (count, 1, 28, 28)
        assert torch.equal(ours.images[:, 0], theirs.data)
        assert torch.equal(ours.labels, theirs.targets)


def test_the_folder_of_the_environment_is_used(tmp_path, monkeypatch):
    write_small_mnist(tmp_path, monkeypatch)
    monkeypatch.setenv("GLASSBOX_DATA", str(tmp_path))
    assert len(load("mnist", split="train")) == 30


def test_a_broken_official_file_is_named_and_never_read(tmp_path, monkeypatch):
    write_small_mnist(tmp_path, monkeypatch)
    path = tmp_path / "MNIST/raw/train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with (
        pytest.warns(UserWarning, match="train-labels-idx1-ubyte is broken"),
        pytest.raises(DownloadError, match="train-labels-idx1-ubyte"),
    ):
        load("mnist", root=tmp_path)


@pytest.mark.parametrize("pickled", [False, True])
def test_cifar10_is_read_from_either_release(tmp_path, monkeypatch, pickled):
    content = write_small_cifar10(tmp_path, monkeypatch, pickled=pickled)
    full = load("cifar10", split="full_train", root=tmp_path)
    labels, pixels = (np.concatenate(x) for x in zip(*list(content.values())[:5], strict=True))
    assert full.labels.tolist() == labels.tolist()
    assert (full.images.numpy() == pixels.reshape(-1, 3, 32, 32)).all()
    test = load("cifar10", split="test", root=tmp_path)
    assert test.labels.tolist() == content["test_batch"][0].tolist()


def test_the_python_release_is_read_as_torchvision_reads_it(tmp_path, monkeypatch):
    write_small_cifar10(tmp_path, monkeypatch, pickled=True)
    meta = tmp_path / "cifar-10-batches-py" / "batches.meta"
    meta.write_bytes(pickle.dumps({"label_names": list(releases._CLASS_NAMES["cifar10"])}))
    for name in ("train_list", "test_list", "meta"):
        entries = getattr(datasets.CIFAR10, name)
        unchecked = {**entries, "md5": None} if name == "meta" else [[e[0], None] for e in entries]
        monkeypatch.setattr(datasets.CIFAR10, name, unchecked)
    theirs = datasets.CIFAR10(tmp_path)
    ours = load("cifar10", split="full_train", root=tmp_path)
    assert (ours.images.permute(0, 2, 3, 1).numpy() == theirs.data).all()
    assert ours.labels.tolist() == theirs.targets
    assert ours.class_names == tuple(theirs.classes)


def test_train_and_holdout_part_the_training_images_by_a_fixed_rule(tmp_path, monkeypatch):
    write_small_cifar10(tmp_path, monkeypatch)
    full, train, holdout = (
        load("cifar10", split=split, root=tmp_path) for split in ("full_train", "train", "holdout")
    )
    assert train.class_counts.tolist() == [18] * 10 and holdout.class_counts.tolist() == [2] * 10
    for label in range(10):
        members = full.images[full.labels == label]
        assert torch.equal(holdout.images[holdout.labels == label], members[9::10])
        kept = torch.arange(20) % 10 != 9
        assert torch.equal(train.images[train.labels == label], members[kept])


@pytest.mark.parametrize(("name", "split"), [("mnist", "holdout"), ("cifar10", "validation")])
def test_a_split_that_does_not_exist_is_refused(name, split, tmp_path):
    with pytest.raises(ValueError, match=f"split is '{split}', expected one of train"):
        load(name, split=split, root=tmp_path)


def test_the_checksums_are_those_that_torchvision_publishes():
    for name, official in (("mnist", datasets.MNIST), ("fashion_mnist", datasets.FashionMNIST)):
        files = [*releases._IDX_FILES[name, "train"], *releases._IDX_FILES[name, "test"]]
        ours = [(Path(f.archive.path).name, f.archive.checksum) for f in files]
        assert ours == [(resource, f"md5:{md5}") for resource, md5 in official.resources]
        for file in files:
            mirrors = [url.removesuffix(Path(file.archive.path).name) for url in file.archive.urls]
            assert mirrors == official.mirrors
    cifar = datasets.CIFAR10
    ours = {name: file.checksum for name, file in releases._PYTHON_BATCHES.items()}
    assert ours == {name: f"md5:{md5}" for name, md5 in cifar.train_list + cifar.test_list}
    archive = releases._PYTHON_BATCHES["test_batch"].archive
    assert (archive.urls, archive.checksum) == ((cifar.url,), f"md5:{cifar.tgz_md5}")


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("official", [datasets.MNIST, datasets.FashionMNIST])
def test_real_images_are_those_of_torchvision(official, split):
    if not (REAL / official.__name__).is_dir():
        pytest.skip(f"GLASSBOX_DATA holds no {official.__name__}")
    name = {datasets.MNIST: "mnist", datasets.FashionMNIST: "fashion_mnist"}[official]
    ours, theirs = load(name, split=split), official(REAL, train=split == "train")
    assert torch.equal(ours.images[:, 0], theirs.data) and torch.equal(ours.labels, theirs.targets)


@pytest.mark.skipif(
    not (REAL / "cifar-10-batches-bin").is_dir(), reason="GLASSBOX_DATA holds no CIFAR-10"
)
def test_the_real_cifar10_has_its_published_mean_and_a_stratified_holdout():
    train, holdout = load("cifar10"), load("cifar10", split="holdout")
    assert train.class_counts.tolist() == [4500] * 10
    assert holdout.class_counts.tolist() == [500] * 10
    full = load("cifar10", split="full_train").images
    mean = full.double().mean((0, 2, 3)) / 255
    published = torch.tensor([0.4914, 0.4822, 0.4465], dtype=torch.float64)
    torch.testing.assert_close(mean, published, rtol=0, atol=1e-4)
