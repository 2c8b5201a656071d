"""Checks for the exercises of the chapter on autoencoders."""

from collections.abc import Iterator

import torch
from torch import nn

from glassbox.chapters.checking import Candidate, Case, exercise


@exercise
def check_transposed_side(transposed_side: Candidate) -> Iterator[Case]:
    """Check ``transposed_side(side, kernel, stride, padding)``."""
    for side, kernel, stride, padding in ((2, 3, 1, 0), (5, 2, 2, 0), (5, 5, 3, 1), (15, 2, 2, 1)):
        layer = nn.ConvTranspose2d(1, 1, kernel, stride, padding)
        yield Case(
            f"transposed_side({side}, {kernel}, {stride}, {padding})",
            lambda shape=(side, kernel, stride, padding): transposed_side(*shape),
            layer(torch.zeros(1, 1, side, side)).shape[-1],
        )


@exercise
def check_pca_reconstruct(pca_reconstruct: Candidate) -> Iterator[Case]:
    """Check ``pca_reconstruct(train, images, latent)``."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    train, images = (
        torch.randn(count, 6, generator=generator, dtype=torch.float64) @ mixing + 3
        for count in (40, 7)
    )
    for latent in (0, 1, 3, 6):
        # An independent way: the eigenvectors of the covariance belong to its largest values.
        basis = torch.linalg.eigh(train.T.cov()).eigenvectors[:, 6 - latent :]
        yield Case(
            f"{latent} components",
            lambda latent=latent: pca_reconstruct(train, images, latent),
            (images - train.mean(0)) @ basis @ basis.T + train.mean(0),
        )
