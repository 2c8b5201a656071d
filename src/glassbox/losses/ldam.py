"""LDAM: a margin for each class, the larger the rarer it is.

Reference:
    Cao, Wei, Gaidon, Arechiga and Ma (2019), "Learning Imbalanced Datasets with
    Label-Distribution-Aware Margin Loss", https://arxiv.org/abs/1906.07413, and the authors' code.
    For soft labels the paper defines nothing; the linear form is this book's.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.data.class_counts import checked_counts
from glassbox.losses.core import ClassLoss
from glassbox.support.arguments import check_at_least, check_finite, check_overflow, check_positive


def ldam_margins(class_counts: Sequence[int] | Tensor, max_margin: float = 0.5) -> Tensor:
    r"""Compute the margin of each class, ``(K,)``, from the fourth root of its count.

    Computes :math:`m_j = m_{max} \, (n_{min} / n_j)^{1/4}`.

    Args:
        class_counts: Examples of each class, ``(K,)``, at least 1 in each.
        max_margin: Margin of the rarest class, at least 0.

    Raises:
        ValueError: If a count is below 1 or ``max_margin`` is out of range.
    """
    counts = checked_counts(class_counts)
    check_at_least(0, max_margin=max_margin)
    check_finite(max_margin=max_margin)
    margins = float(max_margin) * (counts.min() / counts) ** 0.25
    margins = margins.to(torch.get_default_dtype())
    check_overflow(margins, max_margin=torch.tensor(float(max_margin), device="cpu"))
    return margins


class LDAMLoss(ClassLoss):
    r"""Cross-entropy with a margin taken off the logit of the label, then scaled.

    For class :math:`k` computes
    :math:`\ell_k = -\log \mathrm{softmax}_k\bigl(s \, (x - m_k e_k)\bigr)`: the network has to be
    right by :math:`m_k` to get the loss that it would get without. Expects cosines, as
    :class:`~glassbox.networks.cosine_classifier.CosineClassifier` gives with scale 1; on logits of
    any size the scale multiplies every mistake.

    Args:
        class_counts: Training examples of each class, ``(K,)``, at least 1 in each.
        max_margin: Margin of the rarest class, the ``C`` of the paper, at least 0.
        scale: Multiplies the cosines, above 0.
        **options: ``weight``, ``reduction`` and ``ignore_index``, as in
            :class:`glassbox.losses.core.ClassLoss`.

    Raises:
        ValueError: If a count is below 1 or another argument is out of range.
    """

    margins: Tensor

    def __init__(
        self,
        class_counts: Sequence[int] | Tensor,
        max_margin: float = 0.5,
        scale: float = 30.0,
        **options: Any,
    ) -> None:
        margins = ldam_margins(class_counts, max_margin)
        check_positive(scale=scale)
        check_finite(scale=scale)
        super().__init__(**options)
        self.register_buffer("margins", margins)
        self.max_margin = float(max_margin)
        self.scale = float(scale)

    def class_losses(self, logits: Tensor) -> Tensor:
        r"""Give :math:`\ell_k` for all classes at once, without a ``(B, K, K)`` tensor.

        With :math:`p` the softmax of :math:`s x` and :math:`d_k = s \, m_k`,

        .. math:: \ell_k = -\log p_k + d_k + \log\bigl(1 + p_k (e^{-d_k} - 1)\bigr)

        Where :math:`p_k` is close to 1 this would subtract nearly equal numbers, so the most
        probable class of each sample is computed by the definition. All others have
        :math:`p_k \le 1/2`, which is harmless.
        """
        scaled = self.scale * logits  # (B, K)
        drop = self.scale * self.margins.to(logits)  # (K,)
        likeliest = F.one_hot(logits.argmax(1), logits.shape[1]).bool()  # (B, K)
        probable = -(scaled - drop * likeliest).log_softmax(1)
        p = scaled.softmax(1).masked_fill(likeliest, 0)
        others = -scaled.log_softmax(1) + drop + (p * (-drop).expm1()).log1p()
        return probable.where(likeliest, others)

    def extra_repr(self) -> str:
        """Describe the largest margin and the scale."""
        return f"max_margin={self.max_margin:g}, scale={self.scale:g}"
