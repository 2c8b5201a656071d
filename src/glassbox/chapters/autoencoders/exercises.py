"""Exercises of the chapter on autoencoders."""

import random

import torch
from torch import Tensor, nn

from glassbox.chapters.checking import Case, Exercise


def _layer_side(side: int, kernel: int, stride: int, padding: int) -> int:
    layer = nn.ConvTranspose2d(1, 1, kernel, stride, padding)
    return layer(torch.zeros(1, 1, side, side)).shape[-1]


check_transposed_side = Exercise(
    "transposed_side",
    reference=_layer_side,
    cases=[(2, 3, 1, 0), (5, 2, 2, 0), (5, 5, 3, 1), (15, 2, 2, 1)],
    drawn=lambda: (*map(random.randint, (3, 3, 1, 0), (12, 6, 4, 1)),),
    mistakes={
        "side * stride is right only for a kernel as wide as the stride: the last window begins at "
        "(side - 1) * stride.": lambda side, kernel, stride, padding: side * stride,
        "This ignores the padding: it is cut off at both ends.": (
            lambda side, kernel, stride, padding: (side - 1) * stride + kernel
        ),
        "This cuts the padding off once: it is cut off at both ends.": (
            lambda side, kernel, stride, padding: (side - 1) * stride + kernel - padding
        ),
        "This is the side behind an ordinary convolution: solve it for the side before.": (
            lambda side, kernel, stride, padding: (side + 2 * padding - kernel) // stride + 1
        ),
        "The first input writes kernel numbers and each further one adds stride: there are side - 1"
        " of those.": lambda side, kernel, stride, padding: side * stride + kernel - 2 * padding,
    },
)


def _by_eigenvectors(train: Tensor, images: Tensor, latent: int) -> Tensor:
    """Project on the eigenvectors of the covariance with the largest eigenvalues."""
    basis = torch.linalg.eigh(train.T.cov()).eigenvectors[:, train.shape[1] - latent :]
    return (images - train.mean(0)) @ basis @ basis.T + train.mean(0)


def _components(train: Tensor) -> Tensor:
    return torch.linalg.svd(train, full_matrices=False)[2]


def _projected(images: Tensor, components: Tensor, mean: Tensor) -> Tensor:
    return (images - mean) @ components.T @ components + mean


def _data() -> tuple[Tensor, Tensor]:
    mixing = torch.randn(6, 6, dtype=torch.float64)
    return tuple(torch.randn(count, 6, dtype=torch.float64) @ mixing + 3 for count in (40, 7))


check_pca_reconstruct = Exercise(
    "pca_reconstruct",
    reference=_by_eigenvectors,
    cases=lambda: [
        Case(f"pca_reconstruct with {latent} components", (*_data(), latent))
        for latent in (0, 1, 3, 6)
    ],
    drawn=lambda: (*_data(), random.randint(1, 5)),
    mistakes={
        "The components are those of images: fit them, and the mean, to train.": (
            lambda train, images, latent: _by_eigenvectors(images, images, latent)
        ),
        "The components belong to data without their mean: subtract it before the SVD.": (
            lambda train, images, latent: _projected(
                images, _components(train)[:latent], torch.zeros(1, dtype=train.dtype)
            )
        ),
        "The mean that was subtracted is missing in the result: add it at the end.": (
            lambda train, images, latent: _by_eigenvectors(train, images, latent) - train.mean(0)
        ),
        "These are columns of the third result of the SVD: its rows are the components.": (
            lambda train, images, latent: _projected(
                images, _components(train - train.mean(0))[:, :latent].T, train.mean(0)
            )
        ),
        "These are the components that vary least: the SVD has the largest first, eigh has them "
        "last.": lambda train, images, latent: _projected(
            images, _components(train - train.mean(0)).flip(0)[:latent], train.mean(0)
        ),
    },
)
