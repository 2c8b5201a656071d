import os
from pathlib import Path

import pytest
import torch

from glassbox.data import load

REAL = Path(os.environ.get("GLASSBOX_DATA", "/nonexistent"))


def test_the_two_parts_are_stratified_bytes_and_no_image_is_in_both(no_network):
    train, test = load("mnist_5k"), load("mnist_5k", split="test")
    assert torch.equal(load("mnist_5k", split="train").images, train.images)
    assert train.class_counts.tolist() == [400] * 10 and test.class_counts.tolist() == [100] * 10
    for part in (train, test):
        assert part.images.dtype == torch.uint8 and part.images.shape[1:] == (1, 28, 28)
        assert part.images.is_contiguous() and part.labels.dtype == torch.int64
        assert (part.images.amin(), part.images.amax()) == (0, 255)
    images = torch.cat([train.images, test.images]).flatten(1)
    assert len(images.unique(dim=0)) == 5000
    assert no_network == []


def test_a_part_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="split is 'holdout', expected one of train, test"):
        load("mnist_5k", split="holdout")


@pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="GLASSBOX_DATA holds no MNIST")
def test_they_are_the_first_500_training_images_of_each_class_of_mnist():
    official, small = (
        load("mnist"),
        {part: load("mnist_5k", split=part) for part in ("train", "test")},
    )
    in_test = torch.arange(500) % 5 == 4
    for label in range(10):
        first = official.images[official.labels == label][:500]
        for part, rows in (("train", ~in_test), ("test", in_test)):
            ours = small[part].images[small[part].labels == label]
            assert torch.equal(ours, first[rows])
    assert small["train"].images.dtype == official.images.dtype
    assert small["train"].class_names == official.class_names
    tested = {image.numpy().tobytes() for image in load("mnist", split="test").images}
    assert not any(image.numpy().tobytes() in tested for image in small["train"].images)
