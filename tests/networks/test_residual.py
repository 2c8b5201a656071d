"""Blocks equal torchvision's, plain twins differ in the sum alone, and zero means identity."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from torch import nn

import glassbox.support.torchvision_operators  # noqa: F401
from glassbox.autograd import capture
from glassbox.networks import (
    BasicBlock,
    Bottleneck,
    ResidualNetwork,
    block_names,
    count_parameters,
    zero_last_scales,
)
from glassbox.networks.residual import _SubsampleAndPad

TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}


def theirs():
    from torchvision.models import resnet

    return resnet


def projection(before, after, stride):
    convolution = nn.Conv2d(before, after, 1, stride, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after))


def results(block, x, gradient):
    x = x.clone().requires_grad_()
    out = block(x)
    return out, *torch.autograd.grad(out, [x, *block.parameters()], gradient)


@settings(max_examples=15, deadline=None)
@given(
    kind=st.sampled_from(["BasicBlock", "Bottleneck"]),
    in_channels=st.integers(1, 6),
    channels=st.integers(1, 5),
    stride=st.integers(1, 2),
    size=st.integers(3, 8),
    training=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_blocks_equal_those_of_torchvision(
    kind, in_channels, channels, stride, size, training, seed
):
    torch.manual_seed(seed)
    ours = {"BasicBlock": BasicBlock, "Bottleneck": Bottleneck}[kind]
    after = channels * ours.expansion
    same = in_channels == after and stride == 1
    shortcuts = [None if same else projection(in_channels, after, stride) for _ in range(2)]
    other = getattr(theirs(), kind)(in_channels, channels, stride, shortcuts[0]).double()
    mine = ours(in_channels, channels, stride, shortcuts[1]).double()
    mine.load_state_dict(other.state_dict())
    assert list(mine.state_dict()) == list(other.state_dict())
    mine.train(training), other.train(training)
    x = torch.randn(3, in_channels, size, size, dtype=torch.float64)
    gradient = torch.randn_like(other(x))
    mine.load_state_dict(other.state_dict())  # that call moved the running statistics
    torch.testing.assert_close(results(mine, x, gradient), results(other, x, gradient), **TOLERANCE)
    torch.testing.assert_close(mine.state_dict(), other.state_dict(), **TOLERANCE)


@pytest.mark.parametrize(
    ("depth", "count"),
    [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018), (110, 1_727_962)],
)
@pytest.mark.parametrize("plain", [True, False])
def test_networks_have_the_parameters_of_the_paper(depth, count, plain):
    with torch.device("meta"):
        model = ResidualNetwork(depth, plain=plain)
    assert count_parameters(model) == count
    weighted = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighted) == depth


@pytest.mark.parametrize("norm_layer", [nn.BatchNorm2d, nn.Identity])
def test_a_plain_twin_leaves_out_the_sum_and_nothing_else(norm_layer):
    torch.manual_seed(0)
    model = ResidualNetwork(14, width=4, norm_layer=norm_layer)
    twin = ResidualNetwork(14, plain=True, width=4, norm_layer=norm_layer)
    twin.load_state_dict(model.state_dict())
    names = block_names(model)
    assert names == block_names(twin) == [f"layer{i}.{j}" for i in (1, 2, 3) for j in (0, 1)]
    images = torch.randn(2, 3, 8, 8)
    for network, adds in ((model, True), (twin, False)):
        with capture(network, ["relu", *names]) as calls:
            logits = network(images)
        assert logits.shape == (2, 10)
        for before, after in pairwise(["relu", *names]):
            block, x = network.get_submodule(after), calls[before][0]
            expected = block.residual(x) + (block.shortcut(x) if adds else 0)
            torch.testing.assert_close(calls[after][0], F.relu(expected))


def test_the_shortcut_without_parameters_takes_every_other_pixel():
    x = torch.arange(32.0).view(1, 2, 4, 4)
    out = _SubsampleAndPad(3, 2)(x)
    assert out.shape == (1, 5, 2, 2)
    assert out[0, 0].tolist() == [[0, 2], [8, 10]] and not out[0, 2:].any()


class AroundBlock(BasicBlock):
    """The shortcut that other code for CIFAR-10 has: zeros on both sides of the channels."""

    def shortcut(self, x):
        if self.downsample is None:
            return x
        side = x.shape[1] // 2
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, side, side))


def test_weights_of_shortcuts_around_the_channels_have_their_own_setting():
    torch.manual_seed(0)
    trained = ResidualNetwork(8, width=4)
    for name in block_names(trained):
        trained.get_submodule(name).__class__ = AroundBlock
    after = ResidualNetwork(8, width=4)
    around = ResidualNetwork(8, width=4, new_channels="around")
    images = torch.randn(2, 3, 8, 8)
    for model in (after, around):
        model.load_state_dict(trained.state_dict())  # neither is refused
    expected = trained.eval()(images)
    assert torch.equal(around.eval()(images), expected)
    assert not torch.allclose(after.eval()(images), expected, atol=1e-3)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("norm_layer", [nn.BatchNorm2d, nn.Identity])
def test_a_block_whose_last_scale_is_0_passes_on_its_input(block, norm_layer):
    torch.manual_seed(0)
    model = nn.Sequential(block(8, 8 // block.expansion, norm_layer=norm_layer))
    x = torch.randn(2, 8, 5, 5)
    assert not torch.equal(model(x), F.relu(x))
    zero_last_scales(model)
    assert torch.equal(model(x), F.relu(x))


@pytest.mark.parametrize(("name", "blocks"), [("resnet18", 8), ("resnet50", 16)])
def test_zero_initialization_is_that_of_torchvision(name, blocks):
    make = getattr(theirs(), name)
    model, other = make(weights=None), make(weights=None, zero_init_residual=True)
    zero_last_scales(model)
    assert len(block_names(model)) == blocks
    pairs = zip(model.named_modules(), other.modules(), strict=True)
    for (layer, mine), expected in pairs:
        if isinstance(mine, nn.BatchNorm2d):
            assert torch.equal(mine.weight, expected.weight), layer
    assert not ResidualNetwork(8, zero_init=True).layer2[0].bn2.weight.any()


test_a_wrong_argument_is_named = refuses(
    (lambda: ResidualNetwork(2), "depth is 2, expected 6n"),
    (lambda: ResidualNetwork(18), "depth is 18, expected 6n"),
    (lambda: ResidualNetwork(57), "depth is 57, expected 6n"),
    (lambda: ResidualNetwork(8, plain=True, zero_init=True), "zero_init is True"),
    (lambda: ResidualNetwork(8, width=0), "width is 0, expected at least 1"),
    (lambda: ResidualNetwork(8.0), TypeError, "depth is 8.0, expected an integer"),
    (
        lambda: ResidualNetwork(8, new_channels="before"),
        "new_channels is 'before', expected one of",
    ),
    (lambda: BasicBlock(4, 4, stride=0), "stride is 0, expected at least 1"),
    (lambda: Bottleneck(4, 2.5), TypeError, "channels is 2.5, expected an integer"),
    (lambda: BasicBlock(4, 4, downsample="x"), TypeError, "downsample is 'x', expected a torch"),
    (lambda: BasicBlock(4, 4, norm_layer=7), TypeError, "norm_layer is 7, expected a function"),
)
