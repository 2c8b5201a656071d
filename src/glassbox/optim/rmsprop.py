"""RMSprop: steps divided by the root of a running average of squared gradients."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from glassbox.optim.single_tensor import (
    SingleTensorOptimizer,
    as_real,
    counter,
    scalar,
)
from glassbox.support.arguments import check_at_least, check_finite


class RMSprop(SingleTensorOptimizer):
    r"""RMSprop, with the arguments and the results of ``torch.optim.RMSprop``.

    .. math:: v_t = \alpha\, v_{t-1} + (1 - \alpha)\, g_t^2, \qquad
        \theta_t = \theta_{t-1} - \text{lr}\, \frac{g_t}{\sqrt{v_t} + \epsilon}

    Args:
        params: Tensors, pairs of names and tensors, or dicts of groups.
        lr: Learning rate, at least 0; a number or a tensor with one element.
        alpha: How much of the average stays in each step, at least 0 and in use below 1.
        eps: At least 0; added to the root.
        weight_decay: At least 0; this times the parameter is added to the gradient.
        momentum: At least 0; the steps are then gathered as gradients are in SGD.
        centered: Whether to divide by the standard deviation of the gradients.
        capturable, foreach, differentiable: In PyTorch's state dicts; may not be true.
        maximize: Whether to climb.

    Raises:
        ValueError: If a setting is out of range.

    Reference:
        Tieleman and Hinton (2012), lecture 6.5 of "Neural Networks for Machine Learning",
        https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; centered, Graves
        (2013), https://arxiv.org/abs/1308.0850.
    """

    missing: ClassVar[Mapping[str, Any]] = {
        "momentum": 0,
        "centered": False,
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr,
            momentum=momentum,
            alpha=alpha,
            eps=eps,
            centered=centered,
            weight_decay=weight_decay,
            capturable=capturable,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
        )
        super().__init__(params, defaults)

    def _check_settings(self, group: Mapping[str, Any]) -> None:
        """Refuse settings that do not make sense, as the base class does."""
        super()._check_settings(group)
        check_at_least(0, **{name: group[name] for name in ("eps", "momentum", "alpha")})
        check_finite(momentum=group["momentum"])

    def update(
        self, param: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """Step one parameter in place; the arguments are those of the base class."""
        if not state:
            state["step"] = counter()
            state["square_avg"] = torch.zeros_like(param)
            if group["momentum"] > 0:
                state["momentum_buffer"] = torch.zeros_like(param)
            if group["centered"]:
                state["grad_avg"] = torch.zeros_like(param)
        state["step"] += 1
        if group["weight_decay"] != 0:
            gradient = gradient.add(param, alpha=group["weight_decay"])
        param, gradient, square_avg = as_real(param, gradient, state["square_avg"])

        square_avg.mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        if group["centered"]:
            (grad_avg,) = as_real(state["grad_avg"])
            grad_avg.lerp_(gradient, 1 - group["alpha"])
            spread = square_avg.addcmul(grad_avg, grad_avg, value=-1).sqrt_()
        else:
            spread = square_avg.sqrt()
        spread.add_(group["eps"])

        lr = scalar(group["lr"])
        if group["momentum"] > 0:
            (buffer,) = as_real(state["momentum_buffer"])
            buffer.mul_(group["momentum"]).addcdiv_(gradient, spread)
            param.add_(buffer, alpha=-lr)
        else:
            param.addcdiv_(gradient, spread, value=-lr)
