"""Small networks for all seeds at once, and two tasks: digits classified and compressed."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.data.datasets import load
from glassbox.data.pixels import to_float
from glassbox.data.splits import stratified_split
from glassbox.optim.sweeps import Task
from glassbox.support.arguments import as_whole, check_not_empty, check_types
from glassbox.support.seeds import isolated_seed

_Activation = Callable[[Tensor], Tensor]
_PARTS = (1000, 397, 400)  # training, validation and test images of the digits


class _StackedMLP(nn.Module):
    """Multilayer perceptrons of one shape, one for each seed, side by side in shared tensors.

    Args:
        widths: Inputs of each layer, then the outputs of the last one.
        activations: What follows each layer, ``len(widths) - 1`` functions.
        seeds: Network ``r`` has the weights that ``nn.Linear`` draws after ``seeds[r]``.

    Raises:
        ValueError: If the lengths of ``widths`` and ``activations`` do not fit.
    """

    def __init__(
        self, widths: Sequence[int], activations: Sequence[_Activation], seeds: Sequence[int]
    ) -> None:
        if len(activations) != len(widths) - 1:
            raise ValueError(
                f"activations has {len(activations)} entries, expected {len(widths) - 1}, one for "
                f"each layer between the widths {tuple(widths)}"
            )
        super().__init__()
        drawn = [_draw_layers(widths, seed) for seed in seeds]
        layers = list(zip(*drawn, strict=True))
        self.weights = nn.ParameterList(torch.stack([one.weight.T for one in at]) for at in layers)
        self.biases = nn.ParameterList(torch.stack([one.bias[None] for one in at]) for at in layers)
        self.activations = tuple(activations)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs ``(R, B, widths[0])`` to outputs ``(R, B, widths[-1])``."""
        for weight, bias, activation in zip(
            self.weights, self.biases, self.activations, strict=True
        ):
            inputs = activation(torch.baddbmm(bias, inputs.to(bias), weight))
        return inputs


def _draw_layers(widths: Sequence[int], seed: int) -> list[nn.Linear]:
    with isolated_seed(seed), torch.no_grad():
        return [nn.Linear(*pair) for pair in pairwise(widths)]


def classify_digits(seeds: Sequence[int]) -> Task:
    """Make the task of classifying digits with one hidden layer; scored by accuracy in percent."""
    seeds = _checked_seeds(seeds)
    images, labels = _digits(seeds)
    mean, std = images[0].mean(), images[0].std()
    return Task(
        "digits told apart",
        tuple(seeds),
        tuple((part - mean) / std for part in images),
        labels,
        lambda seeds: _StackedMLP((64, 64, 10), (torch.relu, nn.Identity()), seeds),
        lambda logits, labels: F.cross_entropy(logits.mT, labels, reduction="none").mean(dim=1),
        lambda logits, labels: 100 * (logits.argmax(dim=-1) == labels).float().mean(dim=1),
        max,
    )


def compress_digits(seeds: Sequence[int]) -> Task:
    """Make the task of compressing digits to three numbers with an autoencoder."""
    seeds = _checked_seeds(seeds)
    images, _ = _digits(seeds)
    images = tuple(2 * part - 1 for part in images)
    scale = (images[0] - images[0].mean(dim=1, keepdim=True)).square().mean()
    relu, linear = torch.relu, nn.Identity()

    def error(outputs: Tensor, images: Tensor) -> Tensor:
        return (outputs - images).square().mean(dim=(1, 2))

    return Task(
        "digits through three numbers",
        tuple(seeds),
        images,
        images,
        lambda seeds: _StackedMLP(
            (64, 48, 24, 12, 3, 12, 24, 48, 64),
            (relu, relu, relu, linear, relu, relu, relu, torch.tanh),
            seeds,
        ),
        error,
        lambda outputs, images: 100 * error(outputs, images).nan_to_num(nan=4.0) / scale,
        min,
    )


def _checked_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    check_types(Iterable, seeds=seeds)
    found = tuple(seed.item() if isinstance(seed, Tensor) else seed for seed in seeds)
    check_not_empty(seeds=found)
    return tuple(as_whole(0, seeds=seed)[0] for seed in found)


def _digits(seeds: Sequence[int]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Split the digits once for each seed; pixels from 0 to 1, ``(R, N, 64)``."""
    digits = load("digits")
    pixels = to_float(digits.images).flatten(1)
    splits = [stratified_split(digits.labels, _PARTS, seed=seed) for seed in seeds]
    parts = list(map(torch.stack, zip(*splits, strict=True)))
    return tuple(pixels[part] for part in parts), tuple(digits.labels[part] for part in parts)
