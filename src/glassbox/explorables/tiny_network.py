"""Weights on their way into a page, where ``tiny_network.js`` computes with them."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def pack(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Encode tensors by name as their ``shape`` and ``data``, little-endian float16 in base64.

    Half precision keeps about three digits, in two thirds of the bytes that decimals would need. A
    number above 65,504 is refused.
    """
    return {name: _pack_one(name, tensor) for name, tensor in tensors.items()}


def unpack(packed: Mapping[str, Any]) -> dict[str, Tensor]:
    """Decode what :func:`pack` wrote, into single precision."""
    return {name: _unpack_one(name, entry) for name, entry in packed.items()}


def _unpack_one(name: str, entry: Mapping[str, Any]) -> Tensor:
    values = np.frombuffer(base64.b64decode(entry["data"]), "<f2").astype(np.float32)
    if len(values) != math.prod(entry["shape"]):
        raise ValueError(f"{name} has {len(values)} numbers, expected shape {entry['shape']}")
    return torch.from_numpy(values).reshape(entry["shape"])


def _pack_one(name: str, tensor: Tensor) -> dict[str, Any]:
    if not tensor.is_floating_point():
        raise ValueError(f"{name} has type {tensor.dtype}, expected floating point")
    half = tensor.detach().cpu().to(torch.float16)
    if not half.isfinite().all():
        raise ValueError(f"{name} has {tensor.abs().max():g}, expected at most 65504")
    data = half.contiguous().numpy().astype("<f2").tobytes()
    return {"shape": list(tensor.shape), "data": base64.b64encode(data).decode()}
