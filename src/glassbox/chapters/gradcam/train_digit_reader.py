"""Train the network that reads drawn digits in the page.

Half of what it learns from are the book's own digits, with strokes of many widths, and half the
ways of writing of :mod:`glassbox.data.handwriting`, each time with a hand that trembles; all of
them turned, sheared, stretched and bent. The held-out fifth of the digits is only measured.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.chapters.gradcam.digit_reader import DigitReader, center, place
from glassbox.data.datasets import load
from glassbox.data.handwriting import WAYS, ink, read_strokes, smooth
from glassbox.data.pixels import to_float
from glassbox.data.splits import stratified_split
from glassbox.explorables.tiny_network import pack, unpack
from glassbox.support.files import write_text
from glassbox.support.seeds import isolated_seed
from glassbox.training.recipes import train_one_cycle

DIGITS, STROKES = 64, 48  # a batch holds so many of each
SIDE = 48  # pixels of a drawing, for training
LR = 1e-2


def _uniform(count: int | tuple[int, ...], low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(count)


def _write(way: str, count: int) -> Tensor:
    """Draw one way of writing with hands that tremble and pens of many widths."""
    strokes = []
    for points in read_strokes(way):
        # Both points of a corner move together.
        moves = torch.cat([torch.zeros(1), (points[1:] != points[:-1]).any(1)]).cumsum(0).long()
        trembling = 3.5 * torch.randn(count, int(moves[-1]) + 1, 2)
        strokes.append(8 + 0.32 * smooth(points + trembling[:, moves]))
    return ink(strokes, SIDE, _uniform(count, 1.5, 7))


def _write_all(hands: int) -> tuple[Tensor, Tensor]:
    """Draw each digit by so many hands: drawings ``(N, 1, 48, 48)`` and labels."""
    drawings, labels = [], []
    for digit, ways in WAYS.items():
        count = max(1, hands // len(ways))
        drawings += [_write(way, count) for way in ways]
        labels += [digit] * count * len(ways)
    return torch.cat(drawings)[:, None], torch.tensor(labels)


def _bend(drawings: Tensor) -> Tensor:
    """Turn, shear and stretch each drawing, and bend it a little."""
    count = len(drawings)
    angle, zero = torch.deg2rad(_uniform(count, -15, 15)), torch.zeros(count)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    wide, tall = _uniform(count, -0.25, 0.35).exp(), _uniform(count, -0.15, 0.15).exp()
    shear = torch.stack([wide, _uniform(count, -0.4, 0.4), zero, tall], 1).view(-1, 2, 2)
    matrices = torch.cat([turn @ shear, torch.zeros(count, 2, 1)], 2)
    grid = F.affine_grid(matrices, list(drawings.shape), align_corners=False)
    dents = F.interpolate(0.07 * torch.randn(count, 2, 4, 4), size=SIDE, mode="bicubic")
    return F.grid_sample(drawings, grid + dents.permute(0, 2, 3, 1), align_corners=False)


def _change_width(drawings: Tensor) -> Tensor:
    """Cut each drawing at a height of its own: high for thin strokes, low for thick ones."""
    shape = len(drawings), 1, 1, 1
    height, sharpness = _uniform(shape, 0.25, 0.75), _uniform(shape, 6, 20)
    outside = torch.sigmoid(-height * sharpness)
    cut = (torch.sigmoid((drawings - height) * sharpness) - outside).clamp_min(0)
    return torch.where(torch.rand(shape) < 0.25, drawings.clamp(0, 1), cut)


class _Drawings:
    """Batches of what the network sees, drawn anew each time from the global random state."""

    def __init__(self, digits: Tensor, labels: Tensor, steps: int, hands: int) -> None:
        padded = F.pad(digits, (2, 2, 2, 2))
        self.digits = F.interpolate(padded, scale_factor=4, mode="bicubic").clamp(0, 1.2)
        self.labels, self.steps = labels, steps
        self.written, self.written_labels = _write_all(hands)

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(self.steps):
            some = torch.randint(len(self.digits), (DIGITS,))
            others = torch.randint(len(self.written), (STROKES,))
            bent = _bend(self.digits[some]), _bend(self.written[others])
            drawings = torch.cat([_change_width(bent[0]), bent[1]])
            yield center(drawings), torch.cat([self.labels[some], self.written_labels[others]])


def train_and_store(path: Path, seed: int, *, steps: int, hands: int) -> float:
    """Train the reader, and write its weights in half precision, as the page takes them.

    Args:
        path: Of the JSON file.
        seed: Decides everything but which digits are held out.
        steps: Of AdamW, on 112 drawings each.
        hands: Drawings of each digit by a hand, before they are bent.

    Returns:
        The accuracy on the digits that were held out, from 0 to 1.
    """
    digits = load("digits")
    images, labels = to_float(digits.images), digits.labels
    seen, unseen = stratified_split(labels, [0.8, 0.2])
    with isolated_seed(seed):
        model = DigitReader()
        batches = _Drawings(images[seen], labels[seen], steps, hands)
        optimizer = torch.optim.AdamW(model.parameters(), LR, weight_decay=1e-3)
        loss = partial(F.cross_entropy, label_smoothing=0.02)
        train_one_cycle(model, batches, epochs=1, lr=LR, optimizer=optimizer, loss_fn=loss)
    packed = pack(model.state_dict())
    model.load_state_dict(unpack(packed))
    with torch.no_grad():
        right = model(center(place(images[unseen]))).argmax(1) == labels[unseen]
    write_text(path, json.dumps(packed, separators=(",", ":")) + "\n")
    return right.double().mean().item()
