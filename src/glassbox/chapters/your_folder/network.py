"""A network by its name, with a new head of cosines."""

import difflib
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from glassbox.data.downloads import explained_weights
from glassbox.data.installed_files import installed_package
from glassbox.networks.cosine_classifier import CosineClassifier
from glassbox.networks.imagenet import OFFLINE, imagenet_network

_HALF = (0.5, 0.5, 0.5)
_INSTEAD = f"take --backbone {OFFLINE}, whose weights a package brings"


@dataclass(frozen=True)
class Backbone:
    """A network of ImageNet's 1,000 classes, and how its pictures were normalized.

    ``mean`` and ``std`` are one number for red, green and blue each.
    """

    model: nn.Module
    mean: tuple[float, ...]
    std: tuple[float, ...]


def make_network(
    name: str,
    num_classes: int,
    *,
    size: int = 224,
    scale: float = 30.0,
    pretrained: bool = True,
    frozen_statistics: bool = True,
) -> tuple[Backbone, CosineClassifier]:
    """Make a network for new classes, in ``train`` mode, and prove that it takes the pictures.

    Args:
        name: See :func:`find_backbone`.
        num_classes: Logits of the new head.
        size: Pixels a side of the pictures.
        scale: What the cosines of the head are multiplied by.
        pretrained: Whether it has the weights from ImageNet.
        frozen_statistics: Whether batch normalization keeps its mean and variance; its scale and
            shift are learned all the same.

    Returns:
        The network, and the head that is a part of it.

    Raises:
        ValueError: If the name is unknown, or the network is not one from pictures of this size to
            logits, in one linear layer at its end.
        glassbox.data.downloads.DownloadError: If its weights cannot be had.
    """
    found = find_backbone(name, pretrained=pretrained)
    head = replace_last_linear(found.model, name, num_classes, scale)
    found.model.train()
    for module in found.model.modules():
        if isinstance(module, _BatchNorm) and frozen_statistics:
            module.eval()
    _try(found.model, name, size, num_classes)
    return found, head


def find_backbone(name: str, *, pretrained: bool = True) -> Backbone:
    """Make a network with the head that it was made with.

    Args:
        name: ``"efficientnet_lite0"``, which needs no network connection; a classifier of
            torchvision, as ``"resnet18"``; or one of timm, as ``"convnext_tiny"``, with ``timm/``
            before it where torchvision has that name, too.
        pretrained: Whether with weights from ImageNet; else with random ones.
    """
    if name == OFFLINE:
        model = imagenet_network() if pretrained else _from_timm("tf_efficientnet_lite0", False)
        return Backbone(model, _HALF, _HALF)
    from torchvision import models

    known = models.list_models(module=models)
    if name in known:
        weights = models.get_model_weights(name).DEFAULT
        view = weights.transforms()
        with explained_weights(name, _INSTEAD):
            model = models.get_model(name, weights=weights if pretrained else None)
        return Backbone(model, tuple(view.mean), tuple(view.std))
    installed_package("timm")
    import timm

    plain = name.removeprefix("timm/")
    if not timm.is_model(plain):
        near = difflib.get_close_matches(name, [OFFLINE, *known, *timm.list_models()], n=3)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"backbone is {name!r}, expected a name of torchvision or timm{hint}")
    with explained_weights(name, _INSTEAD):
        model = _from_timm(plain, pretrained)
    settings = model.pretrained_cfg
    return Backbone(model, tuple(settings["mean"]), tuple(settings["std"]))


def _from_timm(name: str, pretrained: bool) -> nn.Module:
    installed_package("timm")
    from timm import create_model

    return create_model(name, pretrained=pretrained)


def replace_last_linear(
    model: nn.Module, name: str, num_classes: int, scale: float
) -> CosineClassifier:
    """Put a cosine classifier in the place of the last linear layer, and return it."""
    layers = [(place, one) for place, one in model.named_modules() if isinstance(one, nn.Linear)]
    if not layers:
        raise ValueError(f"backbone is {name!r}, without a linear layer, expected one at its end")
    place, old = layers[-1]
    head = CosineClassifier(old.in_features, num_classes, scale)
    model.set_submodule(place, head)
    return head


def _try(model: nn.Module, name: str, size: int, num_classes: int) -> None:
    """Send two black pictures through: what does not fit fails now, and says so."""
    buffers = {place: one.clone() for place, one in model.named_buffers()}
    try:
        with torch.no_grad():
            logits = model(torch.zeros(2, 3, size, size))
    except Exception as error:  # networks say in many ways that a size is not theirs
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"size is {size}, expected one that {name} takes: {text}") from error
    for place, one in model.named_buffers():
        one.copy_(buffers[place])
    shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if shape != (2, num_classes):
        raise ValueError(
            f"backbone is {name!r}, which gives {shape} for two pictures, expected logits "
            f"{(2, num_classes)}: its last linear layer is not what makes them; take another"
        )
