"""Cross-entropy and its relatives for long tails: re-weighted, logit-adjusted, focal.

All take the options of :class:`glassbox.losses.core.ClassLoss`. A number out of range raises a
``ValueError``.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from glassbox.data.class_counts import checked_counts, effective_weights
from glassbox.losses.core import ClassLoss
from glassbox.support.arguments import check_at_least, check_finite, check_overflow


class CrossEntropy(ClassLoss):
    r"""Cross-entropy: for class :math:`k`, :math:`\ell_k = -\log \mathrm{softmax}_k(x)`.

    Without weights, and for class indices also with them, this is
    :func:`torch.nn.functional.cross_entropy`.
    """

    def class_losses(self, logits: Tensor) -> Tensor:
        """Compute the negative log-probability of each class, ``(B, K)``."""
        return -logits.log_softmax(1)


class BalancedCrossEntropy(CrossEntropy):
    """Cross-entropy weighted by the inverse effective number of examples of each class.

    Args:
        class_counts: Training examples of each class, ``(K,)``, at least 1 in each.
        beta: As in :func:`glassbox.data.class_counts.effective_weights`, from 0 to below 1.
        **options: ``reduction`` and ``ignore_index``.

    Reference:
        Cui, Jia, Lin, Song and Belongie (2019), "Class-Balanced Loss Based on Effective Number of
        Samples", https://arxiv.org/abs/1901.05555.
    """

    def __init__(
        self, class_counts: Sequence[int] | Tensor, beta: float = 0.9999, **options: Any
    ) -> None:
        super().__init__(weight=effective_weights(class_counts, beta), **options)


class LogitAdjustedLoss(ClassLoss):
    r"""Cross-entropy of logits that got a head start by the frequency of their class.

    For class :math:`k` computes
    :math:`\ell_k = -\log \mathrm{softmax}_k(x + \tau \log \pi)` with :math:`\pi_j = n_j / N`. The
    network learns to do without the head start, and so is used without it on test images.

    Args:
        class_counts: Training examples of each class, ``(K,)``, at least 1 in each.
        tau: At least 0; 1 is right for the balanced error, 0 is cross-entropy.
        **options: ``weight``, ``reduction`` and ``ignore_index``.

    Reference:
        Menon et al. (2021), "Long-Tail Learning via Logit Adjustment",
        https://arxiv.org/abs/2007.07314.
    """

    adjustment: Tensor

    def __init__(
        self, class_counts: Sequence[int] | Tensor, tau: float = 1.0, **options: Any
    ) -> None:
        counts = checked_counts(class_counts)
        check_at_least(0, tau=tau)
        check_finite(tau=tau)
        super().__init__(**options)
        adjustment = float(tau) * (counts / counts.sum()).log()
        adjustment = adjustment.to(torch.get_default_dtype())
        check_overflow(adjustment, tau=torch.tensor(float(tau), device="cpu"))
        self.register_buffer("adjustment", adjustment)

    def class_losses(self, logits: Tensor) -> Tensor:
        """Compute the negative log-probability of each class after the adjustment."""
        return -(logits + self.adjustment.to(logits)).log_softmax(1)


class FocalLoss(ClassLoss):
    r"""Cross-entropy that turns away from samples it already gets right.

    With :math:`p = \mathrm{softmax}(x)`, for class :math:`k` computes
    :math:`\ell_k = -(1 - p_k)^\gamma \log p_k`; the :math:`\alpha` of the paper is ``weight``.

    Args:
        gamma: At least 0; 0 is cross-entropy.
        **options: ``weight``, ``reduction`` and ``ignore_index``.

    Reference:
        Lin, Goyal, Girshick, He and Dollár (2017), "Focal Loss for Dense Object Detection",
        https://arxiv.org/abs/1708.02002, with the softmax in place of the sigmoid.
    """

    def __init__(self, gamma: float = 2.0, **options: Any) -> None:
        check_at_least(0, gamma=gamma)
        check_finite(gamma=gamma)
        super().__init__(**options)
        self.gamma = float(gamma)

    def class_losses(self, logits: Tensor) -> Tensor:
        """Compute the focal loss of each class, ``(B, K)``."""
        log_p = logits.log_softmax(1)
        # Kept above 0, where the slope of a power below 1 is infinite.
        missing = (-log_p.expm1()).clamp(min=torch.finfo(log_p.dtype).tiny)
        return -(missing**self.gamma) * log_p

    def extra_repr(self) -> str:
        """Describe the exponent."""
        return f"gamma={self.gamma:g}"
