"""Official files: found, verified against their checksums, else fetched.

No file is used, or given its final name, before its checksum has been verified. What a
broken connection leaves behind is a ``.part`` file, from which the next attempt continues.
"""

import errno
import gzip
import hashlib
import os
import shutil
import ssl
import sys
import tarfile
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError

from torch.hub import tqdm

_TIMEOUT_SECONDS = 30
_CHUNK = 1 << 20
_NETWORK_ERRORS = (URLError, HTTPException, ssl.SSLError, ConnectionError, TimeoutError)


class DownloadError(RuntimeError):
    """An official file is missing or broken here, and could not be had."""


@dataclass(frozen=True)
class OfficialFile:
    """A file of a release, where it lies and how it is recognized.

    Args:
        path: Where it lies in the data folder, with forward slashes.
        checksum: Algorithm and hexadecimal digest, such as ``"md5:2646ac..."``.
        urls: Where it can be downloaded, best first.
        archive: The ``.gz`` or ``.tar.gz`` file that holds it, if it is not downloaded itself.
    """

    path: str
    checksum: str
    urls: tuple[str, ...] = ()
    archive: "OfficialFile | None" = None


def data_folder(root: str | os.PathLike[str] | None = None) -> Path:
    """Choose the folder of official files: ``root``, else that of ``GLASSBOX_DATA``, else a cache.

    The cache is ``glassbox`` in the platform's folder for caches.
    """
    chosen = root or os.environ.get("GLASSBOX_DATA")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "glassbox"
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    return Path(os.environ.get(variable) or Path.home() / ".cache") / "glassbox"


def obtain(file: OfficialFile, root: Path) -> Path:
    """Return the verified path of an official file, fetching it if it is missing or broken.

    Raises:
        DownloadError: If the file is not there and cannot be downloaded, unpacked or written.
    """
    path = root / file.path
    if path.is_file():
        problem = _mismatch(path, file)
        if problem is None:
            return path
        warnings.warn(f"{path} is broken: {problem}; it is being replaced", stacklevel=2)
    archive = None if file.archive is None else _obtain_archive(file.archive, root, path)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if archive is None:
            _download(file, path)
        else:
            _unpack(file, archive, path)
    return path


def _obtain_archive(archive: OfficialFile, root: Path, wanted: Path) -> Path:
    try:
        return obtain(archive, root)
    except DownloadError as error:
        raise DownloadError(f"{wanted} is missing. {error}") from error


def _mismatch(path: Path, file: OfficialFile) -> str | None:
    """Say how the checksum on disk differs from the official one; None if it does not."""
    algorithm, _, expected = file.checksum.partition(":")
    with path.open("rb") as stream:
        # The checksums guard against damage, not against attackers: FIPS systems may allow them.
        found = hashlib.file_digest(
            stream, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()
    return None if found == expected else f"{algorithm} is {found}, expected {expected}"


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a write into what the reader can do."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            problem = f"the disk of {path.parent} is full"
        elif isinstance(error, PermissionError) or error.errno == errno.EROFS:
            problem = f"{path.parent} cannot be written to"
        else:
            raise
        raise DownloadError(
            f"{problem}; make room, or set GLASSBOX_DATA to another folder"
        ) from error


def _download(file: OfficialFile, path: Path) -> None:
    part = path.with_name(path.name + ".part")
    failures = []
    # Each address twice: a broken connection continues, a wrong part file starts anew.
    for url in file.urls * 2:
        try:
            _fetch(url, part)
        except _NETWORK_ERRORS as error:
            failures.append(f"{url}: {error}")
            continue
        problem = _mismatch(part, file)
        if problem is None:
            os.replace(part, path)
            return
        part.unlink()
        failures.append(f"{url}: bad checksum: {problem}")
    raise DownloadError(
        f"{path.name} could not be downloaded. Is there a network? Without one, put the "
        f"official file at {path}, or set GLASSBOX_DATA to a folder that holds {file.path}.\n  "
        + "\n  ".join(dict.fromkeys(failures))
    )


def _fetch(url: str, part: Path) -> None:
    """Download to the end of a part file, from where it stops if the server can do that."""
    start = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except HTTPError as error:
        if error.code == 416:  # Nothing after what is there: the checksum will tell.
            return
        raise
    with response, part.open("ab" if response.status == 206 else "wb") as stream:
        _copy(response, stream, part)


def _copy(response: HTTPResponse, stream: BinaryIO, part: Path) -> None:
    expected = response.length
    if expected and expected > shutil.disk_usage(part.parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part))
    received = 0
    name = part.name.removesuffix(".part")
    with tqdm(total=expected, unit="B", unit_scale=True, desc=name) as bar:
        while chunk := response.read(_CHUNK):
            stream.write(chunk)
            received += len(chunk)
            bar.update(len(chunk))
    if expected and received < expected:
        raise ConnectionError(f"the connection broke after {received} of {expected} bytes")


def _unpack(file: OfficialFile, archive: Path, path: Path) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with _member(archive, file.path) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
        problem = _mismatch(part, file)
        if problem is not None:
            raise DownloadError(f"{path.name} in {archive} is broken: {problem}")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _member(archive: Path, name: str) -> Iterator[BinaryIO]:
    if not archive.name.endswith(".tar.gz"):
        with gzip.open(archive) as stream:
            yield stream
        return
    with tarfile.open(archive) as members:
        stream = members.extractfile(name)
        if stream is None:
            raise DownloadError(f"{archive} holds no file {name}")
        yield stream
