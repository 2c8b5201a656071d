"""Adam, AdamW and AMSGrad, one parameter after the other."""

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
from glassbox.support.arguments import check_at_least, check_range


class Adam(SingleTensorOptimizer):
    r"""Adam, with the arguments of ``torch.optim.Adam`` and, bit for bit, its results.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, &
        v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2, \\
        \hat m_t &= m_t / (1 - \beta_1^t), & \hat v_t &= v_t / (1 - \beta_2^t), \\
        \theta_t &= \theta_{t-1} - \text{lr}\, \hat m_t / (\sqrt{\hat v_t} + \epsilon).

    Args:
        params: Tensors, pairs of names and tensors, or dicts of groups.
        lr: Learning rate, at least 0; a number or a tensor with one element.
        betas: :math:`\beta_1` and :math:`\beta_2`, floats from 0 up to, but not including, 1.
        eps: At least 0; added to the root, after its correction.
        weight_decay: At least 0; this times the parameter is added to the gradient.
        amsgrad: Whether to divide by the largest :math:`v` so far, AMSGrad. As in PyTorch the
            largest is that of the averages before the correction.
        foreach, capturable, differentiable, fused: In PyTorch's state dicts; may not be true.
        maximize: Whether to climb.
        decoupled_weight_decay: Whether weights shrink by themselves and not through the
            gradient, as in :class:`AdamW`.

    Raises:
        ValueError: If a setting is out of range.

    Reference:
        Kingma and Ba (2015), "Adam", https://arxiv.org/abs/1412.6980; Reddi et al. (2018), "On the
        Convergence of Adam and Beyond", https://openreview.net/forum?id=ryQu7f-RZ.
    """

    missing: ClassVar[Mapping[str, Any]] = {
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
        "decoupled_weight_decay": False,
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )
        super().__init__(params, defaults)

    def _check_settings(self, group: Mapping[str, Any]) -> None:
        """Refuse settings that do not make sense, as the base class does."""
        super()._check_settings(group)
        check_at_least(0, eps=group["eps"])
        _check_betas(group["betas"])

    def update(
        self, param: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """Step one parameter in place; the arguments are those of the base class."""
        if not state:
            self.remember(param, state, group)
        lr, (beta1, beta2) = scalar(group["lr"]), group["betas"]
        state["step"] += 1
        t = state["step"].item()

        if group["weight_decay"] != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * group["weight_decay"])
            else:
                gradient = gradient.add(param, alpha=group["weight_decay"])
        param, gradient, m, v = as_real(param, gradient, state["exp_avg"], state["exp_avg_sq"])

        m.lerp_(gradient, 1 - beta1)
        v.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        if group["amsgrad"]:
            (largest,) = as_real(state["max_exp_avg_sq"])
            v = torch.maximum(largest, v, out=largest)

        step_size = lr / (1 - beta1**t)
        root = (v.sqrt() / (1 - beta2**t) ** 0.5).add_(group["eps"])
        param.addcdiv_(m, root, value=-step_size)

    def remember(self, param: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Fill the empty state of a parameter with zeros: the step and the averages."""
        state["step"] = counter()
        state["exp_avg"] = torch.zeros_like(param)
        state["exp_avg_sq"] = torch.zeros_like(param)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = torch.zeros_like(param)


class AdamW(Adam):
    r"""Adam with decoupled weight decay, as ``torch.optim.AdamW``.

    Before each step the parameter shrinks to :math:`(1 - \text{lr} \cdot \lambda)\, \theta`, with
    :math:`\lambda` the ``weight_decay``; the averages are not affected.

    Arguments as in :class:`Adam`.

    Reference:
        Loshchilov and Hutter (2019), "Decoupled Weight Decay Regularization",
        https://arxiv.org/abs/1711.05101.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, decoupled_weight_decay=True, **settings
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Complete a state that an older release saved; AdamW's decay is always decoupled."""
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


def _check_betas(betas: tuple[float, float]) -> None:
    pair = isinstance(betas, tuple | list) and len(betas) == 2
    if not pair or not all(isinstance(beta, float) for beta in betas):
        raise ValueError(f"betas is {betas!r}, expected two floats such as (0.9, 0.999)")
    for index, beta in enumerate(betas):
        check_range(0, 1, below=True, **{f"betas[{index}]": beta})
