"""Integrated gradients: what each pixel adds to a logit on the way from a baseline to the image."""

from typing import Any

import torch
from torch import Tensor, nn

from glassbox.attribution.maps import as_filled
from glassbox.attribution.scores import as_classes, recording
from glassbox.support.arguments import (
    as_whole,
    check_all_finite,
    check_at_least,
    check_finite,
    check_modules,
    check_not_empty,
    check_overflow,
)
from glassbox.training.evaluation import as_input, preserve_modes


def integrated_gradients(
    model: nn.Module,
    images: Tensor,
    classes: Any = None,
    *,
    baseline: Any = 0.0,
    steps: int = 32,
    power: float = 1.0,
) -> Tensor:
    r"""Share the logit of a class among the pixels, against a baseline without content.

    For an image :math:`x`, a baseline :math:`b` and the logit :math:`y` of the class,

    .. math:: a_i = (x_i - b_i) \int_0^1 \frac{\partial y}{\partial x_i}
        \big(b + t\,(x - b)\big)\, dt,

    with the middle of each of ``steps`` parts of the way in place of the integral. Up to the error
    of that sum, the :math:`a_i` add up to :math:`y(x) - y(b)`: see whether they do. The model runs
    in ``eval`` mode and is left as it was, as by :class:`~glassbox.attribution.cam.GradCAM`.

    Args:
        model: Maps images ``(B, C, H, W)`` to logits ``(B, K)``.
        images: ``(B, C, H, W)``, floating point; taken in the type of the model.
        classes: A class index for each image ``(B,)``, or one for all; the predicted classes unless
            given.
        baseline: Where the way begins; broadcast to the images.
        steps: Number of parts, at least 1. Each takes a forward and a backward pass.
        power: At least 1. The parts are equal at 1, and begin at :math:`t = (k / n)^p` for another
            power p: 3 puts more of them near the baseline, where a network that normalizes changes
            fastest.

    Returns:
        ``(B, C, H, W)``, in ``float32`` or wider. Their sum over the channels is a map.

    Raises:
        RuntimeError: If no gradient of the logits arrives at the images.
        TypeError: If ``model`` is no module, or the images are not floating point.
        ValueError: If shapes do not fit, ``steps`` is below 1, or something is not finite, be it
            the result.

    Reference:
        Sundararajan, Taly and Yan (2017), "Axiomatic Attribution for Deep Networks",
        https://arxiv.org/abs/1703.01365.
    """
    check_modules(model=model)
    images, start = as_filled(images, baseline=baseline)
    check_not_empty(images=images)
    (steps,) = as_whole(1, steps=steps)
    check_at_least(1, power=power)
    check_finite(power=power)
    power = float(power)
    with preserve_modes(model), recording():
        model.eval()
        images, start = (as_input(one.detach(), model) for one in (images, start))
        asked = as_classes(model(images.clone()).detach(), classes)
        total = torch.zeros_like(images, dtype=torch.promote_types(images.dtype, torch.float32))
        for step in range(steps):
            even = (step + 0.5) / steps
            point = start + even**power * (images - start)
            total += power * even ** (power - 1) * _slopes(model, point, asked)
    shares = (images - start) * total / steps
    check_overflow(shares, images=images)
    return shares


def _slopes(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Differentiate the logit of one class for each image by its pixels."""
    images.requires_grad_()
    logits = model(images.clone())  # a copy, since a first layer may work in place
    slopes = None
    if logits.requires_grad:
        chosen = logits.gather(1, classes[:, None]).sum()
        (slopes,) = torch.autograd.grad(chosen, images, allow_unused=True)
    if slopes is None:
        raise RuntimeError(
            "no gradient of the logits arrived at the images, expected a model without no_grad or "
            "detach on the way"
        )
    check_all_finite(**{"the gradients of model": slopes})
    return slopes
