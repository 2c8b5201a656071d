"""What is installed is what requirements.lock pins, for what requirements.txt asks for."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
OURS = "glassbox-book"


def pins(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-e"))]


def locked() -> dict[str, Requirement]:
    """The pins that hold on this platform, by name."""
    here = [pin for pin in pins("requirements.lock") if not pin.marker or pin.marker.evaluate()]
    found = {canonicalize_name(pin.name): pin for pin in here}
    assert len(found) == len(here), "two pins of one package hold here"
    return found


def needed() -> dict[str, str]:
    """The version, or "missing", of what requirements.txt entails by each package's word."""
    found: dict[str, str] = {}
    left, seen = [Requirement(OURS), *pins("requirements.txt")], set()
    while left:
        asked = left.pop()
        name = canonicalize_name(asked.name)
        try:
            there = distribution(name)
        except PackageNotFoundError:
            found[name] = "missing"
            continue
        found[name] = Version(there.version).public
        for extra in {"", *asked.extras} - {extra for one, extra in seen if one == name}:
            seen.add((name, extra))
            further = map(Requirement, there.requires or [])
            left += [r for r in further if not r.marker or r.marker.evaluate({"extra": extra})]
    del found[OURS]
    return found


def test_all_that_is_needed_is_installed_as_pinned():
    lock = {name: str(pin.specifier) for name, pin in locked().items()}
    differs = {
        name: f"{version}, pinned {lock.get(name, 'nowhere')}"
        for name, version in needed().items()
        if lock.get(name) != f"=={version}"
    }
    assert not differs, "run `make lock`, or remove .venv/ready"


def test_the_lock_agrees_with_what_is_asked_for():
    lock = {(canonicalize_name(pin.name), str(pin.specifier)) for pin in pins("requirements.lock")}
    asked = {(canonicalize_name(pin.name), str(pin.specifier)) for pin in pins("requirements.txt")}
    assert asked <= lock, f"run `make lock`: {asked - lock}"


def test_requirements_are_within_what_the_package_accepts():
    wide = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    exact = {canonicalize_name(pin.name): pin for pin in pins("requirements.txt")}
    for range_ in map(Requirement, wide):
        (pin,) = exact[canonicalize_name(range_.name)].specifier
        assert pin.operator == "==" and pin.version in range_.specifier, range_


def test_the_lock_holds_for_everybody():
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert not re.search(r"://|^-|\+| @ ", text, re.MULTILINE), "an address, an option or a build"


def test_a_build_of_torch_for_the_cpu_brings_no_cuda():
    if torch.version.cuda is None:
        brought = [d.name for d in distributions() if d.name.startswith(("nvidia-", "cuda-"))]
        assert brought == []
