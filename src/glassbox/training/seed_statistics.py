"""Runs repeated over seeds: mean, Student's interval, and paired comparison."""

import math
import operator
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any, Self

from scipy.special import stdtrit

from glassbox.support.arguments import (
    as_whole,
    check_callables,
    check_finite,
    check_positive,
    check_range,
)
from glassbox.support.seeds import isolated_seed


def half_width(std: Any, count: int, confidence: float = 0.95) -> Any:
    r"""Half the width of Student's interval for a mean, :math:`t_{n-1}\, s / \sqrt{n}`.

    Of n values, at least 2, with the sample standard deviation s, a number or an array.

    Raises:
        ValueError: If there are fewer than two values, or ``confidence`` is not between 0 and 1.

    Reference:
        Student (1908), "The Probable Error of a Mean", https://doi.org/10.2307/2331554.
    """
    (count,) = as_whole(2, count=count)
    check_positive(confidence=confidence)
    check_range(0, 1, below=True, confidence=confidence)
    return stdtrit(count - 1, (1 + confidence) / 2) * std / math.sqrt(count)


@dataclass(frozen=True)
class SeedRuns:
    """One value for each seed.

    ``str(repeats)`` is the mean and the half-width of the 95% interval, as in ``98.3 ± 0.4``; a
    format is applied to both: ``f"{repeats:.1%}"`` is ``98.3% ± 0.4%``.

    Args:
        seeds: At least two seeds, all different.
        values: One finite value for each seed.

    Raises:
        ValueError: If there are fewer than two seeds, one stands twice, the lengths differ, or a
            value is not finite.
    """

    seeds: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_seeds(self.seeds)
        if not isinstance(self.values, Sized):
            raise TypeError(f"values is {self.values!r}, expected one for each seed")
        if len(self.values) != len(self.seeds):
            raise ValueError(f"values is {self.values}, expected one for each of {self.seeds}")
        for seed, value in zip(self.seeds, self.values, strict=True):
            check_finite(**{f"values at seed {seed}": value})

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return fmean(self.values)

    @property
    def std(self) -> float:
        """The sample standard deviation, with n - 1 in the denominator."""
        return stdev(self.values)

    def half_width(self, confidence: float = 0.95) -> float:
        """Compute half the width of Student's interval, in the unit of the values."""
        return float(half_width(self.std, len(self.values), confidence))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the ends of Student's interval for the mean, which covers it in ``confidence``."""
        half = self.half_width(confidence)
        return self.mean - half, self.mean + half

    def __rmul__(self, factor: float) -> Self:
        """Scale each value, as ``100 * runs`` turns fractions into percent to print."""
        check_finite(factor=factor)
        factor = float(factor)
        return replace(self, values=tuple(factor * value for value in self.values))

    def __str__(self) -> str:
        half = self.half_width()
        decimals = max(0, -math.floor(math.log10(half))) if half else 3
        return format(self, f".{decimals}f")

    def __format__(self, spec: str) -> str:
        return f"{self.mean:{spec}} ± {self.half_width():{spec}}" if spec else str(self)


@dataclass(frozen=True)
class PairedDifference(SeedRuns):
    """The difference of two repeats seed by seed, from :func:`paired_difference`."""

    @property
    def p_value(self) -> float:
        """The two-sided p-value of the paired t-test that the true mean is 0.

        Without any spread it is 1 for differences of 0 and 0 for others.
        """
        from scipy.special import stdtr

        if self.std == 0:
            return float(self.mean == 0)
        n = len(self.values)
        return 2 * float(stdtr(n - 1, -abs(self.mean) / (self.std / math.sqrt(n))))


def repeat(run: Callable[[int], float], seeds: Iterable[int]) -> SeedRuns:
    """Call a run once for each seed, each from its own seed; the global random state is restored.

    Raises:
        ValueError: If there are fewer than two seeds, one stands twice, or a value is not finite.
    """
    if not isinstance(seeds, Iterable):
        raise TypeError(f"seeds is {seeds!r}, expected integers")
    check_callables(run=run)
    seeds = tuple(map(_as_seed, seeds))
    _check_seeds(seeds)
    return SeedRuns(seeds, tuple(_value(run, seed) for seed in seeds))


def paired_difference(a: SeedRuns, b: SeedRuns) -> PairedDifference:
    """Compare runs with the same seeds, as ``a - b`` seed by seed.

    What a seed does to both, such as an easy split, cancels in the difference, so that the
    interval is often much smaller than those of ``a`` and ``b``.

    Raises:
        ValueError: If the seeds are not the same.
    """
    for name, runs in (("a", a), ("b", b)):
        if not isinstance(runs, SeedRuns):
            raise TypeError(f"{name} is a {type(runs).__name__}, expected SeedRuns")
    if set(a.seeds) != set(b.seeds):
        raise ValueError(f"b.seeds is {b.seeds}, expected those of a, {a.seeds}")
    other = dict(zip(b.seeds, b.values, strict=True))
    pairs = zip(a.seeds, a.values, strict=True)
    return PairedDifference(a.seeds, tuple(value - other[seed] for seed, value in pairs))


def _value(run: Callable[[int], float], seed: int) -> float:
    with isolated_seed(seed):
        value = run(seed)
    check_finite(**{f"run({seed})": value})
    return float(value)


def _as_seed(seed: Any) -> int:
    try:
        number = operator.index(seed)
    except TypeError:
        raise TypeError(f"seeds has {seed!r}, expected integers") from None
    check_range(0, 2**32, below=True, seeds=number)
    return number


def _check_seeds(seeds: tuple[int, ...]) -> None:
    if not isinstance(seeds, Sized) or any(seed != seed for seed in seeds):
        raise TypeError(f"seeds is {seeds!r}, expected integers")
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds is {seeds}, expected at least two, each only once")
