"""Downloads run against a server on this machine, with the faults that servers have."""

import gzip
import hashlib
import io
import itertools
import multiprocessing
import os
import sys
import tarfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError

import huggingface_hub
import pytest
from torch import nn

import glassbox.support.torchvision_operators  # noqa: F401  (before timm)
from glassbox.data import DownloadError, downloads
from glassbox.data.downloads import OfficialFile, data_folder, obtain
from glassbox.networks import create_model

import timm  # isort: skip

can_fork = "fork" in multiprocessing.get_all_start_methods()
FORK = multiprocessing.get_context("fork") if can_fork else None
CONTENT = bytes(range(256)) * 2000


def md5(content: bytes) -> str:
    return "md5:" + hashlib.md5(content).hexdigest()


@dataclass
class Server:
    """What the server answers, and what it was asked."""

    url: str = ""
    content: bytes = CONTENT
    ranges: bool = True
    break_after: int | None = None  # bytes sent before the connection breaks, the first time
    status: int = 200
    claimed_length: int | None = None
    tells_length: bool = True
    asked: list[str | None] = field(default_factory=list)

    def file(self, path: str = "folder/data.bin", checksum: str = md5(CONTENT)) -> OfficialFile:
        return OfficialFile(path, checksum, (self.url,))


@pytest.fixture
def server():
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            state.asked.append(asked)
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if state.status != 200 or start >= len(state.content):
                self.send_error(416 if state.status == 200 else state.status)
                return
            partial = asked and state.ranges
            body = state.content[start:] if partial else state.content
            self.send_response(206 if partial else 200)
            if state.tells_length:
                self.send_header("Content-Length", str(state.claimed_length or len(body)))
            self.end_headers()
            broken, state.break_after = state.break_after, None
            self.wfile.write(body if broken is None else body[:broken])

        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}/data.bin"
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    yield state
    http.shutdown()
    http.server_close()


