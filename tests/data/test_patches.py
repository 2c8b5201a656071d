import pytest
import torch
from refusals import refuses

from glassbox.data import Photograph, patches, photo_patches, photographs


@pytest.fixture
def columns(monkeypatch):
    """Two photographs of 40 x 101 and 30 x 90 whose pixels say in which column they are."""
    shapes = {"wide": (40, 101), "narrow": (30, 90)}
    photos = {
        name: Photograph(name, torch.arange(width).byte().expand(1, height, -1), *[""] * 5)
        for name, (height, width) in shapes.items()
    }
    monkeypatch.setattr(patches, "photographs", lambda *names: photos)
    return {"wide": 50, "narrow": 45}  # where the right half begins


def test_no_pixel_is_in_both_parts(columns):
    task = photo_patches("wide", "narrow", size=20, train_count=250, test_count=280)
    for label, border in enumerate(columns.values()):
        train = task.train.images[task.train.labels == label]
        test = task.test.images[task.test.labels == label]
        assert (len(train), len(test)) == (250, 280)
        assert train.max() < border <= test.min()


def test_the_halves_are_used_up_to_their_last_place_and_no_place_twice(columns):
    places = 11 * 26  # of 20 x 20 pixels in 30 x 45
    task = photo_patches("wide", "narrow", size=20, train_count=places, test_count=places)
    starts = task.train.images[task.train.labels == 1][:, 0, 0, 0]
    assert starts.bincount().tolist() == [11] * 26


def test_labels_say_which_photograph_a_patch_is_from(no_network):
    task = photo_patches("cat", "coffee", size=16, train_count=2, test_count=3)
    assert task.train.class_names == task.test.class_names == ("cat", "coffee")
    assert task.labels.tolist() == [0, 1] * 2 and task.test_labels.tolist() == [0, 1] * 3
    assert task.train.images.shape == (4, 3, 16, 16)
    for label, photo in enumerate(photographs("cat", "coffee").values()):
        windows = photo.image[0].unfold(0, 16, 1).unfold(1, 16, 1)
        for patch in task.train.images[task.train.labels == label]:
            assert (windows == patch[0]).all((2, 3)).any()
    assert no_network == []


def test_one_gray_photograph_makes_all_gray():
    task = photo_patches("grass", "cat", size=8, train_count=4, test_count=4)
    assert task.train.images.shape == (8, 1, 8, 8)
    gray = photo_patches("grass", "gravel", size=8, train_count=4, test_count=4)
    assert torch.equal(gray.train.images[::2], task.train.images[::2])


def test_a_seed_chooses_the_places():
    first, again, other = (
        photo_patches("grass", "brick", size=8, train_count=9, test_count=9, seed=seed)
        for seed in (0, 0, 1)
    )
    assert torch.equal(first.test.images, again.test.images)
    assert not torch.equal(first.test.images, other.test.images)


test_what_has_no_room_or_no_meaning_is_refused = refuses(
    (lambda: photo_patches("cat", "lena"), "names has 'lena'"),
    (lambda: photo_patches("cat", "cat"), "names has 2 names of 1, expected each once"),
    (lambda: photo_patches("cat", size=0), "size is 0, expected an integer of at least 1"),
    (lambda: photo_patches("cat", size=226), "size is 226, expected at most 225 for cat"),
    (lambda: photo_patches("cat", size=225), "train_count is 200, expected at most 76 for cat"),
    (
        lambda: photo_patches("cat", size=225, train_count=1, test_count=153),
        "test_count is 153, expected at most 152 for cat",
    ),
    (lambda: photo_patches("cat", test_count=0), "test_count is 0, expected an integer"),
    (lambda: photo_patches("cat", seed=-1), "seed is -1, expected an integer of at least 0"),
)
