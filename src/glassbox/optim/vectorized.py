"""Adam, AdamW and AMSGrad for all tensors of a group at once."""

from typing import Any

import torch
from torch import Tensor

from glassbox.optim.adam import Adam
from glassbox.optim.single_tensor import as_real, scalar


class VectorizedAdam(Adam):
    """Adam by PyTorch's ``_foreach`` operations, which take lists of tensors.

    Each line of :meth:`Adam.update` becomes one call for all parameters, so that the time spent in
    Python no longer grows with their number. Arguments, states and results are those of
    :class:`Adam`; with ``decoupled_weight_decay=True`` it is AdamW. In ``float16`` and ``bfloat16``
    the results are, bit for bit, those of ``torch.optim.Adam`` with ``foreach=True``, which rounds
    in other places than the loop over single tensors.
    """

    def update_group(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """Step the parameters of a group in place, all by the same calls."""
        if not params:
            return
        for param in params:
            if not self.state[param]:
                self.remember(param, self.state[param], group)
        gradients = self._decay(params, group)
        lr, (beta1, beta2) = scalar(group["lr"]), group["betas"]
        states = [self.state[param] for param in params]
        steps = [state["step"] for state in states]
        torch._foreach_add_(steps, 1)
        times = [step.item() for step in steps]

        params, gradients = as_real(*params), as_real(*gradients)
        m = as_real(*(state["exp_avg"] for state in states))
        v = as_real(*(state["exp_avg_sq"] for state in states))
        torch._foreach_lerp_(m, gradients, 1 - beta1)
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, gradients, gradients, 1 - beta2)
        if group["amsgrad"]:
            largest = as_real(*(state["max_exp_avg_sq"] for state in states))
            torch._foreach_maximum_(largest, v)
            v = largest

        roots = torch._foreach_sqrt(v)
        torch._foreach_div_(roots, [(1 - beta2**t) ** 0.5 for t in times])
        torch._foreach_add_(roots, group["eps"])
        torch._foreach_addcdiv_(params, m, roots, [float(-lr / (1 - beta1**t)) for t in times])

    def _decay(self, params: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        """Decay the weights: by themselves, or through the gradients, which are returned."""
        gradients, decay = [param.grad for param in params], group["weight_decay"]
        if group["maximize"]:
            gradients = torch._foreach_neg(gradients)
        if decay == 0:
            return gradients
        if group["decoupled_weight_decay"]:
            torch._foreach_mul_(params, 1 - scalar(group["lr"]) * decay)
            return gradients
        return torch._foreach_add(gradients, params, alpha=decay)
