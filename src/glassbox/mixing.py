"""Mixup and CutMix on whole batches: two images in one, and a label that says how much of each."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from glassbox.resuming import order_of
from glassbox.training import ImageBatches

Mixer = Callable[[Tensor, Tensor, torch.Generator | None], tuple[Tensor, Tensor]]
Box = tuple[int, int, int, int]
NOTHING: Box = (0, 0, 0, 0)
MODES = ("batch", "pair", "element")


@dataclass(frozen=True)
class Mix:
    """How a batch is mixed: everything that was drawn.

    Args:
        partner: The image that each one is mixed with, indices ``(B,)``.
        share: The share of the image itself in the label, ``(B,)`` from 0 to 1; of a blended image
            also in each pixel.
        boxes: ``(B, 4)`` integers top, bottom, left, right: the pixels taken from the partner, ends
            not included; empty for images that are blended.
        blended: Bool ``(B,)``: which are blended, as by Mixup; the others get their box.
    """

    partner: Tensor
    share: Tensor
    boxes: Tensor
    blended: Tensor


def apply_mix(
    images: Tensor, labels: Tensor, mix: Mix, num_classes: int, label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Mix a batch; the input stays as it is.

    Args:
        images: ``(B, C, H, W)``, floating point; any dtype if every image has a box.
        labels: Class indices ``(B,)``.
        mix: What was drawn.
        num_classes: Length of a soft label, above the largest label.
        label_smoothing: Part of each label that is spread over all classes, from 0 to 1.

    Returns:
        The mixed images, in the dtype and memory format of the images, and soft labels ``(B, K)``
        whose rows sum to 1.

    Raises:
        TypeError: If images to be blended are integers, or the labels are no class indices.
        ValueError: If shapes or numbers do not fit.
    """
    _check_batch(images, labels, num_classes, label_smoothing)
    partner = mix.partner.to(images.device)
    others, inside = images[partner], _inside(mix.boxes.to(images.device), images)
    mixed = torch.where(inside, others, images)
    blended = mix.blended.to(images.device)
    if blended.any():
        if not images.is_floating_point():
            raise TypeError(f"images are {images.dtype}, expected floating point to be blended")
        share = mix.share.to(images)[:, None, None, None]
        blend = images * share + others * (1 - share)
        mixed = torch.where(blended[:, None, None, None], blend, mixed)
    rows = smooth_labels(labels, num_classes, label_smoothing)
    if images.is_floating_point():
        rows = rows.to(torch.promote_types(images.dtype, torch.float32))
    share = mix.share.to(rows)[:, None]
    return mixed, rows * share + rows[partner] * (1 - share)


def smooth_labels(labels: Tensor, num_classes: int, label_smoothing: float = 0.0) -> Tensor:
    """Turn class indices into soft labels, with a part spread over all classes.

    Args:
        labels: Class indices ``(B,)``.
        num_classes: Length K of a soft label.
        label_smoothing: The part, from 0 to 1.

    Returns:
        ``(B, K)``: 1 - smoothing + smoothing / K for the class itself, smoothing / K for others.

    Reference:
        Szegedy et al. (2016), "Rethinking the Inception Architecture for Computer Vision",
        https://arxiv.org/abs/1512.00567.
    """
    rows = F.one_hot(labels.to(torch.int64), num_classes).to(torch.get_default_dtype())
    return rows * (1 - label_smoothing) + label_smoothing / num_classes


