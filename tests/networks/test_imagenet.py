import io
import random

import numpy as np
import pytest
import timm
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from refusals import refuses
from timm.data import ImageNetInfo, create_transform, resolve_model_data_config
from torch import nn

from glassbox.data import DownloadError, photographs
from glassbox.data.installed_files import installed_package
from glassbox.networks import (
    count_parameters,
    imagenet,
    imagenet_classes,
    imagenet_inputs,
    imagenet_network,
)


def from_wheel(package: str, path: str) -> Image.Image:
    return Image.open(installed_package(package).locate_file(path))


@pytest.fixture(scope="module")
def pictures() -> dict[str, torch.Tensor]:
    """All photographs, and one whose license does not allow it to be among them."""
    images = {name: photo.image for name, photo in photographs().items()}
    motorcycle = np.array(from_wheel("scikit-image", "skimage/data/motorcycle_left.png"))
    return images | {"motorcycle": torch.from_numpy(motorcycle).permute(2, 0, 1)}


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return imagenet_network()


@pytest.fixture(scope="module")
def logits(pictures, network) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return {name: network(imagenet_inputs(image))[0] for name, image in pictures.items()}


def test_it_equals_the_network_that_the_weights_were_made_for(pictures, logits):
    package, path = imagenet._PACKAGE, imagenet._PATH
    weights = str(installed_package(package).locate_file(path))
    reference = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    with torch.no_grad():
        for name, image in pictures.items():
            expected = reference(imagenet_inputs(image))[0]
            torch.testing.assert_close(logits[name], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("cat", {"tabby", "tiger cat"}),
        ("coffee", {"espresso"}),
        ("camera", {"tripod"}),
        ("motorcycle", {"moped", "motor scooter"}),
        ("flower", {"daisy"}),  # a dahlia, which is no class of ImageNet's
    ],
)
def test_it_sees_in_photographs_what_they_show(logits, name, right):
    assert imagenet_classes()[logits[name].argmax()] in right


def test_it_comes_ready_without_a_network_and_draws_no_random_numbers(no_network):
    states = torch.get_rng_state(), random.getstate()
    model = imagenet_network()
    assert not any(module.training for module in model.modules())
    assert count_parameters(model) == 4_652_008
    assert torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[1]
    assert no_network == []


def test_its_last_maps_leave_the_layer_that_is_named(network, pictures):
    shapes = []
    handle = network.get_submodule("bn2").register_forward_hook(
        lambda module, inputs, output: shapes.append(output.shape)
    )
    with handle, torch.no_grad():
        network(imagenet_inputs(pictures["coffee"]))
    assert shapes == [(1, 1280, 7, 7)]


def test_the_name_of_the_file_holds_the_beginning_of_its_digest():
    assert imagenet._PATH.endswith(f"-{imagenet._SHA256[:8]}.pth")


def test_inputs_are_those_of_timm(network, pictures):
    transform = create_transform(**resolve_model_data_config(network))
    for name in ("cat", "coffee", "grace_hopper"):
        picture = Image.fromarray(pictures[name].permute(1, 2, 0).numpy())
        ours, theirs = imagenet_inputs(pictures[name]), transform(picture)[None]
        assert ours.shape == theirs.shape == (1, 3, 224, 224)
        differing = ((ours - theirs) * 127.5).abs().round()
        assert differing.max() <= 1 and (differing > 0).float().mean() < 0.01  # of a byte


def test_a_batch_is_a_photograph_each_and_gray_is_three_equal_channels(pictures):
    pair = torch.stack([pictures["china"], pictures["flower"]])
    singles = [imagenet_inputs(image) for image in pair]
    assert torch.equal(imagenet_inputs(pair), torch.cat(singles))
    gray = imagenet_inputs(pictures["camera"])
    assert torch.equal(gray, imagenet_inputs(pictures["camera"].expand(3, -1, -1)))


def test_class_names_are_timms_in_short_and_each_is_there_once():
    names, info = imagenet_classes(), ImageNetInfo("imagenet-1k")
    assert len(set(names)) == len(names) == 1000
    first = [info.index_to_description(label).split(",")[0] for label in range(1000)]
    differing = [(ours, timms) for ours, timms in zip(names, first, strict=True) if ours != timms]
    assert differing == [("crane bird", "crane"), ("maillot tank suit", "maillot")]


def test_weights_of_torchvision_are_used_where_they_are(tmp_path, monkeypatch, pictures):
    from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = SqueezeNet1_1_Weights.DEFAULT
    cache = tmp_path / "hub/checkpoints"
    cache.mkdir(parents=True)
    theirs = squeezenet1_1().eval()
    torch.save(theirs.state_dict(), cache / weights.url.rpartition("/")[2])
    ours = imagenet_network("squeezenet1_1")
    inputs = imagenet_inputs(pictures["coffee"], "squeezenet1_1")
    torch.testing.assert_close(inputs, weights.transforms()(pictures["coffee"][None]))
    with torch.no_grad():
        torch.testing.assert_close(ours(inputs), theirs(inputs))
    assert not ours.training


def saved(tensors, *, zipped=True) -> bytes:
    stream = io.BytesIO()
    torch.save(tensors, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


BROKEN = {
    "empty": bytes,
    "a page": lambda: b"<!doctype html><title>Not found</title>",
    "noise": lambda: random.Random(0).randbytes(1000),
    "cut": lambda: saved({"weight": torch.ones(1000)})[:900],
    "old and cut": lambda: saved({"weight": torch.ones(1000)}, zipped=False)[:900],
    "old and cut early": lambda: saved({"weight": torch.ones(1000)}, zipped=False)[:60],
    "another network's": lambda: saved({"weight": torch.ones(1000)}),
    "no weights": lambda: saved([torch.ones(3)]),
    "nothing": lambda: saved(None),
}


def test_weights_that_cannot_be_had_are_named_in_a_sentence(tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    message = r"^the pretrained weights of resnet18 could not be had .*or take imagenet_network\(\)"
    with pytest.raises(DownloadError, match=message):
        imagenet_network("resnet18")


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_weights_that_are_broken_are_named_in_a_sentence(content, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub/checkpoints/squeezenet1_1-b8a52dc0.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(content())
    with pytest.raises(DownloadError, match=r"^the pretrained weights of squeezenet1_1") as caught:
        imagenet_network("squeezenet1_1")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_another_architecture_of_timm_is_refused(monkeypatch):
    monkeypatch.setattr(timm, "create_model", lambda *names, **options: nn.Linear(3, 2))
    with pytest.raises(RuntimeError, match=r"timm .* builds a tf_efficientnet_lite0 whose tensors"):
        imagenet_network()


BYTES = torch.zeros(3, 300, 300, dtype=torch.uint8)

test_what_is_no_photograph_or_no_network_is_refused = refuses(
    (
        lambda: imagenet_network("resnet19"),
        "name is 'resnet19', expected efficientnet.*did you mean resnet18",
    ),
    (lambda: imagenet_inputs(BYTES, "resnet19"), "name is 'resnet19'"),
    (lambda: imagenet_inputs(BYTES.float()), TypeError, "images has type torch.float32"),
    (lambda: imagenet_inputs(BYTES[0]), r"images has shape \(300, 300\)"),
    (lambda: imagenet_inputs(BYTES.permute(1, 2, 0)), r"images has shape \(300, 300, 3\)"),
    (lambda: imagenet_inputs(BYTES[:2]), r"images has shape \(2, 300, 300\)"),
    (lambda: imagenet_inputs(BYTES[None, :, :0]), "images has shape"),
)
