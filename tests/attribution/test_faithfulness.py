"""Measures of faithfulness on cases whose answer is known."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from scipy import stats
from torch import nn

from glassbox.attribution import faithfulness
from glassbox.networks import LeNet5


def drawn(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 4))
def test_pointing_by_brute_force(seed, tolerance):
    maps, masks = drawn(seed, 3, 6, 7), drawn(seed + 1, 3, 6, 7) > 0.9
    for one, mask, hit in zip(
        maps, masks, faithfulness.pointing_hits(maps, masks, tolerance), strict=True
    ):
        peak = (one == one.max()).nonzero()[0]
        distances = [(peak - spot).float().norm().item() for spot in mask.nonzero()]
        assert hit.item() == any(distance <= tolerance for distance in distances)


def test_iou_of_the_high_part():
    maps = torch.tensor([[[0.0, 0.4], [0.6, 1.0]], [[0.0, 0.0], [0.0, 0.0]], [[2.0, 0], [0, 0]]])
    masks = torch.tensor([[[0, 0], [0, 1]], [[1, 1], [0, 0]], [[1, 0], [0, 0]]]).bool()
    assert faithfulness.mask_iou(maps, masks).tolist() == [0.5, 0, 1]
    assert faithfulness.mask_iou(maps, masks, 0.7).tolist() == [1, 0, 1]
    assert faithfulness.mask_iou(maps, masks, 0.0)[0] == pytest.approx(1 / 3)


class Counts(nn.Module):
    """Its logit of class 1 is the sum over the left half, that of class 0 is 0."""

    def forward(self, images):
        left = images[..., : images.shape[-1] // 2].sum(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(left), left], dim=1)


class Breaks(Counts):
    def forward(self, images):
        return super().forward(images) / 0


def test_curves_follow_the_order_of_the_map():
    images, maps = torch.ones(1, 1, 2, 4), torch.tensor([[[8.0, 7, 2, 1], [6, 5, 4, 3]]])
    classes, fill = torch.tensor([1]), torch.zeros(1, 1, 1)
    deleted = faithfulness.deletion_curves(Counts(), images, classes, maps, fill, steps=8)
    expected = torch.tensor([[4.0, 3, 2, 1, 0, 0, 0, 0, 0]]).sigmoid()
    torch.testing.assert_close(deleted, expected)
    inserted = faithfulness.insertion_curves(Counts(), images, classes, maps, fill, steps=8)
    torch.testing.assert_close(inserted, torch.tensor([[0.0, 1, 2, 3, 4, 4, 4, 4, 4]]).sigmoid())
    # The complement of a map inserts what the map would have deleted last.
    torch.testing.assert_close(
        faithfulness.insertion_curves(Counts(), images, classes, -maps, fill, steps=8),
        deleted.flip(1),
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9))
def test_curves_begin_and_end_with_the_whole_and_with_nothing(seed, steps):
    torch.manual_seed(seed)
    model, images = LeNet5(size=16), drawn(seed, 3, 1, 16, 16)
    maps, classes, fill = drawn(seed, 3, 16, 16), torch.tensor([0, 3, 9]), images.mean().expand(1)
    model.eval()
    ends = [model(x).softmax(1)[range(3), classes] for x in (images, fill.expand_as(images))]
    curves = faithfulness.deletion_curves(model, images, classes, maps, fill, steps)
    assert curves.shape == (3, steps + 1)
    torch.testing.assert_close(curves[:, 0], ends[0].detach())
    torch.testing.assert_close(curves[:, -1], ends[1].detach())
    curves = faithfulness.insertion_curves(model, images, classes, maps, fill, steps)
    torch.testing.assert_close(curves[:, [-1, 0]], torch.stack(ends, dim=1).detach())


def test_areas():
    curves = torch.tensor([[1.0, 1, 1], [0, 0.5, 1], [1, 0, 0]])
    assert faithfulness.area_under(curves).tolist() == [1, 0.5, 0.25]
    for size in (3e38, 1e-40):
        areas = faithfulness.area_under(curves * size)
        torch.testing.assert_close(areas / size, torch.tensor([1, 0.5, 0.25]), rtol=1e-4, atol=0)


def test_center_maps_fall_from_the_middle():
    one = faithfulness.center_maps(2, 5)[1]
    assert one[2, 2] == one.max() == 1 and one[0, 0] == one.min() == 0
    assert torch.equal(one, one.T) and torch.equal(one, one.flip(0))


def test_randomization_goes_from_the_output_down_and_spares_the_model():
    model = LeNet5()
    kept = copy.deepcopy(model.state_dict())
    names, changed = [], []
    for name, copied in faithfulness.cascading_randomization(model, seed=1):
        names.append(name)
        pairs = zip(copied.named_parameters(), model.parameters(), strict=True)
        changed.append({n.rpartition(".")[0] for (n, a), b in pairs if not torch.equal(a, b)})
    assert names[:2] == [None, "classifier.linear3"] and names[-1] == "features.conv1"
    assert changed == [set(names[1 : i + 1]) for i in range(len(names))]
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())


def test_randomization_is_decided_by_its_seed_and_leaves_the_random_state():
    state = torch.get_rng_state()
    ends = []
    for seed in (1, 1, 2):
        *_, (_, last) = faithfulness.cascading_randomization(LeNet5().eval(), seed=seed)
        ends.append(last.classifier.linear3.weight)
    assert torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])
    torch.set_rng_state(state)
    LeNet5()
    after = torch.get_rng_state()
    torch.set_rng_state(state)
    list(faithfulness.cascading_randomization(LeNet5()))
    assert torch.equal(torch.get_rng_state(), after)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_rank_correlation_is_scipys(seed, levels):
    first, second = ((drawn(seed + i, 4, 3, 5) * levels).floor() for i in range(2))
    second[0] = 1
    found = faithfulness.rank_correlation(first, second)
    assert found[0] == 0
    for one, other, value in zip(first[1:], second[1:], found[1:], strict=True):
        expected = stats.spearmanr(one.flatten(), other.flatten()).statistic
        assert value.item() == pytest.approx(expected, abs=1e-12)


def test_maps_of_every_type_give_the_same():
    first, second = (drawn(seed, 3, 4, 5).bfloat16().float() for seed in (1, 2))
    masks, wanted = second > 0.5, torch.tensor([1, 0, 1])
    images = drawn(3, 3, 1, 4, 5)
    for convert in (
        torch.Tensor.bfloat16, torch.Tensor.double, torch.Tensor.numpy, torch.Tensor.tolist,
        lambda maps: maps.clone().requires_grad_(), lambda maps: maps.mT.contiguous().mT,
    ):  # fmt: skip
        maps, other = convert(first), convert(second)
        pairs = [
            (
                faithfulness.pointing_hits(maps, masks.numpy()),
                faithfulness.pointing_hits(first, masks),
            ),
            (faithfulness.mask_iou(maps, masks.tolist()), faithfulness.mask_iou(first, masks)),
            (
                faithfulness.rank_correlation(maps, other),
                faithfulness.rank_correlation(first, second),
            ),
            (
                faithfulness.deletion_curves(Counts(), images, wanted.byte(), maps, [[[0.5]]]),
                faithfulness.deletion_curves(Counts(), images, wanted, first, torch.tensor([0.5])),
            ),
        ]
        for found, expected in pairs:
            torch.testing.assert_close(found, expected, check_dtype=False)


def test_random_maps_are_drawn_whatever_the_default_device_is():
    expected = faithfulness.random_maps(2, 4, 2)
    with torch.device("meta"):
        assert torch.equal(faithfulness.random_maps(2, 4, 2), expected)


def maps_and_masks(shape=(2, 4, 4), dtype=torch.bool):
    return torch.rand(2, 4, 4), torch.zeros(shape, dtype=dtype)


IMAGES, MAPS, CLASSES = torch.rand(2, 1, 4, 4), torch.rand(2, 4, 4), torch.tensor([0, 1])
NAN = torch.tensor([[[float("nan"), 1], [0, 2]]])
MASK = torch.ones(1, 2, 2, dtype=torch.bool)


def curves(f, images=IMAGES, classes=CLASSES, maps=MAPS, fill=IMAGES, steps=4, model=None):
    return f.deletion_curves(model or Counts(), images, classes, maps, fill, steps)


test_what_does_not_fit_is_refused = refuses(
    (lambda f: f.pointing_hits(*maps_and_masks((2, 4, 5))), r"masks has shape \(2, 4, 5\)"),
    (lambda f: f.pointing_hits(*maps_and_masks(dtype=torch.uint8)), "masks has .*uint8"),
    (lambda f: f.pointing_hits(*maps_and_masks(), -1), "tolerance is -1"),
    (lambda f: f.random_maps(3, 16, 17), "cells is 17, expected 1 to 16"),
    (lambda f: f.blurred(IMAGES, 4), "side is 4, expected an odd number"),
    (lambda f: f.mask_iou(*maps_and_masks(), 1.0), "threshold is 1.0"),
    (lambda f: f.area_under(torch.ones(3, 1)), r"curves has shape \(3, 1\)"),
    (lambda f: f.rank_correlation(MAPS, MAPS[:1]), "second has shape"),
    (lambda f: next(f.cascading_randomization(nn.ReLU())), "model is a ReLU"),
    (lambda f: f.deletion_curves(Counts(), IMAGES, CLASSES, MAPS[:1], IMAGES), "maps has"),
    (lambda f: f.insertion_curves(Counts(), IMAGES, CLASSES[:1], MAPS, IMAGES), "classes has"),
    (lambda f: f.deletion_curves(Counts(), IMAGES, CLASSES, MAPS, IMAGES, 0), "steps is 0"),
    (lambda f: f.pointing_hits(NAN, MASK), "maps has 1 entries that are nan"),
    (lambda f: f.mask_iou(NAN, MASK), "maps has 1 entries that are nan"),
    (lambda f: f.mask_iou(-MAPS, MAPS > 0), "maps is -.* in places, expected at least 0"),
    (lambda f: f.rank_correlation(NAN, NAN), "first has 1 entries that are nan"),
    (lambda f: f.rank_correlation(MASK.float(), NAN), "second has 1 entries that are nan"),
    (lambda f: f.rank_correlation(MAPS[:, :0], MAPS[:, :0]), r"first has shape \(2, 0, 4\)"),
    (lambda f: f.area_under(NAN[0]), "curves has 1 entries that are nan"),
    (lambda f: f.edge_maps(IMAGES / 0), "images has .* infinite"),
    (lambda f: f.edge_maps(MAPS), r"images has shape \(2, 4, 4\)"),
    (lambda f: f.blurred(IMAGES.byte()), TypeError, "images has type torch.uint8"),
    (lambda f: f.center_maps(1, 1), "size is 1, expected an integer of at least 2"),
    (lambda f: curves(f, maps=MAPS / 0), "maps has .* infinite"),
    (lambda f: curves(f, images=IMAGES / 0), "images has .* infinite"),
    (lambda f: curves(f, fill=torch.tensor([float("nan")])), "fill has 1 entries that are nan"),
    (lambda f: curves(f, fill=torch.zeros(3)), r"fill has shape \(3,\)"),
    (lambda f: curves(f, classes=CLASSES + 1), "classes is between 1 and 2, expected 0 to 1"),
    (lambda f: curves(f, classes=CLASSES - 1), "classes is between -1 and 0"),
    (lambda f: curves(f, model=Breaks()), "probabilities that model gives has .* nan"),
    (lambda f: curves(f, images=IMAGES.byte()), TypeError, "images has type torch.uint8"),
    (lambda f: next(f.cascading_randomization(torch.relu)), TypeError, "model is <built-in"),
    by=lambda call: call(faithfulness),
)


def test_random_maps_are_as_coarse_as_asked():
    coarse, fine = (faithfulness.random_maps(3, 16, cells, seed=2) for cells in (4, 16))
    assert coarse.shape == fine.shape == (3, 16, 16)
    assert coarse.amin() >= 0 and coarse.amax() <= 1
    steps = [maps.diff(dim=2).abs().mean() for maps in (coarse, fine)]
    assert steps[0] < steps[1] / 2
    assert torch.equal(coarse, faithfulness.random_maps(3, 16, 4, seed=2))
    assert not torch.equal(coarse, faithfulness.random_maps(3, 16, 4, seed=3))


def test_edges_are_where_brightness_changes():
    images = torch.zeros(2, 3, 16, 16)
    images[0, :, :, 8:] = 1
    images[1, :, 4:] = 0.5
    maps = faithfulness.edge_maps(images)
    torch.testing.assert_close(maps[0], maps[0].flip(1))
    assert maps[0].amax() == pytest.approx(2 * maps[1].amax().item())
    assert (maps[0, :, :5] == 0).all() and (maps[0, :, 7:9] > 0).all()
    assert (maps[1, 8:] == 0).all() and (maps[1, 3:5] > 0).all()
    for size in (1e37, 1e-30):
        torch.testing.assert_close(faithfulness.edge_maps(images * size) / size, maps)
    with pytest.raises(ValueError, match=r"^images is from 0 to 3.4e\+38, expected numbers whose"):
        faithfulness.edge_maps(images * 3.4e38)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 9]))
def test_blurring_is_the_mean_of_the_neighborhood(seed, side):
    images = drawn(seed, 2, 3, 10, 12)
    soft, reach = faithfulness.blurred(images, side), side // 2
    around = torch.nn.functional.pad(images, (reach,) * 4, mode="replicate")
    expected = around[1, 2, 4 : 4 + side, 5 : 5 + side].mean()
    torch.testing.assert_close(soft[1, 2, 4, 5], expected)
    assert soft.shape == images.shape
    assert faithfulness.blurred(torch.full_like(images, 3e38), side).isfinite().all()
