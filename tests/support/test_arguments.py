"""Shared checks name the argument, its value and what was expected."""

import pytest
import torch

from glassbox.support.arguments import check_at_least_one, check_positive, check_same_shape


def test_numbers_from_one_up_pass():
    check_at_least_one(size=1, latent=3, fraction=1.5)


@pytest.mark.parametrize("value", [0, -3, float("nan")])
def test_a_number_below_one_is_named(value):
    with pytest.raises(ValueError, match=f"latent is {value}, expected at least 1"):
        check_at_least_one(size=1, latent=value)


@pytest.mark.parametrize("value", [0, -0.1, float("nan")])
def test_a_number_that_is_not_above_zero_is_named(value):
    check_positive(alpha=1e-9)
    with pytest.raises(ValueError, match=f"alpha is {value}, expected above 0"):
        check_positive(size=1, alpha=value)


def test_a_shape_that_would_broadcast_is_named():
    mean, logvar = torch.zeros(4, 2), torch.zeros(4, 1)
    check_same_shape(mean=mean, other=mean.clone())
    message = r"logvar has shape \(4, 1\), expected that of mean, \(4, 2\)"
    with pytest.raises(ValueError, match=message):
        check_same_shape(mean=mean, logvar=logvar)
