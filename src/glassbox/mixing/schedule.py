"""Mixup and CutMix in random alternation, with the options of timm's ``Mixup``."""

from numbers import Real

import torch
from torch import Tensor

from glassbox.mixing.boxes import (
    NOTHING,
    Box,
    box_around,
    box_inside,
    draw_below,
    draw_fraction,
    kept_area,
)
from glassbox.mixing.core import Mix, apply_mix, check_images
from glassbox.support.arguments import (
    as_sizes,
    check_at_least,
    check_choice,
    check_finite,
    check_range,
)


class MixingSchedule:
    """Choose for each batch whether and how to mix, with the options of timm's ``Mixup``.

    Each image is mixed with its mirror in the batch, the first with the last. In a batch of odd
    length the middle one is its own partner, and stays as it is.

    Args:
        mixup_alpha: Of the distribution of fractions in Mixup; 0 for no Mixup.
        cutmix_alpha: Of the distribution of fractions in CutMix; 0 for no CutMix.
        cutmix_minmax: Smallest and largest side of the box, as fractions of the image's side; it
            then always lies inside, and ``cutmix_alpha`` only says that there is CutMix.
        prob: Probability that a batch, a pair or an image is mixed.
        switch_prob: Probability of CutMix, where there are both.
        mode: ``"batch"`` draws once for all, ``"pair"`` once for two, ``"element"`` for each image.
        label_smoothing: Part of each label that is spread over all classes.
        correct_lam: Whether the label goes by the area that was really kept, where a box reaches
            beyond the image; a box from ``cutmix_minmax`` always does.
        num_classes: Length of a soft label.

    Raises:
        ValueError: If an argument is out of range, or both alphas are 0.

    Reference:
        Wightman, "PyTorch Image Models", https://doi.org/10.5281/zenodo.4414861.
    """

    def __init__(
        self,
        mixup_alpha: float = 0.8,
        cutmix_alpha: float = 1.0,
        cutmix_minmax: tuple[float, float] | None = None,
        *,
        prob: float = 1.0,
        switch_prob: float = 0.5,
        mode: str = "batch",
        label_smoothing: float = 0.1,
        correct_lam: bool = True,
        num_classes: int,
    ) -> None:
        check_at_least(0, mixup_alpha=mixup_alpha, cutmix_alpha=cutmix_alpha)
        if mixup_alpha == cutmix_alpha == 0 and cutmix_minmax is None:
            raise ValueError("mixup_alpha is 0, expected above 0 where cutmix_alpha is 0 too")
        check_range(0, 1, prob=prob, switch_prob=switch_prob, label_smoothing=label_smoothing)
        check_choice(("batch", "pair", "element"), mode=mode)
        if cutmix_minmax is not None:
            _check_sides(cutmix_minmax)
        check_finite(mixup_alpha=mixup_alpha, cutmix_alpha=cutmix_alpha)
        (num_classes,) = as_sizes(num_classes=num_classes)
        self.mixup_alpha = mixup_alpha
        self.cutmix_alpha = cutmix_alpha if cutmix_minmax is None else cutmix_alpha or 1.0
        self.cutmix_minmax, self.correct_lam = cutmix_minmax, correct_lam
        self.prob, self.switch_prob, self.mode = prob, switch_prob, mode
        self.label_smoothing, self.num_classes = label_smoothing, num_classes

    def __call__(
        self, images: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mix images ``(B, C, H, W)`` with labels ``(B,)``; gives them and soft labels."""
        check_images(images)
        mix = self.draw(len(images), *images.shape[-2:], generator)
        return apply_mix(images, labels, mix, self.num_classes, self.label_smoothing)

    def draw(
        self, count: int, height: int, width: int, generator: torch.Generator | None = None
    ) -> Mix:
        """Draw how a batch of ``count`` images, of so many pixels, is mixed."""
        count, height, width = as_sizes(count=count, height=height, width=width)
        draws = {"batch": 1, "pair": -(-count // 2), "element": count}[self.mode]
        drawn = [self._draw_one(height, width, generator) for _ in range(draws)]
        if self.mode == "batch":
            drawn *= count
        elif self.mode == "pair":
            drawn += drawn[: count // 2][::-1]
        with torch.device("cpu"):  # where it is drawn, also where another device is the default
            fractions, boxes, blended = map(torch.tensor, zip(*drawn, strict=True))
            return Mix(torch.arange(count).flip(0), fractions, boxes, blended)

    def _draw_one(
        self, height: int, width: int, generator: torch.Generator | None
    ) -> tuple[float, Box, bool]:
        """Draw a fraction, a box, and whether to blend; fraction 1 leaves an image unchanged."""
        if _chance(generator) >= self.prob:
            return 1.0, NOTHING, False
        cut = self.cutmix_alpha > 0
        if cut and self.mixup_alpha > 0:
            cut = _chance(generator) < self.switch_prob
        fraction = draw_fraction(self.cutmix_alpha if cut else self.mixup_alpha, generator)
        if not cut:
            return fraction, NOTHING, True
        if self.cutmix_minmax is None:
            center = draw_below(height, generator), draw_below(width, generator)
            box = box_around(fraction, center, height, width)
        else:
            box = box_inside(self.cutmix_minmax, height, width, generator)
        exact = self.correct_lam or self.cutmix_minmax is not None
        return (kept_area(box, height, width) if exact else fraction), box, False


def _chance(generator: torch.Generator | None) -> float:
    return torch.rand((), generator=generator, dtype=torch.float32, device="cpu").item()


def _check_sides(cutmix_minmax: tuple[float, float]) -> None:
    pair = isinstance(cutmix_minmax, tuple | list) and len(cutmix_minmax) == 2
    numbers = pair and all(isinstance(side, Real) for side in cutmix_minmax)
    if not numbers or not 0 <= cutmix_minmax[0] < cutmix_minmax[1] <= 1:
        raise ValueError(f"cutmix_minmax is {cutmix_minmax}, expected 0 <= low < high <= 1")
