"""Loss, mixing, rates and precision, as the flags say."""

import math

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from glassbox.chapters.your_folder.options import Options
from glassbox.data.batches import Batches
from glassbox.data.installed_files import installed_package
from glassbox.losses.cross_entropy import CrossEntropy, LogitAdjustedLoss
from glassbox.losses.deferred import DeferredReweighting
from glassbox.losses.ldam import LDAMLoss
from glassbox.mixing.batches import MixedBatches
from glassbox.mixing.core import smooth_labels
from glassbox.mixing.schedule import MixingSchedule
from glassbox.training.freezing import parameter_groups
from glassbox.training.pairs import ImageBatches


def make_loss(options: Options, counts: tuple[int, ...]) -> nn.Module:
    """Make the loss of logits that are ``scale`` times cosines.

    LDAM takes its margins off cosines and multiplies afterwards. Here the head has multiplied
    already, so the margins are multiplied, too, and nothing else: ``s (x - m)`` is ``s x - s m``.
    So the logits of all three losses are of one kind, and one cross-entropy validates them.
    """
    if options.loss == "cross-entropy":
        return CrossEntropy()
    if options.loss == "logit-adjusted":
        return LogitAdjustedLoss(counts)
    margins = LDAMLoss(counts, options.max_margin * options.scale, scale=1.0)
    return DeferredReweighting(margins, counts, first_weighted_epoch(options))


def first_weighted_epoch(options: Options) -> int:
    """Name the first epoch with class weights, from 1; it is never behind the last one."""
    return math.floor(options.drw_start * options.epochs) + 1


class EvenMixer:
    """Lets a mixer that wants an even number of images leave the last one of an odd batch alone.

    Args:
        mixer: timm's ``Mixup``, which pairs the first image with the last, and so on.
    """

    def __init__(self, mixer: object) -> None:
        self.mixer = mixer

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mix images ``(B, C, H, W)`` with labels ``(B,)``; gives them and soft labels."""
        even = len(labels) - len(labels) % 2
        if even == len(labels):
            return self.mixer(images, labels)
        smoothing, classes = self.mixer.label_smoothing, self.mixer.num_classes
        last = smooth_labels(labels[even:], classes, smoothing)
        if not even:
            return images, last
        mixed, soft = self.mixer(images[:even], labels[:even])
        return torch.cat([mixed, images[even:]]), torch.cat([soft, last.to(soft)])


def mixed(batches: Batches, options: Options, num_classes: int) -> ImageBatches:
    """Mix batches on their way, if asked to; each process mixes its part of a batch."""
    if options.mixer == "none":
        return batches
    settings = {
        "mixup_alpha": options.mixup,
        "cutmix_alpha": options.cutmix,
        "prob": options.mix_prob,
        "switch_prob": options.switch_prob,
        "label_smoothing": options.smoothing,
        "num_classes": num_classes,
    }
    if options.mixer == "ours":
        return MixedBatches(batches, MixingSchedule(**settings), seed=options.seed)
    installed_package("timm")
    from timm.data import Mixup

    return MixedBatches(batches, EvenMixer(Mixup(mode="batch", **settings)), seed=options.seed)


class WarmUpCosine:
    """A factor for learning rates: it rises in a line to 1, then falls to 0 as half a cosine.

    Args:
        rising: Steps in which it rises.
        total: Steps of the training.
    """

    def __init__(self, rising: int, total: int) -> None:
        self.rising, self.total = min(rising, total), total

    def __call__(self, step: int) -> float:
        """Give the factor of a step, counted from 0."""
        if step < self.rising:
            return (step + 1) / self.rising
        done = (step - self.rising) / max(self.total - self.rising, 1)
        return 0.5 * (1 + math.cos(math.pi * min(done, 1)))


def make_optimizer(model: nn.Module, head: nn.Module, options: Options) -> torch.optim.AdamW:
    """Make AdamW with a rate for the head and one for all else."""
    groups = parameter_groups(head, model, options.lr, options.backbone_lr)
    return torch.optim.AdamW(groups, weight_decay=options.weight_decay)


def make_schedule(optimizer: Optimizer, options: Options, steps: int) -> LambdaLR:
    """Make the schedule of both rates, for ``steps`` steps an epoch."""
    rising = round(options.warm_up * steps)
    return LambdaLR(optimizer, WarmUpCosine(rising, options.epochs * steps))


def precision_of(
    options: Options, device: torch.device
) -> tuple[torch.dtype | None, torch.amp.GradScaler | None]:
    """Give the type for autocast, if any, and the scaler that float16 needs."""
    name = options.precision
    if name == "auto":
        name = "bfloat16" if device.type == "cuda" else "float32"
    if name == "float32":
        return None, None
    scaler = torch.amp.GradScaler(device.type) if name == "float16" else None
    return getattr(torch, name), scaler
