"""Student's interval for the mean of a few values."""

import math
from typing import Any

from scipy.special import stdtrit


def half_width(std: Any, count: int, confidence: float = 0.95) -> Any:
    r"""Half the width of Student's interval for a mean, :math:`t_{n-1}\, s / \sqrt{n}`.

    Args:
        std: The sample standard deviation s of the values, a number or an array of them.
        count: The number n of values, at least 2.
        confidence: Between 0 and 1: the share of such intervals that hold the true mean.

    Returns:
        The half-width, in the unit and shape of ``std``.

    Raises:
        ValueError: If ``confidence`` is not between 0 and 1.

    Reference:
        Student (1908), "The Probable Error of a Mean", https://doi.org/10.2307/2331554.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, expected between 0 and 1")
    return stdtrit(count - 1, (1 + confidence) / 2) * std / math.sqrt(count)
