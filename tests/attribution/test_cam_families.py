"""Grad-CAM on the families of networks that torchvision and timm have, beside Captum.

The weights are random, the images small. What is known of each family, such as how many tokens come
before the grid, stands in the table and not in the code under test.
"""

from contextlib import contextmanager
from typing import NamedTuple

import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn

import glassbox.support.torchvision_operators  # noqa: F401
from glassbox.attribution import GradCAM


class Family(NamedTuple):
    """A network, one of its layers, what this gives, and the side of its maps."""

    make: callable
    layer: str
    side: int
    reshape: str | None = None
    leading: int = 0  # tokens before those of the grid
    size: int = 64


def vision(name, *known, options=(), **more):
    def make():
        from torchvision.models import get_model

        return get_model(name, weights=None, num_classes=5, **dict(options))

    return Family(make, *known, **more)


def small(name, options, *known, **more):
    """Make a small one of a family of torchvision whose named ones are all large."""

    def make():
        from torchvision import models

        return getattr(models, name)(num_classes=5, **options)

    return Family(make, *known, **more)


def of_timm(name, *known, options=(), **more):
    def make():
        import timm

        return timm.create_model(name, num_classes=5, **dict(options))

    return Family(make, *known, **more)


AUXILIARY = {"init_weights": False, "aux_logits": True}.items()
VIT = {"image_size": 64, "patch_size": 16, "num_layers": 2, "num_heads": 2, "hidden_dim": 32}
MAXVIT = {"input_size": (64, 64), "stem_channels": 8, "partition_size": 2, "head_dim": 8}
SIDE_64 = {"img_size": 64}.items()

FAMILIES = {
    "resnet": vision("resnet18", "layer4", 2),
    "resnext": vision("resnext50_32x4d", "layer3", 4),
    "densenet": vision("densenet121", "features", 2),
    "vgg": vision("vgg11", "features.19", 4),
    "alexnet": vision("alexnet", "features.10", 3),
    "mobilenet v2": vision("mobilenet_v2", "features", 2),
    "mobilenet v3": vision("mobilenet_v3_small", "features", 2),
    "efficientnet": vision("efficientnet_b0", "features", 2),
    "shufflenet": vision("shufflenet_v2_x0_5", "conv5", 2),
    "squeezenet": vision("squeezenet1_1", "features", 3),
    "googlenet": vision("googlenet", "inception5b", 2, options=AUXILIARY),
    "inception": vision("inception_v3", "Mixed_7c", 1, options=AUXILIARY, size=96),
    "regnet": vision("regnet_y_400mf", "trunk_output", 2),
    "mnasnet": vision("mnasnet0_5", "layers", 2),
    "convnext": vision("convnext_tiny", "features.5", 4),
    "inside convnext": vision("convnext_tiny", "features.7.0.block.3", 2, "channels_last"),
    "swin": vision("swin_t", "features.5", 4, "channels_last"),
    "swin v2": vision("swin_v2_t", "features.3", 8, "channels_last"),
    "vit": small("VisionTransformer", VIT | {"mlp_dim": 64}, "encoder.layers.encoder_layer_0", 4,
                 "tokens", 1),
    "maxvit": small("MaxVit", MAXVIT | {"block_channels": [8, 16], "block_layers": [1, 1],
                    "stochastic_depth_prob": 0.0}, "blocks.1", 8),
    "convnext v2": of_timm("convnextv2_atto", "stages.3", 2),
    "mixer": of_timm("mixer_s32_224", "blocks.7", 2, "tokens", options=SIDE_64),
    "deit": of_timm("deit_tiny_patch16_224", "blocks.5", 4, "tokens", 1, options=SIDE_64),
    "deit, distilled": of_timm("deit_tiny_distilled_patch16_224", "blocks.11.norm1", 4, "tokens", 2,
                               options=SIDE_64),
    "vit with registers": of_timm("vit_wee_patch16_reg1_gap_256", "blocks.13", 4, "tokens", 1,
                                  options=SIDE_64),
    "levit": of_timm("levit_128s", "stages.1", 4, "tokens", options={"img_size": 128}.items(),
                     size=128),
    "xcit": of_timm("xcit_nano_12_p16_224", "blocks.11", 4, "tokens"),
    "regnet of timm": of_timm("regnety_002", "s4", 2),
    "efficientvit": of_timm("efficientvit_b0", "stages", 2),
    "poolformer": of_timm("poolformerv2_s12", "stages", 2),
    "ghostnet": of_timm("ghostnet_050", "blocks", 2),
    "mobilenet v4": of_timm("mobilenetv4_conv_small_035", "blocks.3", 2),
}  # fmt: skip


class ByMaps(nn.Module):
    """A layer whose output goes through maps ``(B, C, h, w)`` and back, where Captum can see it."""

    def __init__(self, layer, family):
        super().__init__()
        self.layer, self.maps, self.family = layer, nn.Identity(), family

    def forward(self, *inputs):
        output = self.layer(*inputs)
        if self.family.reshape == "channels_last":
            return self.maps(output.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        first, rest = output.split([self.family.leading, output.shape[1] - self.family.leading], 1)
        maps = rest.transpose(1, 2).reshape(len(rest), -1, self.family.side, self.family.side)
        return torch.cat([first, self.maps(maps).flatten(2).transpose(1, 2)], dim=1)


@contextmanager
def watched_by_captum(model, family):
    """Let a layer that gives no maps give some; gives the layer for Captum."""
    layer = model.get_submodule(family.layer)
    if family.reshape is None:
        yield layer
        return
    parent, _, name = family.layer.rpartition(".")
    by_maps = ByMaps(layer, family).eval()
    setattr(model.get_submodule(parent), name, by_maps)
    yield by_maps.maps
    setattr(model.get_submodule(parent), name, layer)


def state_of(model):
    hooks = [len(m._forward_hooks) + len(m._backward_hooks) for m in model.modules()]
    flags = [(p.requires_grad, p.grad, p._version) for p in model.parameters()]
    return (
        hooks,
        [m.training for m in model.modules()],
        flags,
        [b._version for b in model.buffers()],
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_maps_are_captums_and_nothing_is_left_behind(name):
    torch.manual_seed(0)
    family = FAMILIES[name]
    model = family.make()
    for parameter in model.parameters():
        if not parameter.any():  # some heads begin at 0, and their networks' scores would be equal
            nn.init.normal_(parameter, std=0.1)
    images, classes = torch.randn(2, 3, family.size, family.size), [3, 1]
    before = state_of(model)
    with GradCAM(model, model.get_submodule(family.layer), family.reshape) as cam:
        maps = cam(images, classes, relu=False)
    assert state_of(model) == before
    assert maps.shape == (2, family.side, family.side)
    model.eval()
    with watched_by_captum(model, family) as layer:
        expected = LayerGradCam(model, layer).attribute(images, torch.tensor(classes))
    scale = expected.abs().max()
    assert scale > 0
    torch.testing.assert_close(maps / scale, expected[:, 0].detach() / scale, rtol=0, atol=1e-4)
