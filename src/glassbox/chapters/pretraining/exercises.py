"""Checks for the exercises of the page on pretraining."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.chapters.checking import Candidate, Case, exercise


@exercise()
def check_gray_kernels() -> Iterator[Case]:
    """Check ``gray_kernels(weight)``: a convolution of RGB made one of a single channel."""
    for channels, side in [(1, 1), (4, 3), (8, 11)]:
        weight, gray = torch.randn(channels, 3, side, side), torch.rand(2, 1, 16, 16)
        yield Case(
            f"a gray image through gray_kernels(weight), weight of shape {tuple(weight.shape)}",
            partial(_convolve, gray, weight),
            F.conv2d(gray.expand(-1, 3, -1, -1), weight),
        )


def _convolve(gray: Tensor, weight: Tensor, candidate: Candidate) -> Any:
    """Convolve with the kernels, or return what the candidate returned in place of them."""
    kernels = candidate(weight)
    return F.conv2d(gray, kernels) if isinstance(kernels, Tensor) else kernels


@exercise()
def check_load_body() -> Iterator[Case]:
    """Check ``load_body(model, saved)``: what fits is loaded, the names of the rest come back."""
    for prefix, classes in [("", 4), ("", 7), ("module.", 4), ("module.", 7)]:
        saved = {prefix + name: value + 1 for name, value in _network(classes).state_dict().items()}
        model = _network(4)
        left = [] if classes == 4 else ["fc.bias", "fc.weight"]
        text = f"of a head for {classes} classes" + (", names with 'module.'" if prefix else "")
        load = partial(_names_left, model, dict(saved))
        yield Case(f"load_body(model, saved) {text}", load, left)
        look = partial(_other_than, model, saved, prefix)
        yield Case(f"what was not loaded {text}", look, left)


def _network(classes: int) -> nn.Module:
    """Make a network whose names begin with letters of ``module``, which ``lstrip`` would eat."""
    network = nn.Sequential()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network.add_module("layer", nn.Conv2d(1, 2, 3))
        network.add_module("norm", nn.BatchNorm2d(2))
        network.add_module("fc", nn.Linear(2, classes))
    return network


def _names_left(model: nn.Module, saved: dict[str, Tensor], candidate: Candidate) -> Any:
    """Sort the names; of torch's long message about names and shapes two lines stay."""
    try:
        names = candidate(model, saved)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise RuntimeError(" ".join(lines[:2])) from error
    return names if names is None else sorted(names)


def _other_than(model: nn.Module, saved: dict[str, Tensor], prefix: str, _: Candidate) -> list[str]:
    """Name what does not equal what was saved."""
    held = model.state_dict().items()
    return sorted(name for name, value in held if not torch.equal(value, saved[prefix + name]))


@exercise()
def check_layer_rates() -> Iterator[Case]:
    """Check ``layer_rates(parts, lr, decay)``: groups whose rate falls towards the input."""
    for count, lr, decay in [(1, 0.1, 0.5), (3, 0.1, 0.5), (4, 1e-3, 0.1)]:
        parts = [nn.Linear(2, 2) for _ in range(count)]
        yield Case(
            f"rates of layer_rates({count} parts, {lr}, {decay})",
            partial(_rates, parts, lr, decay),
            torch.tensor([lr * decay ** (count - 1 - i // 2) for i in range(2 * count)]),
        )


def _rates(parts: list[nn.Module], lr: float, decay: float, candidate: Candidate) -> Tensor | None:
    """Return the rate at which an optimizer with these groups would train each parameter."""
    groups = candidate(parts, lr, decay)
    if groups is None:
        return None
    optimizer = torch.optim.SGD(groups, lr=0.0)
    found = {
        id(parameter): group["lr"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    parameters = (parameter for part in parts for parameter in part.parameters())
    return torch.tensor([found.get(id(parameter), 0.0) for parameter in parameters])
