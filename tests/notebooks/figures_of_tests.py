"""Stored pictures, changed in ways that a test of them should notice or ignore."""

import base64
import io

import numpy as np
from chapters import pixels
from PIL import Image


def shifted(png: str, by: int) -> str:
    """Move a stored picture down."""
    return _encoded(np.roll(pixels(png), by, axis=0))


def recoded(png: str) -> str:
    """Store the same pixels as other bytes."""
    return _encoded(pixels(png))


def _encoded(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode()
