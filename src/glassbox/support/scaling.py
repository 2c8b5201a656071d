"""Numbers brought to a size at which their sums and squares neither overflow nor vanish."""

import torch
from torch import Tensor


def scales(values: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """Give the largest magnitude along dimensions, which stay, or 1 where all numbers are 0.

    Divided by it, numbers are from -1 to 1. It is a constant for the backward pass.
    """
    if 0 in values.shape:
        return torch.ones_like(values.sum(dim, keepdim=True))
    largest = values.detach().abs().amax(dim, keepdim=True)
    return torch.where(largest > 0, largest, 1)
