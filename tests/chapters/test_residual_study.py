"""The comparison of plain and residual networks: its data, its trainings, its stored results."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glassbox.chapters.residual.arms import ARMS, DEPTHS, EPOCHS, digit_task, make_network
from glassbox.chapters.residual.study import (
    by_depth,
    lesions_of,
    load_lesions,
    load_outcomes,
    load_removals,
    load_slices,
)
from glassbox.networks import PlainBlock, block_names


def test_digits_are_split_and_normalized():
    task, other = digit_task(0), digit_task(1)
    assert task.images.shape == (1024, 1, 8, 8) and task.test_images.shape == (773, 1, 8, 8)
    assert task.images.mean().abs() < 1e-4 and task.images.std() == pytest.approx(1, abs=0.01)
    assert torch.cdist(task.images.flatten(1), task.test_images.flatten(1)).min() > 0.1
    assert not torch.equal(task.images, other.images)


@pytest.mark.parametrize("kind", ARMS)
def test_kinds_are_what_their_names_say(kind):
    before = torch.get_rng_state()
    model = make_network(kind, 14, 0)
    assert torch.equal(torch.get_rng_state(), before)
    blocks = [model.get_submodule(name) for name in block_names(model)]
    assert all(isinstance(block, PlainBlock) == kind.startswith("plain") for block in blocks)
    normed = any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    assert normed == ("no norm" not in kind)
    x = torch.rand(2, 8, 4, 4)
    assert torch.equal(blocks[0](x), F.relu(x)) == kind.endswith("zero")
    assert torch.equal(model.conv1.weight, make_network("plain", 14, 0).conv1.weight)


def test_twins_begin_with_the_same_weights():
    plain, residual = (make_network(kind, 20, 3).state_dict() for kind in ("plain", "residual"))
    assert all(torch.equal(plain[name], residual[name]) for name in plain)
    with pytest.raises(ValueError, match="arm is 'deep', expected one of plain, residual"):
        make_network("deep", 8, 0)


def test_lesions_are_those_that_were_promised():
    few, many = lesions_of(20, 0), lesions_of(56, 0)
    assert few[0] == () and len(few) == len(set(few)) == 64
    assert all(len({i // 3 for i in lesion}) == len(lesion) for lesion in few)
    assert many[1:28] == [(i,) for i in range(27)]
    assert [len(lesion) for lesion in many[28:]] == list(range(2, 25, 2))
    assert all(i % 9 for lesion in many[28:] for i in lesion)
    for smaller, larger in pairwise(many[28:]):
        assert set(smaller) < set(larger)
    assert lesions_of(56, 1)[28:] != many[28:]


def test_the_stored_tables_fit_together():
    results = load_outcomes()
    assert list(by_depth(results, "plain", "train loss")) == list(DEPTHS)
    lesions = load_lesions()
    assert set(lesions) == {(kind, depth) for kind in list(ARMS)[:3] for depth in (20, 56)}
    for (kind, depth), found in lesions.items():
        assert {len(one.seeds) for lesion, one in found.items() if len(lesion) < 2} == {5}
        assert len(found) >= {20: 64, 56: 28}[depth]
        row = results[kind, depth, EPOCHS]["test accuracy"]
        assert found[()].values == pytest.approx(row.values, abs=1e-4)
    for counts in load_removals().values():
        assert list(counts) == list(range(0, 25, 2))
        assert all(len(one.seeds) == 5 for one in counts.values())
    slices = load_slices()
    assert set(slices) == {(kind, depth) for kind in ("plain", "residual") for depth in DEPTHS}
    assert {losses.shape for losses in slices.values()} == {(17, 17)}
