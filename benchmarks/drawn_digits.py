"""Train the network that reads drawn digits in the page, and store its weights in the package.

Run with ``python benchmarks/drawn_digits.py``: about 3 minutes on one core. Half of what it learns
from are the book's own digits, with strokes of many widths, and half the ways of writing of
:mod:`glassbox.data.handwriting`, each time with a hand that trembles; all of them turned, sheared,
stretched and bent. The held-out fifth of the digits is only measured.
"""

import json
import time
from importlib.resources import files

import torch
import torch.nn.functional as F

from glassbox.chapters.gradcam.digit_reader import WEIGHTS, DigitReader, center, place
from glassbox.data import load, read_strokes, stratified_split, to_float
from glassbox.data.handwriting import WAYS, ink, smooth
from glassbox.explorables.tiny_network import pack, unpack
from glassbox.support import seed_everything

STEPS, DIGITS, STROKES = 2000, 64, 48  # a batch holds so many of each
SIDE = 48  # pixels of a drawing, for training
HANDS = 240  # drawings of each digit
LR = 1e-2


def uniform(count, low, high):
    return low + (high - low) * torch.rand(count)


def write(digit, way, count):
    """Draw one way of writing with hands that tremble and pens of many widths."""
    strokes = []
    for points in read_strokes(way):
        # Both points of a corner move together.
        moves = torch.cat([torch.zeros(1), (points[1:] != points[:-1]).any(1)]).cumsum(0).long()
        trembling = 3.5 * torch.randn(count, int(moves[-1]) + 1, 2)
        strokes.append(8 + 0.32 * smooth(points + trembling[:, moves]))
    return ink(strokes, SIDE, uniform(count, 1.5, 7)), torch.full((count,), digit)


def write_all():
    written = [
        write(digit, way, HANDS // len(ways)) for digit, ways in WAYS.items() for way in ways
    ]
    drawings, labels = zip(*written, strict=True)
    return torch.cat(drawings)[:, None], torch.cat(labels)


def enlarge(digits):
    padded = F.pad(digits, (2, 2, 2, 2))
    return F.interpolate(padded, scale_factor=4, mode="bicubic").clamp(0, 1.2)


def bend(drawings):
    """Turn, shear and stretch each drawing, and bend it a little."""
    count = len(drawings)
    angle, zero = torch.deg2rad(uniform(count, -15, 15)), torch.zeros(count)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    wide, tall = uniform(count, -0.25, 0.35).exp(), uniform(count, -0.15, 0.15).exp()
    shear = torch.stack([wide, uniform(count, -0.4, 0.4), zero, tall], 1).view(-1, 2, 2)
    matrices = torch.cat([turn @ shear, torch.zeros(count, 2, 1)], 2)
    grid = F.affine_grid(matrices, list(drawings.shape), align_corners=False)
    dents = F.interpolate(0.07 * torch.randn(count, 2, 4, 4), size=SIDE, mode="bicubic")
    return F.grid_sample(drawings, grid + dents.permute(0, 2, 3, 1), align_corners=False)


def change_width(drawings):
    """Cut each drawing at a height of its own: high for thin strokes, low for thick ones."""
    shape = len(drawings), 1, 1, 1
    height, sharpness = uniform(shape, 0.25, 0.75), uniform(shape, 6, 20)
    outside = torch.sigmoid(-height * sharpness)
    cut = (torch.sigmoid((drawings - height) * sharpness) - outside).clamp_min(0)
    return torch.where(torch.rand(shape) < 0.25, drawings.clamp(0, 1), cut)


def train(digits, labels):
    model, (written, written_labels) = DigitReader(), write_all()
    digits = enlarge(digits)
    optimizer = torch.optim.AdamW(model.parameters(), LR, weight_decay=1e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=STEPS)
    for step in range(1, STEPS + 1):
        some = torch.randint(len(digits), (DIGITS,))
        others = torch.randint(len(written), (STROKES,))
        drawings = torch.cat([change_width(bend(digits[some])), bend(written[others])])
        target = torch.cat([labels[some], written_labels[others]])
        loss = F.cross_entropy(model(center(drawings)), target, label_smoothing=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 200 == 0:
            print(f"step {step:5}  loss {loss.item():.3f}", flush=True)
    return model


def main():
    seed_everything(0)
    digits = load("digits")
    images, labels = to_float(digits.images), digits.labels
    seen, unseen = stratified_split(labels, [0.8, 0.2])
    started = time.perf_counter()
    model = train(images[seen], labels[seen])
    packed = pack(model.state_dict())
    model.load_state_dict(unpack(packed))
    with torch.no_grad():
        right = model(center(place(images[unseen]))).argmax(1) == labels[unseen]
    spent = time.perf_counter() - started
    print(f"{right.float().mean():.3f} of {len(right)} held out, after {spent:.0f} s")
    text = json.dumps(packed, separators=(",", ":")) + "\n"
    files("glassbox").joinpath(WEIGHTS).write_text(text, "utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
