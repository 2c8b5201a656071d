"""The parts of a training on a folder: what is read, the network, the recipe."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from gardens import GOOD, make_garden, picture
from PIL import Image
from timm.data import Mixup
from torchvision.datasets import ImageFolder

from glassbox.chapters.your_folder import pictures, recipe, run, watch
from glassbox.chapters.your_folder.example import CLASSES, make_folder
from glassbox.chapters.your_folder.network import find_backbone, make_network
from glassbox.chapters.your_folder.options import Options
from glassbox.data import DownloadError, photo_patches
from glassbox.losses import LDAMLoss


@pytest.fixture
def garden(tmp_path):
    make_garden(tmp_path / "my gärden")
    return tmp_path / "my gärden"


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    root = tmp_path_factory.mktemp("squares")
    make_folder(root, largest=14, imbalance=7, test=3, side=64)
    return root


# The folder


def test_counts_come_from_names_and_are_those_of_image_folder(squares):
    folder = pictures.read_folder(squares / "train")
    theirs = ImageFolder(str(squares / "train"))
    assert list(folder.classes) == theirs.classes == sorted(CLASSES)
    assert folder.targets.tolist() == theirs.targets
    assert folder.counts == tuple(np.bincount(theirs.targets))
    assert [str(folder.root / name) for name in folder.names] == [
        path for path, _ in theirs.samples
    ]


def test_a_test_folder_without_a_class_keeps_the_numbers_of_the_training(garden):
    folder = pictures.read_folder(garden / "test", ["a hen", *GOOD])
    assert folder.targets.tolist() == [1] * 4 + [2] * 4 + [3] * 4
    assert ImageFolder(str(garden / "test")).targets[0] == 0  # the fault


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "data is .*, expected a folder with a folder for each class"),
        (lambda root: root.mkdir(), "has the class folders none, expected two or more"),
        (
            lambda root: picture(root / "a" / "1.png", (1, 1, 1)),
            "has the class folders 'a', expected two or",
        ),
        (
            lambda root: [picture(root / "a" / "1.png", (1, 1, 1)), (root / "b").mkdir()],
            "has no picture of 'b', expected at least one in each class folder: fill or remove",
        ),
    ],
)
def test_what_is_no_folder_of_classes_is_refused(tmp_path, make, message):
    make(tmp_path / "train")
    with pytest.raises(ValueError, match=message):
        pictures.read_folder(tmp_path / "train")


def test_links_multiply_no_picture(tmp_path):
    for name in ("a/1.png", "a/inner/2.png", "b/3.png"):
        picture(tmp_path / name, (1, 1, 1))
    before = pictures.read_folder(tmp_path)
    (tmp_path / "a" / "loop").symlink_to(".")
    (tmp_path / "a" / "twice").symlink_to("inner")
    (tmp_path / "b" / "same.png").symlink_to("3.png")
    found = pictures.read_folder(tmp_path)
    assert found.names == before.names == ("a/1.png", "a/inner/2.png", "b/3.png")
    (note,) = found.notes
    assert "there already by another path: 3 paths" in note
    assert all(f"'{name}'" in note for name in ("a/loop", "a/twice", "b/same.png"))


@pytest.mark.parametrize(("link", "to"), [("a/loop", ".."), ("c", "a"), ("b/1.png", "../a/1.png")])
def test_a_picture_in_two_classes_through_a_link_is_refused(tmp_path, link, to):
    for name in ("a/1.png", "b/3.png"):
        picture(tmp_path / name, (1, 1, 1))
    (tmp_path / link).symlink_to(to)
    with pytest.raises(ValueError, match=r"is in the classes 'a' and '[bc]' through a link"):
        pictures.read_folder(tmp_path)


def test_a_pipe_is_no_picture_and_a_link_to_nothing_is_told(tmp_path):
    for name in ("a/1.png", "b/3.png"):
        picture(tmp_path / name, (1, 1, 1))
    os.mkfifo(tmp_path / "a" / "pipe.png")
    (tmp_path / "a" / "lost.png").symlink_to("nowhere")
    found = pictures.read_folder(tmp_path)
    assert found.notes == (f"left out, as no regular files: 1 picture of {tmp_path}, 'a/pipe.png'",)
    with pytest.raises(ValueError, match=r"cannot be read: 'a/lost\.png"):
        pictures.decode(found, 16)


def test_an_unknown_class_in_the_test_folder_is_refused(garden):
    with pytest.raises(ValueError, match="has the classes 'moss', expected only those to train on"):
        pictures.read_folder(garden / "test", GOOD[:2])


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_split_has_each_class_with_two_pictures_in_both_parts(fraction, seed):
    targets = torch.tensor([0] * 40 + [1] * 7 + [2] * 2 + [3] + [5] * 3)
    train, validation = pictures.split(targets, fraction, seed=seed)
    assert sorted(torch.cat([train, validation]).tolist()) == list(range(len(targets)))
    of_train, of_validation = (targets[part].bincount(minlength=6) for part in (train, validation))
    assert of_train.tolist()[3:5] == [1, 0] and of_validation[3] == 0
    for label in (0, 1, 2, 5):
        share = (targets == label).sum() * fraction
        assert of_train[label] >= 1 and of_validation[label] >= 1
        assert of_validation[label] <= max(int(share) + 1, 1)


def test_single_pictures_alone_cannot_be_split():
    with pytest.raises(ValueError, match="each class has one picture, expected two or more in one"):
        pictures.split(torch.arange(4), 0.2, seed=0)


def test_a_random_view_is_a_square_of_the_picture():
    images = torch.arange(3 * 18 * 18, dtype=torch.int64).remainder(251).to(torch.uint8)
    images = images.view(1, 3, 18, 18)
    view = pictures.training_view(16, (0.0,) * 3, (1.0,) * 3)
    windows = images.unfold(2, 16, 1).unfold(3, 16, 1)[0].permute(1, 2, 0, 3, 4).flatten(0, 1) / 255
    squares = torch.cat([windows, windows.flip(-1)])
    assert pictures.side_of(16) == 18
    seen = set()
    for seed in range(200):
        found = view(images, torch.Generator().manual_seed(seed))
        same = [k for k, one in enumerate(squares) if torch.allclose(found[0], one)]
        assert len(same) == 1
        seen |= {*same}
    assert len(seen) == 18


def test_the_halves_of_the_example_never_overlap(squares):
    counts = pictures.read_folder(squares / "train").counts
    assert dict(zip(sorted(CLASSES), counts, strict=True))["china"] == 14
    assert sorted(counts, reverse=True)[-1] == 2
    task = photo_patches(*CLASSES, size=64, train_count=14, test_count=3)
    for part, data in (("train", task.train), ("test", task.test)):
        with Image.open(squares / part / "coffee" / "001.jpg") as file:
            found = torch.from_numpy(np.array(file)).permute(2, 0, 1)
        difference = (found.float() - data.images[data.labels == 1][1].float()).abs().mean()
        assert difference < 6  # a JPEG of it
    with pytest.raises(FileExistsError):
        make_folder(squares)


# The network


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v3_small", "timm/test_vit"])
def test_a_network_has_a_cosine_head_at_its_end(name):
    size = 160 if "vit" in name else 64
    found, head = make_network(name, 5, size=size, scale=30.0, pretrained=False)
    assert head in [*found.model.modules()] and len(found.mean) == len(found.std) == 3
    with torch.no_grad():
        logits = found.model(torch.rand(3, 3, size, size))
    assert logits.shape == (3, 5) and logits.abs().max() <= 30.001


def test_frozen_statistics_stay_and_scales_learn():
    found, _ = make_network("test_resnet", 3, size=32, pretrained=False)
    buffers = {name: one.clone() for name, one in found.model.named_buffers()}
    found.model(torch.rand(4, 3, 32, 32)).sum().backward()
    for name, one in found.model.named_buffers():
        assert torch.equal(one, buffers[name]), name
    assert all(one.grad is not None for one in found.model.parameters())
    trained = make_network("test_resnet", 3, size=32, pretrained=False, frozen_statistics=False)
    before = {name: one.clone() for name, one in trained[0].model.named_buffers()}
    assert not any("num_batches" in name and one for name, one in before.items())  # of the trial
    trained[0].model(torch.rand(4, 3, 32, 32))
    assert any(not torch.equal(one, before[n]) for n, one in trained[0].model.named_buffers())


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("efficientnet_light0", 64, "'efficientnet_light0', expected .* did you mean .*lite0"),
        ("vit_tiny_patch16_224", 96, "size is 96, expected one that vit_tiny_patch16_224 takes"),
        ("squeezenet1_0", 64, "without a linear layer, expected one at its end"),
        ("inception_v3", 299, "'inception_v3', which gives InceptionOutputs"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(name, size, message):
    with pytest.raises(ValueError, match=message):
        make_network(name, 4, size=size, pretrained=False)


@pytest.mark.parametrize("name", ["resnet18", "timm/resnet18", "test_resnet"])
def test_weights_that_cannot_be_had_are_told_in_one_sentence(
    name, no_network, tmp_path, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between attempts
    with pytest.raises(DownloadError, match=r"could not be had .* take --backbone efficientnet_l"):
        find_backbone(name)


def test_the_embedded_network_trains_on_the_example(squares, tmp_path, no_network):
    options = Options(squares, tmp_path, size=32, epochs=1, batch_size=16, threads=1, device="cpu")
    result = run.run(options)
    assert sum(result["counts"]["train"]) == 32 and 0 <= result["test"][watch.BEST] <= 1


# The recipe


@pytest.mark.parametrize("loss", ["ldam-drw", "logit-adjusted", "cross-entropy"])
def test_losses_take_logits_that_are_multiplied_already(loss):
    counts = (400, 100, 25)
    cosines, labels = 2 * torch.rand(8, 3) - 1, torch.arange(8) % 3
    made = recipe.make_loss(Options(Path(), Path(), loss=loss), counts)
    plain = torch.nn.functional.cross_entropy(30 * cosines, labels)
    found = made(30 * cosines, labels)
    if loss == "ldam-drw":
        torch.testing.assert_close(found, LDAMLoss(counts, 0.5, 30.0)(cosines, labels))
    assert torch.isclose(found, plain) == (loss == "cross-entropy")


@pytest.mark.parametrize(("epochs", "start", "first"), [(30, 0.8, 25), (1, 0.8, 1), (4, 0.99, 4)])
def test_late_weights_do_begin(epochs, start, first):
    options = Options(Path(), Path(), epochs=epochs, drw_start=start)
    assert recipe.first_weighted_epoch(options) == first <= epochs
    loss = recipe.make_loss(options, (100, 10))
    before = loss.loss.weight.clone()
    loss.set_epoch(epochs)
    assert loss.loss.weight[1] > loss.loss.weight[0]
    assert first == 1 or torch.equal(before, torch.ones(2))


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_a_batch_of_any_length_is_mixed_as_timm_does(count):
    images, labels = torch.rand(count, 3, 6, 6), torch.arange(count) % 4
    mixer = Mixup(0.8, 1.0, prob=1.0, label_smoothing=0.1, num_classes=4)
    even = count - count % 2
    np.random.seed(3)
    found, soft = recipe.EvenMixer(mixer)(images.clone(), labels)
    assert found.shape == images.shape and soft.shape == (count, 4)
    torch.testing.assert_close(soft.sum(1), torch.ones(count))
    if even:
        np.random.seed(3)
        theirs, targets = mixer(images[:even].clone(), labels[:even])
        assert torch.equal(found[:even], theirs) and torch.equal(soft[:even], targets)
    if count % 2:
        assert torch.equal(found[-1], images[-1])
        torch.testing.assert_close(soft[-1, labels[-1]], torch.tensor(0.925))


def test_rates_rise_to_their_highest_and_fall_to_zero():
    factor = recipe.WarmUpCosine(10, 50)
    factors = [factor(step) for step in range(51)]
    assert factors[0] == 0.1 and factors[9] == factors[10] == 1 and factors[50] == 0
    assert factors[:10] == sorted(factors[:10]) and factors[10:] == sorted(factors[10:])[::-1]
    assert [recipe.WarmUpCosine(0, 2)(step) for step in (0, 1)] == [1, 0.5]
    assert recipe.WarmUpCosine(80, 2).rising == 2


def test_head_and_backbone_have_their_rates():
    found, head = make_network("test_resnet", 3, size=32, pretrained=False)
    options = Options(Path(), Path(), lr=0.5, backbone_lr=0.25)
    groups = recipe.make_optimizer(found.model, head, options).param_groups
    assert [group["lr"] for group in groups] == [0.5, 0.25]
    assert groups[0]["params"] == [*head.parameters()]
    assert sum(len(g["params"]) for g in groups) == len([*found.model.parameters()])
