"""The book's ResNet-20: what is stored is what was trained, and a mistake at loading is noticed."""

import os
from pathlib import Path

import pytest
import torch
from refusals import refuses

from glassbox.chapters.residual import cifar
from glassbox.chapters.residual.study import load_trained
from glassbox.data import Dataset, load
from glassbox.networks import ResidualNetwork, count_parameters
from glassbox.training import evaluate, predict

REAL = Path(os.environ.get("GLASSBOX_DATA", "/nonexistent"))


def stand_in(name, split=None):
    """Images of the shape of CIFAR-10, which has to be downloaded."""
    generator = torch.Generator().manual_seed(int(split == "holdout"))
    images = torch.randint(256, (260, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return Dataset(name, images, torch.arange(260) % 10, tuple("0123456789"))


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "load", stand_in)

    def train(epochs):
        options = {"path": tmp_path / "weights.pt", "epochs": epochs}
        return cifar.train_cifar_network(tmp_path / "checkpoint.pt", **options)

    return train


def test_a_training_goes_on_and_is_stored_in_halves(trained, tmp_path, capsys):
    assert len(trained(1)) == 1
    path = tmp_path / "weights.pt"
    model = cifar.cifar_network(path)
    assert not model.training and path.stat().st_size < 600_000
    weights = torch.load(path, weights_only=True)["weights"]
    assert all(w.dtype == torch.float16 for w in weights.values() if w.is_floating_point())
    logits = predict(model, cifar.probe_images())
    torch.testing.assert_close(logits, cifar.stored_logits(path), rtol=1e-4, atol=1e-4)
    assert capsys.readouterr().out.count("History") == 1


def test_the_stored_network_is_the_one_that_was_measured():
    model = cifar.cifar_network()
    assert count_parameters(model) == 269_722
    images = torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8)
    assert predict(model, cifar.cifar_inputs(images)).shape == (2, 10)
    accuracy = {
        key[0]: row[1] for key, row in load_trained().items() if key[1:] == ("cifar10", 0, 0)
    }
    assert accuracy["stored"] > 0.8 and accuracy["stored, around"] < 0.4


@pytest.mark.skipif(not list(REAL.glob("cifar-10*")), reason="GLASSBOX_DATA holds no CIFAR-10")
def test_the_stored_network_is_as_accurate_as_the_table_says():
    test = load("cifar10", split="holdout")[:1000]
    found = evaluate(cifar.cifar_network(), cifar.cifar_inputs(test.images), test.labels).accuracy
    assert found == pytest.approx(load_trained()["stored", "cifar10", 0, 0][1], abs=0.03)


def other_network(change):
    """Load the weights into a network that was changed, which is no error."""
    model = ResidualNetwork(20, new_channels="around" if change == "around" else "after").eval()
    assert str(model.load_state_dict(cifar.read_weights())) == "<All keys matched successfully>"
    if change == "epsilon":
        for norm in (one for one in model.modules() if isinstance(one, torch.nn.BatchNorm2d)):
            norm.eps = 1e-2
    if change == "stride":
        model.layer2[0].conv1.stride, model.layer2[0].conv2.stride = (1, 1), (2, 2)
    return model


def test_the_right_network_computes_the_stored_logits():
    cifar.check_logits(other_network("none"), cifar.stored_logits())


test_another_network_is_noticed_by_its_logits = refuses(
    ("around", RuntimeError, "the logits of the probe differ by"),
    ("epsilon", RuntimeError, r"differ by .*, expected 0\.01 at most"),
    ("stride", RuntimeError, "the logits of the probe differ by"),
    by=lambda change: cifar.check_logits(other_network(change), cifar.stored_logits()),
)
