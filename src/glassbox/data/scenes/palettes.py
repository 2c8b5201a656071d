"""Colors that go together: for things and for what lies behind them."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Palette:
    """Colors for objects, and pairs of dark and light ones for backgrounds, in hexadecimal."""

    objects: tuple[str, ...]
    grounds: tuple[tuple[str, str], ...]

    def object_colors(self) -> Tensor:
        """Give the colors of objects, ``(n, 3)``, from 0 to 1."""
        return torch.stack([_rgb(color) for color in self.objects])

    def ground_colors(self) -> Tensor:
        """Give the pairs of dark and light colors, ``(n, 2, 3)``, from 0 to 1."""
        return torch.stack([torch.stack([_rgb(color) for color in pair]) for pair in self.grounds])


def _rgb(color: str) -> Tensor:
    return torch.tensor(list(bytes.fromhex(color))) / 255


PALETTES = {
    "natural": Palette(
        (
            "c8452f", "e07a3f", "e9b44c", "7a9e4b", "3f7d58", "2f8f9d", "3b6ea8", "5a4e8c",
            "9b4f7a", "d9778b", "f2e3c6", "8c5a3c", "3a3f4b", "b8c4c2",
        ),
        (
            ("33402a", "8fa35f"), ("5b4632", "c2a27a"), ("2e4a5e", "9dc0d3"), ("57534e", "bdb5a8"),
            ("6e3b2c", "c98d6b"), ("2b3a42", "7f98a0"), ("7a6a3a", "d8c88a"), ("40364e", "a998b8"),
            ("1f4d4a", "88b8a8"), ("8a8f94", "e6e4dc"),
        ),
    ),
    "vivid": Palette(
        (
            "e6194b", "f58231", "ffd21f", "3cb44b", "00a3a3", "1e6fff", "7b2ff7", "f032e6",
            "ffffff", "111827", "00c2ff", "a3e635",
        ),
        (
            ("0b3c8c", "5ab0ff"), ("7a0f3c", "ff7aa8"), ("0f5c2e", "7be495"), ("6b21a8", "d8b4fe"),
            ("9a3412", "fdba74"), ("0f4c5c", "5eead4"), ("713f12", "fde047"), ("1f2937", "9ca3af"),
        ),
    ),
    "pastel": Palette(
        (
            "e58f8f", "e8b07a", "d9c26a", "93b97a", "6fb5a5", "76a6d6", "9a8fd0", "cf8fbf",
            "6b6f86", "fffaf0",
        ),
        (
            ("d7b8b0", "fbe9e2"), ("b9cfc0", "eef7ee"), ("b3c6dc", "eaf2fb"), ("c9bedb", "f3eefa"),
            ("d9cba8", "fbf5e0"), ("b8b8c4", "f0f0f4"),
        ),
    ),
    "dusk": Palette(
        (
            "ff9e64", "f7768e", "e0af68", "9ece6a", "73daca", "7aa2f7", "bb9af7", "f2d5a0",
            "c0caf5", "d1495b",
        ),
        (
            ("12162b", "3b4470"), ("1d1330", "5a3b6e"), ("0d2430", "2f6173"), ("2a1420", "7a3f4f"),
            ("141b16", "3f5a47"), ("1b1b22", "50505f"),
        ),
    ),
}  # fmt: skip
