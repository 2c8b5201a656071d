import ast
import base64
from importlib.metadata import distribution

import numpy as np
import pytest
import torch
from PIL import Image

from glassbox.data import Photograph, photographs
from glassbox.data.photos import _SOURCES

GRAY = {"brick", "camera", "clock", "grass", "gravel"}


@pytest.fixture(scope="module")
def all_of_them() -> dict[str, Photograph]:
    return photographs()


def test_they_are_bytes_in_color_or_gray(all_of_them):
    assert len(all_of_them) >= 10
    for name, photo in all_of_them.items():
        assert photo.name == name and photo.image.dtype == torch.uint8
        assert photo.image.ndim == 3 and min(photo.image.shape[1:]) >= 300
        assert len(photo.image) == (1 if name in GRAY else 3) and photo.image.is_contiguous()


def test_their_pixels_are_those_of_the_files(all_of_them):
    for name in ("cat", "camera"):
        source = _SOURCES[name]
        path = distribution(source.package).locate_file(source.path)
        pixels = np.asarray(Image.open(path))
        ours = all_of_them[name].image.permute(1, 2, 0).squeeze(-1)
        np.testing.assert_array_equal(ours, pixels)


def test_each_lies_in_the_wheel_of_its_package_as_the_wheel_brought_it():
    for source in _SOURCES.values():
        (entry,) = (f for f in distribution(source.package).files if str(f) == source.path)
        recorded = base64.urlsafe_b64decode(entry.hash.value + "=")
        assert (entry.hash.mode, recorded.hex()) == ("sha256", source.sha256)
    packages = {source.package for source in _SOURCES.values()}
    assert packages == {"scikit-image", "scikit-learn", "matplotlib"}


def test_each_can_be_credited(all_of_them):
    for photo in all_of_them.values():
        assert photo.license in ("CC0 1.0", "CC BY 2.0", "public domain")
        assert photo.origin.startswith("http") and photo.author
        assert photo.credit == f"{photo.subject}. {photo.author}, {photo.license}"
    cat = photographs("cat")["cat"]
    assert repr(cat) == "Photograph(cat: 3 x 300 x 451, Stefan van der Walt, CC0 1.0)"


def statements() -> dict[str, str]:
    """What scikit-image says of each of its files: the docstring of what loads it."""
    path = distribution("scikit-image").locate_file("skimage/data/_fetchers.py")
    said = {}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            text = " ".join((ast.get_docstring(node) or "").split())
            constants = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
            files = (c for c in constants if isinstance(c, str) and c.startswith("data/"))
            said |= {f"skimage/{file}": text for file in files}
    return said


def test_licenses_and_authors_are_those_that_the_packages_state():
    said = statements()
    for source in _SOURCES.values():
        if source.package == "scikit-image":
            text = said[source.path]
            assert source.license.removesuffix(" 1.0") in text, source.path
            page = "scikit-image" in source.origin
            assert source.origin in text or (page and source.author in text) or "chelsea" in text
    readme = distribution("scikit-learn").locate_file("sklearn/datasets/images/README.txt")
    china, flower = readme.read_text("utf-8").split("Image: ")[1:]
    for text, name in ((china, "china"), (flower, "flower")):
        assert "https://creativecommons.org/licenses/by/2.0/" in text
        assert _SOURCES[name].origin in text and _SOURCES[name].license == "CC BY 2.0"
        assert f"https://www.flickr.com/photos/{_SOURCES[name].author}/" in text


def test_those_that_are_wanted_come_in_that_order(no_network):
    assert list(photographs("coffee", "cat")) == ["coffee", "cat"]
    assert no_network == []


def test_what_is_no_photograph_is_refused():
    with pytest.raises(ValueError, match="names has 'lena', expected some of astronaut, brick"):
        photographs("cat", "lena")
    with pytest.raises(ValueError, match=r"names has \['cat'\], expected some of astronaut"):
        photographs(["cat"])
