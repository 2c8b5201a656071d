"""Exercises of the chapter on autoencoders."""

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from glassbox.chapters.checking import Answer, Case, Exercise


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


def _threshold(errors: Tensor, rate: float) -> Tensor:
    """Interpolate between the sorted errors."""
    ordered = errors.sort().values
    place = (1 - rate) * (len(errors) - 1)
    lower = int(place)
    upper = min(lower + 1, len(errors) - 1)
    return ordered[lower].lerp(ordered[upper], place - lower)


check_threshold = Exercise(
    "threshold",
    reference=_threshold,
    cases=lambda: [
        (torch.tensor([0.04, 0.01, 0.03, 0.02, 0.05], dtype=torch.float64), 0.25),
        (torch.rand(101, dtype=torch.float64), 0.05),
        (torch.rand(21, dtype=torch.float64) ** 2, 0.5),
    ],
    drawn=lambda: (
        torch.rand(random.randint(10, 60), dtype=torch.float64),
        random.uniform(0.02, 0.4),
    ),
    mistakes={
        "This lets only a fraction of `rate` pass: it is to raise a false alarm for this fraction, "
        "so take the quantile of 1 - rate.": lambda errors, rate: errors.quantile(rate),
        "This is the largest error: it never raises a false alarm, and so misses more.": (
            lambda errors, rate: errors.max()
        ),
        "This is a part of the range: a quantile counts images, with torch.quantile.": (
            lambda errors, rate: errors.min() + (1 - rate) * (errors.max() - errors.min())
        ),
        "The rate is a fraction, and here it is taken for a percentage: do not divide by 100.": (
            lambda errors, rate: errors.quantile(1 - rate / 100)
        ),
    },
)

_Players = tuple[nn.Module, torch.optim.Optimizer, Tensor, Tensor]


def _denoise(
    target: Callable[[Tensor, Tensor], Tensor] = lambda images, noise: images,
    given: Callable[[Tensor, Tensor], Tensor] = lambda images, noise: images + noise,
    *,
    divide: Callable[[Tensor], int] = len,
    clear: bool = True,
    move: bool = True,
) -> Answer:
    """Make a step that learns to turn what is ``given`` into a ``target``."""

    def step(model: nn.Module, optimizer: Any, images: Tensor, noise: Tensor) -> Tensor:
        if clear:
            optimizer.zero_grad()
        errors = model(given(images, noise)) - target(images, noise)
        loss = errors.square().sum() / divide(images)
        loss.backward()
        if move:
            optimizer.step()
        return loss

    return step


def _take_step(answer: Answer, model: nn.Module, images: Tensor, noise: Tensor) -> dict[str, Any]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)  # left over from the step before
    loss = answer(model, optimizer, images, noise)
    return {"the loss": loss, "the weight after the step": model[0].weight}


def _noisy(count: int, size: int) -> tuple[nn.Module, Tensor, Tensor]:
    model = nn.Sequential(nn.Linear(size, 2), nn.Linear(2, size))
    return model, torch.rand(count, size), 0.5 * torch.randn(count, size)


check_denoising_step = Exercise(
    "denoising_step",
    reference=_denoise(),
    observe=_take_step,
    cases=lambda: [
        Case(f"denoising_step with {count} images of {size} pixels", _noisy(count, size))
        for count, size in ((3, 4), (8, 6))
    ],
    drawn=lambda: _noisy(random.randint(2, 8), random.randint(3, 8)),
    changes=("model",),
    mistakes={
        "This learns to reproduce the noise: the target is the clean image.": (
            _denoise(lambda images, noise: images + noise)
        ),
        "The model never sees the noise: give it images + noise.": (
            _denoise(given=lambda images, noise: images)
        ),
        "The model sees the clean image and is to make noise of it: the other way around.": (
            _denoise(lambda images, noise: images + noise, lambda images, noise: images)
        ),
        "This learns the noise itself, which is to be taken off then: here the target is the clean "
        "image.": _denoise(lambda images, noise: noise),
        "This is the mean over all pixels: sum over the pixels, and average over the images.": (
            _denoise(divide=Tensor.numel)
        ),
        "This is the sum over all images: divide it by their number.": (
            _denoise(divide=lambda images: 1)
        ),
        "The gradients of the step before are still there: begin with optimizer.zero_grad().": (
            _denoise(clear=False)
        ),
        "Nothing has moved: optimizer.step() comes after loss.backward().": _denoise(move=False),
    },
)
