"""Adapted networks are torchvision's but for what was replaced, and small kernels are what is said.

Nothing is downloaded: files of weights are made here, with one number for each tensor.
"""

import math
from functools import partial

import numpy as np
import pytest
import torch
from devices import gives_the_same_in_every_layout, gives_the_same_on_every_device, needs_no_values
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from torch import nn

from glassbox.autograd import capture
from glassbox.networks import (
    adapt_stem,
    count_parameters,
    create_model,
    replace_head,
    small_kernels,
)
from glassbox.networks.adapt_torchvision import _PLACES, STEMS, _head_of
from glassbox.training import assert_frozen, freeze

HEADS = {"alexnet": "classifier.6", "resnet18": "fc"}
FIRST = {"alexnet": ("features.0", "features.3"), "resnet18": ("conv1", "layer1.0.conv1")}
FILES = {"alexnet": "alexnet-owt-7be5be79.pth", "resnet18": "resnet18-f37072fd.pth"}


def theirs(name, **options):
    from torchvision.models import get_model

    return get_model(name, weights=None, **options)


def changed(model, other):
    """Name what two state dicts do not share."""
    ours, others = model.state_dict(), other.state_dict()
    return {
        key
        for key in ours.keys() | others.keys()
        if key not in ours or key not in others or not torch.equal(ours[key], others[key])
    }


@pytest.mark.parametrize(("name", "count"), [("alexnet", 57_044_810), ("resnet18", 11_181_642)])
def test_models_are_those_of_torchvision_with_another_head(name, count):
    torch.manual_seed(0)
    model, other = create_model(name), theirs(name)
    assert model.training and count_parameters(model) == count
    head = {f"{HEADS[name]}.{part}" for part in ("weight", "bias")}
    other.load_state_dict({k: v for k, v in model.state_dict().items() if k not in head}, False)
    assert changed(model, other) == head
    images = torch.randn(2, 3, 64, 64)
    with (
        capture(model.eval(), [HEADS[name]]) as calls,
        capture(other.eval(), [HEADS[name]]) as rest,
    ):
        logits = model(images)
        other(images)
    assert logits.shape == (2, 10) and torch.equal(calls[HEADS[name]][0], logits)
    assert rest[HEADS[name]][0].shape == (2, 1000)
    other.set_submodule(HEADS[name], _head_of(model))
    assert torch.equal(other(images), logits)


@pytest.fixture
def local_weights(tmp_path, monkeypatch):
    """Put files where torchvision looks before it downloads; expanded tensors take no room."""
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with torch.device("meta"):
        dicts = {name: theirs(name).state_dict() for name in _PLACES}
    for name, state in dicts.items():
        whole = {"num_batches_tracked": torch.int64}
        fakes = {
            key: torch.tensor(i, dtype=whole.get(key.rpartition(".")[2], torch.float32)).expand(
                meta.shape
            )
            for i, (key, meta) in enumerate(state.items(), start=1)
        }
        torch.save(fakes, tmp_path / "hub" / "checkpoints" / FILES[name])
    return {name: list(state) for name, state in dicts.items()}


@pytest.mark.parametrize("name", _PLACES)
def test_pretrained_weights_come_from_a_local_file_and_reach_all_but_the_head(name, local_weights):
    model = create_model(name, pretrained=True, num_classes=3, small="resized")
    keys = local_weights[name]
    for i, key in enumerate(keys, start=1):
        # what is shrunk is made stronger by the share of weights that it lost
        fraction = {"conv1.weight": 49 / 9, "features.0.weight": 121 / 9}.get(key, 1)
        fits = (model.state_dict()[key] - i * fraction).abs().max() < 1e-4
        assert fits != key.startswith(HEADS[name]), key
    assert _head_of(model).out_features == 3
    assert model.get_submodule(FIRST[name][0]).kernel_size == (3, 3)


@pytest.mark.parametrize("name", _PLACES)
@pytest.mark.parametrize("small", STEMS)
def test_small_images_pass_through_large_maps(name, small):
    torch.manual_seed(0)
    model = create_model(name, num_classes=4, small=small)
    first, second = FIRST[name]
    side = {"alexnet": 16, "resnet18": 32}[name]
    inputs = {}
    model.get_submodule(second).register_forward_pre_hook(
        lambda module, args: inputs.update({second: args[0].shape})
    )
    with capture(model, [first]) as calls:
        logits = model(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 4)
    assert calls[first][0].shape == (2, 64, 32, 32)
    assert inputs[second] == (2, 64, side, side)
    logits.sum().backward()
    assert model.get_submodule(first).weight.grad.abs().sum() > 0


