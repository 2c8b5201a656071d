import copy

import pytest
import torch
from devices import gives_the_same_on_every_device
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import glassbox.support.torchvision_operators  # noqa: F401  (before timm)
from glassbox.training import ExponentialAverage

from timm.utils import ModelEmaV2  # isort: skip


def make_model(dtype=torch.float32, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(4, 3)).to(dtype)


def walk(model, steps):
    """Change parameters, running statistics and the counter of batches, as a training does."""
    for _ in range(steps):
        with torch.no_grad():
            for value in model.parameters():
                value.add_(torch.randn_like(value))
            model[1](torch.randn(4, 2, 3, 3, dtype=model[0].weight.dtype))
        yield


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(max_examples=15, deadline=None)
@given(decay=st.floats(0, 0.9999), seed=st.integers(0, 1000))
def test_the_average_follows_its_formula(dtype, decay, seed):
    model = make_model(dtype, seed)
    average = ExponentialAverage(model, decay)
    expected = [p.detach().double().clone() for p in model.parameters()]
    for t, _ in enumerate(walk(model, 20), start=1):
        average.update(model)
        d = min(decay, (1 + t) / (10 + t))
        pairs = zip(expected, model.parameters(), strict=True)
        expected = [d * mean + (1 - d) * value.double() for mean, value in pairs]
    tolerance = 1e-12 if dtype is torch.float64 else 1e-5
    for mean, value in zip(average.model.parameters(), expected, strict=True):
        torch.testing.assert_close(mean.double(), value, rtol=tolerance, atol=tolerance)
    assert average.updates == 20


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_warm_up_it_equals_torch_with_averaged_buffers(dtype):
    model = make_model(dtype)
    average = ExponentialAverage(model, 0.9, warm_up=False)
    torchs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    torchs.update_parameters(model)  # torch only copies the first time
    for _ in walk(model, 30):
        average.update(model)
        torchs.update_parameters(model)
    for name, value in torchs.module.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(average.model.state_dict()[name], value), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_warm_up_it_equals_timm(dtype):
    model = make_model(dtype)
    average, timms = ExponentialAverage(model, 0.9, warm_up=False), ModelEmaV2(model, 0.9)
    for _ in walk(model, 30):
        average.update(model)
        timms.update(model)
    for name, value in timms.module.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(average.model.state_dict()[name], value)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_average_of_a_model_in_half_precision_is_that_in_float32_rounded_once(dtype):
    model = make_model(dtype)
    exact = copy.deepcopy(model).float()
    average, expected = (ExponentialAverage(m, 0.9998, warm_up=False) for m in (model, exact))
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        for value, wide in zip(model.parameters(), exact.parameters(), strict=True):
            step = torch.rand(value.shape, generator=generator).to(dtype)
            value.data.add_(step)
            wide.data.copy_(value)
        average.update(model)
        expected.update(exact)
    for name, value in average.model.named_parameters():
        assert torch.equal(value, expected.model.get_parameter(name).to(dtype)), name
        assert not torch.equal(
            value, ExponentialAverage(make_model(dtype)).model.get_parameter(name)
        )


def averaged(*weights):
    model = nn.Linear(2, 2, bias=False, device="cpu")
    average = ExponentialAverage(model, 0.9)
    average.model.weight = nn.Parameter(weights[0].clone(), requires_grad=False)
    for weight in weights[1:]:
        model.weight = nn.Parameter(weight)
        average.update(model)
    return average.model.weight


test_averages_are_the_same_on_every_device = gives_the_same_on_every_device(
    ("float32", averaged, *torch.rand(4, 2, 2)),
    ("bfloat16", averaged, *torch.rand(4, 2, 2).bfloat16()),
)


def test_integer_buffers_are_copied():
    model = make_model()
    average = ExponentialAverage(model)
    for _ in walk(model, 3):
        average.update(model)
    assert average.model[1].num_batches_tracked.item() == 3
    assert not torch.equal(average.model[1].running_mean, model[1].running_mean)


def test_a_weight_used_twice_is_averaged_once():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    nn.init.zeros_(model[0].weight)
    average = ExponentialAverage(model, 0.5, warm_up=False)
    nn.init.ones_(model[0].weight)
    average.update(model)
    assert average.model[0].weight is average.model[1].weight
    assert average.model[0].weight.unique().item() == 0.5


def test_the_model_itself_is_left_alone():
    model = make_model()
    before = copy.deepcopy(model.state_dict())
    average = ExponentialAverage(model)
    average.update(model)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())
    assert model.training and all(p.requires_grad for p in model.parameters())
    assert not average.model.training
    assert not any(p.requires_grad for p in average.model.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_saved_average_goes_on_as_if_never_saved(tmp_path, dtype):
    model = make_model(dtype)
    average = ExponentialAverage(model)
    for _ in walk(model, 5):
        average.update(model)
    torch.save(average.state_dict(), tmp_path / "average.pt")
    loaded = ExponentialAverage(make_model(dtype, seed=1))
    loaded.load_state_dict(torch.load(tmp_path / "average.pt", weights_only=True))
    for _ in walk(model, 5):
        average.update(model)
        loaded.update(model)
    assert loaded.updates == 10
    torch.testing.assert_close(loaded.state_dict(), average.state_dict(), rtol=0, atol=0)


def test_a_state_of_an_older_release_has_no_float32_averages_and_loads():
    model = make_model(torch.bfloat16)
    state = ExponentialAverage(model).state_dict()
    del state["wide"]
    average = ExponentialAverage(make_model(torch.bfloat16, seed=1))
    average.update(make_model(torch.bfloat16, seed=2))
    average.load_state_dict(state)
    average.update(model)
    torch.testing.assert_close(average.model.state_dict(), model.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("decay", [-0.1, 1, 1.5, float("nan")])
def test_a_decay_out_of_range_is_an_error(decay):
    with pytest.raises(ValueError, match="decay is"):
        ExponentialAverage(nn.Linear(1, 1), decay)


def test_another_model_is_an_error():
    with pytest.raises(ValueError):
        ExponentialAverage(nn.Linear(1, 1)).update(nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)))
