"""Numbers divided by the largest of them: from -1 to 1, and zeros stay."""

import torch

from glassbox.support.scaling import scales


def test_the_largest_magnitude_is_given_and_one_where_all_is_zero():
    values = torch.tensor([[1e-45, 0.0], [-3e38, 2.0], [0, 0]])
    assert torch.equal(scales(values, 1), torch.tensor([[1e-45], [3e38], [1]]))
    assert scales(values[None], (1, 2)).shape == (1, 1, 1)
    assert (values / scales(values, 1)).abs().amax(1).tolist() == [1, 1, 0]


def test_it_is_a_constant_for_the_backward_pass():
    values = torch.tensor([1.0, 4.0], requires_grad=True)
    (values / scales(values, 0)).sum().backward()
    assert values.grad.tolist() == [0.25, 0.25]
