"""Stochastic gradient descent with momentum."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from glassbox.optim.single_tensor import SingleTensorOptimizer, scalar
from glassbox.support.arguments import check_at_least, check_finite


class SGD(SingleTensorOptimizer):
    r"""Stochastic gradient descent, with the arguments and the results of ``torch.optim.SGD``.

    With momentum :math:`\mu` the step follows a buffer of past gradients,

    .. math:: b_1 = g_1, \quad b_t = \mu\, b_{t-1} + (1 - \text{dampening})\, g_t, \quad
        \theta_t = \theta_{t-1} - \text{lr}\, b_t.

    Args:
        params: Tensors, pairs of names and tensors, or dicts of groups.
        lr: Learning rate, at least 0; a number or a tensor with one element.
        momentum: :math:`\mu`, at least 0; without, no buffer is kept.
        dampening: Fraction of a new gradient that does not enter the buffer.
        weight_decay: At least 0; this times the parameter is added to the gradient.
        nesterov: Whether to look ahead, and follow :math:`g_t + \mu\, b_t`.
        maximize: Whether to climb.
        foreach, differentiable, fused: In PyTorch's state dicts; may not be true.

    Raises:
        ValueError: If a setting is out of range.

    Reference:
        Sutskever et al. (2013), "On the importance of initialization and momentum in deep
        learning", https://proceedings.mlr.press/v28/sutskever13.html.
    """

    missing: ClassVar[Mapping[str, Any]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": False,
    }
    accepts_sparse = True

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = dict(
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
            foreach=foreach,
            differentiable=differentiable,
            fused=fused,
        )
        super().__init__(params, defaults)

    def _check_settings(self, group: Mapping[str, Any]) -> None:
        """Refuse settings that do not make sense, as the base class does."""
        super()._check_settings(group)
        momentum, dampening = group["momentum"], group["dampening"]
        check_at_least(0, momentum=momentum)
        check_finite(momentum=momentum, dampening=dampening)
        if group["nesterov"] and (momentum == 0 or dampening != 0):
            raise ValueError(
                f"nesterov is True with momentum {momentum} and dampening {dampening}, "
                "expected a momentum above 0 and a dampening of 0"
            )

    def update(
        self, param: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]
    ) -> None:
        """Step one parameter in place; the arguments are those of the base class."""
        if group["weight_decay"] != 0:
            gradient = gradient.add(param, alpha=group["weight_decay"])
        momentum = group["momentum"]
        if momentum != 0:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = gradient.clone()
            else:
                buffer.mul_(momentum).add_(gradient, alpha=1 - group["dampening"])
            gradient = gradient.add(buffer, alpha=momentum) if group["nesterov"] else buffer
        param.add_(gradient, alpha=-scalar(group["lr"]))
