"""ResNet-18 as a chain of named layers, with torchvision's names."""

from collections import OrderedDict

from torch import nn

from glassbox.networks.residual import BasicBlock
from glassbox.support.arguments import as_sizes


def resnet18(num_classes: int = 1000, *, in_channels: int = 3) -> nn.Sequential:
    """Build ResNet-18 for images of about 224 x 224 pixels, without weights of a training.

    Maps ``(B, in_channels, H, W)`` to logits ``(B, num_classes)``. A convolution of 7 x 7 and a
    pooling halve the maps twice; each of the last three stages halves them again and doubles their
    channels, 64 to 512. The names and shapes of the parameters are torchvision's, so that a state
    dict of either loads into the other: with 1,000 classes there are 11,689,512.

    Args:
        num_classes: Number of logits.
        in_channels: Channels of the images.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If a number is below 1.

    Reference:
        He, Zhang, Ren and Sun (2016), "Deep Residual Learning for Image Recognition", table 1,
        https://arxiv.org/abs/1512.03385.
    """
    num_classes, in_channels = as_sizes(num_classes=num_classes, in_channels=in_channels)
    layers = OrderedDict(
        conv1=nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False),
        bn1=nn.BatchNorm2d(64),
        relu=nn.ReLU(inplace=True),
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),
        layer1=_stage(64, 64, 1),
        layer2=_stage(64, 128, 2),
        layer3=_stage(128, 256, 2),
        layer4=_stage(256, 512, 2),
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        fc=nn.Linear(512, num_classes),
    )
    for layer in (module for part in layers.values() for module in part.modules()):
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(layers)


def _stage(before: int, after: int, stride: int) -> nn.Sequential:
    """Chain two blocks, of which the first may change the shape."""
    shortcut = None
    if stride != 1 or before != after:
        projection = nn.Conv2d(before, after, 1, stride, bias=False)
        shortcut = nn.Sequential(projection, nn.BatchNorm2d(after))
    return nn.Sequential(BasicBlock(before, after, stride, shortcut), BasicBlock(after, after))
