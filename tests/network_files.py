"""Reads the file of glassbox.chapters.gradcam.photo_cam.pack by its description, and computes.

Nothing is imported from the package, so that it is a second opinion on what the page computes.
"""

import json
import struct
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


class NetworkFile(NamedTuple):
    labels: list[str]
    layers: list[dict]  # with weight and bias in single precision
    photographs: list[dict]  # with the bytes of each as picture


def read_network_file(data: bytes) -> NetworkFile:
    (size,) = struct.unpack_from("<I", data)
    header, at = json.loads(data[4 : 4 + size]), 4 + size

    def take(kind: str, count: int) -> np.ndarray:
        nonlocal at
        assert at % 4 == 0
        part = np.frombuffer(data, kind, count, at)
        at += -(-part.nbytes // 4) * 4
        return part

    layers = []
    for layer in header["layers"]:
        outputs, columns = layer["outputs"], layer["columns"]
        rows = (columns, outputs) if layer["kind"] == "depthwise" else (outputs, columns)
        bias, scale = take("<f4", outputs), np.float32(1)
        if layer["bits"] == 8:
            scale = take("<f4", outputs)
            scale = scale if layer["kind"] == "depthwise" else scale[:, None]
        packed = take("i1" if layer["bits"] == 8 else "<f2", outputs * columns).reshape(rows)
        layers.append(layer | {"weight": packed.astype("f4") * scale, "bias": bias})
    photographs = [
        photo | {"picture": take("u1", photo["bytes"]).tobytes()} for photo in header["photographs"]
    ]
    assert at == len(data)
    return NetworkFile(header["labels"], layers, photographs)


def logits_of(file: NetworkFile, images: Tensor) -> Tensor:
    """Compute logits ``(B, 1000)`` from images ``(B, 3, 224, 224)`` with PyTorch's operations."""
    outputs, x = [], images
    for layer in file.layers:
        weight, bias = torch.tensor(layer["weight"]), torch.tensor(layer["bias"])
        if layer["kind"] == "linear":
            return F.linear(x.mean((2, 3)), weight, bias)
        kernel, stride = layer["kernel"], layer["stride"]
        channels = x.shape[1] if layer["kind"] != "depthwise" else 1
        if layer["kind"] == "depthwise":
            weight = weight.T
        elif layer["kind"] == "stem":
            weight = weight[:, : 3 * kernel**2].view(-1, kernel, kernel, 3).permute(0, 3, 1, 2)
        weight = weight.reshape(len(bias), channels, kernel, kernel)
        missing = max((-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1], 0)
        edges = (missing // 2, missing - missing // 2) * 2
        groups = x.shape[1] // channels
        y = F.conv2d(F.pad(x, edges), weight, bias, stride, groups=groups)
        x = y.clamp(0, 6) if layer["relu6"] else y
        x = x if layer["adds"] is None else x + outputs[layer["adds"]]
        outputs.append(x)
    raise AssertionError("there is no linear layer")
