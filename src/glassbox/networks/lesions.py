"""The accuracy of a trained network while some of its blocks are removed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.autograd.layers import Layers, as_written, layers_named
from glassbox.support.arguments import check_finite
from glassbox.training.evaluation import checked_task, evaluate


class _Bypass(nn.Module):
    """The remainder of a block without its main path: the shortcut, and the ReLU after it."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.downsample = block.downsample

    def forward(self, x: Tensor) -> Tensor:
        """Pass the input on, in the shape of the block's output."""
        return F.relu(x if self.downsample is None else self.downsample(x))


@contextmanager
def removed(model: nn.Module, blocks: Layers) -> Iterator[None]:
    """Remove blocks from a network inside a ``with`` block.

    Only their shortcuts remain. In a plain network, whose shortcuts are otherwise not used, the
    removed block's input goes to the next block in the same way.

    Args:
        model: A network with blocks, such as
            :class:`~glassbox.networks.residual.ResidualNetwork` or one of torchvision's ResNets.
        blocks: Their names, as in ``model.named_modules()``, or the blocks themselves; none leaves
            the network whole.

    Raises:
        TypeError: If ``blocks`` is a single one.
        ValueError: If one is no layer of the model, or no residual block.

    Reference:
        Veit, Wilber and Belongie (2016), "Residual Networks Behave Like Ensembles of Relatively
        Shallow Networks", https://arxiv.org/abs/1605.06431.
    """
    found = _blocks_named(model, blocks)
    parents = {name: model.get_submodule(name.rpartition(".")[0]) for name in found}
    try:
        for name, block in found.items():
            setattr(parents[name], name.rpartition(".")[2], _Bypass(block))
        with as_written():
            yield
    finally:
        for name, block in found.items():
            setattr(parents[name], name.rpartition(".")[2], block)


def lesion_accuracy(
    model: nn.Module, images: Tensor, labels: Tensor, lesions: Iterable[Layers]
) -> list[float]:
    """Measure the accuracy, from 0 to 1, without some of the blocks, for each set of them.

    Args:
        model: A network with blocks, as for :func:`removed`, whose errors are raised here too.
        images: ``(N, C, H, W)``.
        labels: ``(N,)``.
        lesions: The blocks to remove, for one measurement each.

    Raises:
        ValueError: If the images are not finite or the labels no class indices, if a logit is not
            finite, or as :func:`removed` does.
    """
    images, labels = checked_task(images, labels)
    lesions = lesions if isinstance(lesions, Iterable) else [lesions]
    names = [list(_blocks_named(model, blocks, "lesions")) for blocks in lesions]
    accuracies = []
    for blocks in names:
        with removed(model, blocks):
            measured = evaluate(model, images, labels).accuracy
        check_finite(**{f"the accuracy without {blocks}": measured})
        accuracies.append(measured)
    return accuracies


def _blocks_named(
    model: nn.Module, blocks: Layers, argument: str = "blocks"
) -> dict[str, nn.Module]:
    found = layers_named(model, blocks, argument)
    for name, block in found.items():
        if not (name and hasattr(block, "downsample") and hasattr(block, "conv1")):
            raise ValueError(f"{argument} has {name!r}, expected names of blocks with a shortcut")
    return found
