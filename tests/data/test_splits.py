import numpy as np
import pytest
import torch
from devices import gives_the_same_on_every_device
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from sklearn.model_selection import StratifiedKFold, train_test_split

from glassbox.data import k_folds, load, long_tailed, long_tailed_counts, stratified_split
from glassbox.data.splits import _allotment, _proportional

label_vectors = st.lists(st.integers(2, 40), min_size=2, max_size=6).flatmap(
    lambda counts: st.permutations([c for c, count in enumerate(counts) for _ in range(count)])
)


@given(label_vectors, st.lists(st.floats(0.05, 1), min_size=1, max_size=5), st.integers(0, 99))
@settings(max_examples=300, deadline=None)
def test_parts_are_disjoint_and_keep_the_class_proportions(values, weights, seed):
    labels = torch.tensor(values)
    sizes = [max(1, int(len(labels) * w / sum(weights))) for w in weights]
    if sum(sizes) > len(labels):
        return
    parts = stratified_split(labels, sizes, seed=seed)
    assert [len(part) for part in parts] == sizes
    together = torch.cat(parts)
    assert len(together.unique()) == len(together)
    shares = torch.bincount(labels) * torch.tensor(sizes)[:, None]  # times the number of labels
    counts = torch.stack([torch.bincount(labels[one], minlength=shares.shape[1]) for one in parts])
    assert (counts * len(labels) - shares).abs().max() < len(labels)  # rounded up or down


def test_every_part_rounds_up_or_down_where_part_after_part_would_not():
    # The second part would get no 0 and no 1, of which it has a half each, and both 2s.
    parts = stratified_split(torch.tensor([0, 1, 2, 2]), [1, 2, 1])
    assert [len(part) for part in parts] == [1, 2, 1]
    generator = torch.Generator().manual_seed(0)
    for _ in range(3000):
        available = torch.randint(1, 12, (5,), generator=generator)
        sizes = torch.randint(1, 8, (4,), generator=generator)
        if sizes.sum() > available.sum():
            continue
        counts = torch.tensor(_allotment(available.tolist(), sizes.tolist()))  # (parts, classes)
        assert counts.sum(1).equal(sizes) and (counts.sum(0) <= available).all()
        off = counts * available.sum() - sizes[:, None] * available
        assert off.abs().max() < available.sum()


def test_a_split_that_was_exact_part_after_part_stays_as_it_was():
    digits = load("digits").labels
    for sizes in ((1040, 757), (1024, 773), (200, 1000), (700, 1000), (1000, 797), (1500, 200, 97)):
        left, available = digits.bincount(), digits.bincount().tolist()
        for size, counts in zip(sizes, _allotment(available, sizes), strict=True):
            assert counts == _proportional(left.tolist(), size)
            left = left - torch.tensor(counts)


def test_arrays_and_lists_are_labels_too():
    labels = torch.arange(60) % 3
    for same in (labels.numpy(), labels.tolist(), labels.numpy().astype(np.uint8)):
        for call in (lambda y: stratified_split(y, [0.5, 0.5]), lambda y: k_folds(y, 3)[0]):
            assert all(map(torch.equal, call(same), call(labels)))
        assert torch.equal(long_tailed(same, 2), long_tailed(labels, 2))
    parts = stratified_split(labels, np.array([20, 40]))
    assert [len(part) for part in parts] == [20, 40]


LABELS = torch.arange(60) % 3
test_splits_are_the_same_on_every_device = gives_the_same_on_every_device(
    ("stratified_split", lambda labels: stratified_split(labels, [20, 30]), LABELS),
    ("k_folds", lambda labels: k_folds(labels, 3), LABELS),
    ("long_tailed", lambda labels: long_tailed(labels, 2), LABELS),
)


test_what_splits_refuse = refuses(
    (lambda: k_folds(LABELS, 2.5), "k is 2.5, expected an integer"),
    (lambda: k_folds(LABELS, 2, seed=0.5), TypeError, "seed is 0.5"),
    (lambda: stratified_split(LABELS, [5], seed=None), TypeError, "seed is None"),
    (lambda: stratified_split(LABELS, 5), TypeError, "parts is 5"),
    (lambda: stratified_split(LABELS, ["a"]), TypeError, "parts.0. is 'a'"),
    (lambda: stratified_split("aab", [1]), TypeError, "labels is 'aab'"),
    (lambda: long_tailed(torch.tensor([0, -1]), 1), "labels has -1"),
)


def test_the_first_part_has_as_many_of_each_class_as_in_scikit_learn():
    labels = torch.randint(0, 7, (1234,), generator=torch.Generator().manual_seed(0))
    for size in (100, 333, 617, 1000):
        part, _ = stratified_split(labels, [size, len(labels) - size])
        theirs, _ = train_test_split(labels.numpy(), train_size=size, stratify=labels.numpy())
        difference = torch.bincount(labels[part]) - torch.bincount(torch.from_numpy(theirs))
        # Ties between equal remainders are broken differently.
        assert difference.abs().max() <= 1 and difference.abs().sum() <= 2


def test_fractions_that_sum_to_one_cover_the_set():
    labels = torch.arange(1797) % 10
    parts = stratified_split(labels, [0.7, 0.1, 0.2], seed=3)
    assert [len(part) for part in parts] == [1258, 180, 359]
    assert torch.equal(torch.cat(parts).sort().values, torch.arange(1797))


