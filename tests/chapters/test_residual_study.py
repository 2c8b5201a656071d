"""The comparison of plain and residual networks: its data, its trainings, its stored results."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from glassbox.chapters.residual.arms import (
    ARMS,
    DEPTHS,
    DIVERGED,
    EPOCHS,
    Recipe,
    digit_search,
    digit_task,
    make_network,
    train_network,
)
from glassbox.chapters.residual.study import (
    RATES,
    best_recipe,
    by_depth,
    lesions_of,
    load_blocks,
    load_lesions,
    load_outcomes,
    load_rates,
    load_removals,
    load_slices,
    load_trained,
    load_winners,
)
from glassbox.networks import PlainBlock, block_names


def test_digits_are_split_and_normalized():
    task, other = digit_task(0), digit_task(1)
    assert task.images.shape == (1024, 1, 8, 8) and task.test_images.shape == (773, 1, 8, 8)
    assert task.images.mean().abs() < 1e-4 and task.images.std() == pytest.approx(1, abs=0.01)
    assert torch.cdist(task.images.flatten(1), task.test_images.flatten(1)).min() > 0.1
    assert not torch.equal(task.images, other.images)


def test_no_recipe_is_chosen_on_a_test_image():
    """Neither the images to train on nor those to choose by are tested with, at any seed."""
    test = digit_search(0).test.images.flatten(1).float()
    assert len(test) == 397
    for seed in (0, 3, 99):
        search, final = digit_search(seed, search=True), digit_search(seed)
        assert torch.equal(final.test.images.flatten(1).float(), test)
        assert torch.equal(final.images, search.images) and len(search.test.labels) == 376
        for part in (search.train, search.test):
            assert torch.cdist(part.images.flatten(1).float(), test).min() > 0


def test_a_training_that_diverges_is_no_error():
    task = digit_task(0)
    outcome = train_network(make_network("plain, no norm", 8, 0), task, 0, Recipe("unclipped", 1e6))
    assert outcome == (DIVERGED, 0, DIVERGED, 0)


def test_the_best_recipe_has_the_lowest_validation_loss(tmp_path):
    table = RATES.within(tmp_path)
    losses = {
        ("plain", "clipped", 8, 0.1): 0.3,
        ("plain", "clipped", 8, 0.3): 0.2,
        ("plain", "unclipped", 8, 0.1): 0.1,
        ("plain", "clipped", 20, 1.0): 0.5,
        ("residual", "clipped", 8, 0.01): 0.0,
    }
    for key, loss in losses.items():
        table.add((*key, 99), (1 - loss, loss, 0.5), [""] * 5)
    for wanted, options in {
        ("unclipped", 0.1): {"depth": 8},
        ("clipped", 0.3): {"depth": 10, "clip": "clipped"},
        ("clipped", 1.0): {"depth": 56},
    }.items():
        assert best_recipe("plain", **options, folder=tmp_path) == wanted
    assert best_recipe("plain", 8, folder=tmp_path / "elsewhere") == best_recipe("plain", 8)


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


def test_winners_were_trained_with_the_best_recipe_of_the_search():
    for (arm, clip, depth, _), row in load_winners().items():
        assert set(row["lr"].values) == {best_recipe(arm, depth, clip=clip).lr}


def test_no_rate_that_was_chosen_is_at_the_edge_of_its_grid():
    searched = {}
    for (arm, clip, depth, lr, _), (_, loss, _) in load_rates().items():
        searched.setdefault((arm, depth), {})[clip, lr] = loss
    for key, losses in searched.items():
        clip, best = min(losses, key=losses.__getitem__)
        if losses[clip, best] < 2:  # else nothing was learned with any recipe
            rates = [lr for one, lr in losses if one == clip]
            assert min(rates) < best < max(rates), key


def test_blocks_are_measured_beside_the_networks_they_belong_to():
    networks = {key[:3] for key in load_trained()}
    blocks = load_blocks()
    assert set(blocks) == networks - {
        ("stored, around", "cifar10", 0),
        ("stored", "cifar10, cut", 0),
    }
    for found in blocks.values():
        assert list(found) == ["without", "ratio", "gradient"]
        assert all(values.shape[1] == 9 for values in found.values())
