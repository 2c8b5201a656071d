"""Answers to the exercises on autoencoders."""

import numpy as np
import torch
import torch.nn.functional as F
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


def threshold_between(errors, rate):
    """Draw the empirical distribution as a line, and read it backwards."""
    ordered = np.sort(errors.numpy())
    return np.interp(1 - rate, np.linspace(0, 1, len(ordered)), ordered)


def denoising_step(model, optimizer, images, noise, *, target=None, average=False):
    optimizer.zero_grad()
    errors = model(images + noise) - (images if target is None else target)
    loss = errors.square().mean() if average else errors.square().sum() / len(images)
    loss.backward()
    optimizer.step()
    return loss


def denoising_step_by_mse(model, optimizer, images, noise):
    loss = F.mse_loss(model(images + noise), images, reduction="sum") / images.shape[0]
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def denoising_step_by_grad(model, optimizer, images, noise):
    parameters = list(model.parameters())
    loss = (images - model(noise + images)).pow(2).flatten(1).sum(1).mean()
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
    return loss.detach().numpy()


def denoising_step_without_clearing(model, optimizer, images, noise):
    loss = (model(images + noise) - images).square().sum(1).mean()
    loss.backward()
    optimizer.step()
    return loss


ANSWERS = {
    "threshold": {
        "right": [
            lambda errors, rate: errors.quantile(1 - rate),
            lambda errors, rate: np.percentile(errors.numpy(), 100 * (1 - rate)),
            threshold_between,
        ],
        "wrong": {
            "so take the quantile of 1 - rate": lambda errors, rate: errors.quantile(rate),
            "it never raises a false alarm": lambda errors, rate: max(errors),
            "This is a part of the range": lambda errors, rate: (
                errors.max() - rate * (errors.max() - errors.min())
            ),
        },
    },
    "denoising_step": {
        "right": [denoising_step, denoising_step_by_mse, denoising_step_by_grad],
        "wrong": {
            "the target is the clean image": lambda model, optimizer, images, noise: denoising_step(
                model, optimizer, images, noise, target=images + noise
            ),
            "The model never sees the noise": lambda model, optimizer, images, noise: (
                denoising_step(model, optimizer, images, 0 * noise)
            ),
            "This is the mean over all pixels": lambda *given: denoising_step(*given, average=True),
            "begin with optimizer.zero_grad()": denoising_step_without_clearing,
            "end the function with `return`": lambda *given: [denoising_step(*given)].clear(),
        },
    },
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
