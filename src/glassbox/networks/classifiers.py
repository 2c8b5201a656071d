"""The networks of the book, each written as the text describes it."""

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn

from glassbox.support.arguments import as_sizes, check_at_least, check_modules, check_multiple


class LeNet5(nn.Module):
    """LeNet-5 as it is usually written today: two convolutions, two poolings, three linear layers.

    With one channel and ten classes it has 61,706 parameters. The original of 1998 has exactly
    60,000: it connects only some of the maps, pools with trainable weights and ends in a layer of
    radial basis functions.

    ``features`` holds the layers up to the second pooling, ``classifier`` the rest; the layers are
    named, as in ``model.features.conv1``.

    Args:
        in_channels: Channels of the images, 1 for gray and 3 for color.
        num_classes: Number of logits.
        size: Side of the square images in pixels, at least 16.

    Raises:
        ValueError: If ``size`` is too small for two convolutions and two poolings, or another
            number is below 1.

    Reference:
        LeCun, Bottou, Bengio and Haffner (1998), "Gradient-Based Learning Applied to Document
        Recognition", https://doi.org/10.1109/5.726791.
    """

    def __init__(self, in_channels: int = 1, num_classes: int = 10, *, size: int = 32) -> None:
        check_at_least(16, size=size)
        in_channels, num_classes, size = as_sizes(
            in_channels=in_channels, num_classes=num_classes, size=size
        )
        super().__init__()
        side = ((size - 4) // 2 - 4) // 2
        self.features = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(in_channels, 6, kernel_size=5),  # (B, 6, size - 4, size - 4)
                relu1=nn.ReLU(),
                pool1=nn.MaxPool2d(2),
                conv2=nn.Conv2d(6, 16, kernel_size=5),
                relu2=nn.ReLU(),
                pool2=nn.MaxPool2d(2),  # (B, 16, side, side)
            )
        )
        self.classifier = nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),
                linear1=nn.Linear(16 * side * side, 120),
                relu3=nn.ReLU(),
                linear2=nn.Linear(120, 84),
                relu4=nn.ReLU(),
                linear3=nn.Linear(84, num_classes),
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(B, C, size, size)`` to logits ``(B, num_classes)``."""
        return self.classifier(self.features(images))


class ThreeBlockCNN(nn.Module):
    """Three blocks of convolution, ReLU and pooling, then two linear layers.

    The blocks are in ``features``, the linear layers in ``classifier``.

    With three channels, ten classes and images of 32 x 32 pixels the blocks have 32, 64 and 128
    channels and the first linear layer takes 2,048 numbers: 1,147,466 parameters in all.

    Args:
        in_channels: Channels of the images.
        num_classes: Number of logits.
        size: Side of the square images in pixels, a multiple of 8.
        width: Channels of the first block; the others have twice and four times as many.
        hidden: Units of the linear layer between the blocks and the logits.
        batch_norm: Whether a batch normalization follows each convolution.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If ``size`` cannot be halved three times, or another number is below 1.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 10,
        *,
        size: int = 32,
        width: int = 32,
        hidden: int = 512,
        batch_norm: bool = False,
    ) -> None:
        check_multiple(8, size=size)
        in_channels, num_classes, size, width, hidden = as_sizes(
            in_channels=in_channels, num_classes=num_classes, size=size, width=width, hidden=hidden
        )
        super().__init__()
        channels = [in_channels, width, 2 * width, 4 * width]
        self.features = nn.Sequential(
            *(_block(before, after, batch_norm) for before, after in pairwise(channels))
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels[-1] * (size // 8) ** 2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(B, C, size, size)`` to logits ``(B, num_classes)``."""
        return self.classifier(self.features(images))


def _block(in_channels: int, out_channels: int, batch_norm: bool) -> nn.Sequential:
    norm = [nn.BatchNorm2d(out_channels)] if batch_norm else []
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=not batch_norm)
    return nn.Sequential(conv, *norm, nn.ReLU(), nn.MaxPool2d(2))


def count_parameters(model: nn.Module) -> int:
    """Count the numbers in all parameters that require a gradient."""
    check_modules(model=model)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
