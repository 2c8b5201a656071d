"""The comparison of plain and residual networks: its data, its trainings, its stored results."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glassbox.chapters.residual.arms import (
    ARMS,
    DEPTHS,
    EPOCHS,
    digit_task,
    make_network,
    train_network,
)
from glassbox.chapters.residual.study import (
    by_depth,
    lesions_of,
    load_lesions,
    load_outcomes,
    load_removals,
    load_slices,
)
from glassbox.data import TrainTest
from glassbox.networks import PlainBlock, block_names, loss_slice


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


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="arm is 'deep', expected one of plain, residual"):
        make_network("deep", 8, 0)


def test_a_training_repeats_itself():
    whole = digit_task(0)
    task = TrainTest(whole.train[:256], whole.test)
    runs = [
        train_network(make_network("residual", 8, 0), task, 0, lr=0.1, epochs=4) for _ in range(2)
    ]
    assert runs[0] == runs[1] and runs[0].train_loss < 1.5
    seen = []
    train_network(make_network("plain", 8, 0), task, 0, lr=0.1, epochs=2, callbacks=(seen.append,))
    assert len(seen) == 2


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


def test_the_stored_tables_are_complete():
    results = load_outcomes()
    expected = {(kind, depth, EPOCHS) for kind in ARMS for depth in DEPTHS}
    assert set(results) == expected | {("plain", 56, 4 * EPOCHS)}
    assert all(one.seeds == (0, 1, 2, 3, 4) for row in results.values() for one in row.values())
    assert list(by_depth(results, "plain", "train loss")) == list(DEPTHS)
    lesions = load_lesions()
    assert set(lesions) == {(kind, depth) for kind in list(ARMS)[:3] for depth in (20, 56)}
    for (_, depth), found in lesions.items():
        assert {len(one.seeds) for lesion, one in found.items() if len(lesion) < 2} == {5}
        assert len(found) >= {20: 64, 56: 28}[depth]
    removals = load_removals()
    for counts in removals.values():
        assert list(counts) == list(range(0, 25, 2))
        assert all(len(one.seeds) == 5 for one in counts.values())
    slices = load_slices()
    assert set(slices) == {(kind, depth) for kind in ("plain", "residual") for depth in DEPTHS}
    assert {losses.shape for losses in slices.values()} == {(17, 17)}


def test_a_rerun_agrees_with_the_stored_tables():
    task, model = digit_task(0), make_network("residual", 8, 0)
    outcome = train_network(model, task, 0, lr=ARMS["residual"].lr)
    row = load_outcomes()["residual", 8, EPOCHS]
    assert outcome.test_accuracy == pytest.approx(row["test accuracy"].values[0], abs=0.025)
    assert outcome.train_loss == pytest.approx(row["train loss"].values[0], abs=0.02)
    whole = load_slices()["residual", 8]
    coarse = loss_slice(model, task.images[:256], task.labels[:256], points=3, reach=0.25)
    difference = coarse.log() - whole[6:11:2, 6:11:2].log()
    assert difference.abs().median() < 1


def test_lesions_of_a_whole_network_agree_with_its_accuracy():
    lesions = load_lesions()
    results = load_outcomes()
    for (kind, depth), found in lesions.items():
        row = results[kind, depth, EPOCHS]["test accuracy"]
        assert found[()].values == pytest.approx(row.values, abs=1e-4)
