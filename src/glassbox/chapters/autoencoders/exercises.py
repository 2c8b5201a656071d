"""Checks for the exercises of the chapter on autoencoders."""

from collections.abc import Iterator

import torch
from torch import nn

from glassbox.chapters.checking import Case, exercise


@exercise()
def check_transposed_side() -> Iterator[Case]:
    """Check ``transposed_side(side, kernel, stride, padding)`` against the layer itself."""
    for given in ((2, 3, 1, 0), (5, 2, 2, 0), (5, 5, 3, 1), (15, 2, 2, 1)):
        side, *settings = given
        output = nn.ConvTranspose2d(1, 1, *settings)(torch.zeros(1, 1, side, side))
        yield Case(f"transposed_side{given}", given, output.shape[-1])


@exercise()
def check_pca_reconstruct() -> Iterator[Case]:
    """Check ``pca_reconstruct(train, images, latent)``."""
    mixing = torch.randn(6, 6, dtype=torch.float64)
    train, images = (torch.randn(count, 6, dtype=torch.float64) @ mixing + 3 for count in (40, 7))
    for latent in (0, 1, 3, 6):
        # An independent way: the eigenvectors of the covariance with the largest eigenvalues.
        basis = torch.linalg.eigh(train.T.cov()).eigenvectors[:, 6 - latent :]
        expected = (images - train.mean(0)) @ basis @ basis.T + train.mean(0)
        yield Case(f"{latent} components", (train, images, latent), expected)
