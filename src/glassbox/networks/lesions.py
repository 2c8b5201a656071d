"""Blocks taken out of a trained network for a while, and what is left of its accuracy."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.autograd.hooks import layers_named
from glassbox.training.evaluation import evaluate


class _Bypass(nn.Module):
    """What is left of a block when its main path is cut: the shortcut, and the ReLU behind it.

    Args:
        block: A residual or plain block; its ``downsample`` is the shortcut, or None.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.downsample = block.downsample

    def forward(self, x: Tensor) -> Tensor:
        """Pass the input on, in the shape of the block's output."""
        return F.relu(x if self.downsample is None else self.downsample(x))


@contextmanager
def removed(model: nn.Module, blocks: Iterable[str]) -> Iterator[None]:
    """Take blocks out of a network until the ``with`` block ends.

    Only their shortcuts remain. In a plain network, whose shortcuts are otherwise not used, the
    removed block's input goes to the next block in the same way.

    Args:
        model: A network with blocks, such as
            :class:`~glassbox.networks.residual.ResidualNetwork` or one of torchvision's ResNets.
        blocks: Their names, as in ``model.named_modules()``; none leaves the network whole.

    Yields:
        Nothing.

    Raises:
        TypeError: If ``blocks`` is a single string.
        ValueError: If one is no layer of the model, or no block.

    Reference:
        Veit, Wilber and Belongie (2016), "Residual Networks Behave Like Ensembles of Relatively
        Shallow Networks", https://arxiv.org/abs/1605.06431.
    """
    found = layers_named(model, blocks)
    for name, block in found.items():
        if not name or not hasattr(block, "downsample"):
            raise ValueError(f"blocks has {name!r}, expected names of blocks with a shortcut")
    parents = {name: model.get_submodule(name.rpartition(".")[0]) for name in found}
    try:
        for name, block in found.items():
            setattr(parents[name], name.rpartition(".")[2], _Bypass(block))
        yield
    finally:
        for name, block in found.items():
            setattr(parents[name], name.rpartition(".")[2], block)


def lesion_accuracy(
    model: nn.Module, images: Tensor, labels: Tensor, lesions: Iterable[Sequence[str]]
) -> list[float]:
    """Measure a network without some of its blocks, again and again.

    Args:
        model: A network with blocks, as for :func:`removed`.
        images: ``(N, C, H, W)``.
        labels: ``(N,)``.
        lesions: The blocks to remove, for one measurement each.

    Returns:
        Accuracies from 0 to 1, in the order of ``lesions``.

    Raises:
        TypeError: If a lesion is a single string.
        ValueError: If a name is no block of the model, or the images and labels do not fit.
    """
    accuracies = []
    for blocks in lesions:
        with removed(model, blocks):
            accuracies.append(float(evaluate(model, images, labels).accuracy))
    return accuracies
