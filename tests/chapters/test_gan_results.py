"""The stored numbers of generated digits and of rings are whole, and say what the chapter says."""

from pathlib import Path

import pytest

from glassbox.chapters.gan.results import load_scores
from glassbox.chapters.gan.study import Scores

STORED = Path(__file__).parents[2] / "book" / "generators"
MODELS = {"AE, standard", "AE, fitted", "VAE", "GAN", "LSGAN", "DCGAN"}


def test_every_model_is_stored_with_five_seeds_and_all_scores():
    found = load_scores(STORED / "results.csv")
    assert set(found) == MODELS
    for scores in found.values():
        assert tuple(scores) == Scores._fields
        assert all(runs.seeds == tuple(range(5)) for runs in scores.values())


def test_stored_scores_lie_where_scores_can_lie():
    for scores in load_scores(STORED / "results.csv").values():
        assert min(scores["frechet"].values) > 0 and min(scores["density"].values) >= 0
        for name in ("precision", "recall", "coverage"):
            assert all(0 <= fraction <= 1 for fraction in scores[name].values)
        assert all(0 <= fraction <= 0.9 for fraction in scores["imbalance"].values)


def test_a_healthy_ring_has_all_modes_and_a_collapsed_one_better_looking_losses():
    ring = load_scores(STORED / "ring.csv")
    assert set(ring["healthy"]["modes"].values) == {8}
    assert max(ring["collapsed"]["modes"].values) <= 1
    for name, ideal in (("discriminator", 1.386), ("generator", 0.693)):
        far, near = (abs(ring[recipe][name].mean - ideal) for recipe in ("healthy", "collapsed"))
        assert near < 0.03 < far


def test_seeds_are_put_in_order_in_every_column(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("m,seed,a\nx,10,3\nx,2,1\nx,9,2\n")
    assert load_scores(path)["x"]["a"].seeds == (2, 9, 10)
    assert load_scores(path)["x"]["a"].values == (1, 2, 3)


def test_a_seed_that_stands_alone_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("m,seed,a\nx,0,1\n")
    with pytest.raises(ValueError, match="at least two"):
        load_scores(tmp_path / "t.csv")


@pytest.mark.parametrize(
    "text, message",
    [("model,a\nx,1\n", "expected a name, seed"), ("m,seed,a\nx,0,1\ny,1,2\n", "other seeds")],
)
def test_a_table_that_does_not_fit_is_refused(text, message, tmp_path):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_scores(tmp_path / "t.csv")
