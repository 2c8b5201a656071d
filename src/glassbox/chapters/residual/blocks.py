"""What each block of a trained network adds, its gradient, and what it costs to lose it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.autograd.hooks import capture, gradients
from glassbox.networks.lesions import lesion_accuracy
from glassbox.networks.residual import ResidualNetwork, block_names
from glassbox.training.evaluation import preserve_modes


class BlockMeasures(NamedTuple):
    """What is measured of one block of a network in ``eval`` mode.

    Args:
        without: The accuracy without it, 0 to 1.
        ratio: The length of F(x) over the length of x, over all images.
        gradient: The norm of the loss's gradient at its output.
    """

    without: float
    ratio: float
    gradient: float


def measure_blocks(
    model: ResidualNetwork, images: Tensor, labels: Tensor, *, batch: int = 500
) -> list[BlockMeasures]:
    """Measure every block of a residual network, which is left as it was.

    Args:
        model: From the first block to the last.
        images: ``(N, C, H, W)``, by which the accuracy is judged; lengths and gradients are those
            of the first ``batch``.
        labels: ``(N,)``.
        batch: How many images.
    """
    names = block_names(model)
    without = lesion_accuracy(model, images, labels, [[name] for name in names])
    with preserve_modes(model):
        model.eval()
        ratios = relative_lengths(model, images[:batch]).tolist()
        norms = gradient_norms(model, images[:batch], labels[:batch]).tolist()
    return [BlockMeasures(*values) for values in zip(without, ratios, norms, strict=True)]


@torch.no_grad()
def relative_lengths(model: ResidualNetwork, images: Tensor) -> Tensor:
    r"""Compute :math:`\|F(x)\| / \|x\|` of every block over all images together, ``(blocks,)``."""
    names = block_names(model)
    mains = [f"{name}.bn2" for name in names]
    with capture(model, ["relu", *names, *mains]) as calls:
        model(images)
    inputs = torch.stack([calls[name][0].norm() for name in ["relu", *names[:-1]]])
    return torch.stack([calls[name][0].norm() for name in mains]) / inputs


def gradient_norms(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Compute the norm of the mean loss's gradient at the output of every block, ``(blocks,)``.

    The gradients of the parameters are changed.
    """
    names = block_names(model)
    with gradients(model, names) as calls:
        F.cross_entropy(model(images), labels).backward()
    return torch.stack([calls[name][0].norm() for name in names])
