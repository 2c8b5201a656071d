"""Solutions of the exercises on autoencoders, and mistakes."""

import torch


def pca(train, images, latent, center=None):
    mean = train.mean(0) if center is None else center
    basis = torch.linalg.svd(train - mean, full_matrices=False)[2][:latent]
    return (images - mean) @ basis.T @ basis + mean


SOLUTIONS = [
    ("transposed_side", lambda side, kernel, stride, pad: (side - 1) * stride + kernel - 2 * pad),
    ("pca_reconstruct", pca),
]
MISTAKES = [
    ("transposed_side", lambda side, kernel, stride, pad: side * stride, "(2, 3, 1, 0) gives 2"),
    ("transposed_side", lambda side, kernel, stride, pad: (side - 1) * stride + kernel, "(5, 5, 3"),
    ("pca_reconstruct", lambda train, images, latent: pca(images, images, latent), "0 components"),
    ("pca_reconstruct", lambda *args: pca(*args, center=0), "0 components gives"),
]
