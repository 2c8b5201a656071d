"""What is measured of blocks is what the chapter computes by hand."""

import pytest
import torch
import torch.nn.functional as F

from glassbox.chapters.residual.arms import make_network
from glassbox.chapters.residual.block_runs import train_and_measure
from glassbox.chapters.residual.blocks import gradient_norms, measure_blocks, relative_lengths
from glassbox.networks import block_names, lesion_accuracy

IMAGES = torch.randn(30, 1, 8, 8, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(30) % 10


def test_lengths_and_gradients_are_those_of_every_block():
    model = make_network("residual", 14, 0).eval()
    x, values = model.relu(model.bn1(model.conv1(IMAGES))), []
    ratios = []
    for name in block_names(model):
        block = model.get_submodule(name)
        residual = block.residual(x)
        ratios.append(float((residual.norm() / x.norm()).detach()))
        x = F.relu(residual + block.shortcut(x))
        x.retain_grad()
        values.append(x)
    F.cross_entropy(model.fc(model.avgpool(x).flatten(1)), LABELS).backward()
    assert relative_lengths(model, IMAGES).tolist() == pytest.approx(ratios, rel=1e-4)
    norms = [float(value.grad.norm()) for value in values]
    assert gradient_norms(model, IMAGES, LABELS).tolist() == pytest.approx(norms, rel=1e-4)


def test_every_block_is_measured_in_eval_mode_and_the_network_left_alone():
    model = make_network("residual", 20, 0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measures = measure_blocks(model, IMAGES, LABELS, batch=20)
    assert len(measures) == 9 and model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    names = [[name] for name in block_names(model)]
    assert [one.without for one in measures] == lesion_accuracy(model, IMAGES, LABELS, names)
    model.eval()
    expected = relative_lengths(model, IMAGES[:20]).tolist()
    assert [one.ratio for one in measures] == pytest.approx(expected)


def test_a_network_is_trained_for_as_many_steps_as_were_asked_for():
    (loss, accuracy), blocks = train_and_measure("narrow", "digits", 160, 0, count=397)
    assert loss < 0.2 and accuracy > 0.9 and len(blocks) == 9
    (short, _), _ = train_and_measure("narrow", "digits", 16, 0, count=397)
    assert short > 3 * loss
