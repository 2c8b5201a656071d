"""Removed blocks are gone inside the block of code, and back behind it."""

from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import glassbox.support.torchvision_operators  # noqa: F401
from glassbox.networks import BasicBlock, ResidualNetwork, block_names, lesion_accuracy, removed
from glassbox.training import evaluate


def network(plain=False, depth=14):
    torch.manual_seed(0)
    return ResidualNetwork(depth, plain=plain, in_channels=1, width=4).eval()


IMAGES = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([0, 1, 2, 3, 4, 5])


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("name", block_names(network()))
def test_a_removed_block_equals_one_that_is_stepped_over_by_a_hook(plain, name):
    model = network(plain)
    whole = model(IMAGES)
    with removed(model, [name]):
        without = model(IMAGES)
    block = model.get_submodule(name)
    handle = block.register_forward_hook(lambda block, args, out: F.relu(block.shortcut(args[0])))
    assert torch.equal(without, model(IMAGES)) and not torch.equal(without, whole)
    handle.remove()
    assert torch.equal(model(IMAGES), whole)


def test_without_any_block_the_shortcuts_remain():
    model = network()
    with removed(model, block_names(model)):
        logits = model(IMAGES)
    x = F.relu(model.bn1(model.conv1(IMAGES)))
    x = F.pad(x[..., ::4, ::4], (0, 0, 0, 0, 0, 12))
    torch.testing.assert_close(logits, model.fc(x.mean((2, 3))))


@pytest.mark.parametrize("raises", [True, False])
def test_the_network_is_whole_again(raises):
    model, names = network(), block_names(network())
    before, modes = list(model.modules()), [m.training for m in model.modules()]
    try:
        with removed(model, names[1:3]):
            assert block_names(model) == [names[0], *names[3:]]
            if raises:
                raise KeyError
    except KeyError:
        pass
    assert all(a is b for a, b in zip(model.modules(), before, strict=True))
    assert [m.training for m in model.modules()] == modes


def test_a_removed_block_learns_no_statistics():
    model = network().train()
    with removed(model, ["layer2.1"]):
        model(IMAGES)
    assert model.layer2[1].bn1.num_batches_tracked == 0
    assert model.layer2[0].bn1.num_batches_tracked == 1


def test_blocks_of_torchvision_can_be_removed():
    from torchvision.models import resnet18

    torch.manual_seed(0)
    model = resnet18(weights=None, num_classes=3).eval()
    images = torch.randn(2, 3, 32, 32)
    whole = model(images)
    with removed(model, ["layer1.1", "layer2.0"]):
        without = model(images)
    assert not torch.equal(without, whole) and torch.equal(model(images), whole)
    model.layer1[1] = nn.Identity()
    model.layer2[0] = nn.Sequential(model.layer2[0].downsample, nn.ReLU())
    torch.testing.assert_close(model(images), without)


def test_a_block_is_its_name_also_in_a_compiled_network():
    torch._dynamo.reset()
    model = network()
    with removed(model, ["layer2.1"]):
        expected = model(IMAGES)
    compiled = torch.compile(model, backend="aot_eager")
    compiled(IMAGES)
    for block in ("layer2.1", "_orig_mod.layer2.1", model.layer2[1]):
        with removed(compiled, [block]):
            torch.testing.assert_close(compiled(IMAGES), expected)
    torch._dynamo.reset()


def test_a_block_at_the_top_of_a_model_can_be_removed():
    model = nn.Sequential(BasicBlock(2, 2), BasicBlock(2, 2))
    x = torch.rand(1, 2, 4, 4)
    with removed(model, ["0", "1"]):
        assert torch.equal(model(x), x)


def test_accuracies_come_in_the_order_of_the_lesions():
    model = network()
    lesions = [["layer3.1"], [], ["layer1.0", "layer2.1"]]
    found = lesion_accuracy(model, IMAGES, LABELS, lesions)
    for lesion, fraction in zip(lesions, found, strict=True):
        with removed(model, lesion):
            assert fraction == evaluate(model, IMAGES, LABELS).accuracy


def test_wrong_blocks_are_refused():
    model = network()
    cases = [
        (["layer4.0"], ValueError, "layer4.0"),
        (["conv1"], ValueError, "blocks has 'conv1'"),
        ([""], ValueError, "blocks has ''"),
        ("layer1.0", TypeError, "expected a list"),
        (model.layer1[0], TypeError, "blocks is a BasicBlock, expected a list"),
        ([network().layer1[0]], ValueError, "blocks has a BasicBlock, expected names"),
    ]
    for blocks, error, message in cases:
        with pytest.raises(error, match=message), removed(model, blocks):
            pass
    swin = nn.Sequential(OrderedDict(stage=nn.Module()))
    swin.stage.downsample = nn.Identity()
    with pytest.raises(ValueError, match="blocks has 'stage'"), removed(swin, ["stage"]):
        pass
    with pytest.raises(TypeError, match="expected a list"):
        lesion_accuracy(model, IMAGES, LABELS, ["layer1.0"])


def test_a_network_whose_logits_are_not_finite_has_no_accuracy():
    model = network()
    nn.init.constant_(model.fc.bias, float("nan"))
    with pytest.raises(ValueError, match=r"^the accuracy without \['layer1.0'\] is nan, expected"):
        lesion_accuracy(model, IMAGES, LABELS, [["layer1.0"]])
    soft = F.one_hot(LABELS, 10).float()
    with pytest.raises(ValueError, match=r"^labels has shape \(6, 10\) .* expected \(6,\)"):
        lesion_accuracy(network(), IMAGES, soft, [[]])