def names(folder: Path) -> list[str]:
    """Name the files in a folder, without the empty ones that are locks."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return sorted(path.relative_to(folder).as_posix() for path in files)


def test_a_missing_file_is_downloaded_once(server, tmp_path):
    for _ in range(2):
        assert obtain(server.file(), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None]
    assert names(tmp_path) == ["folder/data.bin"]


def test_other_digests_serve_too(tmp_path):
    (tmp_path / "data.bin").write_bytes(CONTENT)
    sha1 = OfficialFile("data.bin", "sha1:" + hashlib.sha1(CONTENT).hexdigest())
    assert obtain(sha1, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("broken", [b"", CONTENT[:1000], CONTENT[:-1] + b"x"])
def test_a_broken_file_is_named_and_replaced(server, tmp_path, broken):
    path = tmp_path / "folder" / "data.bin"
    path.parent.mkdir()
    path.write_bytes(broken)
    with pytest.warns(UserWarning, match=r"data\.bin is broken: md5 is .* it is being replaced"):
        assert obtain(server.file(), tmp_path).read_bytes() == CONTENT


def test_a_broken_file_that_cannot_be_replaced_is_not_used(server, tmp_path):
    (tmp_path / "data.bin").write_bytes(b"broken")
    server.status = 503
    with pytest.warns(UserWarning, match="broken"), pytest.raises(DownloadError, match="503"):
        obtain(server.file("data.bin"), tmp_path)


def test_a_broken_connection_continues_where_it_broke(server, tmp_path):
    server.break_after = 100_000
    assert obtain(server.file(), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-"]


def test_a_later_attempt_continues_from_the_part_file(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:5000])
    assert obtain(server.file("data.bin"), tmp_path).read_bytes() == CONTENT
    assert server.asked == ["bytes=5000-"]
    assert names(tmp_path) == ["data.bin"]


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.ranges, server.break_after = False, 100_000
    assert obtain(server.file(), tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize("part", [b"wrong" * 100, CONTENT + b"too long"])
def test_a_wrong_part_file_is_thrown_away_and_fetched_anew(server, tmp_path, part):
    (tmp_path / "data.bin.part").write_bytes(part)
    assert obtain(server.file("data.bin"), tmp_path).read_bytes() == CONTENT
    assert server.asked == [f"bytes={len(part)}-", None]


def test_a_complete_part_file_is_used_after_its_checksum(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    assert obtain(server.file("data.bin"), tmp_path).read_bytes() == CONTENT


def test_a_bad_checksum_is_an_error_and_leaves_nothing(server, tmp_path):
    server.content = b"an error page"
    with pytest.raises(DownloadError, match=r"bad checksum: md5 is .* expected"):
        obtain(server.file(), tmp_path)
    assert names(tmp_path) == []


def test_the_next_address_serves_where_the_first_fails(server, tmp_path):
    file = OfficialFile("data.bin", md5(CONTENT), ("http://127.0.0.1:9/", server.url))
    assert obtain(file, tmp_path).read_bytes() == CONTENT


def test_without_a_network_the_error_says_what_to_do(tmp_path):
    file = OfficialFile("folder/data.bin", md5(CONTENT), ("http://127.0.0.1:9/data.bin",))
    with pytest.raises(DownloadError, match="connect to a network") as caught:
        obtain(file, tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "folder" / "data.bin") in message and "GLASSBOX_DATA" in message
    assert "http://127.0.0.1:9/data.bin" in message and "refused" in message
    assert names(tmp_path) == []


def in_the_way(path: str):
    def put(folder: Path) -> None:
        (folder / path).mkdir(parents=True)

    return put


def a_file_for_a_folder(folder: Path) -> None:
    (folder / "folder").write_text("")


FAULTS = {
    "a folder for the file": (in_the_way("folder/data.bin"), "move away what is there"),
    "a folder for the part": (in_the_way("folder/data.bin.part"), "move away what is there"),
    "a folder for the lock": (in_the_way("folder/.data.bin.lock"), "move away what is there"),
    "a file for a folder": (a_file_for_a_folder, "move away what is there"),
    "no protocol": ("data.bin", r"unknown url type: 'data\.bin'.*: connect to a network"),
    "no such protocol": ("spam://data.bin", "unknown url type: spam.*: connect to a network"),
    "no host": ("http:///data.bin", "no host given.*: connect to a network"),
    "no number": ("http://127.0.0.1:x/", "nonnumeric port: 'x'.*: connect to a network"),
    "a host too long": (f"http://{'x' * 99}.org/", "too long.*: connect to a network"),
}


@pytest.mark.parametrize(("fault", "advice"), FAULTS.values(), ids=FAULTS)
def test_every_fault_ends_in_one_sentence_that_says_what_to_do(server, tmp_path, fault, advice):
    if isinstance(fault, str):
        server.url = fault
    else:
        fault(tmp_path)
    with pytest.raises(DownloadError, match=f"{advice}.* or set GLASSBOX_DATA") as caught:
        obtain(server.file(), tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "folder" / "data.bin").is_file()


@pytest.mark.parametrize("honest", [True, False], ids=["said", "unsaid"])
def test_more_bytes_than_the_limit_are_refused_and_not_kept(server, tmp_path, honest):
    server.tells_length = honest
    file = replace(server.file("data.bin"), limit=len(CONTENT) - 1)
    with pytest.raises(DownloadError, match=f"{len(CONTENT) - 1}"):
        obtain(file, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0
    assert obtain(replace(file, limit=len(CONTENT)), tmp_path).read_bytes() == CONTENT


WEIGHTS = {
    "torchvision": lambda: create_model("resnet18", pretrained=True),
    "timm from a page": lambda: timm_model({"url": "http://127.0.0.1:9/x.pth", "hf_hub_id": None}),
    "timm from the hub": lambda: timm_model({}),
}


def timm_model(source: dict[str, str | None]) -> nn.Module:
    with downloads.explained_weights("resnet10t"):
        return timm.create_model("resnet10t", pretrained=True, pretrained_cfg_overlay=source)


@pytest.mark.parametrize("make", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("fault", ["no network", "a folder in the way", "a file in the way"])
def test_pretrained_weights_that_cannot_be_had_end_in_one_sentence(
    make, fault, tmp_path, monkeypatch
):
    cache = tmp_path / "cache"
    if fault == "a file in the way":
        cache.write_text("")
    for name in ("x.pth", "resnet18-f37072fd.pth") if fault == "a folder in the way" else ():
        (cache / "hub" / "checkpoints" / name).mkdir(parents=True)
    monkeypatch.setenv("TORCH_HOME", str(cache))
    monkeypatch.setattr(urllib.request, "urlopen", refused)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    with pytest.raises(DownloadError, match=r"^the pretrained weights of resnet1") as caught:
        make()
    assert "\n" not in str(caught.value) and "pretrained=False" in str(caught.value)


def refused(*args, **options):
    raise URLError("no network")


def test_an_error_that_is_none_of_a_download_passes_as_it_is():
    with pytest.raises(RuntimeError, match=r"^Unknown model"), downloads.explained_weights("x"):
        timm.create_model("no such model", pretrained=True)
    with pytest.raises(TypeError), downloads.explained_weights("x"):
        len(1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a full disk")
def test_a_disk_that_fills_up_is_named(server, tmp_path):
    (tmp_path / "data.bin.part").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"disk of .* is full; make room, or set GLASSBOX_DATA"):
        obtain(server.file("data.bin"), tmp_path)
    assert not (tmp_path / "data.bin").exists()


def test_a_download_larger_than_the_disk_is_not_begun(server, tmp_path):
    server.claimed_length = 1 << 60
    with pytest.raises(DownloadError, match="is full; make room"):
        obtain(replace(server.file("data.bin"), limit=1 << 61), tmp_path)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may write anywhere"
)
def test_a_folder_that_cannot_be_written_to_is_named(server, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DownloadError, match="cannot be written to"):
        obtain(server.file("data.bin"), tmp_path)
    tmp_path.chmod(0o700)


def test_a_gz_file_is_unpacked_and_both_are_verified(server, tmp_path):
    server.content = gzip.compress(CONTENT)
    packed = server.file("data.bin.gz", md5(server.content))
    file = OfficialFile("data.bin", md5(CONTENT), archive=packed)
    assert obtain(file, tmp_path).read_bytes() == CONTENT
    (tmp_path / "data.bin").write_bytes(CONTENT[:-5])
    with pytest.warns(UserWarning, match="broken"):
        assert obtain(file, tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 1
    assert names(tmp_path) == ["data.bin", "data.bin.gz"]


def test_an_archive_with_the_wrong_content_is_an_error(server, tmp_path):
    server.content = gzip.compress(b"something else")
    packed = server.file("data.bin.gz", md5(server.content))
    with pytest.raises(DownloadError, match=r"is broken \(md5 is .*\): put the official file at"):
        obtain(OfficialFile("data.bin", md5(CONTENT), archive=packed), tmp_path)
    assert names(tmp_path) == ["data.bin.gz"]


def test_the_error_for_a_missing_archive_names_the_file_that_was_wanted(tmp_path):
    packed = OfficialFile("all.tar.gz", md5(b""), ("http://127.0.0.1:9/",))
    with pytest.raises(
        DownloadError, match=r"folder.data\.bin is missing\. all\.tar\.gz could not"
    ):
        obtain(OfficialFile("folder/data.bin", md5(CONTENT), archive=packed), tmp_path)


def test_one_file_is_taken_out_of_a_tar_archive(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in (("folder/other", b"no"), ("folder/data.bin", CONTENT)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    (tmp_path / "all.tar.gz").write_bytes(buffer.getvalue())
    packed = OfficialFile("all.tar.gz", md5(buffer.getvalue()))
    file = OfficialFile("folder/data.bin", md5(CONTENT), archive=packed)
    assert obtain(file, tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == ["all.tar.gz", "folder/data.bin"]


@pytest.mark.skipif(FORK is None, reason="needs processes that begin as copies of this one")
def test_two_processes_that_fetch_the_same_files_leave_whole_ones_and_ask_for_each_once(
    server, tmp_path
):
    """The second waits for the first, and goes on when that one is killed."""
    (first, done), (second, also_done) = (begin_fetching(server.url, tmp_path) for _ in "12")
    try:
        until = time.monotonic() + float(os.environ.get("GLASSBOX_RACE_SECONDS", 0))
        while done.recv() < 10 or time.monotonic() < until:
            also_done.recv()
        assert abs(len(server.asked) - len(names(tmp_path))) <= 1
        first.kill()
        last = also_done.recv()
        while also_done.recv() < last + 10:
            pass
    finally:
        for process in (first, second):
            process.kill()
            process.join()
    parts = [name for name in names(tmp_path) if name.endswith(".part")]
    assert len(parts) <= 1  # of the one that was killed last
    for name in set(names(tmp_path)) - set(parts):
        assert (tmp_path / name).read_bytes() == CONTENT


def begin_fetching(url, folder):
    done, told = FORK.Pipe(duplex=False)
    process = FORK.Process(target=fetch, args=(url, folder, told), daemon=True)
    process.start()
    told.close()  # so that the death of the process ends what comes
    return process, done


def fetch(url, folder, told):
    for number in itertools.count():
        file = OfficialFile(f"folder/{number}.bin", md5(CONTENT), (url,))
        assert obtain(file, folder).read_bytes() == CONTENT
        told.send(number)


def test_the_folder_is_the_argument_else_the_variable_else_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GLASSBOX_DATA", str(tmp_path / "variable"))
    assert data_folder(tmp_path / "argument") == tmp_path / "argument"
    assert data_folder() == tmp_path / "variable"
    monkeypatch.delenv("GLASSBOX_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(downloads.sys, "platform", "linux")
    assert data_folder() == tmp_path / "glassbox"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data_folder() == Path.home() / ".cache" / "glassbox"
    monkeypatch.setattr(downloads.sys, "platform", "darwin")
    assert data_folder() == Path.home() / "Library" / "Caches" / "glassbox"
