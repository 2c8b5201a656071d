"""ResNet-18 is torchvision's: names, shapes, first weights, outputs and gradients."""

import pytest
import torch
from refusals import refuses

import glassbox.support.torchvision_operators  # noqa: F401
from glassbox.networks import block_names, count_parameters, resnet18
from glassbox.support import isolated_seed


def theirs(**options):
    from torchvision import models

    return models.resnet18(**options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("training", [True, False])
def test_it_equals_torchvision(dtype, training):
    torch.manual_seed(0)
    other, ours = theirs(num_classes=7).to(dtype), resnet18(7).to(dtype)
    ours.load_state_dict(other.state_dict())
    images = torch.randn(4, 3, 64, 48, dtype=dtype, requires_grad=True)
    results = []
    for model in (ours, other):
        logits = model.train(training)(images)
        slopes = torch.autograd.grad(logits.square().sum(), [images, *model.parameters()])
        results.append((logits, *slopes, *model.buffers()))
    near = {torch.float32: 1e-4, torch.float64: 1e-10}[dtype]
    torch.testing.assert_close(*results, rtol=near, atol=near)


def test_names_and_first_weights_are_theirs():
    with isolated_seed(3):
        ours = resnet18().state_dict()
    with isolated_seed(3):
        other = theirs().state_dict()
    assert list(ours) == list(other)
    assert all(torch.equal(ours[name], other[name]) for name in ours)


def test_it_has_eight_blocks_and_the_published_number_of_parameters():
    with torch.device("meta"):
        model = resnet18()
        assert count_parameters(model) == 11_689_512
        assert count_parameters(resnet18(10)) == 11_181_642
        assert len(block_names(model)) == 8
        assert model(torch.empty(2, 3, 224, 224)).shape == (2, 1000)
        assert resnet18(in_channels=1)(torch.empty(2, 1, 33, 32)).shape == (2, 1000)


test_a_wrong_argument_is_named = refuses(
    (lambda: resnet18(0), "num_classes is 0, expected at least 1"),
    (lambda: resnet18(in_channels=0), "in_channels is 0, expected at least 1"),
    (lambda: resnet18(10.0), TypeError, "num_classes is 10.0, expected an integer"),
)
