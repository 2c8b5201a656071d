"""Adam, AdamW and AMSGrad for all tensors of a group at once."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glassbox.optim.adam import Adam
from glassbox.optim.single_tensor import as_real, scalar


class VectorizedAdam(Adam):
    """Adam by PyTorch's ``_foreach`` operations, which take lists of tensors.

    Each line of :meth:`Adam.update` becomes one call for all parameters, so that the time spent in
    Python no longer grows with their number. Arguments, states and results are those of
    :class:`Adam`; with ``decoupled_weight_decay=True`` it is AdamW.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step all parameters that have a gradient.

        Args:
            closure: Computes the loss and its gradients anew; it is called once, first.

        Returns:
            What the closure returned, or None without one.

        Raises:
            RuntimeError: If a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for params in self._alike(group):
                self._update_all(params, group)
        return loss

    def _alike(self, group: dict[str, Any]) -> list[list[Tensor]]:
        """Sort the parameters with a gradient by device and dtype: one call can't mix them."""
        lists: dict[Any, list[Tensor]] = defaultdict(list)
        for param in group["params"]:
            if param.grad is not None:
                self._check_layout(param)
                if not self.state[param]:
                    self.remember(param, self.state[param], group)
                lists[param.device, param.dtype].append(param)
        return list(lists.values())

    def _update_all(self, params: list[Tensor], group: dict[str, Any]) -> None:
        lr, (beta1, beta2), decay = scalar(group["lr"]), group["betas"], group["weight_decay"]
        states = [self.state[param] for param in params]
        steps = [state["step"] for state in states]
        torch._foreach_add_(steps, 1)
        times = [step.item() for step in steps]

        gradients = [param.grad for param in params]
        if group["maximize"]:
            gradients = torch._foreach_neg(gradients)
        if decay != 0:
            if group["decoupled_weight_decay"]:
                torch._foreach_mul_(params, 1 - lr * decay)
            else:
                gradients = torch._foreach_add(gradients, params, alpha=decay)

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
