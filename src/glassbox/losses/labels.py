"""Three forms of labels, read as one: classes and the fraction of each in a sample."""

from numbers import Real

import torch
from torch import Tensor

from glassbox.support.arguments import as_tensor, has_values, reject_tensor

_Pair = tuple[Tensor, Tensor, float | Tensor]
Labels = Tensor | _Pair

# How far the sum of a soft label may be from 1: bfloat16 rounds each entry by up to 0.4%.
_TOLERANCE = 5e-3


def class_fractions(
    labels: Labels, logits: Tensor, ignore_index: int = -100
) -> tuple[Tensor, Tensor]:
    """Read labels as classes and the fraction that each has of a sample, ``(B, P)`` both.

    The labels are class indices ``(B,)``, where P is 1 and ``ignore_index`` has the fraction 0;
    soft labels ``(B, K)``, whose rows are probabilities; or a tuple ``(labels_a, labels_b, lam)``
    of indices and the fraction of the first, one number or ``(B,)``. The fractions are like the
    logits ``(B, K)``.
    """
    if not isinstance(labels, Tensor):
        return _pair(labels, logits, ignore_index)
    if labels.ndim == 2 and labels.is_floating_point():
        return _soft(labels, logits)
    return _hard(labels, logits, ignore_index)


def _hard(labels: Tensor, logits: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    batch, num_classes = logits.shape
    _check_indices(labels, batch, num_classes)
    labels = labels.long()  # as uint8, 156 would equal -100
    kept = labels != ignore_index
    # Refused here on every device: on a GPU, PyTorch's own check ends the whole process.
    wrong = kept & ((labels < 0) | (labels >= num_classes))
    if has_values(wrong) and wrong.any():
        place = int(wrong.nonzero()[0])
        raise ValueError(
            f"labels[{place}] is {labels[place]}, expected 0 to {num_classes - 1} "
            f"or ignore_index, {ignore_index}"
        )
    return labels.where(kept, 0)[:, None], kept.to(logits)[:, None]


def _soft(labels: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    if labels.shape != logits.shape:
        reject_tensor("labels", labels, f"probabilities {tuple(logits.shape)}")
    fractions = labels.to(logits)
    sums = fractions.sum(1)
    right = (fractions >= 0).all(1) & ((sums - 1).abs() <= _TOLERANCE)
    if has_values(right) and not right.all():
        place = int((~right).nonzero()[0])
        raise ValueError(
            f"labels[{place}] has the sum {sums[place]:g} and the smallest entry "
            f"{fractions[place].min():g}, expected probabilities: at least 0 each, sum 1"
        )
    return torch.arange(logits.shape[1], device=logits.device).expand_as(fractions), fractions


def _pair(labels: _Pair, logits: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    if not isinstance(labels, tuple | list) or len(labels) != 3:
        raise TypeError(
            f"labels has type {type(labels).__name__}, "
            "expected a tensor or (labels_a, labels_b, lam)"
        )
    first, kept_first = _hard(labels[0], logits, ignore_index)
    second, kept_second = _hard(labels[1], logits, ignore_index)
    lam = _checked_fraction(labels[2], logits)
    fractions = torch.cat([lam * kept_first, (1 - lam) * kept_second], 1)
    return torch.cat([first, second], 1), fractions


def _checked_fraction(lam: float | Tensor, logits: Tensor) -> Tensor:
    if isinstance(lam, Real):
        lam = torch.tensor(lam, dtype=logits.dtype, device=logits.device)
    lam = as_tensor(lam=lam).to(logits)
    if lam.shape not in {(), logits.shape[:1]}:
        reject_tensor("lam", lam, f"one number or ({len(logits)},)")
    if has_values(lam) and not ((lam >= 0) & (lam <= 1)).all():
        raise ValueError(f"lam is between {lam.min():g} and {lam.max():g}, expected 0 to 1")
    return lam.reshape(-1, 1)


def _check_indices(labels: Tensor, batch: int, num_classes: int) -> None:
    if not isinstance(labels, Tensor):
        raise TypeError(f"labels has type {type(labels).__name__}, expected a tensor")
    described = f"labels has shape {tuple(labels.shape)} and type {labels.dtype}, expected"
    if labels.shape == (batch, num_classes) and not labels.is_floating_point():
        raise TypeError(f"{described} floats for soft labels: labels.float()")
    if labels.shape != (batch,):
        raise ValueError(
            f"{described} class indices ({batch},) or soft labels ({batch}, {num_classes})"
        )
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f"{described} integers for class indices: labels.long()")
