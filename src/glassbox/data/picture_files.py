"""Pictures in files: decoded when a batch of them is wanted, and kept as far as memory goes."""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassbox.support.arguments import as_path, as_sizes, check_at_least, check_not_empty

_GIGABYTE = 1 << 30


class PictureFiles:
    """The pictures of a folder as ``uint8 (N, 3, side, side)``, each decoded when it is wanted.

    :class:`glassbox.data.batches.Batches` takes them in place of a tensor of images. They are
    decoded by several threads at once, for the decoders of Pillow let other threads run.

    Args:
        root: The folder.
        names: Paths of the files from there on, at least one.
        side: Pixels a side: of each picture the largest square in the middle is resized to this.
        memory: Gigabytes of decoded pictures that are kept, so that these are decoded once; parts
            made by :meth:`part` keep theirs in the same place.
        threads: How many pictures are decoded at once; as many as there are cores, and at most 8,
            unless given.

    Raises:
        ValueError: If there are no names, or a number is out of range.
    """

    ndim = 4
    device = torch.device("cpu")

    def __init__(
        self,
        root: str | os.PathLike[str],
        names: Sequence[str],
        side: int,
        *,
        memory: float = 2.0,
        threads: int | None = None,
    ) -> None:
        self.root = as_path(root=root)
        check_not_empty(names=names)
        (self.side,) = as_sizes(side=side)
        check_at_least(0, memory=memory)
        (threads,) = as_sizes(threads=threads or min(os.cpu_count() or 1, 8))
        self.names = tuple(names)
        self._most = math.floor(memory * _GIGABYTE / (3 * self.side**2))
        self._pool = ThreadPoolExecutor(threads)
        self._kept: dict[str, Tensor] = {}

    def part(self, indices: Tensor) -> "PictureFiles":
        """Take the pictures of these indices ``(M,)``, in this order."""
        made = object.__new__(PictureFiles)
        vars(made).update(vars(self), names=tuple(self.names[i] for i in indices.tolist()))
        check_not_empty(indices=made.names)
        return made

    def __len__(self) -> int:
        """Give the number of pictures."""
        return len(self.names)

    def __getitem__(self, indices: Tensor) -> Tensor:
        """Decode the pictures of these indices ``(B,)``: ``uint8 (B, 3, side, side)``.

        Raises:
            ValueError: If one cannot be read; the message names it.
        """
        wanted = [self.names[i] for i in indices.tolist()]
        fresh = [name for name in dict.fromkeys(wanted) if name not in self._kept]
        read = dict(zip(fresh, self._pool.map(self._read, fresh), strict=True))
        return torch.stack([self._kept[n] if n in self._kept else read[n] for n in wanted])

    def unreadable(self) -> dict[str, str]:
        """Decode all, and give the reason by name for each one that cannot be read."""
        reasons = zip(self.names, self._pool.map(self._reason, self.names), strict=True)
        return {name: reason for name, reason in reasons if reason}

    def _read(self, name: str) -> Tensor:
        try:
            picture = read_picture(self.root / name, self.side)
        except Exception as error:  # a damaged file fails in many ways
            raise ValueError(f"{printable(name)} cannot be read: {_said(error)}") from error
        if len(self._kept) < self._most:
            self._kept[name] = picture
        return picture

    def _reason(self, name: str) -> str:
        try:
            self._read(name)
        except ValueError as error:
            return _said(error.__cause__)
        return ""

    def __getstate__(self) -> dict[str, Any]:
        """Give what decides which pictures these are: the folder may lie elsewhere tomorrow."""
        sizes = [os.path.getsize(self.root / name) for name in self.names]
        names = [printable(name) for name in self.names]
        return {"root": str(self.root), "side": self.side, "names": names, "sizes": sizes}


def read_picture(path: str | os.PathLike[str], side: int) -> Tensor:
    """Read a picture as red, green and blue: the largest square in its middle, resized.

    It is turned as its EXIF data say. What is transparent becomes white; of gray with 16 bits the
    upper 8 are taken, where Pillow's own conversion makes all above 255 white.

    Args:
        path: Any file that Pillow reads; of several frames the first is taken.
        side: Pixels a side.

    Returns:
        ``uint8 (3, side, side)``.

    Raises:
        OSError: If it is missing, cut off or no picture; Pillow also raises other errors.
        ValueError: If its pixels are floating point, whose range nobody knows.
    """
    from PIL import Image, ImageOps

    with Image.open(path) as file:
        file.draft(None, (side, side))  # of a large JPEG an eighth is decoded, if that is enough
        upright = ImageOps.exif_transpose(file)
        square = ImageOps.fit(_in_color(upright), (side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()


def _in_color(picture: Any) -> Any:
    from PIL import Image

    if picture.mode == "F":
        raise ValueError("its pixels are floating point, expected bytes or 16 bits")
    if picture.mode.startswith("I"):
        upper = np.asarray(picture).astype(np.int64).clip(0, 65535) // 257
        picture = Image.fromarray(upper.astype(np.uint8))
    if picture.has_transparency_data:
        layers = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
    return picture.convert("RGB")


def printable(text: str) -> str:
    """Write a name so that it can be printed, also where its bytes are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _said(error: BaseException | None) -> str:
    """Say what an error says, without the path, which is known."""
    text = " ".join(str(error).split())
    if "cannot identify image file" in text:
        return "it is no picture"
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    return printable(text) or type(error).__name__
