"""Maps and their measures on every device and in every layout of images."""

import torch
from devices import gives_the_same_in_every_layout, gives_the_same_on_every_device, needs_no_values
from torch import nn

from glassbox import attribution
from glassbox.attribution.faithfulness import edge_maps
from glassbox.attribution.watermark import mass_on


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, device="cpu")


MAPS, OTHERS, IMAGES = drawn(2, 12, 12), drawn(2, 12, 12, seed=1), drawn(2, 3, 12, 12)
MASKS, LABELS = MAPS > 0.5, torch.tensor([0, 2])
BYTES = (255 * IMAGES).to(torch.uint8)


class Means(nn.Module):
    """Its logits are the means of the channels, and there is nothing in it to move."""

    def __init__(self):
        super().__init__()
        self.same = nn.Identity()

    def forward(self, images):
        return self.same(images).square().mean((2, 3))


def grad_cam(images, classes):
    with attribution.GradCAM(Means(), "same") as cam:
        return cam(images, classes)


def deletion(images, classes, maps):
    return attribution.deletion_curves(Means(), images, classes, maps, 0 * images, 4)


def shares(images, classes):
    return attribution.integrated_gradients(Means(), images, classes, steps=3)


def falls(images, classes):
    return attribution.occlusion(Means(), images, classes, side=4)


CASES = (
    ("GradCAM", grad_cam, IMAGES, LABELS),
    ("GradCAM of one class", lambda images: grad_cam(images, 1), IMAGES),
    ("CAM", attribution.class_activation_maps, IMAGES, drawn(4, 3), LABELS),
    ("integrated_gradients", shares, IMAGES, LABELS),
    ("occlusion", falls, IMAGES, LABELS),
    ("heat_maps", lambda maps: attribution.heat_maps(maps, 24), MAPS),
    ("pointing_hits", attribution.pointing_hits, MAPS, MASKS),
    ("mask_iou", attribution.mask_iou, MAPS, MASKS),
    ("deletion_curves", deletion, IMAGES, LABELS, MAPS),
    ("stamp", attribution.stamp, BYTES, torch.tensor([True, False])),
    ("edge_maps", edge_maps, IMAGES),
    ("blurred", lambda images: attribution.blurred(images, 3), IMAGES),
    ("area_under", attribution.area_under, MAPS[0]),
)
LAYOUTS = (
    *("GradCAM", "CAM", "integrated_gradients", "occlusion"),
    *("stamp", "edge_maps", "blurred"),
)
test_every_device_gives_the_same = gives_the_same_on_every_device(
    *CASES,
    ("rank_correlation", attribution.rank_correlation, MAPS, OTHERS),
    ("mass_on", mass_on, MAPS, MASKS),
)
test_shapes_are_known_without_values = needs_no_values(*CASES)
test_every_layout_gives_the_same = gives_the_same_in_every_layout(
    *(case for case in CASES if case[0] in LAYOUTS)
)