def test_a_split_repeats_with_its_seed_and_changes_with_another():
    labels = torch.arange(200) % 4
    first, again, other = (stratified_split(labels, [50], seed=s)[0] for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_split_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    labels = torch.arange(40) % 2
    stratified_split(labels, [10])
    k_folds(labels, 2)
    long_tailed(labels, 2)
    assert torch.equal(before, torch.get_rng_state())


def test_parts_come_in_shuffled_order():
    labels = torch.arange(400) % 4
    part, _ = stratified_split(labels, [200, 200])
    assert len(labels[part][:50].unique()) == 4
    assert not torch.equal(part, part.sort().values)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "parts",
    [[], [0, 5], [0.6, 0.6], [101], [-1], [60, 41], [0.001], [0.5, NAN], [INF]],
)
def test_parts_that_do_not_fit_are_refused(parts):
    with pytest.raises(ValueError, match="parts"):
        stratified_split(torch.arange(100) % 2, parts)


@pytest.mark.parametrize("labels", [torch.zeros(3, 1).long(), torch.zeros(3), torch.zeros(0).int()])
def test_labels_that_are_no_labels_are_refused(labels):
    for call in (lambda: stratified_split(labels, [1]), lambda: k_folds(labels, 2)):
        with pytest.raises(ValueError, match="labels"):
            call()
    with pytest.raises(ValueError, match="labels"):
        long_tailed(labels, 2)


@given(label_vectors, st.integers(2, 5), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_folds_partition_the_set_and_have_the_sizes_of_scikit_learn(values, k, seed):
    labels = torch.tensor(values)
    if torch.bincount(labels).min() < k:
        with pytest.raises(ValueError, match="k is"):
            k_folds(labels, k, seed=seed)
        return
    folds = k_folds(labels, k, seed=seed)
    everything = torch.arange(len(labels))
    assert torch.equal(torch.cat([test for _, test in folds]).sort().values, everything)
    for train, test in folds:
        assert torch.equal(torch.cat([train, test]).sort().values, everything)
    theirs = StratifiedKFold(k).split(np.zeros(len(values)), values)
    assert sorted(len(test) for _, test in folds) == sorted(len(test) for _, test in theirs)
    counts = torch.stack([torch.bincount(labels[test], minlength=6) for _, test in folds])
    assert (counts.amax(0) - counts.amin(0)).max() <= 1


def test_folds_differ_between_seeds():
    labels = torch.arange(100) % 5
    assert not torch.equal(k_folds(labels, 5, seed=0)[0][1], k_folds(labels, 5, seed=1)[0][1])


def official_counts(img_max: float, cls_num: int, imb_type: str, imb_factor: float) -> list[int]:
    """The authors' ``get_img_num_per_cls``, imb_factor being smallest over largest."""
    if imb_type == "exp":
        return [int(img_max * (imb_factor ** (i / (cls_num - 1.0)))) for i in range(cls_num)]
    return [int(img_max)] * (cls_num // 2) + [int(img_max * imb_factor)] * (cls_num // 2)


@pytest.mark.parametrize("imbalance", [1, 2, 10, 20, 50, 100, 200])
@pytest.mark.parametrize(("n_max", "classes"), [(5000, 10), (500, 100), (4500, 10), (277, 10)])
def test_counts_equal_the_formula_of_the_authors(imbalance, n_max, classes):
    for profile, name in (("exponential", "exp"), ("step", "step")):
        expected = official_counts(n_max, classes, name, 1 / imbalance)
        assert list(long_tailed_counts(n_max, classes, imbalance, profile)) == expected


def test_the_published_counts_of_long_tailed_cifar10():
    assert long_tailed_counts(5000, 10, 100) == (
        5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50,
    )  # fmt: skip
    assert sum(long_tailed_counts(5000, 10, 100)) == 12406
    assert long_tailed_counts(90, 5, 9, "step") == (90, 90, 90, 10, 10)


def test_a_long_tailed_subset_has_its_counts_and_its_seed():
    labels = torch.arange(10).repeat_interleave(100)[torch.randperm(1000)]
    subset = long_tailed(labels, 20, seed=1)
    assert tuple(torch.bincount(labels[subset]).tolist()) == long_tailed_counts(100, 10, 20)
    assert torch.equal(subset, subset.unique())
    assert torch.equal(subset, long_tailed(labels, 20, seed=1))
    assert not torch.equal(subset, long_tailed(labels, 20, seed=2))


def test_a_long_tailed_subset_is_drawn_and_not_cut_from_the_front():
    labels = torch.zeros(1000, dtype=torch.int64)
    labels[500:] = 1
    tail = long_tailed(labels, 10)
    assert tail[tail >= 500].float().mean() == pytest.approx(750, abs=75)


test_a_tail_that_cannot_be_is_refused = refuses(
    ((100, 10, 0.5), "imbalance"),
    ((100, 10, float("nan")), "imbalance"),
    ((100, 1, 10), "num_classes"),
    ((100, 10, 10, "linear"), "profile"),
    ((100, 10, 200), "imbalance is 200"),
    ((NAN, 10, 2), "n_max is nan, expected an integer"),
    ((100, 2.5, 2), "num_classes is 2.5, expected an integer"),
    by=lambda arguments: long_tailed_counts(*arguments),
)


def test_a_class_with_too_few_examples_is_named():
    with pytest.raises(ValueError, match="labels has 3 of class 1, expected at least 5"):
        long_tailed(torch.tensor([0] * 10 + [1] * 3), 2, n_max=10)
