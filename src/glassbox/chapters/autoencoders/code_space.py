"""Codes of three numbers in space, which the reader turns, with the digit under the pointer."""

import base64
import io
import math
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from glassbox.chapters.autoencoders.code_space_figure import AXES, show_code_space
from glassbox.explorables.js_widgets import show_computed
from glassbox.plotting.colors import CLASS_COLORS
from glassbox.support.arguments import (
    as_point,
    as_tensor,
    check_all_finite,
    check_class_indices,
    check_finite,
    check_not_empty,
    check_overflow,
    check_shapes,
)

_MOST = 500  # that a page can carry, and draw again while they turn
_COLUMNS = 25  # of the sheet of images
_GRAYS = 16
_ANGLES = ((-360, 360), (-90, 90))
_ABOVE = 20.0  # degrees


def show_codes_in_space(
    codes: Tensor,
    labels: Tensor,
    images: Tensor,
    *,
    low: float = 0.0,
    view: tuple[float, float] | None = None,
) -> None:
    """Show codes as points in space, each as its digit; the reader turns them and sees the images.

    A digit under the pointer, or one that a key goes to, is shown with its label and its numbers.

    Args:
        codes: ``(N, 3)``; N is from 1 to 500.
        labels: ``(N,)``, the digits, 0 to 9.
        images: ``(N, side, side)`` or ``(N, 1, side, side)``, uint8, or numbers from ``low`` to 1.
        low: The number that is drawn black, below 1; 1 is drawn white.
        view: From where the codes are seen at first, in degrees: by how much they are turned about
            the axis of the third number, -360 to 360, and how far above them the eye is, -90 to 90.
            Unless given, the side where they are seen to spread most.

    Raises:
        TypeError: An argument is no numbers.
        ValueError: Codes, labels and images do not fit together, there are none or too many, a
            number is not finite, or out of its range.
    """
    codes, labels, images = as_tensor(codes=codes), as_tensor(labels=labels), _gray(images, low)
    check_shapes(codes=(codes, "N 3"), labels=(labels, "N"), images=(images, "N side side"))
    check_not_empty(codes=codes)
    if len(codes) > _MOST:
        raise ValueError(f"codes has {len(codes)} rows, expected at most {_MOST}")
    check_all_finite(codes=codes)
    check_class_indices(10, labels=labels)
    points, labels = _short(codes), labels.cpu()
    middle = points.amin(0) / 2 + points.amax(0) / 2
    far = (points - middle).norm(dim=1)
    check_overflow(far, codes=points)
    turned, above = _broad_side(points) if view is None else as_point(_ANGLES, view=view)
    view = (turned % 360, above)
    shown, digits = int(far.argmin()), _digits(far.max().item())
    still = show_code_space(points, labels, images, view, shown, digits)
    state = {
        "points": [[*xyz, k] for xyz, k in zip(points.tolist(), labels.tolist(), strict=True)],
        "axes": AXES,
        "view": view,
        "shown": shown,
        "digits": digits,
        "size": images.shape[-1],
        "columns": _COLUMNS,
        "sheet": _sheet(images),
    }
    colors = {"classes": CLASS_COLORS}
    show_computed("code_space", state, still=still, name="Codes in space", colors=colors)


def _gray(images: Any, low: float) -> Tensor:
    """Give images as ``(N, side, side)`` from 0 to 1."""
    images = as_tensor(images=images).detach().cpu()
    check_finite(low=low)
    if low >= 1:
        raise ValueError(f"low is {low}, expected below 1, which is drawn white")
    if images.ndim == 4:
        check_shapes(images=(images, "N 1 side side"))
        images = images[:, 0]
    check_shapes(images=(images, "N side side"))
    check_not_empty(images=images.flatten())
    check_all_finite(images=images)
    if images.dtype == torch.uint8:
        return images / 255
    least, most = (one.item() for one in images.double().aminmax())
    if least < low - 1e-3 or most > 1 + 1e-3:
        raise ValueError(f"images is between {least:g} and {most:g}, expected {low:g} to 1")
    return ((images.float() - low) / (1 - low)).clamp(0, 1)


def _short(codes: Tensor) -> Tensor:
    """Round to four digits, which is all that a picture shows."""
    rows = codes.detach().cpu().double().tolist()
    return torch.tensor([[float(f"{x:.4g}") for x in row] for row in rows], dtype=torch.float64)


def _broad_side(points: Tensor) -> tuple[float, float]:
    """Find the turn by which the first two numbers spread most from left to right."""
    x, y = ((points - points.mean(0)) / points.abs().max().clamp(min=1e-300)).T[:2]
    twice = math.atan2(-2 * (x * y).mean().item(), (x.square() - y.square()).mean().item())
    return round(math.degrees(twice / 2)), _ABOVE


def _digits(reach: float) -> int:
    """Say with how many decimals numbers are shown, so that the farthest has about three digits."""
    return min(6, max(0, 2 - math.floor(math.log10(reach or 1))))


def _sheet(images: Tensor) -> str:
    """Lay images out in rows of one picture, 4 bits a pixel, and give it as a ``data:`` URL."""
    count, side = len(images), images.shape[-1]
    rows = -(-count // _COLUMNS)
    sheet = np.zeros((rows * _COLUMNS, side, side), np.uint8)
    sheet[:count] = (images * (_GRAYS - 1)).round().numpy()
    sheet = sheet.reshape(rows, _COLUMNS, side, side).swapaxes(1, 2).reshape(rows * side, -1)
    picture, file = Image.fromarray(sheet).convert("L"), io.BytesIO()
    picture.putpalette([k * 255 // (_GRAYS - 1) for k in range(_GRAYS) for _ in range(3)])
    picture.save(file, "PNG", bits=4, optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
