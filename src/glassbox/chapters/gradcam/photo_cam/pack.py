"""EfficientNet-Lite0 and photographs as one file for the page, where ``network.js`` reads it.

The file holds, little-endian, and each part at a multiple of 4 bytes:

- the length of the header in bytes, ``uint32``;
- the header, JSON in UTF-8: ``labels``, the 1,000 classes; ``layers``, a list of objects;
  ``photographs``, a list of objects with ``name``, ``subject``, ``credit``, ``origin`` and
  ``bytes``;
- of each layer its bias, ``float32 (outputs,)``; then, where ``bits`` is 16, its weights in
  ``float16``, or, where ``bits`` is 8, a scale for each output, ``float32 (outputs,)``, and its
  weights in ``int8``, which have to be multiplied by the scale of their output;
- of each photograph as many bytes of JPEG as its object says.

A layer has its ``kind``, ``outputs``, ``columns``, ``kernel``, ``stride``, ``relu6`` (whether its
output is clipped to 0 to 6) and ``adds`` (the index of an earlier layer whose output is added to
its own, or null). Batch norms are folded into the convolutions before them. By kind, weights are

- ``"stem"``, an ordinary convolution: ``(outputs, columns)``, the columns being the kernel's rows,
  its columns and the colors, the last moving fastest, and zeros up to a multiple of 4;
- ``"depthwise"``, a filter for each channel: ``(kernel * kernel, outputs)``, ``columns`` is
  ``kernel * kernel``;
- ``"pointwise"``, a convolution of 1 x 1, and ``"linear"``: ``(outputs, columns)``.

Convolutions pad as TensorFlow does: the output has one place for each ``stride`` places, and of
what is missing the smaller half is above and to the left.

Rounding shifts the mean of what a layer computes, and over fifty layers such shifts add up. Each
bias takes back the shift that is to be expected, so that the largest error of a probability is
half as large. What to expect the batch norms know, so this needs no images: Nagel et al. (2019),
"Data-Free Quantization Through Weight Equalization and Bias Correction",
https://arxiv.org/abs/1906.04721.
"""

import json
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from glassbox.data.photos import Photograph, photographs
from glassbox.networks.imagenet import imagenet_classes, imagenet_network

# The classes of the first eight are known or nearly so; a retina is like nothing in ImageNet.
SHOWN = ("cat", "coffee", "camera", "astronaut", "rocket", "china", "flower", "retina")

_SMALL = 12_000  # weights that a layer may have to stay in half precision: they cost 77 kB in all
_SIDE = 384  # of a photograph's shorter side, in pixels: the network sees 7/8 of it as 224
_LARGEST = 60_000  # bytes of a photograph


class _Layer(NamedTuple):
    kind: str
    weight: np.ndarray
    bias: np.ndarray
    mean: np.ndarray  # of each output, as it is to be expected
    kernel: int = 1
    stride: int = 1
    relu6: bool = False
    adds: int | None = None


