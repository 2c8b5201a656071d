import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from devices import gives_the_same_on_every_device
from refusals import refuses
from sklearn.metrics import accuracy_score, log_loss
from torch import nn

from glassbox.training import accuracy, evaluate, predict


def make_model(dtype=torch.float32):
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5), nn.Flatten(), nn.LazyLinear(4)
    model = nn.Sequential(*layers).to(dtype)
    model(torch.randn(8, 1, 6, 6, dtype=dtype))
    return model


def make_data(n=50, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(n, 1, 6, 6, generator=generator, dtype=dtype)
    return images, torch.randint(4, (n,), generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch_size", [1, 7, 50, 256])
def test_logits_are_those_of_the_model_in_eval_mode(dtype, batch_size):
    model, (images, _) = make_model(dtype), make_data(dtype=dtype)
    expected = model.eval()(images)
    logits = predict(model, images, batch_size)
    assert logits.shape == (50, 4) and logits.dtype == dtype and not logits.requires_grad
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize("seed", range(5))
def test_loss_and_accuracy_are_those_of_sklearn(seed):
    model, (images, labels) = make_model(torch.float64), make_data(dtype=torch.float64)
    labels = labels[torch.randperm(50, generator=torch.Generator().manual_seed(seed))]
    result = evaluate(model, images, labels, batch_size=13)
    probabilities = result.logits.softmax(1)
    assert result.loss == pytest.approx(log_loss(labels, probabilities, labels=range(4)), rel=1e-9)
    assert result.accuracy == pytest.approx(accuracy_score(labels, result.logits.argmax(1)))


def test_a_weighted_loss_does_not_depend_on_the_batches():
    model, (images, labels) = make_model(torch.float64), make_data(dtype=torch.float64)
    weighted = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2, 3, 40], dtype=torch.float64))
    expected = weighted(predict(model, images), labels).item()
    result = evaluate(model, images, labels, loss_fn=weighted, batch_size=3)
    assert result.loss == pytest.approx(expected, rel=1e-12)


def test_soft_labels_have_a_loss_and_no_accuracy():
    model, (images, labels) = make_model(), make_data()
    soft = F.one_hot(labels, 4).float()
    hard = evaluate(model, images, labels)
    result = evaluate(model, images, soft)
    assert result.loss == pytest.approx(hard.loss, rel=1e-6)
    assert result.accuracy is None


def test_accuracy_counts_the_largest_logit():
    logits = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    assert accuracy(logits, torch.tensor([1, 0, 0])) == pytest.approx(2 / 3)
    assert accuracy(logits, torch.eye(3, 2)) is None


def modes_of(model):
    return [module.training for module in model.modules()]


def test_every_submodule_is_put_back_into_its_own_mode():
    model, data = make_model(), make_data()
    model[1].eval()  # a frozen batch normalization
    before, statistics = modes_of(model), model[1].running_mean.clone()
    evaluate(model, *data)
    assert modes_of(model) == before
    assert torch.equal(model[1].running_mean, statistics)
    model.eval()
    predict(model, data[0])
    assert not any(modes_of(model))


def test_modes_and_gradients_are_restored_when_the_model_raises():
    model = make_model()
    before = modes_of(model)
    with pytest.raises(RuntimeError):
        predict(model, torch.zeros(2, 3, 6, 6))
    assert modes_of(model) == before
    assert torch.is_grad_enabled()


def test_logits_can_still_be_used_with_gradients():
    logits = predict(make_model(), make_data()[0])
    weight = torch.ones(4, requires_grad=True)
    (logits @ weight).sum().backward()  # raises for tensors made in inference mode
    assert weight.grad is not None


def test_bad_arguments_are_found_first():
    model, (images, labels) = make_model(), make_data()
    with pytest.raises(ValueError, match="images is empty"):
        predict(model, images[:0])
    with pytest.raises(ValueError, match="batch_size is 0"):
        predict(model, images, 0)
    with pytest.raises(ValueError, match="labels has 49 entries, expected 50"):
        evaluate(model, images, labels[1:])


NAN, TWO, LABELS = float("nan"), torch.eye(2), torch.tensor([0, 1])

test_what_has_no_accuracy_is_named = refuses(
    (lambda: accuracy(torch.rand(6, 2), torch.tensor([1])), r"labels has shape \(1,\).*\(6,\)"),
    (lambda: accuracy(torch.rand(1, 2), LABELS), r"labels has shape \(2,\)"),
    (lambda: accuracy(TWO[:0], LABELS[:0]), "logits is empty"),
    (lambda: accuracy(torch.rand(3, 2), torch.rand(5, 2)), r"labels has shape \(5, 2\)"),
    (lambda: accuracy(TWO, LABELS.float()), r"labels has shape \(2,\) and type torch.float32"),
    (lambda: accuracy(TWO, LABELS[:, None]), r"labels has shape \(2, 1\)"),
    (lambda: accuracy(torch.rand(2, 2, 4), LABELS), r"logits has shape \(2, 2, 4\)"),
    (
        lambda: accuracy(TWO / 0, LABELS),
        "logits has 2 entries that are nan and 2 that are infinite",
    ),
    (lambda: accuracy(TWO, LABELS + 1), "labels is between 1 and 2, expected 0 to 1"),
    (lambda: accuracy(TWO, LABELS - 1), "labels is between -1 and 0"),
    (lambda: accuracy("ab", LABELS), TypeError, "logits is 'ab'"),
    (lambda: predict(nn.Identity(), TWO, 1.5), TypeError, "batch_size is 1.5"),
    (lambda: predict(nn.Identity(), None), TypeError, "images is None"),
)


def test_logits_that_are_not_finite_have_a_loss_and_an_accuracy_that_is_nan():
    result = evaluate(nn.Identity(), torch.tensor([[0.0, NAN], [0, 1]]), LABELS)
    assert math.isnan(result.loss) and math.isnan(result.accuracy)
    assert evaluate(nn.Identity(), TWO * NAN, TWO).accuracy is None


def test_arrays_and_lists_can_be_evaluated():
    assert accuracy(TWO.numpy(), [0, 0]) == accuracy([[1.0, 0], [0, 1]], np.zeros(2, int)) == 0.5
    result = evaluate(nn.Identity(), TWO.numpy(), LABELS.numpy())
    assert result.accuracy == 1 and predict(nn.Identity(), TWO.numpy()).equal(TWO)


test_accuracy_is_the_same_on_every_device = gives_the_same_on_every_device(
    ("accuracy", accuracy, TWO, LABELS),
    ("predict", lambda images: predict(nn.ReLU(), images, 1), TWO),
    ("evaluate", lambda *data: evaluate(nn.ReLU(), *data).loss, TWO, LABELS),
)
