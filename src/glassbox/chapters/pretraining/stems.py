"""Let EfficientNet-Lite0, which was trained on images of 224 pixels, begin on 32 x 32."""

import torch
from torch import nn

from glassbox.chapters.pretraining.tasks import enlarge
from glassbox.data.dataset import Dataset
from glassbox.support.arguments import check_choice
from glassbox.support.seeds import isolated_seed

STEMS = ("unchanged", "enlarged", "stride 1", "resampled", "fresh")
# A pixel of an image twice as large is 3/4 of one pixel and 1/4 of the next, on each axis.
_DOUBLING = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25], [0.0, 0.25, 0.75]])


@torch.no_grad()
def adapt_first_layer(model: nn.Module, stem: str, seed: int) -> None:
    """Let the first convolution of EfficientNet-Lite0 keep the size of its images.

    At the edges it sees their last pixels once more, as in an image that was enlarged; zeros would
    be a frame of gray that takes up more of the maps than it did in training.

    Args:
        model: It is changed, unless the stem is ``"unchanged"`` or ``"enlarged"``.
        stem: ``"stride 1"`` keeps the kernels, ``"resampled"`` makes of them those that see in an
            image what the old ones, with their stride of 2, see in the image twice as large, and
            ``"fresh"`` draws new ones.
        seed: Decides these.

    Raises:
        ValueError: If the stem is unknown.
    """
    check_choice(STEMS, stem=stem)
    if stem in STEMS[:2]:
        return
    old = model.conv_stem
    with isolated_seed(seed):
        options = {"padding": 1, "padding_mode": "replicate", "bias": False}
        new = nn.Conv2d(3, old.out_channels, 3, **options)
        # As all convolutions of this network are drawn.
        nn.init.normal_(new.weight, std=(2 / (9 * old.out_channels)) ** 0.5)
    if stem == "stride 1":
        new.weight.copy_(old.weight)
    if stem == "resampled":
        new.weight.copy_(_DOUBLING.T @ old.weight @ _DOUBLING)
    model.conv_stem = new


def sized(stem: str, data: Dataset) -> Dataset:
    """Make images of 32 pixels twice as large where the stem is ``"enlarged"``."""
    return enlarge(data, 64, mode="bilinear") if stem == "enlarged" else data
