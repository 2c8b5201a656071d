"""The table of classifiers says what torchvision says, what was published, and what is built."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode

import glassbox.support.torchvision_operators  # noqa: F401
from glassbox.networks import built_parameters, zoo_entries, zoo_table
from glassbox.networks.zoo import _FAMILIES, Entry, frontier

ENTRIES = zoo_entries()


def of(name, weights="IMAGENET1K_V1"):
    (found,) = (one for one in ENTRIES if (one.name, one.weights) == (name, weights))
    return found


@pytest.mark.parametrize(
    ("name", "family", "year", "parameters", "top1", "top5", "gflops", "megabytes"),
    [
        ("alexnet", "AlexNet", 2012, 61_100_840, 56.522, 79.066, 0.714, 233.087),
        ("vgg16", "VGG", 2014, 138_357_544, 71.592, 90.382, 15.47, 527.796),
        ("googlenet", "Inception", 2014, 6_624_904, 69.778, 89.53, 1.498, 49.731),
        ("resnet18", "ResNet", 2015, 11_689_512, 69.758, 89.078, 1.814, 44.661),
        ("resnet50", "ResNet", 2015, 25_557_032, 76.13, 92.862, 4.089, 97.781),
        ("squeezenet1_1", "SqueezeNet", 2016, 1_235_496, 58.178, 80.624, 0.349, 4.729),
        ("mobilenet_v2", "MobileNet", 2018, 3_504_872, 71.878, 90.286, 0.301, 13.555),
        ("efficientnet_b0", "EfficientNet", 2019, 5_288_548, 77.692, 93.532, 0.386, 20.451),
        ("vit_b_16", "ViT", 2020, 86_567_656, 81.072, 95.318, 17.564, 330.285),
    ],
)
def test_published_figures(name, family, year, parameters, top1, top5, gflops, megabytes):
    side = 224
    assert of(name) == Entry(
        *(name, "IMAGENET1K_V1", family, year, parameters, gflops, top1, top5, megabytes, side),
        "ImageNet",
    )


def test_better_recipes_and_larger_images_are_entries_of_their_own():
    old, new = of("resnet50"), of("resnet50", "IMAGENET1K_V2")
    assert (old.parameters, new.top1) == (new.parameters, 80.858)
    assert of("vit_b_16", "IMAGENET1K_SWAG_E2E_V1").side == 384
    assert of("inception_v3").side == 299


def test_what_was_trained_on_more_than_imagenet_says_so():
    """torchvision names the source of these weights in its own notes on them."""
    from torchvision import models

    for one in ENTRIES:
        weights = models.get_model_weights(one.name)[one.weights]
        assert ("2201.08371" in weights.meta["_docs"]) == (one.trained_on != "ImageNet"), one
        assert "distill" not in weights.meta["_docs"].lower(), one
    assert sum(one.trained_on == "SWAG, ImageNet" for one in ENTRIES) == 12


def test_every_classifier_of_torchvision_is_present_once():
    from torchvision import models

    assert {one.name for one in ENTRIES} == set(models.list_models(module=models))
    keys = [(one.name, one.weights) for one in ENTRIES]
    assert len(set(keys)) == len(keys)
    theirs = {(name, w.name) for name, _ in keys for w in models.get_model_weights(name)}
    assert theirs - set(keys) == {("vgg16", "IMAGENET1K_FEATURES")}  # has no classifier
    order = [(one.year, one.name, one.weights) for one in ENTRIES]
    assert order == sorted(order)


def test_every_number_is_one():
    for one in ENTRIES:
        assert 50 < one.top1 < one.top5 < 100 and one.parameters > 1e6, one
        assert one.gflops > 0 and one.side >= 224, one
        # 2 or 4 bytes a number, and some for names and statistics
        assert 1.9 < one.megabytes * 2**20 / one.parameters < 8.5, one


def test_of_two_families_the_longer_name_counts(monkeypatch):
    monkeypatch.setattr(
        "glassbox.networks.zoo._FAMILIES", {"resnet50": ("Fifty", 1950), **_FAMILIES}
    )
    families = {one.name: one.family for one in zoo_entries()}
    assert (families["resnet50"], families["resnet18"]) == ("Fifty", "ResNet")
    monkeypatch.setattr(
        "glassbox.networks.zoo._FAMILIES", {**_FAMILIES, "resnet50": ("Fifty", 1950)}
    )
    assert {one.name: one.family for one in zoo_entries()} == families


def test_every_family_is_in_use_and_an_unknown_one_is_named(monkeypatch):
    names = {one.name for one in ENTRIES}
    assert all(any(name.startswith(start) for name in names) for start in _FAMILIES)
    monkeypatch.setattr("glassbox.networks.zoo._FAMILIES", {"vgg": ("VGG", 2014)})
    with pytest.raises(LookupError, match="name is 'alexnet'"):
        zoo_entries()


# Counted without its auxiliary heads; position embeddings for larger images.
DIFFERENT = {
    ("googlenet", "IMAGENET1K_V1"): 13_004_888 - 6_624_904,
    ("vit_b_16", "IMAGENET1K_SWAG_E2E_V1"): -768 * (24**2 - 14**2),
    ("vit_l_16", "IMAGENET1K_SWAG_E2E_V1"): -1024 * (32**2 - 14**2),
    ("vit_h_14", "IMAGENET1K_SWAG_E2E_V1"): -1280 * (37**2 - 16**2),
}


def test_what_is_built_has_the_parameters_of_the_table():
    """The smallest of each family, and all that are built otherwise than they were counted."""
    small = {one.family: one for one in sorted(ENTRIES, key=lambda one: -one.parameters)}
    checked = [*small.values(), *(of(*key) for key in DIFFERENT)]
    assert len(small) == len({family for family, _ in _FAMILIES.values()}) > 12
    for one in checked:
        more = DIFFERENT.get((one.name, one.weights), 0)
        assert built_parameters(one.name) == one.parameters + more, one


class Placed(TorchFunctionMode):
    """Adds up how many numbers are made, by device."""

    def __init__(self):
        super().__init__()
        self.numbers = Counter()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if func in (torch.empty, torch.zeros, torch.ones):
            self.numbers[made.device.type] += made.numel()
        return made


def test_weights_are_built_without_memory_and_no_mode_is_left_behind():
    with Placed() as placed:
        count = built_parameters("alexnet")
        torch.empty(1)
    assert placed.numbers == {"meta": count, "cpu": 1}


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
@pytest.mark.filterwarnings("error")
def test_building_does_not_warn(name):
    assert built_parameters(name) > 1e7


def test_an_unknown_architecture_is_named():
    with pytest.raises(ValueError, match=r"^name is 'resnet19', expected"):
        built_parameters("resnet19")
    assert torch.empty(1).device.type == "cpu"


def beats(other, one, cost):
    """Tell whether nobody would want ``one`` beside ``other``."""
    price, theirs = getattr(one, cost), getattr(other, cost)
    at_least = theirs <= price and other.top1 >= one.top1
    return at_least and (theirs < price or other.top1 > one.top1)


def brute_force(entries, cost):
    return {
        (getattr(one, cost), one.top1)
        for one in entries
        if not any(beats(other, one, cost) for other in entries)
    }


COSTS = st.sampled_from(["gflops", "parameters", "megabytes"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=12), COSTS)
def test_the_frontier_of_any_entries_is_what_nothing_beats(pairs, cost):
    entries = [replace(of("alexnet"), **{cost: price}, top1=top1) for price, top1 in pairs]
    found = [(getattr(one, cost), one.top1) for one in frontier(iter(entries), cost)]
    assert found == sorted(brute_force(entries, cost))


def test_an_unknown_cost_is_named():
    with pytest.raises(ValueError, match="cost is 'top1', expected one of gflops, "):
        frontier(ENTRIES, "top1")


def test_the_table_shows_every_entry_under_a_name_of_its_own():
    table = zoo_table(ENTRIES)
    names = [row[0] for row in table.rows]
    assert len(set(names)) == len(names) == len(ENTRIES)
    assert not any("nan" in cell for row in table.rows for cell in row)
    rows = zoo_table([of("alexnet"), of("resnet50", "IMAGENET1K_V2")]).rows
    imagenet = "ImageNet", "224"
    assert rows[0] == ("alexnet", "2012", *imagenet, "61.1", "0.71", "56.5", "79.1", "233")
    assert rows[1] == ("resnet50 (V2)", "2015", *imagenet, "25.6", "4.09", "80.9", "95.4", "98")
    (large,) = zoo_table([of("vit_b_16", "IMAGENET1K_SWAG_E2E_V1")]).rows
    assert large[2:4] == ("SWAG, ImageNet", "384")
    assert "vit_b_16 (SWAG_E2E_V1)" in names and "resnet50" in names
    assert len(table.head) == len(rows[0])


def test_what_is_no_entry_is_named():
    with pytest.raises(TypeError, match=r"^entries has 7, expected those of zoo_entries"):
        zoo_table([ENTRIES[0], 7])
    with pytest.raises(TypeError, match=r"^entries is None, expected several"):
        zoo_table(None)
