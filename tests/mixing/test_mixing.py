"""Mixup and CutMix beside torchvision's and timm's, and what must hold for any mixture."""

from collections import Counter

import numpy as np
import pytest
import torch
from devices import gives_the_same_in_every_layout, gives_the_same_on_every_device, needs_no_values
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses
from scipy import stats
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, TensorDataset

import glassbox.support.torchvision_operators  # noqa: F401  # isort: skip
from timm.data.mixup import Mixup as TimmMixup
from timm.data.mixup import cutmix_bbox_and_lam, rand_bbox, rand_bbox_minmax
from torchvision.transforms import v2

from glassbox.data import Batches
from glassbox.mixing import (
    CutMix,
    Mix,
    MixedBatches,
    MixingSchedule,
    Mixup,
    apply_mix,
    box_around,
    draw_fraction,
    kept_area,
    smooth_labels,
)
from glassbox.training import fit
from glassbox.training.distributed import set_epoch


def batch(seed=0, count=6, height=9, width=7, classes=4, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, height, width, generator=generator, dtype=dtype)
    return images, torch.randint(classes, (count,), generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ours, theirs", [(Mixup, v2.MixUp), (CutMix, v2.CutMix)])
@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_the_same_random_state_gives_torchvisions_images_and_labels(ours, theirs, alpha, dtype):
    mine, reference = ours(alpha, num_classes=4), theirs(alpha=alpha, num_classes=4)
    for seed in range(40):
        images, labels = batch(seed, count=5, dtype=dtype)
        torch.manual_seed(seed)
        expected = reference(images, labels)
        found = mine(images, labels, torch.Generator().manual_seed(seed))
        torch.testing.assert_close(found[0], expected[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(found[1].float(), expected[1], rtol=0, atol=1e-6)
        torch.manual_seed(seed)
        assert torch.equal(mine(images, labels)[0], found[0])


OPTIONS = {
    "mixup": {"cutmix_alpha": 0.0},
    "cutmix": {"mixup_alpha": 0.0},
    "both": {"switch_prob": 0.5, "prob": 0.7},
    "minmax": {"cutmix_minmax": (0.2, 0.8), "switch_prob": 0.7},
    "as it falls": {"mixup_alpha": 0.0, "correct_lam": False},
}


def timms_draws(timm, count, height, width):
    """Draw from numpy as timm does, one after the other, and write down what came out."""
    if timm.mode == "batch":
        fraction, cut = timm._params_per_batch()
        fractions, cuts = np.array([fraction]), np.array([cut])
    else:
        fractions, cuts = timm._params_per_elem(count if timm.mode == "elem" else count // 2)
    boxes = np.zeros((len(fractions), 4), dtype=int)
    for i in range(len(fractions)):
        if fractions[i] != 1 and cuts[i]:
            boxes[i], fractions[i] = cutmix_bbox_and_lam(
                (3, height, width), fractions[i], timm.cutmix_minmax, timm.correct_lam
            )
    fractions, boxes, cuts = map(torch.as_tensor, (fractions, boxes, cuts))
    drawn = [fractions.float(), boxes, ~cuts & (fractions < 1)]
    if timm.mode == "batch":
        drawn = [part.expand(count, *part.shape[1:]) for part in drawn]
    elif timm.mode == "pair":
        drawn = [torch.cat([part, part.flip(0)]) for part in drawn]
    return Mix(torch.arange(count).flip(0), *drawn)


@pytest.mark.parametrize("mode", ["batch", "pair", "elem"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_same_draws_give_timms_images_and_labels(options, mode):
    settings = {"mixup_alpha": 0.8, "cutmix_alpha": 1.0, "label_smoothing": 0.1} | options
    timm = TimmMixup(**settings, mode=mode, num_classes=4)
    for seed in range(30):
        images, labels = batch(seed)
        np.random.seed(seed)
        expected = timm(images.clone(), labels)
        np.random.seed(seed)
        mix = timms_draws(timm, *images.shape[::2], images.shape[3])
        found = apply_mix(images, labels, mix, 4, label_smoothing=0.1)
        torch.testing.assert_close(found[0], expected[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(found[1], expected[1], rtol=0, atol=1e-6)


def test_a_box_around_a_pixel_is_timms():
    for seed in range(200):
        height, width = np.random.default_rng(seed).integers(1, 12, 2).tolist()
        fraction = seed / 200
        np.random.seed(seed)
        expected = rand_bbox((3, height, width), fraction)
        np.random.seed(seed)
        center = np.random.randint(0, height), np.random.randint(0, width)
        assert box_around(fraction, center, height, width) == expected


def test_boxes_between_smallest_and_largest_are_as_frequent_as_timms():
    schedule = MixingSchedule(0.0, cutmix_minmax=(0.2, 0.8), num_classes=4)
    generator = torch.Generator().manual_seed(0)
    mine = Counter(tuple(schedule.draw(1, 5, 6, generator).boxes[0].tolist()) for _ in range(6000))
    np.random.seed(0)
    theirs = Counter(
        tuple(int(edge) for edge in rand_bbox_minmax((3, 5, 6), (0.2, 0.8))) for _ in range(6000)
    )
    assert mine.keys() == theirs.keys()
    counted = [[drawn[box] for box in theirs] for drawn in (mine, theirs)]
    assert stats.chi2_contingency(counted).pvalue > 1e-3


def test_the_sources_settings_mix_as_often_and_as_much_as_timm():
    options = {"mixup_alpha": 0.8, "cutmix_alpha": 1.0, "prob": 0.1, "label_smoothing": 0.1}
    ours = MixingSchedule(**options, num_classes=7)
    generator = torch.Generator().manual_seed(0)
    mine = [ours.draw(2, 32, 32, generator) for _ in range(4000)]
    timm = TimmMixup(**options, num_classes=7)
    np.random.seed(0)
    theirs = [timms_draws(timm, 2, 32, 32) for _ in range(4000)]
    for measure in (
        lambda mix: mix.fraction[0] < 1,
        lambda mix: mix.blended[0],
        lambda mix: mix.fraction[0],
        lambda mix: (mix.boxes[0, 1] - mix.boxes[0, 0]).clamp(max=8),
    ):
        means = [torch.tensor([float(measure(m)) for m in drawn]) for drawn in (mine, theirs)]
        error = (means[0].var() / 4000 + means[1].var() / 4000).sqrt()
        assert abs(means[0].mean() - means[1].mean()) < 4 * error


schedules = st.fixed_dictionaries(
    {
        "mixup_alpha": st.sampled_from([0.0, 0.2, 0.8]),
        "cutmix_alpha": st.sampled_from([0.1, 1.0]),
        "cutmix_minmax": st.sampled_from([None, (0.0, 1.0), (0.3, 0.4)]),
        "prob": st.sampled_from([0.0, 0.5, 1.0]),
        "switch_prob": st.floats(0, 1),
        "mode": st.sampled_from(["batch", "pair", "element"]),
        "label_smoothing": st.sampled_from([0.0, 0.1, 1.0]),
    }
)


@settings(max_examples=80, deadline=None)
@given(
    schedules, st.integers(1, 7), st.integers(2, 9), st.integers(1, 9), st.integers(0, 10**6),
    st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
)  # fmt: skip
def test_what_holds_for_any_mixture(options, count, height, width, seed, dtype):
    images, labels = batch(seed, count, height, width, dtype=torch.float32)
    images = images.to(dtype)
    before = images.clone()
    schedule = MixingSchedule(**options, num_classes=4)
    mixed, rows = schedule(images, labels, torch.Generator().manual_seed(seed))
    mix = schedule.draw(count, height, width, torch.Generator().manual_seed(seed))
    assert torch.equal(images, before)
    assert mixed.shape == images.shape and mixed.dtype == dtype
    assert rows.shape == (count, 4) and rows.min() >= 0
    torch.testing.assert_close(rows.sum(1), torch.ones(count, dtype=rows.dtype))
    for i in range(count):
        top, bottom, left, right = mix.boxes[i].tolist()
        assert 0 <= top <= bottom <= height and 0 <= left <= right <= width
        other = before[mix.partner[i]]
        if mix.blended[i]:
            fraction = mix.fraction[i].to(dtype)
            expected = before[i] * fraction + other * (1 - fraction)
            torch.testing.assert_close(mixed[i], expected)
        else:
            expected = before[i].clone()
            expected[:, top:bottom, left:right] = other[:, top:bottom, left:right]
            assert torch.equal(mixed[i], expected)
            area = (bottom - top) * (right - left) / (height * width)
            assert mix.fraction[i] == pytest.approx(1 - area)


def test_memory_format_stays_and_integers_can_be_cut_but_not_blended():
    images, labels = batch()
    mixed, _ = Mixup(num_classes=4)(images.to(memory_format=torch.channels_last), labels)
    assert mixed.is_contiguous(memory_format=torch.channels_last)
    pixels = (255 * images).to(torch.uint8)
    assert CutMix(num_classes=4)(pixels, labels)[0].dtype == torch.uint8
    with pytest.raises(TypeError, match="images has type"):
        Mixup(num_classes=4)(pixels, labels)


def test_fractions_follow_the_beta_distribution():
    generator = torch.Generator().manual_seed(0)
    fractions = [draw_fraction(0.4, generator) for _ in range(3000)]
    assert stats.kstest(fractions, stats.beta(0.4, 0.4).cdf).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [0.02, 0.009, 1e-3, 1e-10, 1e-300])
def test_fractions_of_a_small_alpha_lie_as_often_at_either_end(alpha):
    generator = torch.Generator().manual_seed(0)
    fractions = [draw_fraction(alpha, generator) for _ in range(2000)]
    assert all(0 <= fraction <= 1 for fraction in fractions)
    below = sum(fraction < 0.5 for fraction in fractions)
    assert stats.binomtest(below, 2000).pvalue > 1e-3
    inside = sum(1e-6 < fraction < 1 - 1e-6 for fraction in fractions)
    expected = 1 - 2 * stats.beta(alpha, alpha).cdf(1e-6) if alpha > 1e-5 else 0
    assert stats.binomtest(inside, 2000, expected).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [1e20, 1e300])
def test_fractions_of_a_large_alpha_are_halves(alpha):
    assert draw_fraction(alpha) == pytest.approx(0.5)


def test_the_default_type_of_tensors_changes_no_mixture():
    mixer = MixingSchedule(num_classes=4, mode="element", prob=0.5)
    expected = mixer.draw(6, 9, 7, torch.Generator().manual_seed(0))
    torch.set_default_dtype(torch.float64)
    try:
        found = mixer.draw(6, 9, 7, torch.Generator().manual_seed(0))
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(found.boxes, expected.boxes)
    torch.testing.assert_close(found.fraction.float(), expected.fraction)


def test_kept_area():
    assert kept_area((1, 3, 0, 4), 4, 8) == 1 - 8 / 32
    assert kept_area((0, 0, 0, 0), 4, 8) == 1


def linear(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 9 * 7, 4))


@pytest.mark.parametrize(
    ("source", "mixer"),
    [
        (lambda: Batches(*batch(count=20), 8), MixingSchedule(num_classes=4)),
        (lambda: loader(5, shuffle=True), TimmMixup(num_classes=4)),
    ],
    ids=["ours", "of another library"],
)
def test_a_training_on_mixed_batches_resumes_to_the_same_bits(source, mixer, tmp_path):
    def run(epochs, checkpoint=None):
        model = linear()
        batches = MixedBatches(source(), mixer, seed=3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        fit(model, batches, optimizer, epochs=epochs, progress=False, checkpoint=checkpoint)
        return model[1].weight

    whole = run(4)
    run(2, tmp_path / "c.pt")
    assert torch.equal(run(4, tmp_path / "c.pt"), whole)


def loader(seed, **options):
    images, labels = batch(count=20)
    generator = torch.Generator().manual_seed(seed)
    data = TensorDataset(images, labels)
    return DataLoader(data, 4, generator=generator, **options)


def test_the_order_of_a_loader_is_kept_with_the_mixtures():
    whole = MixedBatches(loader(1, shuffle=True), MixingSchedule(num_classes=4))
    next(iter(whole))  # draws an order
    list(whole)
    resumed = MixedBatches(loader(2, shuffle=True), MixingSchedule(num_classes=4))
    resumed.load_state_dict(whole.state_dict())
    for expected, found in zip(whole, resumed, strict=True):
        assert torch.equal(expected[0], found[0]) and torch.equal(expected[1], found[1])


def test_a_sampler_is_told_the_epoch():
    data = torch.arange(20)
    sampler = DistributedSampler(data, num_replicas=2, rank=0)
    set_epoch(MixedBatches(loader(0, sampler=sampler), Mixup(num_classes=4)), 3)
    assert sampler.epoch == 3
    images, labels = batch(count=20)
    whole = DataLoader(
        TensorDataset(images, labels), batch_sampler=BatchSampler(sampler, 4, drop_last=False)
    )
    set_epoch(MixedBatches(whole, Mixup(num_classes=4)), 4)
    assert sampler.epoch == 4


def test_epochs_are_mixed_differently_and_the_random_state_is_left_alone():
    images, labels = batch(count=8)
    batches = MixedBatches(Batches(images, labels, 8, shuffle=False), Mixup(num_classes=4))
    state = torch.get_rng_state()
    first, second = ([rows for _, rows in batches] for _ in range(2))
    assert len(batches) == 1 and not torch.equal(first[0], second[0])
    assert torch.equal(torch.get_rng_state(), state)
    again = MixedBatches(Batches(images, labels, 8, shuffle=False), Mixup(num_classes=4))
    assert torch.equal(next(iter(again))[1], first[0])


class Noting:
    """A mixer of another library that notes what the random states are when it is called."""

    def __init__(self, mixer):
        self.mixer, self.states = mixer, []

    def __call__(self, images, labels):
        self.states.append((np.random.get_state(), torch.get_rng_state()))
        return self.mixer(images, labels)


def in_order(count=12):
    images, labels = batch(count=count)
    return DataLoader(TensorDataset(images, labels), 4)


LIBRARIES = {
    "timm": TimmMixup(0.8, 1.0, prob=0.8, num_classes=4),
    "timm by element": TimmMixup(0.8, 1.0, mode="elem", num_classes=4),
    "MixUp": v2.MixUp(num_classes=4),
    "CutMix": v2.CutMix(num_classes=4),
    "either": v2.RandomChoice([v2.MixUp(num_classes=4), v2.CutMix(num_classes=4)]),
}


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_mixers_of_other_libraries_mix_as_they_do_from_the_same_random_state(library):
    noting = Noting(library)
    found = list(MixedBatches(in_order(), noting, seed=2))
    assert len({state[1].numpy().tobytes() for state in noting.states}) == 3
    for (images, rows), plain, (numpy, state) in zip(found, in_order(), noting.states, strict=True):
        np.random.set_state(numpy)
        torch.set_rng_state(state)
        expected = library(plain[0].clone(), plain[1])
        assert torch.equal(images, expected[0]) and torch.equal(rows, expected[1])
    again = MixedBatches(in_order(), library, seed=2)
    for ones, others in zip(again, found, strict=True):
        assert torch.equal(ones[0], others[0]) and torch.equal(ones[1], others[1])


@pytest.mark.parametrize("ours, theirs", [(Mixup, v2.MixUp), (CutMix, v2.CutMix)])
def test_torchvisions_transforms_can_take_the_place_of_the_books(ours, theirs):
    mine = MixedBatches(in_order(), ours(0.4, num_classes=4), seed=1)
    other = MixedBatches(in_order(), theirs(alpha=0.4, num_classes=4), seed=1)
    for found, expected in zip(mine, other, strict=True):
        torch.testing.assert_close(found[0], expected[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(found[1], expected[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_they_neither_disturb_random_numbers_nor_write_into_what_they_get(library):
    np.random.seed(0)
    torch.manual_seed(0)
    expected = np.random.rand(), torch.rand(1)
    pairs = list(in_order())
    before = [images.clone() for images, _ in pairs]
    np.random.seed(0)
    torch.manual_seed(0)
    list(MixedBatches(pairs, library))
    assert (np.random.rand(), torch.rand(1)) == expected
    assert all(torch.equal(one, images) for one, (images, _) in zip(before, pairs, strict=True))


test_what_cannot_be_mixed_is_named = refuses(
    (lambda: list(MixedBatches(in_order(7), TimmMixup(num_classes=4))), "a batch of 3: Batch size"),
    (lambda: list(MixedBatches([{"x": 1}], v2.MixUp(num_classes=4))), TypeError, "has a dict with"),
)


test_bad_options_are_named = refuses(
    ({"mixup_alpha": -0.1}, "mixup_alpha is -0.1, expected at least 0"),
    ({"cutmix_alpha": float("nan")}, "cutmix_alpha is nan"),
    ({"mixup_alpha": float("inf")}, "mixup_alpha is inf, expected a finite"),
    ({"mixup_alpha": 0, "cutmix_alpha": 0}, "mixup_alpha is 0"),
    ({"num_classes": 2.5}, TypeError, "num_classes is 2.5"),
    ({"prob": 1.1}, "prob is 1.1"),
    ({"switch_prob": -1}, "switch_prob is -1"),
    ({"label_smoothing": 2}, "label_smoothing is 2"),
    ({"mode": "elem"}, "mode is 'elem', expected one of batch, pair, element"),
    ({"cutmix_minmax": (0.8, 0.2)}, r"cutmix_minmax is \(0.8, 0.2\), expected 0 <= low < high"),
    ({"num_classes": 0}, "num_classes is 0, expected at least 1"),
    by=lambda options: MixingSchedule(**{"num_classes": 4} | options),
)


@pytest.mark.parametrize(
    "images, labels, error, message",
    [
        (torch.rand(2, 3, 4), torch.tensor([0, 1]), ValueError, r"images has shape \(2, 3, 4\)"),
        (torch.rand(2, 1, 4, 4), torch.tensor([0]), ValueError, "labels has shape"),
        (torch.rand(2, 1, 4, 4), torch.tensor([0, 4]), ValueError, "labels is between 0 and 4"),
        (torch.rand(2, 1, 4, 4), torch.tensor([0, -1]), ValueError, "labels is between -1 and 0"),
        (torch.rand(2, 1, 4, 4), torch.tensor([0.0, 1]), TypeError, "labels has type"),
    ],
)
def test_bad_batches_are_named(images, labels, error, message):
    for mixer in (Mixup, CutMix, MixingSchedule):
        with pytest.raises(error, match=message):
            mixer(num_classes=4)(images, labels)


test_alpha_and_seed_have_their_range = refuses(
    (lambda: Mixup(0, num_classes=4), "alpha is 0, expected above 0"),
    (lambda: CutMix(0, num_classes=4), "alpha is 0, expected above 0"),
    (lambda: MixedBatches([], Mixup(num_classes=4), seed=-1), "seed is -1"),
    (lambda: Mixup(float("inf"), num_classes=4), "alpha is inf, expected a finite"),
    (lambda: CutMix(float("nan"), num_classes=4), "alpha is nan, expected above 0"),
    (lambda: Mixup(num_classes=2.5), TypeError, "num_classes is 2.5"),
    (lambda: draw_fraction(0), "alpha is 0, expected above 0"),
    (lambda: draw_fraction(float("inf")), "alpha is inf, expected a finite"),
    (lambda: box_around(float("nan"), (2, 2), 4, 4), "fraction is nan"),
    (lambda: kept_area((0, 1, 0, 1), 0, 4), "height is 0"),
    (lambda: smooth_labels(torch.tensor([0.7]), 2), TypeError, "labels has type torch.float32"),
    (lambda: smooth_labels(torch.tensor([2]), 2), "labels is between 2 and 2, expected 0 to 1"),
    (lambda: smooth_labels(torch.tensor([1]), 2, 1.5), "label_smoothing is 1.5"),
    (lambda: Mix(*[torch.zeros(2)] * 4), r"boxes has shape \(2,\)"),
    (lambda: apply_mix(*batch(), _mix_by(float("nan")), 4), r"fraction is \[nan"),
    (lambda: apply_mix(*batch(count=5), _mix_by(0.5), 4), r"partner has shape \(6,\)"),
)


def _mix_by(fraction):
    boxes, blended = torch.zeros(6, 4).long(), torch.ones(6).bool()
    return Mix(torch.arange(6).flip(0), torch.full((6,), fraction), boxes, blended)


def mixed(mixer):
    return lambda images, labels: mixer(images, labels, torch.Generator().manual_seed(4))


MIXED = [
    ("Mixup", mixed(Mixup(num_classes=4)), *batch()),
    ("CutMix", mixed(CutMix(num_classes=4)), *batch()),
    ("MixingSchedule", mixed(MixingSchedule(num_classes=4, mode="element")), *batch()),
]
test_mixing_is_the_same_on_every_device = gives_the_same_on_every_device(*MIXED)
test_mixing_is_the_same_in_every_layout = gives_the_same_in_every_layout(*MIXED)
test_mixing_needs_no_values = needs_no_values(*MIXED)
