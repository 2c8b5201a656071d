"""Residual blocks with torchvision's parameter names, their plain twins, and networks of both.

Reference:
    He, Zhang, Ren and Sun (2016), "Deep Residual Learning for Image Recognition",
    https://arxiv.org/abs/1512.03385; the networks for small images are those of section 4.2.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.support.arguments import (
    as_sizes,
    check_callables,
    check_choice,
    check_modules,
)

_NormLayer = Callable[[int], nn.Module]


class _ResidualBlock(nn.Module):
    r"""What all residual blocks share: :math:`H(x) = \mathrm{ReLU}(F(x) + S(x))`.

    A subclass computes the main path F in :meth:`residual`. The shortcut S is the identity, or
    ``downsample`` where F changes the shape.
    """

    relu: nn.Module
    downsample: nn.Module | None

    def residual(self, x: Tensor) -> Tensor:
        """Map the input to what the block adds to it."""
        raise NotImplementedError

    def shortcut(self, x: Tensor) -> Tensor:
        """Pass the input on, in the shape of the output."""
        return x if self.downsample is None else self.downsample(x)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to ``(B, K, H / stride, W / stride)``."""
        out = self.residual(x)
        out += self.shortcut(x)
        return self.relu(out)


class BasicBlock(_ResidualBlock):
    """Two convolutions of 3 x 3, as in ResNet-18 and ResNet-34.

    The parameters have the names and shapes of torchvision's block, so that a state dict of either
    loads into the other.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output.
        stride: Of the first convolution.
        downsample: Gives the input the shape of the output, where that differs.
        norm_layer: Makes the layer after each convolution from a number of channels;
            ``nn.Identity`` for none.

    Raises:
        TypeError: If a number is no integer, or a layer is none.
        ValueError: If a number is below 1.
    """

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        norm_layer: _NormLayer = nn.BatchNorm2d,
    ) -> None:
        in_channels, channels, stride = as_sizes(
            in_channels=in_channels, channels=channels, stride=stride
        )
        _check_layers(downsample, norm_layer)
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = norm_layer(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = norm_layer(channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample  # last, so that parameters come in torchvision's order

    def residual(self, x: Tensor) -> Tensor:
        """Map the input to what the block adds to it."""
        out = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(out))


class PlainBlock(BasicBlock):
    """The twin of a :class:`BasicBlock` that adds nothing: the same layers and parameters.

    Its ``downsample`` is not used by :meth:`forward`; it says what the shortcut would have been.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to ``(B, K, H / stride, W / stride)``."""
        return self.relu(self.residual(x))


class Bottleneck(_ResidualBlock):
    """Convolutions of 1 x 1, 3 x 3 and 1 x 1, as in ResNet-50, with four times as many channels.

    The stride is in the 3 x 3 convolution, as torchvision has it ("V1.5"); the paper has it in the
    first one, with parameters of the same shapes.

    Args:
        in_channels: Channels of the input.
        channels: Channels inside; the output has four times as many.
        stride: Of the 3 x 3 convolution.
        downsample: Gives the input the shape of the output, where that differs.
        norm_layer: Makes the layer after each convolution from a number of channels.

    Raises:
        TypeError: If a number is no integer, or a layer is none.
        ValueError: If a number is below 1.
    """

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        norm_layer: _NormLayer = nn.BatchNorm2d,
    ) -> None:
        in_channels, channels, stride = as_sizes(
            in_channels=in_channels, channels=channels, stride=stride
        )
        _check_layers(downsample, norm_layer)
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = norm_layer(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = norm_layer(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = norm_layer(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def residual(self, x: Tensor) -> Tensor:
        """Map the input to what the block adds to it."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        return self.bn3(self.conv3(out))


def _check_layers(downsample: nn.Module | None, norm_layer: _NormLayer) -> None:
    if downsample is not None:
        check_modules(downsample=downsample)
    check_callables(norm_layer=norm_layer)


class _SubsampleAndPad(nn.Module):
    """A shortcut without parameters, the paper's option A: fewer pixels, new channels of zeros."""

    def __init__(self, new_channels: int, stride: int, place: str = "after") -> None:
        super().__init__()
        before = new_channels // 2 if place == "around" else 0
        self.stride, self.before, self.after = stride, before, new_channels - before

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W)`` to ``(B, C + before + after, H / stride, W / stride)``."""
        kept = x[..., :: self.stride, :: self.stride]
        return F.pad(kept, (0, 0, 0, 0, self.before, self.after))


class ResidualNetwork(nn.Module):
    """The networks of 6n + 2 layers for small images, residual or plain.

    A convolution, three stages of n blocks with ``width``, twice and four times as many channels,
    an average over each map, and a linear layer. The first blocks of the second and third stage
    halve the maps. Shortcuts have no parameters, so both kinds have equally many: with three
    colors, ten classes and a width of 16 the ResNet-20 has 269,722.

    Args:
        depth: Layers with weights: 8, 14, 20 and so on.
        plain: Whether the shortcuts are left out.
        in_channels: Channels of the images.
        num_classes: Number of logits.
        width: Channels of the first stage.
        norm_layer: Makes the layer after each convolution from a number of channels.
        zero_init: Whether each block begins by adding nothing, by :func:`zero_last_scales`.
        new_channels: Where a shortcut puts the new channels of zeros: ``"after"`` the old ones, as
            the authors' code does, or half of them on each side, ``"around"``. Weights do not say
            which: those of a network that was trained with the one load into the other without an
            error, and are then nearly worthless. Several published ones for CIFAR-10 want
            ``"around"``.

    Raises:
        ValueError: If ``depth`` is not 6n + 2, ``zero_init`` is asked of a plain network or
            ``new_channels`` is unknown.
    """

    def __init__(
        self,
        depth: int,
        *,
        plain: bool = False,
        in_channels: int = 3,
        num_classes: int = 10,
        width: int = 16,
        norm_layer: _NormLayer = nn.BatchNorm2d,
        zero_init: bool = False,
        new_channels: str = "after",
    ) -> None:
        (depth,) = as_sizes(depth=depth)
        if depth < 8 or depth % 6 != 2:
            raise ValueError(f"depth is {depth}, expected 6n + 2: 8, 14, 20 and so on")
        if plain and zero_init:
            raise ValueError("zero_init is True, expected False where plain is True")
        in_channels, num_classes, width = as_sizes(
            in_channels=in_channels, num_classes=num_classes, width=width
        )
        check_callables(norm_layer=norm_layer)
        check_choice(("after", "around"), new_channels=new_channels)
        super().__init__()
        block = PlainBlock if plain else BasicBlock
        count = (depth - 2) // 6
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = norm_layer(width)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = _stage(block, count, width, width, norm_layer)
        self.layer2 = _stage(block, count, width, 2 * width, norm_layer, new_channels)
        self.layer3 = _stage(block, count, 2 * width, 4 * width, norm_layer, new_channels)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4 * width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if zero_init:
            zero_last_scales(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(B, C, H, W)`` to logits ``(B, num_classes)``."""
        x = self.relu(self.bn1(self.conv1(images)))  # (B, width, H, W)
        x = self.layer3(self.layer2(self.layer1(x)))  # (B, 4 * width, H / 4, W / 4)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def _stage(
    block: type[BasicBlock],
    count: int,
    before: int,
    after: int,
    norm_layer: _NormLayer,
    new_channels: str = "after",
) -> nn.Sequential:
    changes = before != after
    shortcut = _SubsampleAndPad(after - before, 2, new_channels) if changes else None
    first = block(before, after, 2 if changes else 1, shortcut, norm_layer)
    others = (block(after, after, norm_layer=norm_layer) for _ in range(count - 1))
    return nn.Sequential(first, *others)


def block_names(model: nn.Module) -> list[str]:
    """List the names of a model's blocks, of this module or of torchvision's ResNets."""
    check_modules(model=model)
    return [
        name
        for name, module in model.named_modules()
        if hasattr(module, "downsample") and hasattr(module, "conv2")
    ]


def _last_layer(block: nn.Module) -> str:
    """Name the layer of a block whose output is F(x), before the shortcut is added."""
    return "bn3" if hasattr(block, "bn3") else "bn2"


@torch.no_grad()
def zero_last_scales(model: nn.Module) -> None:
    """Make every block start as the identity, by setting the last scale of its main path to 0.

    Where there is no normalization with a scale, the weights of the last convolution take its
    place.

    Reference:
        Goyal et al. (2017), "Accurate, Large Minibatch SGD", https://arxiv.org/abs/1706.02677.
    """
    for name in block_names(model):
        block = model.get_submodule(name)
        last = _last_layer(block)
        scale = getattr(getattr(block, last), "weight", None)
        if scale is None:
            scale = getattr(block, last.replace("bn", "conv")).weight
        scale.zero_()