class Mixup:
    r"""Blend each image of a batch with the one before it, all by the same share.

    :math:`\tilde x = \lambda x_i + (1 - \lambda) x_j`, and the same for the labels, with
    :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)`. From equal random states it draws what
    torchvision's ``v2.MixUp`` draws.

    Args:
        alpha: Above 0; below 1 most shares are near 0 or 1.
        num_classes: Length of a soft label.

    Raises:
        ValueError: If ``alpha`` or ``num_classes`` is out of range.

    Reference:
        Zhang et al. (2018), "mixup: Beyond Empirical Risk Minimization",
        https://arxiv.org/abs/1710.09412.
    """

    def __init__(self, alpha: float = 1.0, *, num_classes: int) -> None:
        _check_above_zero(alpha=alpha, num_classes=num_classes)
        self.alpha, self.num_classes = alpha, num_classes

    def __call__(
        self, images: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mix images ``(B, C, H, W)`` with labels ``(B,)``; gives them and soft labels."""
        share = draw_share(self.alpha, generator)
        mix = _same_for_all(len(images), share)
        return apply_mix(images, labels, mix, self.num_classes)


class CutMix:
    r"""Paste a box of the image before into each image of a batch, the same box for all.

    The box has the area :math:`1 - \lambda` with :math:`\lambda \sim \mathrm{Beta}(\alpha,
    \alpha)`, as far as it lies inside; the labels go by the area that was really kept. From equal
    random states it draws what torchvision's ``v2.CutMix`` draws.

    Args:
        alpha: Above 0.
        num_classes: Length of a soft label.

    Raises:
        ValueError: If ``alpha`` or ``num_classes`` is out of range.

    Reference:
        Yun et al. (2019), "CutMix", https://arxiv.org/abs/1905.04899.
    """

    def __init__(self, alpha: float = 1.0, *, num_classes: int) -> None:
        _check_above_zero(alpha=alpha, num_classes=num_classes)
        self.alpha, self.num_classes = alpha, num_classes

    def __call__(
        self, images: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mix images ``(B, C, H, W)`` with labels ``(B,)``; gives them and soft labels."""
        height, width = images.shape[-2:]
        half = 0.5 * math.sqrt(1 - draw_share(self.alpha, generator))
        x = _integers(width, generator)
        y = _integers(height, generator)
        across, down = int(half * width), int(half * height)
        box = (max(y - down, 0), min(y + down, height), max(x - across, 0), min(x + across, width))
        mix = _same_for_all(len(images), kept_area(box, height, width), box)
        return apply_mix(images, labels, mix, self.num_classes)


class MixingSchedule:
    """Choose for each batch whether and how to mix, with the options of timm's ``Mixup``.

    Each image is mixed with its mirror in the batch, the first with the last. In a batch of odd
    length the middle one is its own partner, and stays as it is.

    Args:
        mixup_alpha: Of the share in Mixup; 0 for no Mixup.
        cutmix_alpha: Of the share in CutMix; 0 for no CutMix.
        cutmix_minmax: Smallest and largest side of the box, as shares of the image's side; it then
            always lies inside, and ``cutmix_alpha`` only says that there is CutMix.
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
        for name, alpha in (("mixup_alpha", mixup_alpha), ("cutmix_alpha", cutmix_alpha)):
            if not alpha >= 0:
                raise ValueError(f"{name} is {alpha}, expected at least 0")
        if mixup_alpha == cutmix_alpha == 0 and cutmix_minmax is None:
            raise ValueError("mixup_alpha and cutmix_alpha are both 0, expected one above 0")
        shares = {"prob": prob, "switch_prob": switch_prob, "label_smoothing": label_smoothing}
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}, expected from 0 to 1")
        if mode not in MODES:
            raise ValueError(f"mode is {mode!r}, expected one of {MODES}")
        if cutmix_minmax is not None and not 0 <= cutmix_minmax[0] < cutmix_minmax[1] <= 1:
            raise ValueError(f"cutmix_minmax is {cutmix_minmax}, expected 0 <= low < high <= 1")
        _check_above_zero(num_classes=num_classes)
        self.mixup_alpha = mixup_alpha
        self.cutmix_alpha = cutmix_alpha if cutmix_minmax is None else cutmix_alpha or 1.0
        self.cutmix_minmax, self.correct_lam = cutmix_minmax, correct_lam
        self.prob, self.switch_prob, self.mode = prob, switch_prob, mode
        self.label_smoothing, self.num_classes = label_smoothing, num_classes

    def __call__(
        self, images: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mix images ``(B, C, H, W)`` with labels ``(B,)``; gives them and soft labels."""
        mix = self.draw(len(images), *images.shape[-2:], generator)
        return apply_mix(images, labels, mix, self.num_classes, self.label_smoothing)

    def draw(
        self, count: int, height: int, width: int, generator: torch.Generator | None = None
    ) -> Mix:
        """Draw how a batch is mixed.

        Args:
            count: Number of images.
            height: Of an image in pixels.
            width: Of an image in pixels.
            generator: Where the randomness comes from; the global state unless given.

        Returns:
            What was drawn.
        """
        draws = {"batch": 1, "pair": -(-count // 2), "element": count}[self.mode]
        drawn = [self._draw_one(height, width, generator) for _ in range(draws)]
        if self.mode == "batch":
            drawn *= count
        elif self.mode == "pair":
            drawn += drawn[: count // 2][::-1]
        shares, boxes, blended = map(torch.tensor, zip(*drawn, strict=True))
        return Mix(torch.arange(count).flip(0), shares, boxes, blended)

    def _draw_one(
        self, height: int, width: int, generator: torch.Generator | None
    ) -> tuple[float, Box, bool]:
        """Draw a share, a box, and whether to blend; share 1 leaves an image alone."""
        if torch.rand((), generator=generator) >= self.prob:
            return 1.0, NOTHING, False
        cut = self.cutmix_alpha > 0
        if cut and self.mixup_alpha > 0:
            cut = bool(torch.rand((), generator=generator) < self.switch_prob)
        share = draw_share(self.cutmix_alpha if cut else self.mixup_alpha, generator)
        if not cut:
            return share, NOTHING, True
        if self.cutmix_minmax is None:
            centre = _integers(height, generator), _integers(width, generator)
            box = box_around(share, centre, height, width)
        else:
            box = _box_inside(self.cutmix_minmax, height, width, generator)
        exact = self.correct_lam or self.cutmix_minmax is not None
        return (kept_area(box, height, width) if exact else share), box, False


class MixedBatches:
    """Batches that are mixed on their way, for :func:`glassbox.training.fit`.

    Each batch has a generator of its own, decided by the seed, the epoch and its number. So mixing
    neither uses nor disturbs other random numbers, and a resumed training sees the same mixtures.

    Args:
        batches: Pairs of images and class indices.
        mixer: :class:`Mixup`, :class:`CutMix` or :class:`MixingSchedule`.
        seed: Decides the mixtures, at least 0.

    Raises:
        ValueError: If ``seed`` is negative.
    """

    def __init__(self, batches: ImageBatches, mixer: Mixer, *, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f"seed is {seed}, expected at least 0")
        self.batches, self.mixer, self.seed, self.epoch = batches, mixer, seed, 0
        self.sampler = getattr(batches, "sampler", None)  # to be told the epoch

    def __len__(self) -> int:
        """Give the number of batches of an epoch."""
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for number, (images, labels) in enumerate(self.batches):
            mixed = (self.seed * 1_000_003 + self.epoch) * 1_000_003 + number
            yield self.mixer(images, labels, torch.Generator().manual_seed(mixed % 2**63))
        self.epoch += 1

    def state_dict(self) -> dict[str, object]:
        """Give the order of the batches and the number of epochs mixed."""
        return {"batches": order_of(self.batches).state_dict(), "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Continue at a saved position.

        Args:
            state: What :meth:`state_dict` gave.
        """
        self.epoch = state["epoch"]
        order_of(self.batches).load_state_dict(state["batches"])


def draw_share(alpha: float, generator: torch.Generator | None = None) -> float:
    """Draw a share from the distribution Beta(alpha, alpha).

    Args:
        alpha: Above 0.
        generator: Where the randomness comes from; the global state unless given.

    Returns:
        From 0 to 1.
    """
    return torch._sample_dirichlet(torch.tensor([alpha, alpha]).float(), generator)[0].item()


def kept_area(box: Box, height: int, width: int) -> float:
    """Compute the share of an image that a box leaves.

    Args:
        box: Top, bottom, left, right.
        height: Of the image in pixels.
        width: Of the image in pixels.

    Returns:
        From 0 to 1.
    """
    top, bottom, left, right = box
    return 1 - (bottom - top) * (right - left) / (height * width)


def box_around(share: float, centre: tuple[int, int], height: int, width: int) -> Box:
    """Put a box of area 1 - share around a pixel, cut off where the image ends.

    Args:
        share: What the box leaves where all of it lies inside, from 0 to 1.
        centre: Row and column.
        height: Of the image in pixels.
        width: Of the image in pixels.

    Returns:
        Top, bottom, left, right.
    """
    side, (y, x) = math.sqrt(1 - share), centre
    return (*_span(y, int(height * side), height), *_span(x, int(width * side), width))


def _span(centre: int, length: int, end: int) -> tuple[int, int]:
    return max(centre - length // 2, 0), min(centre + (length + 1) // 2, end)


def _box_inside(
    sides: tuple[float, float], height: int, width: int, generator: torch.Generator | None
) -> Box:
    low, high = sides
    down = int(height * low) + _integers(int(height * high) - int(height * low), generator)
    across = int(width * low) + _integers(int(width * high) - int(width * low), generator)
    top, left = _integers(height - down + 1, generator), _integers(width - across + 1, generator)
    return top, top + down, left, left + across


def _integers(bound: int, generator: torch.Generator | None) -> int:
    return int(torch.randint(max(bound, 1), (1,), generator=generator))


def _same_for_all(count: int, share: float, box: Box | None = None) -> Mix:
    """Mix each image with the one before it, blended unless there is a box."""
    boxes = torch.tensor([box or NOTHING]).expand(count, 4)
    blended = torch.full((count,), box is None)
    return Mix(torch.arange(count).roll(1), torch.full((count,), share), boxes, blended)


def _inside(boxes: Tensor, images: Tensor) -> Tensor:
    """Mark the pixels in each image's box, ``(B, 1, H, W)``."""
    top, bottom, left, right = boxes[:, :, None].unbind(1)
    rows = torch.arange(images.shape[2], device=images.device)
    columns = torch.arange(images.shape[3], device=images.device)
    tall = (rows >= top) & (rows < bottom)
    wide = (columns >= left) & (columns < right)
    return tall[:, None, :, None] & wide[:, None, None, :]


def _check_batch(images: Tensor, labels: Tensor, num_classes: int, smoothing: float) -> None:
    if images.ndim != 4 or labels.shape != images.shape[:1]:
        shapes = f"{tuple(images.shape)} and {tuple(labels.shape)}"
        raise ValueError(f"images and labels are {shapes}, expected (B, C, H, W) and (B,)")
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise TypeError(f"labels are {labels.dtype}, expected class indices")
    if labels.numel() and not (labels.min() >= 0 and labels.max() < num_classes):
        low, high = labels.min().item(), labels.max().item()
        raise ValueError(f"labels go from {low} to {high}, expected 0 to {num_classes - 1}")
    if not 0 <= smoothing <= 1:
        raise ValueError(f"label_smoothing is {smoothing}, expected from 0 to 1")


def _check_above_zero(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}, expected above 0")