def network_file() -> bytes:
    """Pack the network, the names of its classes, and the photographs of :data:`SHOWN`.

    Raises:
        ModuleNotFoundError: If a package is missing; the message says how to install it.
        glassbox.data.downloads.DownloadError: If a file of a package has the wrong checksum.
    """
    layers = _layers(imagenet_network())
    photos = photographs(*SHOWN).values()
    pictures = [to_jpeg(photo.image) for photo in photos]
    header = {
        "labels": imagenet_classes(),
        "layers": [_description(layer) for layer in layers],
        "photographs": [_credits(*pair) for pair in zip(photos, pictures, strict=True)],
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    means = [np.zeros(layers[0].weight.shape[1]), *(layer.mean for layer in layers)]
    numbers = chain.from_iterable(map(_numbers, layers, means))
    parts = [np.array(len(text), "<u4").tobytes(), text, *numbers, *pictures]
    return b"".join(part + bytes(-len(part) % 4) for part in parts)


def to_jpeg(image: Tensor) -> bytes:
    """Encode a photograph ``uint8 (C, H, W)`` in at most 60,000 bytes, as well as they allow.

    It keeps all of its colors: what they lose in WebP moves probabilities by three times as much.
    """
    from PIL import Image

    picture = Image.fromarray(image.expand(3, -1, -1).permute(1, 2, 0).numpy())
    share = min(1, _SIDE / min(picture.size))
    size = [round(share * length) for length in picture.size]
    small = picture.resize(size, Image.Resampling.LANCZOS)
    for quality in range(90, 0, -5):
        file = BytesIO()
        small.save(file, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True)
        if file.tell() <= _LARGEST:
            break
    return file.getvalue()


def _credits(photo: Photograph, picture: bytes) -> dict[str, Any]:
    return {
        "name": photo.name.replace("_", " "),
        "subject": photo.subject,
        "credit": photo.credit,
        "origin": photo.origin,
        "bytes": len(picture),
    }


def _layers(model: nn.Module) -> list[_Layer]:
    """List the layers of timm's network in the order in which they are computed."""
    layers = [_folded(model.conv_stem, model.bn1)]
    for block in chain.from_iterable(model.blocks):
        entered = len(layers) - 1
        convolutions = [part for part in block.modules() if isinstance(part, nn.Conv2d)]
        norms = [part for part in block.modules() if isinstance(part, nn.BatchNorm2d)]
        layers += [_folded(*pair) for pair in zip(convolutions, norms, strict=True)]
        if block.has_skip:
            mean = layers[-1].mean + layers[entered].mean
            layers[-1] = layers[-1]._replace(adds=entered, mean=mean)
    weight, bias = (tensor.detach().numpy() for tensor in model.classifier.parameters())
    linear = _Layer("linear", weight, bias, bias)  # of whose outputs nobody needs the mean
    return [*layers, _folded(model.conv_head, model.bn2), linear]


def _folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> _Layer:
    """Fold a batch norm into the convolution before it."""
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = (convolution.weight * gain[:, None, None, None]).detach()  # (O, I, k, k)
    bias = (norm.bias - norm.running_mean * gain).detach().numpy()
    kernel = weight.shape[-1]
    if convolution.groups > 1:
        kind, rows = "depthwise", weight.flatten(1).T
    elif kernel > 1:
        kind, rows = "stem", weight.permute(0, 2, 3, 1).flatten(1)
        rows = torch.nn.functional.pad(rows, (0, -rows.shape[1] % 4))
    else:
        kind, rows = "pointwise", weight.flatten(1)
    # The activation of the norm itself, which timm leaves an identity where there is none.
    relu6 = isinstance(norm.act, nn.ReLU6)
    mean = _expected(norm, relu6).detach().numpy()
    return _Layer(kind, rows.numpy(), bias, mean, kernel, convolution.stride[0], relu6)


def _expected(norm: nn.BatchNorm2d, relu6: bool) -> Tensor:
    """Give the mean of each channel after a norm, which makes it normal, and perhaps a ReLU6."""
    if not relu6:
        return norm.bias
    normal = torch.distributions.Normal(norm.bias, norm.weight.abs().clamp(min=1e-6))
    ends = torch.tensor([[0.0], [6.0]])
    below, high = normal.cdf(ends)
    rising, falling = normal.log_prob(ends).exp() * normal.variance
    return norm.bias * (high - below) + rising - falling + 6 * (1 - high)


def _description(layer: _Layer) -> dict[str, Any]:
    told = {"kind", "kernel", "stride", "relu6", "adds"}
    described = {name: value for name, value in layer._asdict().items() if name in told}
    return described | {
        "outputs": len(layer.bias),
        "columns": layer.weight.size // len(layer.bias),
        "bits": _bits(layer),
    }


def _bits(layer: _Layer) -> int:
    return 16 if layer.weight.size <= _SMALL else 8


def _numbers(layer: _Layer, means: np.ndarray) -> Iterator[bytes]:
    """Write the bias of a layer and its weights, given the mean of each of its inputs."""
    weight, axis = layer.weight, 0 if layer.kind == "depthwise" else 1  # of what one output has
    if _bits(layer) == 16:
        packed, scale = weight.astype("<f2"), np.empty(0, "<f4")
        rounded = packed.astype("f4")
    else:
        # A channel may be zero throughout.
        scale = np.maximum(np.abs(weight).max(axis, keepdims=True) / 127, 1e-12).astype("<f4")
        packed = np.rint(weight / scale).astype("i1")
        rounded = packed * scale
    shift = ((rounded - weight) * means).sum(axis)
    yield (layer.bias - shift).astype("<f4").tobytes()
    yield scale.tobytes()
    yield packed.tobytes()
