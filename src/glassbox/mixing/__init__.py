"""Mixup and CutMix on whole batches: two images in one, and a label that says how much of each."""

from glassbox.mixing.batches import MixedBatches
from glassbox.mixing.boxes import box_around, draw_share, kept_area
from glassbox.mixing.core import Mix, apply_mix, smooth_labels
from glassbox.mixing.schedule import MixingSchedule
from glassbox.mixing.whole_batch import CutMix, Mixup

__all__ = [
    "CutMix",
    "Mix",
    "MixedBatches",
    "MixingSchedule",
    "Mixup",
    "apply_mix",
    "box_around",
    "draw_share",
    "kept_area",
    "smooth_labels",
]
