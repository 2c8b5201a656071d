"""Reliability and calibration error: how well confidence matches accuracy."""

from typing import NamedTuple

import torch
from torch import Tensor

from glassbox.support.arguments import (
    as_sizes,
    as_tensor,
    check_not_empty,
    check_shapes,
    reject_tensor,
)


class Reliability(NamedTuple):
    """Predictions binned by their confidence; empty bins are left out.

    ``confidence`` and ``accuracy`` hold the mean of each bin, from 0 to 1, and ``count`` its
    number of predictions, all of shape ``(bins,)`` and on the CPU.
    """

    confidence: Tensor
    accuracy: Tensor
    count: Tensor


def reliability(confidences: Tensor, right: Tensor, bins: int = 10) -> Reliability:
    """Compare confidence with accuracy in bins of equal width; empty bins are left out.

    Args:
        confidences: Probability of each predicted class, ``(N,)``, from 0 to 1.
        right: Whether the prediction was correct, bool ``(N,)``. Both may be arrays or lists.
        bins: Number of bins between 0 and 1, at least 1.

    Raises:
        ValueError: If shapes differ, there is no prediction, a confidence is not a probability,
            ``right`` is not bool, or ``bins`` is below 1.

    Reference:
        Guo, Pleiss, Sun and Weinberger (2017), "On Calibration of Modern Neural Networks",
        https://arxiv.org/abs/1706.04599.
    """
    confidences, right = as_tensor(confidences=confidences), as_tensor(right=right)
    check_shapes(confidences=(confidences, "N"), right=(right, "N"))
    check_not_empty(confidences=confidences)
    if right.dtype != torch.bool:
        reject_tensor("right", right, "bool: whether each prediction was correct")
    confidences, right = confidences.cpu(), right.cpu()  # some devices have no float64
    if not ((confidences >= 0) & (confidences <= 1)).all():
        low, high = confidences.aminmax()
        raise ValueError(f"confidences is between {low:g} and {high:g}, expected 0 to 1")
    (bins,) = as_sizes(bins=bins)
    exact = confidences.to(torch.promote_types(confidences.dtype, torch.float32))
    index = (exact * bins).long().clamp(max=bins - 1)
    count = index.bincount(minlength=bins)
    filled = count > 0

    def mean(values: Tensor) -> Tensor:
        return index.bincount(values.double(), minlength=bins)[filled] / count[filled]

    return Reliability(mean(confidences), mean(right), count[filled])


def calibration_error(confidences: Tensor, right: Tensor, bins: int = 10) -> float:
    r"""Compute the expected calibration error from the bins of :func:`reliability`.

    Computes :math:`\sum_b \frac{n_b}{N} |\mathrm{acc}_b - \mathrm{conf}_b|`. Arguments and
    errors are those of :func:`reliability`.

    Reference:
        Naeini, Cooper and Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using
        Bayesian Binning".
    """
    parts = reliability(confidences, right, bins)
    gaps = (parts.accuracy - parts.confidence).abs()
    return ((parts.count * gaps).sum() / len(right)).item()
