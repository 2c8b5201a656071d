import math
import random

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from refusals import refuses
from scipy import stats

from glassbox.training import SeedRuns, paired_difference, repeat
from glassbox.training.seed_statistics import half_width

numbers = st.floats(-1e6, 1e6)
samples = st.lists(numbers, min_size=2, max_size=30)
confidences = st.floats(0.01, 0.999)


def repeats(values):
    return SeedRuns(tuple(range(len(values))), tuple(values))


@given(samples, confidences)
def test_mean_and_interval_are_those_of_scipy(values, confidence):
    assume(np.std(values) > 1e-6)
    result = repeats(values)
    expected = stats.t.interval(
        confidence, len(values) - 1, loc=np.mean(values), scale=stats.sem(values)
    )
    assert result.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)
    assert result.std == pytest.approx(np.std(values, ddof=1), rel=1e-9)
    assert result.interval(confidence) == pytest.approx(expected, rel=1e-7, abs=1e-7)


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=30))
def test_the_paired_comparison_is_that_of_scipy(pairs):
    values, other = (list(column) for column in zip(*pairs, strict=True))
    differences = np.subtract(values, other)
    assume(np.std(differences) > 1e-3)
    result = paired_difference(repeats(values), repeats(other))
    expected = stats.ttest_rel(values, other)
    assert result.mean == pytest.approx(differences.mean(), abs=1e-6)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    assert result.interval(0.9) == pytest.approx(expected.confidence_interval(0.9), abs=1e-6)


def test_pairs_are_made_by_seed_and_not_by_position():
    a = SeedRuns((1, 2, 3), (10.0, 20.0, 30.0))
    b = SeedRuns((3, 1, 2), (29.0, 9.0, 18.0))
    assert paired_difference(a, b).values == (1.0, 2.0, 1.0)
    assert paired_difference(a, b).seeds == (1, 2, 3)


@pytest.mark.parametrize(("shift", "p_value"), [(0.0, 1.0), (1.0, 0.0)])
def test_differences_without_spread_have_a_p_value(shift, p_value):
    a, b = repeats([1.0 + shift, 2.0 + shift]), repeats([1.0, 2.0])
    assert paired_difference(a, b).p_value == p_value


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((98.0, 98.3, 98.6), "98.3 ± 0.7"),
        ((0.98, 0.983, 0.986), "0.983 ± 0.007"),
        ((100.0, 400.0), "250 ± 1906"),
        ((2.0, 2.0), "2.000 ± 0.000"),
    ],
)
def test_the_text_has_as_many_digits_as_the_interval_allows(values, text):
    assert str(repeats(values)) == text
    assert f"{repeats(values)}" == text


def test_a_format_is_applied_to_mean_and_half_width():
    assert f"{repeats([0.98, 0.983, 0.986]):.1%}" == "98.3% ± 0.7%"


def test_each_run_starts_from_its_seed_and_leaves_the_states_alone():
    def run(seed):
        seen.append(seed)
        return random.random() + np.random.rand() + torch.rand(1).item()

    seen = []
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first = repeat(run, [4, 2, 9])
    assert torch.equal(torch.rand(1), expected)
    assert seen == [4, 2, 9] and first.seeds == (4, 2, 9)
    assert repeat(run, iter([9, 4])).values == (first.values[2], first.values[0])
    assert len(set(first.values)) == 3


TWO = (1.0, 2.0)

test_a_wrong_argument_is_named = refuses(
    (lambda: half_width(1.0, 1), "count is 1, expected an integer of at least 2"),
    (lambda: SeedRuns((1, 2), (1.0,)), r"values is \(1.0,\)"),
    (lambda: paired_difference(SeedRuns((0, 1), TWO), SeedRuns((1, 2), TWO)),
     r"b.seeds is \(1, 2\), expected .* \(0, 1\)"),
    *((lambda level=level: repeats(TWO).interval(level), f"confidence is {level}")
      for level in (0, 1, -0.1, 95, math.nan)),
    *((lambda seeds=seeds: repeat(lambda seed: pytest.fail("ran"), seeds), "seeds is")
      for seeds in ([], [1], [1, 2, 1])),
    *((lambda x=x: repeat(lambda seed: x if seed == 7 else 1.0, [3, 7]), r"run\(7\) is")
      for x in (math.nan, math.inf)),
)  # fmt: skip


def test_fractions_become_percent_to_print():
    runs = SeedRuns((3, 1), (0.25, 0.5))
    assert 100 * runs == SeedRuns((3, 1), (25, 50))
    gain = 100 * paired_difference(runs, SeedRuns((1, 3), (0.25, 0.25)))
    assert gain.values == (0, 25) and gain.p_value == pytest.approx(0.5)
