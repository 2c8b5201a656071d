"""Official files: found, verified against their checksums, else fetched.

No file is used, or given its final name, before its checksum has been verified. What a
broken connection leaves behind is a ``.part`` file, from which the next attempt continues. One
process fetches a file; others that want it wait until it is there.
"""

import errno
import gzip
import hashlib
import os
import shutil
import ssl
import sys
import tarfile
import textwrap
import traceback
import urllib.request
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError

import torch
from torch.hub import tqdm

from glassbox.support.files import locked, replacing

_TIMEOUT_SECONDS = 30
_CHUNK = 1 << 20
# A ValueError is an address without a protocol, or one that cannot be encoded.
_NETWORK_ERRORS = (URLError, HTTPException, ssl.SSLError, ConnectionError, TimeoutError, ValueError)
# The functions of torchvision, timm and torch from which weights come into a network.
_LOADERS = ("get_state_dict", "load_pretrained", "load_state_dict")
_ARCHIVE_ERRORS = (EOFError, KeyError, zlib.error, tarfile.TarError)


class DownloadError(RuntimeError):
    """A file is missing or broken here, and could not be had; the message says what to do."""


@dataclass(frozen=True)
class OfficialFile:
    """A file of a release, where it lies and how it is recognized.

    Args:
        path: Where it lies in the data folder, with forward slashes.
        checksum: Algorithm and hexadecimal digest, such as ``"md5:2646ac..."``.
        urls: Where it can be downloaded, best first.
        archive: The ``.gz`` or ``.tar.gz`` file that holds it, if it is not downloaded itself.
        limit: Most bytes to accept, above the largest file of the book, CIFAR-10's 170 megabytes.
    """

    path: str
    checksum: str
    urls: tuple[str, ...] = ()
    archive: "OfficialFile | None" = None
    limit: int = 1 << 28


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
    with _explained(path):
        if path.is_file() and _mismatch(path, file) is None:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            _fill(file, path, root)
    return path


def _fill(file: OfficialFile, path: Path, root: Path) -> None:
    """Download or unpack a file, unless another process has done so meanwhile."""
    if path.is_file():
        problem = _mismatch(path, file)
        if problem is None:
            return
        warnings.warn(f"{path} is broken: {problem}; it is being replaced", stacklevel=3)
    elif path.exists():
        raise IsADirectoryError(errno.EISDIR, "A folder or a device is in the way", str(path))
    if file.archive is None:
        _download(file, path)
    else:
        _unpack(file, _obtain_archive(file.archive, root, path), path)


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
def explained_weights(name: str, instead: str = "begin with pretrained=False") -> Iterator[None]:
    """Turn what stops a download of pretrained weights into a :class:`DownloadError`.

    For a ``with`` block around ``pretrained=True``, of torchvision or of timm.

    Args:
        name: Of the model, for the message.
        instead: What to do without these weights, likewise.
    """
    try:
        yield
    except Exception as error:
        if not (isinstance(error, OSError | HTTPException) or _while_loading(error)):
            raise
        what = textwrap.shorten(str(error), 300) or type(error).__name__
        raise DownloadError(
            f"the pretrained weights of {name} could not be had ({what}): connect to a "
            f"network, empty or mend the cache folder (here {torch.hub.get_dir()}; TORCH_HOME and, "
            f"for timm, HF_HOME choose another), or {instead}"
        ) from error


def _while_loading(error: Exception) -> bool:
    """Say whether weights were being fetched, read or put into a network.

    Of a broken file, which is a pickle, that may raise anything.
    """
    names = {frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)}
    return not names.isdisjoint(_LOADERS)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a file into what the reader can do."""
    try:
        yield
    except (OSError, *_ARCHIVE_ERRORS) as error:
        raise DownloadError(
            f"{_problem(error, path)}, or set GLASSBOX_DATA to another folder"
        ) from error


def _problem(error: Exception, path: Path) -> str:
    """Say what is in the way of a file, and how to clear it."""
    number = getattr(error, "errno", None)
    if number == errno.ENOSPC:
        return f"the disk of {path.parent} is full; make room"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path.parent} cannot be written to; change its permissions"
    if number in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST):
        return f"{path} cannot be written ({error}); move away what is there"
    return f"{path} cannot be had ({error}); put the official file there"


def _download(file: OfficialFile, path: Path) -> None:
    part = path.with_name(path.name + ".part")
    failures = []
    # Each address twice: a broken connection continues, a wrong part file starts anew.
    for url in file.urls * 2:
        try:
            _fetch(url, part, file.limit)
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
        f"{path.name} could not be downloaded ({'; '.join(dict.fromkeys(failures))}): connect to "
        f"a network, put the official file at {path}, or set GLASSBOX_DATA to a folder that holds "
        f"{file.path}"
    )


def _fetch(url: str, part: Path, limit: int) -> None:
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
        _copy(response, stream, part, limit - stream.tell())


def _copy(response: HTTPResponse, stream: BinaryIO, part: Path, limit: int) -> None:
    """Copy what the server sends, and stop where it is more than ``limit`` bytes."""
    expected = response.length
    if expected and expected > limit:
        raise ConnectionError(f"the server has {expected} bytes, expected at most {limit}")
    if expected and expected > shutil.disk_usage(part.parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part))
    received = 0
    name = part.name.removesuffix(".part")
    with tqdm(total=expected, unit="B", unit_scale=True, desc=name) as bar:
        while chunk := response.read(_CHUNK):
            received += len(chunk)
            if received > limit:
                stream.truncate(0)  # there is nothing to continue from
                raise ConnectionError(f"the server sends more than {limit} bytes")
            stream.write(chunk)
            bar.update(len(chunk))
    if expected and received < expected:
        raise ConnectionError(f"the connection broke after {received} of {expected} bytes")


def _unpack(file: OfficialFile, archive: Path, path: Path) -> None:
    with replacing(path) as part:
        with _member(archive, file.path) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
        problem = _mismatch(part, file)
        if problem is not None:
            raise DownloadError(
                f"{path.name} in {archive} is broken ({problem}): put the official file at {path}"
            )


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
