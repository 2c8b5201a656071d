"""Is a network as sure as it is right? Reliability and calibration error."""

from typing import NamedTuple

from torch import Tensor

from glassbox.support.arguments import check_at_least_one, check_not_empty, check_shapes


class Reliability(NamedTuple):
    """Answers gathered by how sure they were; bins without an answer are left out.

    ``confidence`` and ``accuracy`` hold the mean of each bin, from 0 to 1, and ``count`` its
    number of answers, all of shape ``(bins,)``.
    """

    confidence: Tensor
    accuracy: Tensor
    count: Tensor


def reliability(confidences: Tensor, right: Tensor, bins: int = 10) -> Reliability:
    """Gather answers into bins of equal width and compare how sure they were with how right.

    Args:
        confidences: Probability of each given answer, ``(N,)``, from 0 to 1.
        right: Whether the answer was right, bool ``(N,)``.
        bins: Number of bins between 0 and 1, at least 1.

    Returns:
        Mean confidence, fraction of right answers and count of each bin that holds an answer.

    Raises:
        ValueError: If shapes differ, there is no answer, a confidence is not a probability, or
            ``bins`` is below 1.

    Reference:
        Guo, Pleiss, Sun and Weinberger (2017), "On Calibration of Modern Neural Networks",
        https://arxiv.org/abs/1706.04599.
    """
    check_shapes(confidences=(confidences, "N"), right=(right, "N"))
    check_not_empty(confidences=confidences)
    if not ((confidences >= 0) & (confidences <= 1)).all():
        low, high = confidences.aminmax()
        raise ValueError(f"confidences is between {low:g} and {high:g}, expected 0 to 1")
    check_at_least_one(bins=bins)
    index = (confidences * bins).long().clamp(max=bins - 1)
    count = index.bincount(minlength=bins)
    filled = count > 0

    def mean(values: Tensor) -> Tensor:
        return index.bincount(values.double(), minlength=bins)[filled] / count[filled]

    return Reliability(mean(confidences), mean(right), count[filled])


def calibration_error(confidences: Tensor, right: Tensor, bins: int = 10) -> float:
    r"""Average the gap between how sure and how right, weighted by the answers of each bin.

    Computes :math:`\sum_b \frac{n_b}{N} |\mathrm{acc}_b - \mathrm{conf}_b|`, known as the
    expected calibration error.

    Args:
        confidences: Probability of each given answer, ``(N,)``, from 0 to 1.
        right: Whether the answer was right, bool ``(N,)``.
        bins: Number of bins of equal width between 0 and 1.

    Returns:
        The error, from 0 to 1.

    Raises:
        ValueError: As :func:`reliability` does.

    Reference:
        Naeini, Cooper and Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using
        Bayesian Binning".
    """
    parts = reliability(confidences, right, bins)
    gaps = (parts.accuracy - parts.confidence).abs()
    return ((parts.count * gaps).sum() / len(right)).item()
