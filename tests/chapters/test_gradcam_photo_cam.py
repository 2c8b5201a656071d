"""What the page that names a reader's picture is given."""

import base64
import json
import re
from io import BytesIO

import numpy as np
import pytest
import torch
from network_files import logits_of, read_network_file
from PIL import Image

from glassbox.chapters.gradcam.photo_cam import photo_cam
from glassbox.chapters.gradcam.photo_cam.pack import SHOWN, network_file
from glassbox.chapters.gradcam.photo_cam.photo_cam import MEGABYTES, see_your_picture
from glassbox.data import photographs
from glassbox.data.installed_files import installed_package
from glassbox.explorables import js_widgets as computed
from glassbox.explorables.showing import PLAYER
from glassbox.networks import imagenet, imagenet_classes, imagenet_inputs, imagenet_network


@pytest.fixture(scope="module")
def data() -> bytes:
    return network_file()


@pytest.fixture(scope="module")
def file(data):
    return read_network_file(data)


@pytest.fixture
def shown(monkeypatch):
    """Call see_your_picture for a page and get what it displays."""

    def show(*arguments):
        displayed = []
        monkeypatch.setenv("GLASSBOX_EXPLORE", "page")
        monkeypatch.setattr(computed, "display", lambda data, **_: displayed.append(data))
        see_your_picture(*arguments)
        return displayed[0]

    return show


def test_the_file_computes_what_the_network_does(file):
    network = imagenet_network()
    inputs = torch.cat([imagenet_inputs(photo.image) for photo in photographs().values()])
    with torch.no_grad():
        expected = network(inputs).softmax(1)
    found = logits_of(file, inputs).softmax(1)
    assert (found - expected).abs().max() < 0.03  # twice as much without the shift of biases
    assert found.argmax(1).equal(expected.argmax(1))
    assert tuple(file.labels) == imagenet_classes()


def test_only_small_layers_keep_more_than_a_byte_for_a_weight(file):
    for layer in file.layers:
        assert (layer["bits"] == 16) == (layer["weight"].size <= 12_000), layer["kind"]
        assert np.isfinite(layer["weight"]).all()
        assert layer["outputs"] % 8 == 0  # as simd.js needs it
        assert layer["outputs" if layer["kind"] == "depthwise" else "columns"] % 4 == 0
    assert sum(layer["weight"].size for layer in file.layers) == pytest.approx(4.6e6, rel=0.02)


def test_the_file_is_about_a_byte_for_a_weight_and_the_same_each_time(data):
    assert 4.8e6 < len(data) < 5.3e6
    assert network_file() == data


def test_photographs_are_small_named_and_free(file):
    assert [photo["name"] for photo in file.photographs] == list(SHOWN)
    for photo in file.photographs:
        source = photographs(photo["name"])[photo["name"]]
        assert photo["credit"] == source.credit and photo["origin"] == source.origin
        assert source.author in photo["credit"] and source.license in photo["credit"]
        assert len(photo["picture"]) <= 60_000
        with Image.open(BytesIO(photo["picture"])) as picture:
            assert picture.format == "JPEG" and min(picture.size) <= 384
            assert picture.width / picture.height == pytest.approx(
                source.image.shape[2] / source.image.shape[1], rel=0.01
            )
            pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)
        images = [imagenet_inputs(image) for image in (pixels, source.image)]
        with torch.no_grad():
            small, whole = imagenet_network()(torch.cat(images))
        assert whole.argmax() in small.topk(5).indices, photo["name"]  # as many are shown


def test_the_page_has_the_file_beside_it_and_says_how_large_it_is(shown, data):
    page = shown()[PLAYER]
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])
    script = base64.b64decode(state["files"]["network"].partition("base64,")[2])
    assert base64.b64decode(re.search(rb'detail:"(.*)"', script)[1]) == data
    assert state["megabytes"] == MEGABYTES == round(len(script) / 1e6)
    preview = base64.b64decode(state["preview"].partition("base64,")[2])
    assert len(preview) <= 60_000 and state["start"] == "cat"
    inline = re.sub(r'data:[^"]*', "", page)  # pictures and the file lie beside the page
    assert len(inline) < 60_000


def test_a_kernel_is_given_no_file_until_it_is_asked(monkeypatch):
    monkeypatch.setattr(computed, "display", lambda data, **_: None)
    asked = []
    monkeypatch.setattr(photo_cam, "network_file", lambda: asked.append(1))
    see_your_picture()
    assert asked == []


def test_what_is_stored_says_what_the_network_answers(shown):
    text = shown("coffee")["text/plain"]
    photo = photographs("coffee")["coffee"]
    with torch.no_grad():
        odds = imagenet_network()(imagenet_inputs(photo.image)).softmax(1)[0]
    best = imagenet_classes()[odds.argmax()]
    assert photo.credit in text and f"for {best} with {odds.max():.0%}" in text


def test_the_license_of_the_weights_is_named_in_the_chapter():
    from chapters import BOOK, read

    text = installed_package(imagenet._PACKAGE).read_text("LICENSE")
    assert "Apache License" in text and "Version 2.0" in text
    prose = "".join(cell.source for cell in read(BOOK / "gradcam.ipynb").cells)
    assert "Apache License 2.0" in prose


def test_an_unknown_start_is_named():
    with pytest.raises(ValueError, match="start is 'moon', expected one of"):
        see_your_picture("moon")
