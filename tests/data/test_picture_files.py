"""Pictures of every kind are read alike, once, and what cannot be read is named."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from refusals import refuses

from glassbox.data import Batches, picture_files
from glassbox.data.picture_files import PictureFiles, read_picture
from glassbox.training.course import describe_course

RED = np.zeros((40, 60, 3), np.uint8)
RED[..., 0] = 200
RED[:, :10] = 0  # outside of the square in the middle


def saved(path, array, mode=None, **options):
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        saved(tmp_path / f"{number} ü.png", np.full((9, 9, 3), 40 * number, np.uint8))
    return tmp_path


@pytest.fixture
def files(folder):
    return PictureFiles(folder, sorted(path.name for path in folder.iterdir()), 9)


def test_the_square_in_the_middle_is_read(tmp_path):
    picture = read_picture(saved(tmp_path / "a.png", RED), 40)
    assert picture.shape == (3, 40, 40) and picture.dtype == torch.uint8
    assert torch.equal(picture.flatten(1).unique(dim=1).flatten().int(), torch.tensor([200, 0, 0]))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *[("png", mode) for mode in ("L", "1", "P", "RGBA", "LA")],
        *[("tif", mode) for mode in ("L", "1", "P", "RGBA", "LA", "CMYK")],
        *[("jpg", mode) for mode in ("L", "CMYK")],
        *[("webp", mode) for mode in ("L", "RGBA")],
    ],
)
def test_every_mode_becomes_color(tmp_path, kind, mode):
    if (kind == "jpg" and mode not in ("L", "CMYK")) or (kind, mode) == ("png", "CMYK"):
        pytest.skip("the format has no such mode")
    path = saved(tmp_path / f"a.{kind}", np.full((30, 30, 3), 255, np.uint8), mode)
    picture = read_picture(path, 10)
    assert picture.shape == (3, 10, 10) and picture.min() > 250


def test_what_is_transparent_is_white(tmp_path):
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[:, :4] = (0, 0, 255, 255)
    picture = read_picture(saved(tmp_path / "a.png", clear), 8)
    assert picture[:, 0, 0].tolist() == [0, 0, 255] and picture[:, 0, -1].tolist() == [255] * 3


def test_gray_with_16_bits_keeps_its_shades(tmp_path):
    shades = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    path = saved(tmp_path / "a.png", shades)
    with Image.open(path) as file:
        assert np.asarray(file.convert("RGB"))[0, 1:].min() == 255  # the fault
    picture = read_picture(path, 8)
    np.testing.assert_array_equal(picture[0].numpy(), shades // 257)


def test_a_picture_is_turned_as_its_camera_was(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    square = np.zeros((16, 16, 3), np.uint8)
    square[:8] = 255
    picture = read_picture(saved(tmp_path / "a.jpg", square, exif=exif, quality=100), 16)
    assert picture[0, :, -1].min() > 240 and picture[0, :, 0].max() < 15


def test_floating_point_is_refused(tmp_path):
    path = saved(tmp_path / "a.tif", np.ones((8, 8), np.float32))
    with pytest.raises(ValueError, match="its pixels are floating point, expected bytes or"):
        read_picture(path, 8)


def test_batches_decode_what_they_need_and_keep_it(files, folder, monkeypatch):
    read = []
    monkeypatch.setattr(
        picture_files, "read_picture", lambda *given: read.append(given) or read_picture(*given)
    )
    batches = Batches(files, torch.arange(6), 4, seed=1)
    tensor = torch.stack([read_picture(folder / name, 9) for name in files.names])
    for _ in range(2):
        for (images, labels), (same, _) in zip(
            batches, Batches(tensor, torch.arange(6), 4, shuffle=False), strict=True
        ):
            assert torch.equal(images, tensor[labels]) and same.dtype == images.dtype
    assert len(read) == 6


def test_without_memory_nothing_is_kept(files, folder):
    forgetful = PictureFiles(folder, files.names, 9, memory=0)
    assert torch.equal(forgetful[torch.tensor([2, 1, 2])], files[torch.tensor([2, 1, 2])])
    assert forgetful._kept == {} and len(files._kept) == 2


def test_a_part_has_its_pictures_in_its_order(files):
    part = files.part(torch.tensor([5, 0]))
    assert len(part) == 2 and len(files) == 6
    assert torch.equal(part[torch.arange(2)], files[torch.tensor([5, 0])])


def test_what_cannot_be_read_is_named_with_the_reason(folder):
    whole = (folder / "0 ü.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[:-30])
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no picture")
    (folder / "folder.png").mkdir()
    names = sorted(path.name for path in folder.iterdir())
    files = PictureFiles(folder, [*names, "missing.png"], 9)
    reasons = files.unreadable()
    assert reasons.keys() == {"cut.png", "empty.jpg", "text.jpg", "folder.png", "missing.png"}
    assert reasons["text.jpg"] == reasons["empty.jpg"] == "it is no picture"
    assert reasons["missing.png"] == "No such file or directory"
    with pytest.raises(ValueError, match=r"^missing\.png cannot be read: No such file"):
        files[torch.tensor([len(names)])]


def test_the_course_of_a_training_tells_names_and_sizes_and_no_folder(files, folder, tmp_path):
    told = describe_course(images=files)
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in files.names:
        (folder / name).rename(moved / name)
    there = PictureFiles(moved, files.names, 9, threads=1, memory=0)
    assert describe_course(images=there) == told
    saved(moved / files.names[0], RED)
    changed = describe_course(images=there)
    assert [name for name in told if told[name] != changed[name]] == ["images.sizes"]
    assert str(folder) not in pickle.dumps(told).decode("latin-1")


def test_a_name_that_is_no_text_can_be_told(tmp_path):
    name = b"\xff\xfe.png".decode("utf-8", "surrogateescape")
    saved(tmp_path / name, RED)
    files = PictureFiles(tmp_path, [name] * 30, 8)
    describe_course(images=files)[f"images.{'names'}"].encode()
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="cannot be read: it is no picture"):
        files[torch.tensor([0])]


test_refused = refuses(
    (lambda: PictureFiles("a", [], 8), "names is empty, expected at least one"),
    (lambda: PictureFiles(3, ["a"], 8), TypeError, "root is 3, expected str or PathLike"),
    (lambda: PictureFiles("a", ["b"], 0), "side is 0, expected at least 1"),
    (lambda: PictureFiles("a", ["b"], 8, memory=-1), "memory is -1, expected at least 0"),
)
