"""Directions are as long as the filters, and the network stays where it was."""

import pytest
import torch
from devices import without_float64
from refusals import refuses
from torch import nn

from glassbox.networks import filter_normalized, loss_slice
from glassbox.networks.loss_slices import _shifted
from glassbox.training import evaluate

IMAGES = torch.randn(20, 1, 6, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(20) % 3


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_filter_of_a_direction_is_as_long_as_the_networks_own(dtype):
    model = network().to(dtype)
    direction = filter_normalized(model, seed=3)
    assert list(direction) == ["0.weight", "4.weight"]
    for name, step in direction.items():
        weight = model.get_parameter(name)
        assert step.shape == weight.shape and step.dtype == dtype and not step.requires_grad
        torch.testing.assert_close(step.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))


@pytest.mark.parametrize("size", [3e37, 1e-30, 1e-44])
def test_filters_of_any_length_have_a_direction(size):
    model = network()
    model[4].weight.data.mul_(0).add_(size)
    (step,) = [step for name, step in filter_normalized(model, 3).items() if name == "4.weight"]
    torch.testing.assert_close((step / size).norm(dim=1), torch.full((3,), 8.0), rtol=0.1, atol=0)


def test_a_direction_of_a_network_in_half_precision_is_that_of_its_weights():
    halves = network().half()
    halves[4].weight.data.mul_(0).add_(20000)  # whose squares are beyond float16
    direction = filter_normalized(halves, seed=3)
    for name, step in filter_normalized(halves.float(), seed=3).items():
        assert torch.equal(direction[name], step.half())


def test_the_seed_decides_the_direction():
    model = network()
    first, again, other = (filter_normalized(model, seed)["0.weight"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize("raises", [True, False])
def test_weights_are_moved_and_put_back_exactly(raises):
    model = network()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    directions = [filter_normalized(model, 0), filter_normalized(model, 1)]
    try:
        with _shifted(model, directions, (0.3, -2)):
            for name, one in directions[0].items():
                moved = before[name] + 0.3 * one - 2 * directions[1][name]
                torch.testing.assert_close(model.get_parameter(name).detach(), moved)
            if raises:
                raise KeyError
    except KeyError:
        pass
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_slice_holds_the_losses_at_its_points():
    model = network()
    found = loss_slice(model, IMAGES, LABELS, points=5, reach=0.5, seed=1)
    directions = [filter_normalized(model, 2), filter_normalized(model, 3)]
    assert found.shape == (5, 5) and model.training
    assert found[2, 2] == pytest.approx(evaluate(model, IMAGES, LABELS).loss)
    with _shifted(model, directions, (0.25, -0.5)):  # across, down
        assert found[0, 3] == pytest.approx(evaluate(model, IMAGES, LABELS).loss)


def broken():
    model = network()
    nn.init.constant_(model[0].weight, float("nan"))
    return model


def test_slices_do_not_depend_on_the_default_device():
    options = {"points": 3, "reach": 0.5}
    model = network()
    expected = loss_slice(model, IMAGES, LABELS, **options)
    with torch.device("meta"):
        assert torch.equal(loss_slice(model, IMAGES, LABELS, **options), expected)
    for step, other in zip(
        filter_normalized(without_float64(network()), 0).values(),
        filter_normalized(model, 0).values(),
        strict=True,
    ):
        assert torch.equal(step.cpu(), other)
    with torch.device("meta"):
        assert all(step.is_meta for step in filter_normalized(network(), 0).values())


test_a_wrong_argument_is_named = refuses(
    (lambda model: loss_slice(model, IMAGES, LABELS, points=2.5), TypeError, "points is 2.5"),
    (lambda model: loss_slice(model, IMAGES, LABELS, reach=float("inf")), "reach is inf"),
    (lambda model: loss_slice(model, IMAGES, LABELS, seed=0.5), "seed is 0.5"),
    (lambda model: filter_normalized(broken(), 0), "0.weight has 36 entries that are nan"),
    (lambda model: loss_slice(model, IMAGES, LABELS, points=0), "points is 0"),
    (
        lambda model: loss_slice(model, IMAGES, LABELS, reach=-1.0),
        r"reach is -1\.0, expected",
    ),
    (
        lambda model: _shifted(model, [filter_normalized(model, 0)], (1, 2)).__enter__(),
        r"amounts is \(1, 2\), expected 1",
    ),
    by=lambda call: call(network()),
)
