"""Generators, which make images from noise, and discriminators, which tell them from real ones.

A number that does not fit raises a ``ValueError``.
"""

from torch import Tensor, nn

from glassbox.support.arguments import as_sizes, check_at_least, check_multiple


class MLPGenerator(nn.Module):
    """A generator of three linear layers, for pixels from -1 to 1.

    With the defaults it has 96-1024-1024-784 units and 1,952,528 parameters.

    Args:
        noise: Numbers that an image is made from, at least 1.
        hidden: Units of the hidden layers, at least 1.
        size: Side of the square gray images in pixels, at least 1.
    """

    def __init__(self, noise: int = 96, hidden: int = 1024, size: int = 28) -> None:
        noise, hidden, size = as_sizes(noise=noise, hidden=hidden, size=size)
        super().__init__()
        self.noise = noise
        self.layers = nn.Sequential(
            nn.Linear(noise, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, size * size),
            nn.Tanh(),
            nn.Unflatten(1, (1, size, size)),
        )

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(B, noise)`` to images ``(B, 1, size, size)``."""
        return self.layers(noise)


class MLPDiscriminator(nn.Module):
    """A discriminator of three linear layers with LeakyReLU of slope 0.2.

    With the defaults it has 784-256-256-1 units and 267,009 parameters.

    Args:
        size: Side of the square gray images in pixels, at least 1.
        hidden: Units of the hidden layers, at least 1.
    """

    def __init__(self, size: int = 28, hidden: int = 256) -> None:
        size, hidden = as_sizes(size=size, hidden=hidden)
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(size * size, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(B, 1, size, size)`` to logits ``(B, 1)``, high where they look real."""
        return self.layers(images)


class DCGANGenerator(nn.Module):
    """A generator that ends in two transposed convolutions, for pixels from -1 to 1.

    With the defaults it makes 128 maps of 7 x 7 from the noise, then 64 of 14 x 14, then the
    image of 28 x 28, and has 6,675,009 parameters.

    Args:
        noise: Numbers that an image is made from, at least 1.
        hidden: Units of the first linear layer, at least 1.
        channels: Maps before the first transposed convolution, a multiple of 2.
        size: Side of the square gray images in pixels, a multiple of 4.

    Reference:
        Radford, Metz and Chintala (2015), "Unsupervised Representation Learning with Deep
        Convolutional Generative Adversarial Networks", https://arxiv.org/abs/1511.06434.
    """

    def __init__(
        self, noise: int = 96, hidden: int = 1024, channels: int = 128, size: int = 28
    ) -> None:
        check_multiple(2, channels=channels)
        check_multiple(4, size=size)
        noise, hidden, channels, size = as_sizes(
            noise=noise, hidden=hidden, channels=channels, size=size
        )
        super().__init__()
        self.noise = noise
        side = size // 4
        self.layers = nn.Sequential(
            nn.Linear(noise, hidden),
            nn.ReLU(),
            nn.BatchNorm1d(hidden),
            nn.Linear(hidden, channels * side * side),
            nn.ReLU(),
            nn.BatchNorm1d(channels * side * side),
            nn.Unflatten(1, (channels, side, side)),
            nn.ConvTranspose2d(channels, channels // 2, kernel_size=4, stride=2, padding=1),
            nn.ReLU(),
            nn.BatchNorm2d(channels // 2),
            nn.ConvTranspose2d(channels // 2, 1, kernel_size=4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(B, noise)`` to images ``(B, 1, size, size)``."""
        return self.layers(noise)


class DCGANDiscriminator(nn.Module):
    """A discriminator of two convolutions with LeakyReLU of slope 0.01 and max pooling.

    With the defaults it has 32 maps of 12 x 12 and 64 of 4 x 4 after the poolings, then
    1024-1024-1 units, and 1,102,721 parameters.

    Args:
        size: Side of the square gray images in pixels, a multiple of 4 that is at least 16.
        channels: Maps of the first convolution, at least 1; the second has twice as many.
        hidden: Units of the linear layer before the logit, at least 1.
    """

    def __init__(self, size: int = 28, channels: int = 32, hidden: int = 1024) -> None:
        check_multiple(4, size=size)
        check_at_least(16, size=size)
        size, channels, hidden = as_sizes(size=size, channels=channels, hidden=hidden)
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, channels, kernel_size=5),
            nn.LeakyReLU(0.01),
            nn.MaxPool2d(2),
            nn.Conv2d(channels, 2 * channels, kernel_size=5),
            nn.LeakyReLU(0.01),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(2 * channels * (size // 4 - 3) ** 2, hidden),
            nn.LeakyReLU(0.01),
            nn.Linear(hidden, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(B, 1, size, size)`` to logits ``(B, 1)``, high where they look real."""
        return self.layers(images)
