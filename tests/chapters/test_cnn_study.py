"""The study of the chapter on CNNs: its data, its models, and that its stored runs come out."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from glassbox.chapters.cnn import cifar, full_size, large, study
from glassbox.chapters.cnn import wine as wines
from glassbox.chapters.cnn.digits import (
    METHODS,
    digits_task,
    make_mlp,
    read_classically,
    reading_accuracy,
    train_reader,
)
from glassbox.chapters.cnn.question import answer_question, asked_images, scaled
from glassbox.chapters.cnn.wine_models import MODELS, choose_setting, measure_copies, measure_model
from glassbox.chapters.studies import Study
from glassbox.data import Dataset, load
from glassbox.networks import LeNet5, count_parameters

REAL = Path(os.environ.get("GLASSBOX_DATA", "/nonexistent"))


def test_the_test_digits_are_always_the_same_and_never_searched_on():
    first, again = digits_task(seed=0), digits_task("centered", 50, seed=3)
    assert torch.equal(first.test.images, again.test.images)
    assert len(first.train) == 4000 and again.counts == (5,) * 10
    search = digits_task(search=True)
    assert (len(search.train), len(search.test)) == (3200, 800)
    known = {one.numpy().tobytes() for one in search.test.images}
    assert known.isdisjoint(one.numpy().tobytes() for one in first.test.images)


def test_moved_digits_are_the_same_ink_in_another_place():
    still, moved = digits_task(), digits_task("moved", seed=1)
    totals = [task.test.images.flatten(1).sum(1, dtype=torch.int64) for task in (still, moved)]
    off = (totals[1] - totals[0]).abs() / totals[0]  # of a digit that touches the edge, not 0
    assert off.median() == 0 and off.mean() < 0.02
    assert not torch.equal(still.test.images, moved.test.images)
    assert torch.equal(moved.test.images, digits_task("moved", seed=2).test.images)
    assert not torch.equal(moved.train.images, digits_task("moved", seed=2).train.images)


def test_the_mlp_has_as_many_parameters_as_lenet():
    assert 0 < count_parameters(LeNet5()) - count_parameters(make_mlp()) < 1000


@pytest.mark.parametrize("name", METHODS)
def test_each_method_reads_digits_better_than_by_chance(name):
    task = digits_task("centered", 200, seed=0)
    accuracy = reading_accuracy(name, task, METHODS[name].settings[2], 0, updates=60)
    assert 0.3 < accuracy < 0.95


def test_unknown_methods_are_refused():
    for call in (reading_accuracy, train_reader):
        with pytest.raises(ValueError, match="name is 'oracle', expected one of"):
            call("oracle", digits_task(), 1.0, 0)
    with pytest.raises(ValueError, match="name is 'LeNet-5', expected one of linear, "):
        read_classically("LeNet-5", digits_task(), 1.0)
    with pytest.raises(ValueError, match="digits is 'turned', expected one of"):
        digits_task("turned")


def test_scales_are_those_of_the_same_pixels():
    images, labels = asked_images(0)
    assert images.shape == (860, 1, 28, 28) and labels.bincount().tolist() == [86] * 10
    raw, unit, normalized = (scaled(images, scale, images) for scale in study.SCALES)
    torch.testing.assert_close(unit * 255, raw)
    assert abs(float(normalized.mean())) < 1e-4
    with pytest.raises(ValueError, match="scale is 'inches', expected one of"):
        scaled(images, "inches", images)


def test_a_rate_that_is_far_too_large_gives_chance():
    assert answer_question("SGD", "0 to 255", 10.0, 7, 0) == pytest.approx(0.1)


def test_wines_are_kept_once_and_cut_into_folds_alike():
    rows = wines.wine_rows("wine")
    assert rows.features.shape == (178, 13)
    folds = wines.wine_folds(rows.scores, 0)
    assert torch.equal(torch.cat([test for _, test in folds]).sort().values, torch.arange(178))


def test_the_ordinal_loss_asks_each_question_once():
    outputs, index = torch.randn(5, 3), torch.tensor([0, 1, 2, 3, 1])
    by_hand = [
        F.softplus(-one if place > k else one)
        for line, place in zip(outputs, index, strict=True)
        for k, one in enumerate(line)
    ]
    torch.testing.assert_close(wines.ordinal_loss(outputs, index), torch.stack(by_hand).mean())


@pytest.mark.parametrize("name", MODELS, ids=" ".join)
def test_each_model_of_wines_is_ahead_of_one_that_knows_nothing(name):
    rows = wines.wine_rows("wine")
    setting, rmse, mae, accuracy, rare = measure_model(name, rows, 0, 0)
    assert setting in MODELS[name].settings and rare == accuracy  # none has a 5 or a 6
    if len(MODELS[name].settings) > 1:
        assert mae < 0.3 and accuracy > 0.7 and rmse < 0.5
    else:
        assert mae > 0.5


def test_a_setting_is_chosen_without_the_rows_that_are_tested():
    rows = wines.wine_rows("wine")
    kept, held_out = wines.wine_folds(rows.scores, 0)[0]
    changed = rows._replace(features=rows.features.clone())
    changed.features[held_out] = 1e6
    name = ("regression", "ridge")
    assert choose_setting(MODELS[name], rows.take(kept), 0) == choose_setting(
        MODELS[name], changed.take(kept), 0
    )


def test_copies_of_tested_rows_are_left_out():
    generator = np.random.default_rng(0)
    features = torch.from_numpy(generator.normal(size=(200, 3)))
    scores = torch.from_numpy(generator.integers(0, 2, 200))
    rows = wines.Rows(features.repeat(2, 1), scores.repeat(2))
    kept, left_out = (measure_copies(rows, 0, 0, kept=kept) for kept in (True, False))
    assert kept > 0.9 and 0.2 < left_out < 0.8


def stand_in(name, split=None):
    generator = torch.Generator().manual_seed(len(str(split)))
    shape = (300, 3, 32, 32) if name == "cifar10" else (300, 1, 28, 28)
    images = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    return Dataset(name, images, torch.arange(300) % 10, tuple("0123456789"))


@pytest.mark.parametrize("recipe", full_size.RECIPES)
def test_recipes_fit_the_official_images(recipe, monkeypatch):
    monkeypatch.setattr(full_size, "load", stand_in)
    full_size.full_task.cache_clear()
    try:
        assert 0 <= full_size.train_full("fashion_mnist", recipe, 1, 1e-3, 0) <= 1
        assert full_size.nearest_neighbors("mnist")[0] in full_size.NEIGHBORS
    finally:
        full_size.full_task.cache_clear()


def test_neighbors_vote_as_those_of_scikit_learn():
    from sklearn.neighbors import KNeighborsClassifier

    train, test = load("digits")[:900], load("digits")[900:1200]
    found = full_size.vote(train, test)
    for count in (1, 3):
        pixels = [part.images.flatten(1).numpy() for part in (train, test)]
        fitted = KNeighborsClassifier(count, algorithm="brute").fit(pixels[0], train.labels)
        assert found[count] == pytest.approx(fitted.score(pixels[1], test.labels), abs=0.01)


@pytest.mark.parametrize("recipe", cifar.RECIPES)
def test_recipes_fit_color_images(recipe):
    watched = []
    history = cifar.train_colors("scenes", recipe, 2, 1e-3, 0, watch=watched.append)
    assert len(history) == len(watched) == 2
    again = cifar.train_colors("scenes", recipe, 2, 1e-3, 0)
    assert again.train_loss == history.train_loss


def test_alexnet_takes_grays_of_227_pixels():
    net = large.alexnet().eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 1, 227, 227)).shape == (1, 10)
    assert large.enlarged(load("mnist_5k").images[:2], 227).shape == (2, 1, 227, 227)
    with pytest.raises(ValueError, match="network is 'VGG', expected one of"):
        large.train_large("VGG", 28, "ours", 1, 0)


def test_every_part_of_the_smallest_size_runs(tmp_path):
    for part, runs in study.PARTS.items():
        Study(part, runs, study.SIZES["smoke"], tmp_path, called="smoke").train()
    stored = {path.stem for path in tmp_path.glob("*.csv")}
    assert stored >= {path.stem for path in study.STORED.glob("*.csv")} - {"alexnet"}
    for name in stored:
        assert getattr(study, f"load_{name}")(tmp_path)


@pytest.mark.skipif(not (REAL / "wine").is_dir(), reason="GLASSBOX_DATA holds no wine quality")
def test_stored_guesses_of_wines_come_out_again(tmp_path):
    (one, _), size = study.PARTS["wine"], study.SIZES["cpu"]
    keys = [("regression", "ridge", 0, 0), ("ordinal", "logistic", 1, 3)]
    Study("wine", [replace(one, of=lambda size: keys)], size, tmp_path).train()
    made, stored = one.table.rows(tmp_path), one.table.rows()
    for key in keys:
        assert made[key] == pytest.approx(stored[key], abs=0.01)
