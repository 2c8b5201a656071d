"""Maps of the network for CIFAR-10: what is made, what is measured, and what is stored of it."""

import pytest
import torch
from drawn import named
from sklearn.metrics import roc_auc_score

from glassbox.chapters.gradcam import cifar_figures as drawings
from glassbox.chapters.gradcam import cifar_maps as judge
from glassbox.chapters.gradcam import study
from glassbox.chapters.gradcam.cifar import CLASSES, load_cifar_network
from glassbox.chapters.gradcam.comparisons import lead_table, leads
from glassbox.chapters.studies import Study
from glassbox.data import Dataset
from glassbox.plotting.figures import to_pixels
from glassbox.training import SeedRuns

DRAW = torch.Generator().manual_seed(0)
IMAGES = torch.randint(256, (40, 3, 32, 32), generator=DRAW, dtype=torch.uint8)
DATA = Dataset("cifar10", IMAGES, torch.arange(40) % 10, CLASSES)


@pytest.fixture(scope="module")
def model():
    return load_cifar_network()


@pytest.fixture(scope="module")
def given(model):
    said = judge.answers_to(model, DATA).order[:, 0]
    labels = torch.where(torch.arange(40) % 2 == 0, said, (said + 1) % 10)  # half of it right
    return judge.answers_to(model, Dataset("cifar10", IMAGES, labels, CLASSES))


@pytest.fixture(scope="module")
def maps(model, given):
    return judge.maps_of(model, given)


def test_answers_are_ordered_by_their_odds(given):
    assert given.right.tolist() == [True, False] * 20
    sorted_odds = given.odds.gather(1, given.order)
    assert (sorted_odds[:, :-1] >= sorted_odds[:, 1:]).all()
    assert torch.equal(given.order.sort(dim=1).values[0], torch.arange(10))


def test_the_map_for_the_true_class_is_that_for_the_answer_where_it_is_right(given, maps):
    assert tuple(maps) == judge.ASKED
    for name, heats in maps.items():
        assert heats.shape == (40, 32, 32) and heats.min() >= 0 and heats.isfinite().all()
        assert name == "edges" or heats.max() <= 1
    same = (maps["Grad-CAM"] == maps["for the true class"]).flatten(1).all(1)
    assert same[given.right].all() and not same[~given.right].any()


def test_a_sign_finds_wrong_answers_as_the_roc_curve_has_it():
    wrong = torch.tensor([True, False, True, False, False, True])
    assert judge.found_by(wrong.float(), wrong) == 1
    assert judge.found_by(-wrong.float(), wrong) == 0
    assert judge.found_by(torch.zeros(6), wrong) == 0.5
    sign = torch.tensor([0.3, 0.3, 0.9, 0.1, 0.5, 0.2])
    assert judge.found_by(sign, wrong) == pytest.approx(roc_auc_score(wrong, sign))


def test_signs_are_what_they_are_called(model, given, maps):
    corner = torch.zeros(40, 32, 32)
    corner[:, 0, 0] = 1
    signs = judge.signs_of(model, given, maps | {"Grad-CAM": corner})
    assert tuple(signs) == judge.SIGNS
    torch.testing.assert_close(signs["doubt"], 1 - given.odds.amax(1))
    torch.testing.assert_close(signs["off center"], torch.full((40,), 15.5 * 2**0.5))
    assert (signs["spread"] == 1 / 1024).all() and (signs["low peak"] <= 0).all()
    alike = judge.signs_of(model, given, maps | {"for the second class": maps["Grad-CAM"]})
    rank = alike["like the second"]
    assert ((rank > 0.999) | (maps["Grad-CAM"].amax((1, 2)) == 0)).all()


def test_areas_are_of_the_likeliest_class(model, given, maps):
    areas = judge.areas_of(model, given, maps["Grad-CAM"])
    random = judge.areas_of(model, given, maps["random"])
    assert areas.shape == (40, 2) and ((areas >= 0) & (areas <= 1)).all()
    assert not torch.equal(areas, random)


def test_the_part_of_the_study_judges_what_it_loads_and_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "load", lambda name, split: DATA)
    Study("cifar-maps", study.PARTS["cifar-maps"], study.SIZES["smoke"], tmp_path).train()
    rows = study.CIFAR_SIGNS.rows(tmp_path)
    assert list(rows) == [(0,)]
    areas = study.CIFAR_MAPS.rows(tmp_path)
    assert {key[1:] for key in areas} == {(a, m) for a in judge.ANSWERS for m in judge.ASKED}
    shown = study.load_cifar_shown(tmp_path)
    assert 1 <= len(shown) <= 12
    for one in shown.values():
        assert one.cells.shape == one.cells_of_label.shape == (8, 8)
        assert one.odds >= one.odds_of_label
        assert (one.said == one.label) == torch.equal(one.cells, one.cells_of_label)


@pytest.mark.parametrize("images", [None, IMAGES[:3]])
@pytest.mark.parametrize("more", [False, True])
def test_the_recipe_shows_maps_and_where_there_are_images_what_they_lie_on(images, more):
    heats = torch.rand(3, 32, 32, generator=DRAW)
    others = heats.flip(0) if more else None
    fig = drawings.show_recipe(["one", "two\nlines", "three"], heats, images, others)
    assert len(fig.axes) == 3 * ((2 if images is None else 5) + more)
    first = fig.axes[0 if images is None else 1].images[0].get_array()
    assert first.shape == (32, 32, 3)
    titles = [ax.get_title(loc="center") for ax in fig.axes]
    assert sum(map(bool, titles)) == len(fig.axes) // 3
    assert fig.alt.endswith("in 3 rows: one; two lines; three.")
    to_pixels(fig)


def invented(seed):
    values = torch.rand(4, generator=torch.Generator().manual_seed(seed)).tolist()
    return SeedRuns((0, 1, 2, 3), tuple(values))


def test_areas_and_signs_are_drawn_and_said():
    areas = {
        answer: {name: {"deletion": invented(i)} for i, name in enumerate(judge.ASKED)}
        for answer in judge.ANSWERS
    }
    fig = drawings.show_areas(areas, "deletion")
    assert [ax.get_title(loc="left") or ax.get_title() for ax in fig.axes]
    assert fig.alt.startswith("Area of deletion where the answer is right: Grad-CAM 0.")
    signs = {name: invented(i) for i, name in enumerate(judge.SIGNS)}
    fig = drawings.show_signs(signs)
    (dots,) = named(fig.axes[0], "means")
    assert dots.get_offsets()[:, 0].tolist() == pytest.approx([one.mean for one in signs.values()])
    to_pixels(fig)


def test_what_takes_many_passes_is_compared_on_the_same_scenes():
    scores = {
        name: {"IoU": SeedRuns((0, 1), (value, value + 0.1))}
        for name, value in {"Grad-CAM": 0.5, "Grad-CAM, few": 0.8, "IG": 0.1, "edges": 0.2}.items()
    }
    found = leads(scores, "IoU", ["IG", "edges"])
    assert found["IG"].mean == pytest.approx(0.7) and found["edges"].mean == pytest.approx(0.3)
    other = leads({k: v for k, v in scores.items() if "few" not in k}, "IoU", ["IG"])
    assert other["IG"].mean == pytest.approx(0.4)
    assert leads(scores, "IoU", ["edges"], map="IG")["edges"].mean == pytest.approx(-0.1)
    table = lead_table({"IoU": found, "again": {"IG": found["IG"]}})
    assert table.head == ("Grad-CAM less", "IG", "edges")
    assert table.rows[1] == ("again", "0.700 ± 0.000", "")
