"""The variational autoencoder: sampled codes, and a loss that bounds the likelihood."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_all_finite,
    check_at_least,
    check_choice,
    check_finite,
    check_floating_point,
    check_overflow,
    check_same_shape,
    check_shapes,
    has_values,
)
from glassbox.training.evaluation import predict

# What turns the decoder's output into pixels.
_PIXELS: dict[str, Callable[[Tensor], Tensor]] = {
    "bernoulli": torch.sigmoid,
    "gaussian": torch.sigmoid,
    "tanh": torch.tanh,
}


class VAEOutput(NamedTuple):
    """What a VAE makes of images.

    Args:
        decoded: ``(B, 1, size, size)``, before the sigmoid or tanh that makes pixels of it.
        mean: Means of the codes, ``(B, latent)``.
        logvar: Logarithms of their variances, ``(B, latent)``.
    """

    decoded: Tensor
    mean: Tensor
    logvar: Tensor


class VAE(nn.Module):
    """A variational autoencoder of linear layers, with a Gaussian posterior.

    With the defaults it has 784-400-(20 and 20) units in the encoder, 20-400-784 in the decoder
    and 652,824 parameters.

    The likelihood says what the decoder's output means. ``"bernoulli"``: logits of pixels that
    are on or off, scored by cross-entropy. ``"gaussian"``: a sigmoid makes means of it for pixels
    from 0 to 1, scored by the squared error. ``"tanh"``: a tanh does, for pixels from -1 to 1.

    Args:
        size: Side of the square gray images in pixels, at least 1.
        hidden: Units of the hidden layers, at least 1.
        latent: Numbers in a code, at least 1.
        likelihood: ``"bernoulli"``, ``"gaussian"`` or ``"tanh"``.

    Raises:
        ValueError: If a number is below 1 or the likelihood is unknown.

    Reference:
        Kingma and Welling (2013), "Auto-Encoding Variational Bayes",
        https://arxiv.org/abs/1312.6114.
    """

    def __init__(
        self, size: int = 28, hidden: int = 400, latent: int = 20, likelihood: str = "bernoulli"
    ) -> None:
        size, hidden, latent = as_sizes(size=size, hidden=hidden, latent=latent)
        check_choice(_PIXELS, likelihood=likelihood)
        super().__init__()
        size = int(size)  # of NumPy's uint8, the square would overflow
        self.latent, self.likelihood = latent, likelihood
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(size * size, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, latent)
        self.logvar = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.ReLU(),
            nn.Linear(hidden, size * size),
            nn.Unflatten(1, (1, size, size)),
        )

    def forward(self, images: Tensor, generator: torch.Generator | None = None) -> VAEOutput:
        """Encode images ``(B, 1, size, size)``, draw a code for each and decode it."""
        mean, logvar = self.encode(images)
        latents = reparameterize(mean, logvar, generator)
        return VAEOutput(self.decoder(latents), mean, logvar)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute means and log-variances of the codes, each ``(B, latent)``."""
        hidden = self.encoder(images)
        return self.mean(hidden), self.logvar(hidden)

    def decode(self, latents: Tensor) -> Tensor:
        """Compute the mean images ``(B, 1, size, size)`` of codes ``(B, latent)``."""
        return _PIXELS[self.likelihood](self.decoder(latents))

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Decode ``count`` codes of the prior, at least 1, to ``(count, 1, size, size)`` images."""
        size = *as_sizes(count=count), self.latent
        latents = torch.randn(size, generator=generator, dtype=torch.float32, device="cpu")
        return self.decode(latents.to(self.mean.weight))


def reparameterize(
    mean: Tensor, logvar: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    r"""Draw :math:`z = \mu + \sigma \epsilon` with :math:`\epsilon \sim N(0, 1)`.

    The randomness is in :math:`\epsilon` alone, so gradients pass to the mean and the variance.

    Raises:
        TypeError: If the mean or the log-variance is not floating point.
        ValueError: If the shapes differ, or a code is not finite.
    """
    check_same_shape(mean=mean, logvar=logvar)
    check_floating_point(mean=mean, logvar=logvar)
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device="cpu")
    latents = mean + (logvar / 2).exp() * noise.to(mean.device)
    check_overflow(latents, mean=mean, logvar=logvar)
    return latents


def kl_to_standard_normal(mean: Tensor, logvar: Tensor) -> Tensor:
    r"""Compute the KL divergence from the posterior to the standard normal, ``(B,)`` in nats.

    It is :math:`\frac{1}{2} \sum_j (\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2)`, at least 0.
    Half types are computed with in float32.

    Raises:
        ValueError: If the shapes differ, or the divergence is not finite: a log-variance of 89 is
            too large for float32.
    """
    check_same_shape(mean=mean, logvar=logvar)
    exact = torch.promote_types(mean.dtype, torch.float32)
    mean, logvar = mean.to(exact), logvar.to(exact)
    # expm1 keeps the digits of exp(logvar) - 1 - logvar where logvar is small.
    divergence = (mean.square() + logvar.expm1() - logvar).flatten(1).sum(1) / 2
    check_overflow(divergence, mean=mean, logvar=logvar)
    return divergence


def reconstruction_loss(decoded: Tensor, images: Tensor, likelihood: str) -> Tensor:
    """Compute the negative log-likelihood of each image, ``(B,)``, up to a constant.

    The squared error is that of a Gaussian of variance 1/2. An error that is twice as large
    because pixels run from -1 to 1 weighs four times as much.

    Args:
        decoded: The decoder's output, ``(B, ...)``.
        images: Pixels, the same shape; from 0 to 1, with ``"tanh"`` from -1 to 1.
        likelihood: ``"bernoulli"``, ``"gaussian"`` or ``"tanh"``, as in :class:`VAE`.

    Half types are computed with in float32.

    Raises:
        ValueError: If shapes differ, pixels are out of range, the likelihood is unknown, or a loss
            is not finite.
    """
    check_choice(_PIXELS, likelihood=likelihood)
    check_same_shape(images=images, decoded=decoded)
    _check_range(images, -1 if likelihood == "tanh" else 0, likelihood)
    exact = torch.promote_types(decoded.dtype, torch.float32)
    decoded, images = decoded.to(exact), images.to(exact)
    if likelihood == "bernoulli":
        losses = F.binary_cross_entropy_with_logits(decoded, images, reduction="none")
    else:
        losses = (_PIXELS[likelihood](decoded) - images).square()
    losses = losses.flatten(1).sum(1)
    check_overflow(losses, decoded=decoded)
    return losses


class NegativeELBO(NamedTuple):
    """The loss of a VAE and its two parts, each a scalar: the mean over the batch, in nats.

    ``loss`` is ``reconstruction + beta * kl``.
    """

    loss: Tensor
    reconstruction: Tensor
    kl: Tensor


def negative_elbo(
    output: VAEOutput,
    images: Tensor,
    likelihood: str = "bernoulli",
    *,
    beta: float = 1.0,
    scaling: str = "sum",
) -> NegativeELBO:
    """Compute the negative evidence lower bound, which training minimizes.

    Args:
        output: What the model made of the images.
        images: ``(B, 1, size, size)``.
        likelihood: As in :class:`VAE`.
        beta: Weight of the KL term, at least 0; only with 1 the loss is a bound.
        scaling: ``"sum"`` adds the reconstruction up over pixels, as the bound does. ``"mean"``
            averages it, a common mistake: the KL term then weighs as many times more as there are
            pixels, and the codes collapse.

    Raises:
        ValueError: If ``beta`` is negative or ``scaling`` unknown, the loss is not finite, or as
            :func:`reconstruction_loss` does.

    Reference:
        Higgins et al. (2017), "beta-VAE: Learning Basic Visual Concepts with a Constrained
        Variational Framework", https://openreview.net/forum?id=Sy2fzU9gl.
    """
    if not isinstance(output, VAEOutput):
        raise TypeError(f"output is a {type(output).__name__}, expected a VAEOutput")
    check_at_least(0, beta=beta)
    check_finite(beta=beta)
    check_choice(("sum", "mean"), scaling=scaling)
    reconstruction = reconstruction_loss(output.decoded, images, likelihood).mean()
    if scaling == "mean":
        reconstruction = reconstruction / images[0].numel()
    kl = kl_to_standard_normal(output.mean, output.logvar).mean()
    loss = reconstruction + float(beta) * kl
    check_overflow(
        loss, reconstruction=reconstruction, kl=kl, beta=torch.tensor(float(beta), device="cpu")
    )
    return NegativeELBO(loss, reconstruction, kl)


def posterior_means(model: VAE, images: Tensor) -> Tensor:
    """Compute the posterior means ``(N, latent)`` of images, at least one, without gradients.

    Raises:
        TypeError: If ``model`` is no VAE, or the images are not floating point.
        ValueError: If the images are not ``(N, 1, size, size)``, or not finite.
    """
    images = _checked_images(model, images)
    return predict(nn.Sequential(model.encoder, model.mean), images)


def active_units(model: VAE, images: Tensor, threshold: float = 0.01) -> int:
    """Count the code units whose posterior mean depends on the image; 0 after a collapse.

    Args:
        model: A VAE.
        images: ``(N, 1, size, size)``, at least two.
        threshold: A unit is active where the variance of its posterior mean over the images is
            above this.

    Raises:
        ValueError: If there are fewer than two images, a posterior mean is not finite or
            ``threshold`` is below 0.

    Reference:
        Burda, Grosse and Salakhutdinov (2016), "Importance Weighted Autoencoders",
        https://arxiv.org/abs/1509.00519.
    """
    images = _checked_images(model, images)
    check_at_least(2, **{"the number of images": len(images)})
    check_at_least(0, threshold=threshold)
    check_finite(threshold=threshold)
    means = posterior_means(model, images)
    check_all_finite(**{"the posterior means": means})
    return int((means.var(0) > float(threshold)).sum())


def _checked_images(model: VAE, images: Tensor) -> Tensor:
    if not isinstance(model, VAE):
        raise TypeError(f"model is a {type(model).__name__}, expected a VAE")
    images = as_tensor(images=images)
    side = math.isqrt(model.encoder[1].in_features)
    check_shapes(images=(images, f"N 1 {side} {side}"))
    check_floating_point(images=images)
    check_all_finite(images=images)
    return images


def _check_range(images: Tensor, lowest: int, likelihood: str) -> None:
    if not has_values(images) or images.numel() == 0:
        return
    low, high = images.aminmax()
    if not (low >= lowest and high <= 1):  # nor nan
        raise ValueError(
            f"images is between {low:.3g} and {high:.3g}, expected {lowest} to 1 for {likelihood}"
        )