def stem_of(name):
    """Make a network whose layers behind the first one take no time to make."""
    with torch.device("meta"):
        model = theirs(name)
    first = model.get_submodule(FIRST[name][0])
    model.set_submodule(FIRST[name][0], first.to_empty(device="cpu"))
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.normal_()
    return model, first


@pytest.mark.parametrize("name", _PLACES)
@pytest.mark.parametrize("kind", STEMS)
def test_the_first_layer_is_replaced_and_nothing_else(name, kind):
    torch.manual_seed(0)
    model, old = stem_of(name)
    others = {key for key in model.state_dict() if not key.startswith(FIRST[name][0] + ".")}
    kept = [p for key, p in model.named_parameters() if key in others]
    weight = old.weight.detach().clone()
    adapt_stem(model, kind)
    new = model.get_submodule(FIRST[name][0])
    assert (new.kernel_size, new.stride, new.padding) == ((3, 3), (1, 1), (1, 1))
    assert torch.equal(old.weight, weight)
    assert new.weight.requires_grad and new.weight.is_leaf
    at = {"alexnet": {"center": 4, "corner": 1}, "resnet18": {"center": 2, "corner": 1}}[name]
    if kind in at:
        cut = slice(at[kind], at[kind] + 3)
        assert torch.equal(new.weight, weight[:, :, cut, cut])
    elif kind == "fresh":
        assert 0 < new.weight.abs().max() <= 27**-0.5
    else:
        assert torch.equal(new.weight, small_kernels(weight, "resized"))
    if old.bias is not None:
        assert torch.equal(new.bias, old.bias) == (kind != "fresh")
    assert (new.bias is None) == (old.bias is None) == (name == "resnet18")
    left = dict(model.named_parameters())
    assert [id(left[key]) for key in left if key in others] == [id(p) for p in kept]


def test_the_poolings_are_replaced():
    alexnet, resnet = stem_of("alexnet")[0], stem_of("resnet18")[0]
    adapt_stem(alexnet), adapt_stem(resnet)
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert alexnet.features[2](x).flatten().tolist() == [5, 7, 13, 15]
    assert torch.equal(resnet.maxpool(x), x)
    assert alexnet.features[5].kernel_size == 3  # the later ones stay


def test_other_channels_and_precisions_are_kept():
    model, _ = stem_of("resnet18")
    model.conv1 = nn.Conv2d(1, 64, 7, dtype=torch.float64)
    adapt_stem(model, "center")
    assert model.conv1.weight.shape == (64, 1, 3, 3) and model.conv1.weight.dtype == torch.float64
    model.fc = nn.Linear(8, 3, dtype=torch.float64)
    replace_head(model, 5)
    assert model.fc.weight.shape == (5, 8) and model.fc.weight.dtype == torch.float64


def test_a_new_head_learns_in_a_frozen_model():
    model = create_model("resnet18")
    freeze(model)
    with assert_frozen(model.layer1):
        replace_head(model, 2)
    assert [n for n, p in model.named_parameters() if p.requires_grad] == ["fc.weight", "fc.bias"]
    assert _head_of(model) is model.fc and model.fc.out_features == 2


def triangle(side):
    """Weigh pixels for three new ones, as Pillow does: a triangle as wide as two new pixels."""
    scale = side / 3
    middles, pixels = (np.arange(3)[:, None] + 0.5) * scale, np.arange(side) + 0.5
    weights = np.clip(1 - np.abs(pixels - middles) / scale, 0, None)
    return weights / weights.sum(1, keepdims=True)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([5, 7, 9, 11]), st.integers(0, 10**6))
