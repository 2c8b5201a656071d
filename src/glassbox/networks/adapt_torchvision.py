"""AlexNet and ResNet-18 of torchvision with a new head, also for images of 32 x 32."""

from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.data.downloads import explained_weights
from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_all_finite,
    check_choice,
    check_floating_point,
    check_modules,
    check_overflow,
    reject_tensor,
)

STEMS = ("center", "corner", "resized", "fresh")
# Names of the first convolution, of the pooling after it, and of the last layer.
_PLACES = MappingProxyType(
    {
        "alexnet": ("features.0", "features.2", "classifier.6"),
        "resnet18": ("conv1", "maxpool", "fc"),
    }
)


def create_model(
    name: str, *, pretrained: bool = False, num_classes: int = 10, small: str | None = None
) -> nn.Module:
    """Make AlexNet or ResNet-18 with a new head, in ``train`` mode.

    Args:
        name: ``"alexnet"`` or ``"resnet18"``.
        pretrained: Whether to begin with torchvision's weights from ImageNet, 233 and 45 megabytes,
            downloaded where they are missing; otherwise with random weights.
        num_classes: Logits of the new last layer, at least 1.
        small: For images of 32 x 32 pixels, where the 3 x 3 kernels of the new first convolution
            come from, see :func:`adapt_stem`; ``None`` leaves the first layers as they are.

    Raises:
        ValueError: If ``name`` or ``small`` is unknown, or ``num_classes`` is below 1.
        glassbox.data.downloads.DownloadError: If the weights are missing and cannot be had.

    Reference:
        Krizhevsky (2014), https://arxiv.org/abs/1404.5997; He et al. (2016),
        https://arxiv.org/abs/1512.03385.
    """
    check_choice(_PLACES, name=name)
    (num_classes,) = as_sizes(num_classes=num_classes)
    if small is not None:
        check_choice(STEMS, small=small)
    from torchvision.models import get_model

    with explained_weights(name):
        model = get_model(name, weights="IMAGENET1K_V1" if pretrained else None)
    replace_head(model, num_classes)
    if small is not None:
        adapt_stem(model, small)
    return model


def _head_of(model: nn.Module) -> nn.Linear:
    """Return the last linear layer of AlexNet or ResNet-18, which gives the logits."""
    place = _places(model)[2]
    return model.get_submodule(place)


def replace_head(model: nn.Module, num_classes: int) -> None:
    """Replace the last layer of AlexNet or ResNet-18.

    Raises:
        TypeError: If the model is another one.
        ValueError: If ``num_classes`` is below 1.
    """
    (num_classes,) = as_sizes(num_classes=num_classes)
    check_modules(model=model)
    old = _head_of(model)
    new = nn.Linear(old.in_features, num_classes, device=old.weight.device, dtype=old.weight.dtype)
    model.set_submodule(_places(model)[2], new)


@torch.no_grad()
def adapt_stem(model: nn.Module, kernels: str = "center") -> None:
    """Adapt the first layers of AlexNet or ResNet-18 to small images: 3 x 3, less pooling.

    The first convolution becomes one of 3 x 3 with stride 1; the first pooling of AlexNet becomes
    one of 2 x 2, and that of ResNet-18 is left out. So 32 x 32 pixels become maps of 16 x 16 and
    32 x 32 before the second convolution.

    Args:
        model: One of them; it is changed.
        kernels: Where the new kernels come from: ``"center"`` cuts out the middle of the old ones,
            ``"corner"`` their rows and columns 1 to 3, ``"resized"`` shrinks the whole, as an
            image is shrunk, and ``"fresh"`` draws new ones.

    Raises:
        TypeError: If the model is another one.
        ValueError: If ``kernels`` is unknown.
    """
    check_choice(STEMS, kernels=kernels)
    first, pooling, _ = _places(model)
    old = model.get_submodule(first)
    new = nn.Conv2d(old.in_channels, old.out_channels, 3, padding=1, bias=old.bias is not None).to(
        old.weight
    )
    if kernels != "fresh":
        new.weight.copy_(small_kernels(old.weight, kernels))
        if old.bias is not None:
            new.bias.copy_(old.bias)
    model.set_submodule(first, new)
    model.set_submodule(pooling, nn.MaxPool2d(2) if first.startswith("features") else nn.Identity())


def small_kernels(weight: Tensor, kind: str) -> Tensor:
    """Make kernels ``(K, C, 3, 3)`` from larger ones.

    Args:
        weight: ``(K, C, S, S)`` with an odd side ``S`` of at least 5.
        kind: ``"center"``, ``"corner"`` or ``"resized"``. What is shrunk is made stronger by the
            fraction of weights that it lost, and evened out by one number a kernel, so that a
            uniform image gives what it gave before.

    Raises:
        TypeError: If the kernels are not floating point.
        ValueError: If ``kind`` is unknown, or the kernels have another shape, are not finite or
            become so.
    """
    check_choice(STEMS[:3], kind=kind)
    weight = as_tensor(weight=weight)
    check_floating_point(weight=weight)
    side = weight.shape[-1] if weight.ndim else 0
    if weight.ndim != 4 or weight.shape[-2] != side or side < 5 or side % 2 == 0:
        reject_tensor("weight", weight, "(K, C, S, S) with an odd S of at least 5")
    check_all_finite(weight=weight)
    if kind == "resized":
        exact = weight.to(torch.promote_types(weight.dtype, torch.float32))
        shrunk = F.interpolate(exact, (3, 3), mode="bilinear", antialias=True) * side**2 / 9
        wanted_mean = exact.mean((2, 3), keepdim=True) * side**2 / 9  # keeps the kernel's sum
        # A shift, not a factor: edge detectors have sums close to 0.
        kernels = (shrunk + wanted_mean - shrunk.mean((2, 3), keepdim=True)).to(weight.dtype)
        check_overflow(kernels, weight=weight)
        return kernels
    start = side // 2 - 1 if kind == "center" else 1
    return weight[..., start : start + 3, start : start + 3].clone()


def _places(model: nn.Module) -> tuple[str, str, str]:
    from torchvision.models import AlexNet, ResNet

    check_modules(model=model)
    if isinstance(model, AlexNet):
        return _PLACES["alexnet"]
    if isinstance(model, ResNet):
        return _PLACES["resnet18"]
    raise TypeError(f"model is a {type(model).__name__}, expected AlexNet or a ResNet")
