"""Answers to the exercises on autoencoders."""

import torch
from sklearn.decomposition import PCA
from torch import nn


def transposed_side(side, kernel, stride, padding):
    return (side - 1) * stride + kernel - 2 * padding


def transposed_side_of_layer(side, kernel, stride, padding):
    layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding)
    return layer(torch.zeros(1, 1, side)).shape[-1]


def transposed_side_counted(side, kernel, stride, padding):
    written = {i * stride + j for i in range(side) for j in range(kernel)}
    return torch.tensor(max(written) + 1 - 2 * padding)


def pca(train, images, latent, center=None):
    mean = train.mean(0) if center is None else center
    basis = torch.linalg.svd(train - mean, full_matrices=False)[2][:latent]
    return (images - mean) @ basis.T @ basis + mean


def pca_by_sklearn(train, images, latent):
    fitted = PCA().fit(train.numpy())
    codes = fitted.transform(images.numpy())[:, :latent]
    return codes @ fitted.components_[:latent] + fitted.mean_


def pca_by_eigh(train, images, latent):
    mean = train.mean(0, keepdim=True)
    centered = (train - mean).float()
    _, vectors = torch.linalg.eigh(centered.mT @ centered)
    kept = vectors.flip(1)[:, :latent]
    return mean + (images - mean).float() @ kept @ kept.mT


ANSWERS = {
    "transposed_side": {
        "right": [transposed_side, transposed_side_of_layer, transposed_side_counted],
        "wrong": {
            "a kernel as wide as the stride": lambda side, kernel, stride, padding: side * stride,
            "cut off at both ends": (
                lambda side, kernel, stride, padding: stride * side - stride + kernel
            ),
            "ordinary convolution": (
                lambda side, kernel, stride, padding: 1 + (side - kernel + 2 * padding) // stride
            ),
        },
    },
    "pca_reconstruct": {
        "right": [pca, pca_by_sklearn, pca_by_eigh],
        "wrong": {
            "those of images": lambda train, images, latent: pca(images, images, latent),
            "subtract it before the SVD": lambda *given: pca(*given, center=0),
            "add it at the end": lambda train, *rest: pca(train, *rest) - train.mean(0),
        },
    },
}
