"""Autoencoders: networks that compress an image to a few numbers and reconstruct it."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    as_whole,
    check_all_finite,
    check_choice,
    check_not_empty,
    check_overflow,
    check_same_shape,
    check_shapes,
    reject_tensor,
)
from glassbox.training.evaluation import predict

_FINAL = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "none": nn.Identity}


class MLPAutoencoder(nn.Module):
    """An autoencoder of linear layers with ReLU between; the decoder mirrors the encoder.

    With the defaults the encoder has 784-128-64-12-3 units, and the whole 219,891 parameters.
    ``encoder`` maps images to codes, ``decoder`` maps codes to images.

    Args:
        size: Side of the square gray images in pixels, at least 1.
        widths: Units of the encoder's hidden layers.
        latent: Numbers in a code, at least 1.
        final: What ends the decoder: ``"tanh"`` for pixels from -1 to 1, ``"sigmoid"`` for pixels
            from 0 to 1, or ``"none"``.

    Raises:
        ValueError: If a number of units is below 1, or ``final`` is unknown.
    """

    def __init__(
        self,
        size: int = 28,
        widths: tuple[int, ...] = (128, 64, 12),
        latent: int = 3,
        final: str = "tanh",
    ) -> None:
        size, latent = as_sizes(size=size, latent=latent)
        if not isinstance(widths, Sequence) or isinstance(widths, str):
            raise TypeError(f"widths is {widths!r}, expected a tuple of numbers of units")
        widths = [as_sizes(widths=width)[0] for width in widths]
        check_choice(_FINAL, final=final)
        super().__init__()
        units = (size * size, *widths, latent)
        self.encoder = nn.Sequential(nn.Flatten(), *_linear_layers(units))
        self.decoder = nn.Sequential(
            *_linear_layers(units[::-1]), _FINAL[final](), nn.Unflatten(1, (1, size, size))
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(B, 1, size, size)`` to their reconstructions of the same shape."""
        return self.decoder(self.encoder(images))


class LinearAutoencoder(MLPAutoencoder):
    """An autoencoder without any nonlinearity, which can do no better than PCA.

    Reference:
        Baldi and Hornik (1989), "Neural networks and principal component analysis",
        https://doi.org/10.1016/0893-6080(89)90014-2.
    """

    def __init__(self, size: int = 28, latent: int = 3) -> None:
        super().__init__(size, widths=(), latent=latent, final="none")


class ConvAutoencoder(nn.Module):
    """An autoencoder of strided and transposed convolutions, for pixels from -1 to 1.

    An image of 28 x 28 pixels becomes 16 x 10 x 10, 16 x 5 x 5, 8 x 3 x 3 and the code of
    8 x 2 x 2; then 16 x 5 x 5, 8 x 15 x 15 and 1 x 28 x 28 again: 5,729 parameters, whatever the
    size. ``encoder`` maps images to codes, ``decoder`` maps codes to images.

    Args:
        size: Side of the square gray images in pixels: 16, 28, 40 and so on. The layers give only
            these sizes back.

    Raises:
        ValueError: If ``size`` is none of these.
    """

    def __init__(self, size: int = 28) -> None:
        (size,) = as_sizes(size=size)
        if size < 16 or size % 12 != 4:
            raise ValueError(f"size is {size}, expected 16, 28, 40 or another 12 more")
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, stride=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 8, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, stride=1),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(8, 16, kernel_size=3, stride=2),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 8, kernel_size=5, stride=3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 1, kernel_size=2, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(B, 1, size, size)`` to their reconstructions of the same shape."""
        return self.decoder(self.encoder(images))


def summed_squared_error(reconstructions: Tensor, images: Tensor) -> Tensor:
    """Sum the squared errors of each image, and average over the batch.

    As ``loss_fn`` of :func:`glassbox.training.loop.fit`, with batches of images and the same images
    again in place of labels, it trains an autoencoder.

    Half types are computed with in float32.

    Raises:
        ValueError: If the shapes differ, or the sum is not finite, as an entry is not or is too
            large.
    """
    check_same_shape(images=images, reconstructions=reconstructions)
    check_not_empty(images=images)
    exact = torch.promote_types(reconstructions.dtype, torch.float32)
    error = (reconstructions.to(exact) - images.to(exact)).square().sum() / len(images)
    check_overflow(error, images=images, reconstructions=reconstructions)
    return error


def reconstruction_error(model: nn.Module, images: Tensor) -> float:
    """Compute the mean squared error per pixel, in ``eval`` mode and without gradients.

    Args:
        model: Maps images to reconstructions of the same shape.
        images: ``(N, C, H, W)``, at least one.

    Returns:
        The mean over all pixels of all images. Images from -1 to 1 give four times what the same
        images from 0 to 1 give.

    Raises:
        ValueError: If there are no images, the reconstructions have another shape, or a pixel of
            either is not finite or too large.
    """
    images = as_tensor(images=images)
    check_shapes(images=(images, "N C H W"))
    check_not_empty(images=images.flatten())
    reconstructions = predict(model, images)
    check_same_shape(images=images, reconstructions=reconstructions)
    check_all_finite(images=images, reconstructions=reconstructions)
    errors = reconstructions.cpu().double() - images.cpu().double()
    error = errors.square().mean()
    check_overflow(error, images=images, reconstructions=reconstructions)
    return error.item()


def pca_error(images: Tensor, latent: int) -> float:
    r"""Compute the smallest mean squared error per pixel that a linear code can reach.

    With the singular values :math:`s_1 \ge s_2 \ge \dots` of the centered images it is
    :math:`\sum_{i > k} s_i^2` divided by the number of all pixels.

    Args:
        images: ``(N, ...)``, at least one, also an array: the images that the components are fitted
            to.
        latent: Numbers in a code, k, from 0, where every image becomes the mean image.

    Raises:
        ValueError: If there are no images, a pixel is not finite or too large, or ``latent`` is
            negative.

    Reference:
        Eckart and Young (1936), "The approximation of one matrix by another of lower rank",
        https://doi.org/10.1007/BF02288367.
    """
    images = as_tensor(images=images)
    if images.ndim < 2:
        reject_tensor("images", images, "(N, ...)")
    check_not_empty(images=images.flatten())
    check_all_finite(images=images)
    (latent,) = as_whole(0, latent=latent)
    pixels = images.flatten(1).cpu().double()
    error = torch.linalg.svdvals(pixels - pixels.mean(0))[latent:].square().sum() / pixels.numel()
    check_overflow(error, images=images)
    return error.item()


def _linear_layers(units: tuple[int, ...]) -> list[nn.Module]:
    """Linear layers with ReLU between them, and none after the last."""
    layers: list[nn.Module] = []
    for before, after in pairwise(units):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return layers[:-1]
