"""The sweep sees what is wrong: toys with one defect each, and one without."""

import pytest
import torch

from glassbox.support.arguments import as_tensor, check_all_finite, check_range, check_shapes
from hostile.callables import Public
from hostile.judge import complaints
from hostile.sweep import cases, parameters, role


def faded(images, beta):
    """Without a defect.

    Raises:
        ValueError: As it should.
    """
    check_range(0, 1, below=True, beta=beta)
    images = as_tensor(images=images)
    check_shapes(images=(images, "B C H W"))
    if images.is_complex():
        raise TypeError("images has type complex, expected real numbers")
    check_all_finite(images=images)
    return images * float(beta)


def lets_nan_through(images, beta):
    faded(images, 0.5)
    if beta < 0 or beta >= 1:
        raise ValueError(f"beta is {beta}, expected 0 to below 1")
    return 1


def reads_memory_in_its_order(images, beta):
    faded(images, beta)
    return torch.from_numpy(as_tensor(images=images).detach().double().numpy().ravel("K"))


def names_nothing(images, beta):
    try:
        return faded(images, beta)
    except (TypeError, ValueError):
        raise ValueError("expected something else") from None


def fails_inside(images, beta):
    faded(torch.ones(1, 1, 1, 1), beta)
    return images.double().sum()


def changes_its_images(images, beta):
    result = faded(images, beta)
    if isinstance(images, torch.Tensor) and not images.requires_grad:
        images.zero_()
    return result


def draws(images, beta):
    torch.rand(1)
    return faded(images, beta)


def mixes_types(images, beta):
    faded(images, beta)
    return as_tensor(images=images).detach().float().flatten(1) @ torch.eye(2, 192).T


def draws_otherwise(images, beta):
    return faded(images, beta) * torch.rand(1, generator=torch.Generator().manual_seed(0))


def overflows(images, beta):
    return faded(images, beta) / 0


def sweep(function):
    public = Public(f"toys.{function.__name__}", function)
    return [line for case in cases(public) for line in complaints(case)]


def test_a_toy_without_a_defect_passes():
    assert sweep(faded) == []


@pytest.mark.parametrize(
    ("toy", "line"),
    [
        (lets_nan_through, "toys.lets_nan_through(beta=nan) returned [1]; expected ValueError"),
        (reads_memory_in_its_order, "(images=permuted(v)) returned"),
        (names_nothing, "(beta=1.1) raised ValueError: expected something else; expected"),
        (fails_inside, "(images=None) raised AttributeError"),
        (changes_its_images, "changed an argument"),
        (draws, "changed global states"),
        (overflows, "is not finite"),
        (mixes_types, "toys.mixes_types(float64) raised RuntimeError"),
        (draws_otherwise, "toys.draws_otherwise(float64) returned"),
    ],
)
def test_a_defect_is_seen(toy, line):
    found = sweep(toy)
    assert any(line in one for one in found), "\n".join(found)


def test_an_argument_without_a_valid_value_is_named():
    public = Public("toys.new", lambda brand_new: brand_new)
    with pytest.raises(LookupError, match=r"toys.new has an argument 'brand_new'.*valid.py"):
        role(public, parameters(public)["brand_new"])
