"""A table of torchvision's classifiers, read from torchvision's own metadata."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from glassbox.support.arguments import check_choice
from glassbox.support.tables import Table

# The year of each family's paper on arXiv, or of the conference where there is none.
_FAMILIES = MappingProxyType(
    {
        "alexnet": ("AlexNet", 2012),
        "vgg": ("VGG", 2014),
        "googlenet": ("Inception", 2014),
        "inception": ("Inception", 2015),
        "resnet": ("ResNet", 2015),
        "squeezenet": ("SqueezeNet", 2016),
        "densenet": ("DenseNet", 2016),
        "wide_resnet": ("ResNet", 2016),
        "resnext": ("ResNet", 2016),
        "mobilenet_v2": ("MobileNet", 2018),
        "shufflenet": ("ShuffleNet", 2018),
        "mnasnet": ("MNASNet", 2018),
        "mobilenet_v3": ("MobileNet", 2019),
        "efficientnet_b": ("EfficientNet", 2019),
        "regnet": ("RegNet", 2020),
        "vit": ("ViT", 2020),
        "swin_v2": ("Swin", 2021),
        "swin": ("Swin", 2021),
        "efficientnet_v2": ("EfficientNet", 2021),
        "convnext": ("ConvNeXt", 2022),
        "maxvit": ("MaxViT", 2022),
    }
)

COSTS = MappingProxyType(
    {"gflops": "GFLOPs an image", "parameters": "parameters", "megabytes": "megabytes of the file"}
)


@dataclass(frozen=True)
class Entry:
    """One set of weights from ImageNet, as torchvision describes it.

    Args:
        name: The architecture, such as ``"resnet18"``.
        weights: Which of its weights, such as ``"IMAGENET1K_V1"``.
        family: Such as ``"ResNet"``.
        year: When the architecture was published.
        parameters: Number of parameters.
        gflops: Multiply-adds for one image, in billions.
        top1: Top-1 accuracy on 50,000 validation images, in percent.
        top5: Top-5 accuracy on the same images, in percent.
        megabytes: Size of the file.
        side: Pixels a side of the images that it was measured with.
        trained_on: ``"ImageNet"``, or ``"SWAG, ImageNet"`` for weights that had seen 3.6 billion
            other photographs and their hashtags before, https://arxiv.org/abs/2201.08371.
    """

    name: str
    weights: str
    family: str
    year: int
    parameters: int
    gflops: float
    top1: float
    top5: float
    megabytes: float
    side: int
    trained_on: str


def zoo_entries() -> tuple[Entry, ...]:
    """List torchvision's classifiers with an ImageNet accuracy, by year, name and weights.

    Nothing is downloaded.

    Raises:
        LookupError: If torchvision has a family that this table does not know.
    """
    from torchvision import models

    entries = [
        _entry(name, weights)
        for name in models.list_models(module=models)
        for weights in models.get_model_weights(name)
        # VGG16 has weights without a classifier, whose accuracies are nan.
        if not math.isnan(weights.meta["_metrics"].get("ImageNet-1K", {}).get("acc@1", math.nan))
    ]
    return tuple(sorted(entries, key=lambda one: (one.year, one.name, one.weights)))


def built_parameters(name: str) -> int:
    """Count the parameters of an architecture with 1,000 classes, without allocating them.

    Raises:
        ValueError: If torchvision has no classifier of this name.
    """
    from torchvision import models

    if name not in models.list_models(module=models):
        raise ValueError(f"name is {name!r}, expected a classifier of torchvision, as 'resnet18'")
    # GoogLeNet and Inception warn of a change of their initialization, which nothing needs here.
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with _WithoutMemory():
        model = models.get_model(name, weights=None, **options)
    return sum(parameter.numel() for parameter in model.parameters())


def zoo_table(entries: Iterable[Entry]) -> Table:
    """Lay entries of :func:`zoo_entries` out as a table."""
    head = (
        *("model", "year", "trained on", "pixels", "million parameters", "GFLOPs"),
        *("top-1 %", "top-5 %", "MB"),
    )
    if not isinstance(entries, Iterable):
        raise TypeError(f"entries is {entries!r}, expected several of zoo_entries()")
    entries = tuple(entries)
    if strangers := [one for one in entries if not isinstance(one, Entry)]:
        raise TypeError(f"entries has {strangers[0]!r}, expected those of zoo_entries()")
    rows = [
        (
            one.name + ("" if one.weights == "IMAGENET1K_V1" else f" ({one.weights[11:]})"),
            str(one.year),
            one.trained_on,
            str(one.side),
            f"{one.parameters / 1e6:.1f}",
            f"{one.gflops:.2f}",
            f"{one.top1:.1f}",
            f"{one.top5:.1f}",
            f"{one.megabytes:.0f}",
        )
        for one in entries
    ]
    return Table(head, tuple(rows))


def frontier(entries: Iterable[Entry], cost: str = "gflops") -> tuple[Entry, ...]:
    """Keep the entries that no other one beats at the same or a lower cost, cheapest first.

    Of several that cost the same, or are as accurate as each other, the best or cheapest stays.
    """
    check_choice(COSTS, cost=cost)
    best: list[Entry] = []
    for one in sorted(entries, key=lambda one: (getattr(one, cost), -one.top1)):
        if not best or one.top1 > best[-1].top1:
            best.append(one)
    return tuple(best)


class _WithoutMemory(TorchFunctionMode):
    """Make weights on the ``meta`` device, but not the numbers that RegNet computes widths from."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty and kwargs.get("device") is None:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def _entry(name: str, weights: object) -> Entry:
    meta = weights.meta
    family, year = _family(name)
    scores = meta["_metrics"]["ImageNet-1K"]
    return Entry(
        name,
        weights.name,
        family,
        year,
        meta["num_params"],
        meta["_ops"],
        scores["acc@1"],
        scores["acc@5"],
        meta["_file_size"],
        weights.transforms().crop_size[0],
        "SWAG, ImageNet" if "SWAG" in weights.name else "ImageNet",
    )


def _family(name: str) -> tuple[str, int]:
    """Find the family by the longest beginning of the name that is known."""
    known = [start for start in _FAMILIES if name.startswith(start)]
    if not known:
        raise LookupError(f"name is {name!r}, expected one that begins with {', '.join(_FAMILIES)}")
    return _FAMILIES[max(known, key=len)]
