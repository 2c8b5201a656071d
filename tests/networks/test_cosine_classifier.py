"""The cosine classifier against the cosine of PyTorch and the layer of the LDAM paper."""

import pytest
import torch
import torch.nn.functional as F
from refusals import refuses

from glassbox.networks import CosineClassifier


@pytest.fixture(params=[torch.float32, torch.float64], ids=str)
def dtype(request):
    return request.param


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("learnable", [True, False])
def test_it_is_the_cosine_times_the_scale(dtype, scale, learnable):
    for seed in range(20):
        torch.manual_seed(seed)
        layer = CosineClassifier(7, 4, scale, learnable_scale=learnable).to(dtype)
        features = torch.randn(5, 7, dtype=dtype) * 10 ** torch.randn(5, 1, dtype=dtype)
        layer.weight.data.mul_(torch.rand(4, 1, dtype=dtype) * 9 + 0.1)
        cosines = F.cosine_similarity(features[:, None], layer.weight, dim=-1)
        torch.testing.assert_close(layer(features), scale * cosines)
        # The authors store (in_features, K) and normalize its columns.
        published = F.normalize(features, dim=1) @ F.normalize(layer.weight.T, dim=0)
        torch.testing.assert_close(layer(features), scale * published)
        assert layer(features).dtype == dtype


def test_weights_begin_as_random_directions():
    torch.manual_seed(0)
    weight = CosineClassifier(64, 500).weight
    torch.testing.assert_close(weight.norm(dim=1), torch.ones(500))
    assert weight.mean(0).abs().max() < 0.03  # 5 standard errors


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_zeros_give_zero_and_a_finite_gradient(dtype):
    layer = CosineClassifier(3, 2).to(dtype)
    layer.weight.data[0] = 0
    features = torch.tensor([[0.0, 0, 0], [1, 2, 3]], dtype=dtype, requires_grad=True)
    cosines = layer(features)
    assert (cosines[0] == 0).all() and (cosines[:, 0] == 0).all() and cosines[1, 1] != 0
    (30 * cosines).sum().backward()
    for gradient in (features.grad, layer.weight.grad):
        assert gradient.isfinite().all() and gradient.abs().max() < 150


def test_gradients_are_right():
    torch.manual_seed(0)
    layer = CosineClassifier(3, 4, 2.0, learnable_scale=True).double()
    features = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)

    def call(features, weight, scale):
        values = {"weight": weight, "scale": scale}
        return torch.func.functional_call(layer, values, (features,))

    assert torch.autograd.gradcheck(call, (features, layer.weight, layer.scale))
    assert torch.autograd.gradgradcheck(call, (features, layer.weight, layer.scale))


def test_only_a_learnable_scale_learns_and_both_are_saved_alike():
    fixed = CosineClassifier(3, 2, 30.0)
    learnable = CosineClassifier(3, 2, 10.0, learnable_scale=True)
    assert dict(fixed.named_parameters()).keys() == {"weight"}
    assert dict(learnable.named_parameters()).keys() == {"weight", "scale"}
    learnable(torch.randn(4, 3)).square().sum().backward()
    assert learnable.scale.grad != 0
    learnable.load_state_dict(fixed.state_dict())
    features = torch.randn(4, 3)
    assert learnable.scale == 30 and torch.equal(learnable(features), fixed(features))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_rounds_only_what_comes_in(dtype):
    torch.manual_seed(0)
    layer, features = CosineClassifier(64, 10, 30.0).to(dtype), torch.randn(8, 64).to(dtype)
    logits = layer(features)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, layer.float()(features.float()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_does_not_round_cosines(dtype):
    torch.manual_seed(0)
    layer, features = CosineClassifier(64, 10, 30.0), torch.randn(8, 64)
    with torch.autocast("cpu", dtype):
        assert features.matmul(layer.weight.T).dtype == dtype  # autocast is at work
        logits = layer(features)
    assert torch.equal(logits, layer(features))


@pytest.mark.parametrize("size", [1e-44, 1e-30, 1e-20, 1e20, 3e38])
def test_the_length_of_features_and_weights_has_no_effect(size):
    torch.manual_seed(0)
    layer, features = CosineClassifier(8, 4), torch.randn(5, 8)
    ones = torch.where(features > 0, size, -size)  # exact, however coarse numbers are there
    expected = layer(ones.sign())
    torch.testing.assert_close(layer(ones), expected)
    layer.weight.data = layer.weight.data.sign() * size
    torch.testing.assert_close(layer(ones), layer(ones.sign()))
    features = (torch.randn(2, 8) * 1e-20).requires_grad_()
    layer(features).sum().backward()
    assert features.grad.isfinite().all() and features.grad.abs().max() > 1e15


def test_it_describes_itself():
    layer = CosineClassifier(3, 2, 30.0, learnable_scale=True)
    assert str(layer) == "CosineClassifier(3, 2, scale=30 (learnable))"


test_a_wrong_argument_is_named = refuses(
    ((0, 2), "in_features is 0, expected at least 1"),
    ((3, 0), "num_classes is 0, expected at least 1"),
    ((3, 2, 0.0), "scale is 0.0"),
    ((3, 2, float("nan")), "scale is nan"),
    ((3, 2, float("inf")), "scale is inf"),
    by=lambda arguments: CosineClassifier(*arguments),
)
