"""Beginnings for small images: what is pretrained, what is kept, and what learns."""

import pytest
import torch
from torch import nn

from glassbox.chapters.pretraining import stems as recipe
from glassbox.chapters.pretraining.study import load_stems
from glassbox.data import Dataset, channel_statistics, normalize, resize
from glassbox.networks import create_model, small_kernels
from glassbox.support import isolated_seed

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 3, 9])


def invented(name):
    """Give 2,000 images of 8 x 8 that tell their place, those of clothes darker than digits."""
    generator = torch.Generator().manual_seed(len(name))
    low, high = (0, 100) if name == "fashion_mnist" else (100, 256)
    images = torch.randint(low, high, (2000, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return Dataset(name, images, torch.arange(2000) % 10, tuple("0123456789"))


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setattr(recipe, "load", invented)


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(3)
    return create_model("resnet18").state_dict()


def adapt(stem, weights, seed, *, updates=1, lr=None):
    return recipe.adapt("resnet18", stem, weights, IMAGES, LABELS, seed, updates=updates, lr=lr)


def moved(state, begin):
    return {name for name, value in state.items() if not torch.equal(value, begin[name])}


def test_a_task_is_balanced_has_other_digits_to_test_on_and_is_normalized_by_clothes():
    task = recipe.stem_task("center", 0)
    assert task.images.shape == (200, 3, 32, 32) and task.test_images.shape == (1000, 3, 32, 32)
    assert task.counts == (20,) * 10 and task.test_labels.bincount().tolist() == [100] * 10
    seen, unseen = (part[:, 0].flatten(1) for part in (task.images, task.test_images))
    assert torch.cdist(seen, unseen).min() > 0.1
    assert not torch.equal(task.images, recipe.stem_task("center", 1).images)
    mean, std = channel_statistics(invented("fashion_mnist").images)
    bytes_again = normalize(task.images[:, :1], -mean / std, 1 / std) * 255
    assert bytes_again.min() > 99 and bytes_again.max() < 256


def test_enlarged_digits_hold_no_more_than_small_ones():
    small, large = (recipe.stem_task(stem, 0) for stem in ("unchanged", "enlarged"))
    assert large.images.shape == (200, 3, 64, 64)
    assert torch.equal(small.labels, large.labels)
    doubled = resize(small.images, 64)
    torch.testing.assert_close(doubled, large.images, rtol=0, atol=0.05)  # bytes between


def test_a_pretraining_sees_its_fraction_of_large_clothes(monkeypatch):
    seen, states, fit = [], [], recipe.fit

    def spy(model, batches, optimizer, **options):
        seen.append((list(batches), options["epochs"], optimizer.param_groups[0]["lr"]))
        return fit(model, batches, optimizer, **options)

    monkeypatch.setattr(recipe, "fit", spy)
    for noise in (1, 2):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        states.append(recipe.pretrain_large("resnet18", count=20))
        assert torch.equal(torch.get_rng_state(), before)
    assert not moved(*states)
    (((images, labels),), epochs, lr), _ = seen
    assert images.shape == (20, 3, 64, 64) and (epochs, lr) == (3, 1e-3)
    assert labels.bincount().tolist() == [2] * 10 and images.max() < 2


@pytest.mark.parametrize("stem", recipe.STEM_ARMS["resnet18"].stems)
def test_an_adapted_network_begins_with_what_was_learned(stem, weights):
    model = adapt(stem, weights, 0, lr=0.0)
    begin = model.state_dict()
    new = {"fc.weight", "fc.bias"}
    if stem not in ("unchanged", "enlarged"):
        new.add("conv1.weight")
        assert begin["conv1.weight"].shape[-1] == 3 and isinstance(model.maxpool, nn.Identity)
    parameters = {name for name, _ in model.named_parameters()}
    assert moved(begin, weights) & parameters == new
    if stem in ("center", "corner"):
        expected = small_kernels(weights["conv1.weight"], stem)
        assert torch.equal(begin["conv1.weight"], expected)
    with isolated_seed(0):  # the same head for all stems
        twin = create_model("resnet18")
        recipe.replace_head(twin, 10)
    assert torch.equal(begin["fc.weight"], twin.fc.weight)


def test_all_of_it_is_fine_tuned_and_every_update_has_its_batch(weights):
    begin, model = adapt("center", weights, 0, lr=0.0), adapt("center", weights, 0, updates=3)
    after = model.state_dict()
    assert {name for name, _ in model.named_parameters()} <= moved(after, begin.state_dict())
    assert {int(n) for name, n in after.items() if name.endswith("tracked")} == {3}


class Little(nn.Module):
    """It has dropout, as AlexNet has, and none of its size."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 10)

    def forward(self, images):
        return self.fc(nn.functional.dropout(images.mean((2, 3)), 0.5, self.training))


def test_all_follows_from_the_seed_what_dropout_drops_too(monkeypatch):
    monkeypatch.setattr(recipe, "create_model", lambda name: Little())
    monkeypatch.setattr(recipe, "replace_head", lambda model, classes: None)
    given, found = Little().state_dict(), []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        found.append(adapt("unchanged", given, seed, updates=5, lr=0.1).fc.weight)
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_unchanged_alexnet_has_nothing_left_of_small_images():
    assert "unchanged" not in recipe.STEM_ARMS["alexnet"].stems
    features = create_model("alexnet").features
    with pytest.raises(RuntimeError, match="Output size is too small"):
        features(IMAGES)
    assert features(resize(IMAGES, 64)).numel()


def test_wrong_arguments_are_refused(weights):
    with pytest.raises(ValueError, match="name is 'vgg11', expected one of alexnet, resnet18"):
        recipe.pretrain_large("vgg11")
    with pytest.raises(ValueError, match="stem is 'large', expected one of unchanged, enlarged"):
        recipe.stem_task("large", 0)
    with pytest.raises(ValueError, match="'large'"):
        adapt("large", weights, 0)


def test_stored_accuracies_are_within_the_drawing():
    for stems in load_stems().values():
        for one in stems.values():
            low, high = one.interval()
            assert 0.45 < low < high < 1
