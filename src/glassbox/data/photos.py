"""Real photographs that lie in installed packages, each with its author, license and origin."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glassbox.data.installed_files import installed_file


@dataclass(frozen=True, repr=False, eq=False)
class Photograph:
    """A photograph and what must be said where it is shown.

    Args:
        name: What :func:`photographs` calls it.
        image: Bytes 0 to 255, ``uint8 (C, H, W)`` with 3 channels, or 1 where it is gray.
        subject: What is seen.
        author: Who made it.
        license: ``"CC0 1.0"``, ``"CC BY 2.0"`` or ``"public domain"``.
        origin: Address where it came from.
        package: Which package brings it, as pip names it.
    """

    name: str
    image: Tensor
    subject: str
    author: str
    license: str
    origin: str
    package: str

    @property
    def credit(self) -> str:
        """The line for a caption: subject, author and license."""
        return f"{self.subject}. {self.author}, {self.license}"

    def __repr__(self) -> str:
        shape = " x ".join(str(length) for length in self.image.shape)
        return f"Photograph({self.name}: {shape}, {self.author}, {self.license})"


class _Source(NamedTuple):
    package: str
    path: str
    sha256: str
    subject: str
    author: str
    license: str
    origin: str


def _scikit_image(file: str, *details: str) -> _Source:
    return _Source("scikit-image", f"skimage/data/{file}", *details)


def _scikit_learn(file: str, *details: str) -> _Source:
    return _Source("scikit-learn", f"sklearn/datasets/images/{file}", *details)


# Licenses are stated by scikit-image in the docstrings of skimage/data/_fetchers.py; by
# scikit-learn in sklearn/datasets/images/README.txt, which names one author for both photographs
# (that of the flower is whom its links lead to); by Matplotlib where it took the portrait up, which
# is the origin given here. Left out is what has no statement (moon, page, motorcycle) or no more
# than "no known copyright restrictions" (coins, ihc).
_SKIMAGE_PAGE = "https://scikit-image.org/docs/stable/api/skimage.data.html"
_SOURCES = {
    "astronaut": _scikit_image(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "The astronaut Eileen Collins in her suit, with a helmet",
        "NASA",
        "public domain",
        "https://flic.kr/p/r9qvLn",
    ),
    "brick": _scikit_image(
        "brick.png",
        "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
        "A brick wall",
        "CC0Textures",
        "CC0 1.0",
        "https://cc0textures.com/view.php?tex=Bricks25",
    ),
    "camera": _scikit_image(
        "camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "A man behind a camera on a tripod",
        "Lav Varshney",
        "CC0 1.0",
        "https://github.com/scikit-image/scikit-image/issues/3927",
    ),
    "cat": _scikit_image(
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "The face of a tabby cat, Chelsea",
        "Stefan van der Walt",
        "CC0 1.0",
        "https://github.com/scikit-image/scikit-image/pull/524",
    ),
    "china": _scikit_learn(
        "china.jpg",
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        "A Chinese tower above trees and a lake",
        "danielbuechele",
        "CC BY 2.0",
        "https://www.flickr.com/photos/danielbuechele/6061409035/",
    ),
    "clock": _scikit_image(
        "clock_motion.png",
        "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955",
        "A wall clock, blurred by motion",
        "Stefan van der Walt",
        "public domain",
        _SKIMAGE_PAGE,
    ),
    "coffee": _scikit_image(
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "A cup of coffee on a red saucer",
        "Rachel Michetti",
        "CC0 1.0",
        _SKIMAGE_PAGE,
    ),
    "flower": _scikit_learn(
        "flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        "An orange dahlia",
        "vultilion",
        "CC BY 2.0",
        "https://www.flickr.com/photos/vultilion/6056698931/",
    ),
    "grace_hopper": _Source(
        "matplotlib",
        "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
        "Commodore Grace Hopper in uniform",
        "James S. Davis, U.S. Navy",
        "public domain",
        "https://github.com/matplotlib/matplotlib/pull/1599",
    ),
    "grass": _scikit_image(
        "grass.png",
        "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
        "Grass",
        "linolafett",
        "CC0 1.0",
        "https://www.deviantart.com/linolafett/art/Grass-01-434853879",
    ),
    "gravel": _scikit_image(
        "gravel.png",
        "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
        "Gravel",
        "CC0Textures",
        "CC0 1.0",
        "https://cc0textures.com/view.php?tex=Gravel04",
    ),
    "hubble": _scikit_image(
        "hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "Galaxies in the Hubble eXtreme Deep Field",
        "NASA",
        "public domain",
        "http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/",
    ),
    "retina": _scikit_image(
        "retina.jpg",
        "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        "The retina of a human eye",
        "Mikael Häggström",
        "CC0 1.0",
        "https://commons.wikimedia.org/wiki/File:Fundus_photograph_of_normal_left_eye.jpg",
    ),
    "rocket": _scikit_image(
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "A Falcon 9 rocket on its launch pad at dusk",
        "SpaceX",
        "public domain",
        "https://www.flickr.com/photos/spacexphotos/16511594820/",
    ),
}


def photographs(*names: str) -> dict[str, Photograph]:
    """Read real photographs that other packages bring; nothing is downloaded or imported.

    All are in the public domain, CC0 or CC BY; :attr:`Photograph.credit` names the author where a
    photograph is shown, which CC BY requires.

    Args:
        names: Which, in the order in which they are wanted; all if none is given: ``"astronaut"``,
            ``"brick"``, ``"camera"``, ``"cat"``, ``"china"``, ``"clock"``, ``"coffee"``,
            ``"flower"``, ``"grace_hopper"``, ``"grass"``, ``"gravel"``, ``"hubble"``,
            ``"retina"``, ``"rocket"``.

    Returns:
        The photographs by name. Brick, camera, clock, grass and gravel are gray.

    Raises:
        ValueError: If a name is unknown.
        ModuleNotFoundError: If a package is missing; the message says how to install it.
        glassbox.data.downloads.DownloadError: If a file is missing or has the wrong
            checksum.
    """
    for name in names:
        if not isinstance(name, str) or name not in _SOURCES:
            raise ValueError(f"names has {name!r}, expected some of {', '.join(_SOURCES)}")
    return {name: _read(name, _SOURCES[name]) for name in names or _SOURCES}


def _read(name: str, source: _Source) -> Photograph:
    from PIL import Image

    path = installed_file(source.package, source.path, source.sha256)
    with Image.open(path) as picture:
        pixels = torch.from_numpy(np.array(picture))  # (H, W) or (H, W, 3)
    image = pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()
    return Photograph(
        name, image, source.subject, source.author, source.license, source.origin, source.package
    )
