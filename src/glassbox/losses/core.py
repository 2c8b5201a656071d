"""What all losses over classes share: label forms, class weights, ignored labels, reductions."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from glassbox.losses.labels import Labels, class_fractions
from glassbox.support.arguments import (
    as_tensor,
    check_choice,
    check_floating_point,
    check_overflow,
    check_shapes,
    check_whole,
)


class ClassLoss(nn.Module, ABC):
    r"""A loss that is a sum over classes, weighted by the label.

    A subclass computes :math:`\ell_{ik}`, the loss of sample :math:`i` if its label were
    :math:`k`. With the fraction :math:`y_{ik}` of class :math:`k` in the label, and class
    weights :math:`w_k`, the loss of a sample is linear in its label:

    .. math:: L_i = \sum_k y_{ik} \, w_k \, \ell_{ik}

    A class index gives all of :math:`y_i` to one class, a pair ``(labels_a, labels_b, lam)``
    divides it between two, a soft label among all. So a pair costs what the soft label
    :math:`\lambda e_a + (1 - \lambda) e_b` costs, and a one-hot label what its index costs.

    The mean is :math:`\sum_i L_i / \sum_i \sum_k y_{ik} w_k`: it divides by the sum of the
    weights that were used. For class indices that is what :func:`torch.nn.functional.cross_entropy`
    does; for soft labels PyTorch divides by the number of samples instead, so that with weights
    one-hot labels give another loss than their indices.

    Logits in half precision are computed with in float32, also under autocast.

    Args:
        weight: Weight of each class, ``(K,)``, finite and at least 0, or ``None`` for all alike;
            also an array or a list. A buffer: it moves with the module and is in its state dict.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for one loss a sample.
        ignore_index: A class index that costs nothing and is not counted; soft labels have none.
            A mean of nothing but ignored samples is nan, as in PyTorch.

    Raises:
        ValueError: If ``weight`` or ``reduction`` is wrong.
    """

    weight: Tensor | None

    def __init__(
        self, *, weight: Tensor | None = None, reduction: str = "mean", ignore_index: int = -100
    ) -> None:
        check_choice(("mean", "sum", "none"), reduction=reduction)
        check_whole(ignore_index=ignore_index)
        super().__init__()
        self.register_buffer("weight", None if weight is None else _checked_weight(weight))
        self.reduction = reduction
        self.ignore_index = int(ignore_index)

    @abstractmethod
    def class_losses(self, logits: Tensor) -> Tensor:
        """Compute the losses ``(B, K)`` that each class would have as the label."""

    def forward(self, logits: Tensor, labels: Labels) -> Tensor:
        """Compute the loss of logits ``(B, K)`` for labels of one of the three forms.

        Args:
            logits: ``(B, K)``, any float dtype.
            labels: Class indices ``(B,)``, soft labels ``(B, K)`` whose rows sum to 1, or a tuple
                ``(labels_a, labels_b, lam)`` with ``lam`` from 0 to 1, a number or ``(B,)``.

        Returns:
            The loss, float32 or float64: a scalar, or ``(B,)`` with reduction ``"none"``.

        Raises:
            TypeError: If a dtype is wrong, or ``labels`` have another form.
            ValueError: If a shape, a class index, a row of soft labels or ``lam`` is wrong, or the
                loss of a sample is not finite, as the logits are not or are too large; or their
                sum, where it is asked for.
        """
        logits, classes, fractions = self._weighted(logits, labels)  # the last two (B, P)
        losses = self.class_losses(logits).gather(1, classes)  # (B, P)
        losses = (fractions * losses).sum(1)  # (B,)
        check_overflow(losses, logits=logits)
        if self.reduction == "none":
            return losses
        if self.reduction == "mean":
            return (losses / fractions.sum()).sum()  # that of the losses may be too large
        loss = losses.sum()
        check_overflow(loss, logits=logits)
        return loss

    def divisor(self, logits: Tensor, labels: Labels) -> Tensor:
        """Sum the weights of a batch, by which the mean divides.

        The mean of a batch is that of its parts, each weighed by this: see
        :func:`glassbox.training.processes.weigh_by_images`. Arguments and errors are those of
        :meth:`forward`.
        """
        return self._weighted(logits, labels)[2].sum()

    def _weighted(self, logits: Tensor, labels: Labels) -> tuple[Tensor, Tensor, Tensor]:
        """Give logits in float32 or wider, and the classes of each label with their weights."""
        self._check_logits(logits)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        classes, fractions = class_fractions(labels, logits, self.ignore_index)
        if self.weight is not None:
            fractions = fractions * self.weight.to(logits)[classes]
            check_overflow(fractions.sum(), weight=self.weight)
        return logits, classes, fractions

    def _check_logits(self, logits: Tensor) -> None:
        check_shapes(logits=(logits, "B K"))
        check_floating_point(logits=logits)
        for name, buffer in self.named_buffers():
            check_shapes(**{name: (buffer, "K"), "logits": (logits, "B K")})


def _checked_weight(weight: Tensor) -> Tensor:
    weight = as_tensor(weight=weight)
    if weight.ndim != 1 or not ((weight >= 0) & weight.isfinite()).all() or weight.sum() == 0:
        raise ValueError(
            f"weight is {weight.tolist()}, expected (K,) finite numbers of at least 0, not all 0"
        )
    return weight.detach().clone()