def test_small_kernels_equal_slices_and_an_independent_computation(side, seed):
    weight = np.random.default_rng(seed).normal(size=(3, 2, side, side))
    given_weight = torch.from_numpy(weight)
    middle = (side - 3) // 2
    for kind, start in (("center", middle), ("corner", 1)):
        cut = weight[:, :, start : start + 3, start : start + 3]
        np.testing.assert_array_equal(small_kernels(given_weight, kind), cut)
    matrix = triangle(side)
    shrunk = np.einsum("ai,bj,kcij->kcab", matrix, matrix, weight) * side**2 / 9
    rest = weight.sum((2, 3)) - shrunk.sum((2, 3))
    expected = shrunk + rest[..., None, None] / 9
    resized = small_kernels(given_weight, "resized").numpy()
    np.testing.assert_allclose(resized, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(resized.sum((2, 3)), weight.sum((2, 3)), rtol=1e-9, atol=1e-9)


def test_small_kernels_are_copies():
    weight = torch.zeros(1, 1, 7, 7)
    for kind in STEMS[:3]:
        small_kernels(weight, kind).add_(1)
    assert not weight.any()


OTHER = nn.Sequential(nn.Linear(1, 1))
NEITHER = "model is a Sequential, expected AlexNet or a ResNet"

test_wrong_arguments_are_named = refuses(
    (lambda: _head_of(OTHER), TypeError, NEITHER),
    (lambda: replace_head("resnet18", 2), TypeError, "model is 'resnet18', expected a torch.nn"),
    (lambda: small_kernels(torch.full((1, 1, 5, 5), math.nan), "center"), "weight has 25 entries"),
    (lambda: small_kernels(torch.ones(1, 1, 5, 5).int(), "center"), TypeError, "weight has type"),
    (lambda: adapt_stem(OTHER), TypeError, NEITHER),
    (lambda: replace_head(OTHER, 2), TypeError, NEITHER),
    (lambda: create_model("vgg16"), "^name is 'vgg16', expected one of alexnet, resnet18$"),
    (lambda: create_model("resnet18", small="middle"), "^small is 'middle', expected one of ce"),
    (lambda: create_model("resnet18", num_classes=0), "^num_classes is 0, expected at least 1"),
    (lambda: adapt_stem(None, "middle"), "^kernels is 'middle', expected one of center, corn"),
    (lambda: replace_head(None, 0), "^num_classes is 0, expected at least 1"),
    (lambda: small_kernels(torch.zeros(1, 1, 7, 7), "fresh"), "^kind is 'fresh', expected one"),
    (lambda: small_kernels(torch.zeros(1, 1, 3, 3), "center"), r"has shape \(1, 1, 3, 3\)"),
    (lambda: small_kernels(torch.zeros(1, 1, 8, 8), "center"), r"has shape \(1, 1, 8, 8\)"),
    (lambda: small_kernels(torch.zeros(1, 1, 5, 7), "center"), r"has shape \(1, 1, 5, 7\)"),
    (lambda: small_kernels(torch.zeros(1, 7, 7), "center"), r"has shape \(1, 7, 7\)"),
    (lambda: small_kernels(torch.zeros(7), "center"), r"has shape \(7,\)"),
    (lambda: small_kernels(torch.tensor(7.0), "center"), r"has shape \(\)"),
    (lambda: small_kernels(torch.zeros(1, 1, 7, 7).int(), "center"), TypeError, "weight has type"),
    (lambda: small_kernels("abc", "center"), TypeError, "weight is 'abc'"),
)

WEIGHT = torch.randn(4, 3, 7, 7, generator=torch.Generator().manual_seed(0))
CUT = [(kind, partial(small_kernels, kind=kind), WEIGHT) for kind in STEMS[:3]]
test_kernels_are_the_same_on_every_device = gives_the_same_on_every_device(*CUT)
test_kernels_are_the_same_in_every_layout = gives_the_same_in_every_layout(*CUT)
test_kernels_need_no_values = needs_no_values(*CUT)


def test_a_stem_that_is_small_already_is_refused_and_left_alone():
    model, _ = stem_of("alexnet")
    adapt_stem(model)
    first, pooling = model.features[0], model.features[2]
    with pytest.raises(ValueError, match=r"weight has shape \(64, 3, 3, 3\)"):
        adapt_stem(model)
    assert model.features[0] is first and model.features[2] is pooling


def test_real_pretrained_names_are_those_torchvision_reads():
    from torchvision.models import get_model_weights

    for name, file in FILES.items():
        assert get_model_weights(name)["IMAGENET1K_V1"].url.endswith(file)
