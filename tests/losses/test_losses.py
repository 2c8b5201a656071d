"""The losses for long tails against published formulas, PyTorch, torchvision and their own laws."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from devices import gives_the_same_on_every_device, needs_no_values
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

import glassbox.support.torchvision_operators  # noqa: F401  (before torchvision)
from glassbox import losses
from glassbox.data import effective_weights, long_tailed_counts

COUNTS = [500, 120, 40, 11, 3]
WEIGHT = effective_weights(COUNTS, 0.99)
MAKE = {
    "ldam": lambda **options: losses.LDAMLoss(COUNTS, **options),
    "cross-entropy": lambda **options: losses.CrossEntropy(**options),
    "focal": lambda **options: losses.FocalLoss(**options),
    "focal below 1": lambda **options: losses.FocalLoss(0.5, **options),
    "logit-adjusted": lambda **options: losses.LogitAdjustedLoss(COUNTS, **options),
}
DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()

each_loss = pytest.mark.parametrize("name", MAKE)
each_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
each_weight = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
seeds = st.integers(0, 2**31)
law = settings(max_examples=15, deadline=None)


def draw(seed, batch=6, dtype=torch.float64, spread=1.0):
    """Logits, two vectors of class indices, soft labels, and a share for each sample."""
    generator = torch.Generator().manual_seed(seed)
    logits = spread * (2 * torch.rand(batch, 5, generator=generator, dtype=torch.float64) - 1)
    first, second = torch.randint(5, (2, batch), generator=generator)
    soft = torch.rand(batch, 5, generator=generator, dtype=torch.float64).softmax(1)
    lam = torch.rand(batch, generator=generator, dtype=torch.float64)
    return logits.to(dtype), first, second, soft.to(dtype), lam.to(dtype)


def one_hot(labels, dtype=torch.float64):
    return F.one_hot(labels, 5).to(dtype)


def published_ldam(row, label, counts, max_margin=0.5, scale=30.0):
    """The loss of one sample as the paper and its code define it, in Python's own floats."""
    raw = [1 / math.sqrt(math.sqrt(count)) for count in counts]
    margins = [max_margin * value / max(raw) for value in raw]
    moved = [scale * (x - margins[k] * (k == label)) for k, x in enumerate(row)]
    top = max(moved)
    return top + math.log(math.fsum(math.exp(z - top) for z in moved)) - moved[label]


# Published formulas


@each_dtype
def test_ldam_equals_the_published_formula(dtype):
    for seed in range(40):
        logits, labels, _, _, _ = draw(seed, dtype=dtype)
        rows = zip(logits.tolist(), labels.tolist(), strict=True)
        expected = torch.tensor([published_ldam(*row, COUNTS) for row in rows], dtype=dtype)
        ours = losses.LDAMLoss(COUNTS, reduction="none")(logits, labels)
        torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-6)
        # and with the weights of deferred re-weighting, in the form the authors' code has
        margins = 0.5 * torch.tensor(COUNTS, dtype=dtype).pow(-0.25) / min(COUNTS) ** -0.25
        moved = 30 * (logits - margins * one_hot(labels, dtype))
        weighted = F.cross_entropy(moved, labels, WEIGHT.to(dtype))
        ours = losses.LDAMLoss(COUNTS, weight=WEIGHT)(logits, labels)
        torch.testing.assert_close(ours, weighted, rtol=1e-6, atol=1e-6)


def test_the_published_margins_of_long_tailed_cifar10():
    expected = [0.1581, 0.1797, 0.2042, 0.2321, 0.2638, 0.2998, 0.3407, 0.3872, 0.4405, 0.5]
    margins = losses.ldam_margins(long_tailed_counts(5000, 10, 100))
    torch.testing.assert_close(margins, torch.tensor(expected), atol=6e-5, rtol=0)
    assert margins.max() == margins[-1] == 0.5


@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
@each_dtype
def test_ldam_stays_exact_where_one_class_is_certain(scale, dtype):
    logits = torch.tensor([[1, -1, -1, -1, -1], [-1, -1, -1, -1, 1.0], [1, 1, 0, 0, 1]])
    loss = losses.LDAMLoss(COUNTS, scale=scale)
    rows, logits = logits.tolist(), logits.to(dtype).requires_grad_()
    table = [[published_ldam(row, k, COUNTS, 0.5, scale) for k in range(5)] for row in rows]
    expected = torch.tensor(table, dtype=dtype)
    class_losses = loss.class_losses(logits)
    torch.testing.assert_close(class_losses, expected, rtol=3e-6, atol=1e-30)
    class_losses.sum().backward()
    assert logits.grad.isfinite().all()


@each_dtype
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_loss_equals_its_formula(dtype, gamma):
    for seed in range(10):
        logits, labels, _, _, _ = draw(seed, dtype=dtype, spread=4.0)
        p = logits.softmax(1).gather(1, labels[:, None])[:, 0]
        ours = losses.FocalLoss(gamma, reduction="none")(logits, labels)
        torch.testing.assert_close(ours, -((1 - p) ** gamma) * p.log(), rtol=1e-5, atol=1e-6)


@each_dtype
def test_without_focus_or_adjustment_it_is_cross_entropy_bit_for_bit(dtype):
    for seed in range(20):
        logits, labels, _, soft, _ = draw(seed, dtype=dtype, spread=5.0)
        for target in (labels, soft):
            expected = losses.CrossEntropy(reduction="none")(logits, target)
            focal = losses.FocalLoss(0.0, reduction="none")(logits, target)
            adjusted = losses.LogitAdjustedLoss(COUNTS, 0.0, reduction="none")(logits, target)
            assert torch.equal(focal, expected) and torch.equal(adjusted, expected)
        plain = losses.CrossEntropy(reduction="none")(logits, labels)
        assert torch.equal(plain, F.cross_entropy(logits, labels, reduction="none"))


@pytest.mark.parametrize("gamma", [0.3, 0.5, 1.0, 2.0])
def test_focal_loss_has_a_gradient_where_a_class_is_certain(gamma):
    logits = torch.tensor([[200.0, 0, 0, 0, 0]], requires_grad=True)
    loss = losses.FocalLoss(gamma)(logits, torch.full((1, 5), 0.2))
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


@each_dtype
@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
def test_logit_adjustment_equals_its_formula(dtype, tau):
    counts = torch.tensor(COUNTS, dtype=dtype)
    for seed in range(10):
        logits, labels, _, _, _ = draw(seed, dtype=dtype, spread=4.0)
        # softmax cross-entropy with relative frequencies as factors in front of exp
        factors = (counts / counts.sum()) ** tau * logits.exp()
        expected = -(factors.gather(1, labels[:, None])[:, 0] / factors.sum(1)).log()
        ours = losses.LogitAdjustedLoss(COUNTS, tau, reduction="none")(logits, labels)
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)


def test_balanced_cross_entropy_weighs_by_effective_numbers():
    beta, (logits, labels, _, _, _) = 0.99, draw(0, dtype=torch.float32)
    raw = torch.tensor([(1 - beta) / (1 - beta**count) for count in COUNTS])
    expected = F.cross_entropy(logits, labels, raw / raw.sum() * 5)
    torch.testing.assert_close(losses.BalancedCrossEntropy(COUNTS, beta)(logits, labels), expected)


# One core: weights, reductions, ignored labels


@each_dtype
@each_weight
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignore", [-100, 2])
def test_cross_entropy_of_indices_is_that_of_pytorch(dtype, weight, reduction, ignore):
    for seed in range(10):
        logits, labels, _, _, _ = draw(seed, batch=12, dtype=dtype, spread=3.0)
        labels[0] = ignore
        ours = losses.CrossEntropy(weight=weight, reduction=reduction, ignore_index=ignore)
        theirs = F.cross_entropy(
            logits,
            labels,
            None if weight is None else weight.to(dtype),
            reduction=reduction,
            ignore_index=ignore,
        )
        torch.testing.assert_close(ours(logits, labels), theirs)


@each_dtype
def test_soft_cross_entropy_is_that_of_pytorch_up_to_the_divisor_of_weights(dtype):
    for seed in range(10):
        logits, _, _, soft, _ = draw(seed, dtype=dtype, spread=3.0)
        torch.testing.assert_close(
            losses.CrossEntropy()(logits, soft), F.cross_entropy(logits, soft)
        )
        ours = losses.CrossEntropy(weight=WEIGHT)(logits, soft)
        theirs = F.cross_entropy(logits, soft, WEIGHT.to(dtype))  # divides by B
        torch.testing.assert_close(ours * (soft * WEIGHT.to(dtype)).sum() / 6, theirs)


@each_loss
@each_weight
def test_reductions_are_those_of_the_losses_of_the_samples(name, weight):
    logits, first, second, soft, lam = draw(1)
    used = torch.ones(5).double() if weight is None else weight.double()
    divisors = {
        "hard": used[first],
        "soft": soft @ used,
        "pair": lam * used[first] + (1 - lam) * used[second],
    }
    for form, labels in {"hard": first, "soft": soft, "pair": (first, second, lam)}.items():
        each, total, mean = (
            MAKE[name](weight=weight, reduction=reduction)(logits, labels)
            for reduction in ("none", "sum", "mean")
        )
        assert each.shape == (6,)
        torch.testing.assert_close(total, each.sum())
        torch.testing.assert_close(mean, each.sum() / divisors[form].sum())


@each_loss
def test_an_ignored_label_costs_nothing_and_is_not_counted(name):
    logits, first, second, _, lam = draw(2)
    kept = torch.tensor([True, True, False, True, False, True])
    labels = first.where(kept, -1)
    loss = MAKE[name](weight=WEIGHT, ignore_index=-1)
    torch.testing.assert_close(loss(logits, labels), loss(logits[kept], first[kept]))
    loss.reduction = "none"
    assert (loss(logits, labels)[~kept] == 0).all()
    half = loss(logits, (labels, second, lam))
    rest = (1 - lam) * loss(logits, second)
    torch.testing.assert_close(half[~kept], rest[~kept])
    loss.reduction = "mean"
    assert loss(logits, torch.full((6,), -1)).isnan()  # as in PyTorch
    assert F.cross_entropy(logits, torch.full((6,), -1), ignore_index=-1).isnan()


# Laws


@each_loss
@each_weight
@pytest.mark.parametrize("reduction", ["mean", "none"])
@law
@given(seed=seeds)
def test_a_pair_costs_what_its_soft_label_costs(name, weight, reduction, seed):
    logits, first, second, _, lam = draw(seed)
    loss = MAKE[name](weight=weight, reduction=reduction)
    soft = lam[:, None] * one_hot(first) + (1 - lam[:, None]) * one_hot(second)
    torch.testing.assert_close(loss(logits, (first, second, lam)), loss(logits, soft))
    lam = lam[0].item()
    soft = lam * one_hot(first) + (1 - lam) * one_hot(second)
    torch.testing.assert_close(loss(logits, (first, second, lam)), loss(logits, soft))


@each_loss
@each_weight
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@law
@given(seed=seeds)
def test_a_one_hot_label_costs_what_its_index_costs(name, weight, reduction, seed):
    logits, first, second, _, _ = draw(seed)
    loss = MAKE[name](weight=weight, reduction=reduction)
    torch.testing.assert_close(loss(logits, one_hot(first)), loss(logits, first))
    torch.testing.assert_close(loss(logits, (first, second, 1)), loss(logits, first))
    torch.testing.assert_close(loss(logits, (first, second, 0.0)), loss(logits, second))


@each_loss
@each_weight
@law
@given(seed=seeds)
def test_the_loss_of_a_sample_is_linear_in_its_label(name, weight, seed):
    logits, _, _, soft, lam = draw(seed)
    other = soft.flip(0)
    loss = MAKE[name](weight=weight, reduction="none")
    mixed = lam[:, None] * soft + (1 - lam[:, None]) * other
    expected = lam * loss(logits, soft) + (1 - lam) * loss(logits, other)
    torch.testing.assert_close(loss(logits, mixed), expected)


@each_loss
@each_weight
def test_gradients_are_right(name, weight):
    logits, first, second, soft, lam = draw(3, batch=4)
    logits.requires_grad_()
    loss = MAKE[name](weight=weight).double()
    for labels in (first, soft, (first, second, lam)):
        assert torch.autograd.gradcheck(lambda x, y=labels: loss(x, y), (logits,))
        assert torch.autograd.gradgradcheck(lambda x, y=labels: loss(x, y), (logits,))


# Precision, devices, state


@pytest.mark.parametrize("device", DEVICES)
@each_loss
@each_weight
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_rounds_only_the_logits(device, name, weight, dtype):
    logits, first, second, soft, lam = (part.to(device) for part in draw(4, dtype=torch.float32))
    rounded = logits.to(dtype)
    loss = MAKE[name](weight=weight).to(device)
    for labels in (first, soft, soft.to(dtype), (first, second, lam)):
        exact = loss(rounded.float(), labels)
        with torch.autocast(device, dtype):
            under_autocast = loss(rounded, labels)
        for value in (loss(rounded, labels), under_autocast):
            assert value.dtype == torch.float32 and torch.equal(value, exact)
        torch.testing.assert_close(exact, loss(logits, labels), rtol=0.05, atol=0.05)


@each_loss
def test_a_module_in_half_precision_still_computes_in_float32(name):
    logits, first, _, _, _ = draw(5, dtype=torch.float32)
    half = MAKE[name](weight=WEIGHT).half()(logits, first)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, MAKE[name](weight=WEIGHT)(logits, first), rtol=1e-2, atol=0)


def test_half_precision_does_not_overflow_under_the_scale():
    logits = torch.tensor([[3000.0, 0, 0, 0, 0]]).half()
    assert (30 * logits).isinf().any()
    assert losses.LDAMLoss(COUNTS)(logits, torch.tensor([1])) == pytest.approx(90_000, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "buffer"), [("ldam", "margins"), ("logit-adjusted", "adjustment")]
)
def test_buffers_move_and_are_saved_and_learn_nothing(name, buffer):
    loss = MAKE[name](weight=WEIGHT)
    assert loss.state_dict().keys() == {"weight", buffer} and not list(loss.parameters())
    other = type(loss)([1, 2, 3, 4, 5], weight=torch.ones(5))
    other.load_state_dict(loss.state_dict())
    logits, first, _, _, _ = draw(6)
    assert torch.equal(other(logits, first), loss(logits, first))
    loss.double().to("meta")
    for tensor in (getattr(loss, buffer), loss.weight):
        assert tensor.is_meta and tensor.dtype == torch.float64
    assert str(MAKE[name]()).startswith(type(loss).__name__)


@each_loss
def test_what_is_passed_in_is_left_alone(name):
    logits, first, second, soft, lam = draw(7)
    parts = logits, first, second, soft, lam, weight = *draw(7), WEIGHT.clone()
    loss = MAKE[name](weight=weight)
    for labels in (first, soft, (first, second, lam)):
        loss(logits, labels)
    assert all(torch.equal(a, b) for a, b in zip(parts, (*draw(7), WEIGHT), strict=True))
    weight.zero_()
    assert torch.equal(loss.weight, WEIGHT)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_indices_may_be_any_integers(dtype):
    logits, first, _, _, _ = draw(8)
    assert torch.equal(
        losses.LDAMLoss(COUNTS)(logits, first.to(dtype)), losses.LDAMLoss(COUNTS)(logits, first)
    )


def test_an_index_of_one_byte_is_not_mistaken_for_ignore_index():
    logits, labels = torch.randn(1, 200), torch.tensor([156], dtype=torch.uint8)  # 156 - 256 = -100
    assert losses.CrossEntropy()(logits, labels) == losses.CrossEntropy()(logits, labels.long())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
@pytest.mark.parametrize("classes", [5, 1000])
def test_smoothed_labels_of_any_dtype_are_accepted(dtype, classes):
    logits = torch.randn(4, classes)
    soft = (0.9 * torch.eye(classes)[:4] + 0.1 / classes).to(dtype)
    ours = losses.CrossEntropy(reduction="none")(logits, soft)
    torch.testing.assert_close(ours, F.cross_entropy(logits, soft.float(), reduction="none"))


# Errors


HARD, SOFT = torch.tensor([0, 1, 4]), torch.full((3, 5), 0.2)
SHORT = SOFT * torch.tensor([[1.0], [1.0], [0.9]])
NEGATIVE = torch.tensor([[1.2, -0.2, 0, 0, 0]]).expand(3, 5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (HARD + 1, ValueError, r"labels\[2\] is 5, expected 0 to 4 or ignore_index, -100"),
        (HARD - 1, ValueError, r"labels\[0\] is -1"),
        (HARD[:2], ValueError, r"shape \(2,\) .* class indices \(3,\) or soft .*\(3, 5\)"),
        (HARD[:, None], ValueError, r"shape \(3, 1\) .* class indices \(3,\)"),
        (HARD.float(), TypeError, r"type torch.float32, .* labels.long\(\)"),
        (HARD.bool(), TypeError, "type torch.bool"),
        (SOFT.long(), TypeError, r"type torch.int64, .* labels.float\(\)"),
        (SOFT[:, :4], ValueError, r"labels has shape \(3, 4\) .*\(3, 5\)"),
        (SHORT, ValueError, r"labels\[2\] has the sum 0.9 .* expected probabilities"),
        (SHORT.half(), ValueError, r"labels\[2\] has the sum 0.9\d+"),
        (SOFT * 1.006, ValueError, r"labels\[0\] has the sum 1.006"),
        (NEGATIVE, ValueError, r"labels\[0\] has .* smallest entry -0.2"),
        (SOFT * math.nan, ValueError, r"labels\[0\] has the sum nan"),
        ((HARD, HARD + 1, 0.5), ValueError, r"labels\[2\] is 5"),
        ((HARD, HARD[:2], 0.5), ValueError, r"shape \(2,\)"),
        ((SOFT, SOFT, 0.5), ValueError, r"shape \(3, 5\) .* class indices \(3,\)"),
        ((HARD, HARD.float(), 0.5), TypeError, "integers for class indices"),
        ((HARD, HARD, 1.5), ValueError, "lam is between 1.5 and 1.5"),
        ((HARD, HARD, torch.tensor([0.5, -0.1, 0])), ValueError, "lam is between -0.1 and 0.5"),
        ((HARD, HARD, math.nan), ValueError, "lam is between nan"),
        ((HARD, HARD, torch.ones(2)), ValueError, r"lam has shape \(2,\)"),
        ((HARD, HARD), TypeError, "labels has type tuple"),
        ((HARD, [0, 1, 2], 0.5), TypeError, "labels has type list"),
        ([0, 1], TypeError, "labels has type list"),
        (2, TypeError, "labels has type int"),
    ],
)
def test_wrong_labels_are_named(device, labels, error, message):
    if isinstance(labels, torch.Tensor):
        labels = labels.to(device)
    elif isinstance(labels, tuple):
        labels = tuple(p.to(device) if isinstance(p, torch.Tensor) else p for p in labels)
    logits = torch.zeros(3, 5, device=device)
    with pytest.raises(error, match=message):
        losses.LDAMLoss(COUNTS).to(device)(logits, labels)


test_wrong_logits_are_named = refuses(
    (torch.zeros(3, 5, 2), r"logits has shape \(3, 5, 2\)"),
    (torch.zeros(5), r"logits has shape \(5,\)"),
    (torch.zeros(3, 5).long(), TypeError, "logits has type torch.int64"),
    (torch.zeros(3, 4), r"logits has shape \(3, 4\) .* expected \(B, 5\)"),
    by=lambda logits: losses.LDAMLoss(COUNTS)(logits, HARD),
)


test_a_wrong_setting_is_named = refuses(
    (lambda: losses.LDAMLoss([5, 0]), r"class_counts\[1\] is 0"),
    (lambda: losses.LDAMLoss([5, 4], -0.1), "max_margin is -0.1"),
    (lambda: losses.LDAMLoss([5, 4], math.nan), "max_margin is nan"),
    (lambda: losses.LDAMLoss([5, 4], scale=0), "scale is 0, expected"),
    (lambda: losses.LogitAdjustedLoss([5, 0]), r"class_counts\[1\] is 0"),
    (lambda: losses.LogitAdjustedLoss([5, 4], -1), "tau is -1"),
    (lambda: losses.BalancedCrossEntropy([5, 0]), r"class_counts\[1\] is 0"),
    (lambda: losses.BalancedCrossEntropy([5, 4], 1.0), "beta is 1.0"),
    (lambda: losses.FocalLoss(-1), "gamma is -1"),
    (lambda: losses.CrossEntropy(reduction="average"), "reduction is 'average', expected one"),
    (lambda: losses.CrossEntropy(weight=torch.tensor([1.0, -1])), r"weight is \[1.0, -1.0\]"),
    (lambda: losses.CrossEntropy(weight=torch.zeros(2)), "not all 0"),
    (lambda: losses.CrossEntropy(weight=torch.ones(2, 1)), r"expected \(K,\)"),
    (lambda: losses.CrossEntropy(weight=torch.tensor([1, math.nan])), "finite numbers"),
)


def test_arrays_and_lists_are_weights_too():
    for weight in ([1, 2, 3, 4, 5], torch.arange(1, 6).numpy()):
        ours = losses.CrossEntropy(weight=weight)(torch.eye(5)[:3], HARD)
        torch.testing.assert_close(
            ours, F.cross_entropy(torch.eye(5)[:3], HARD, torch.arange(1.0, 6))
        )


@each_loss
def test_a_loss_that_is_not_finite_names_its_logits(name):
    loss, large = MAKE[name](), torch.full((3, 5), -3e38)
    large[1] = 3e38
    large[:, 4] = 3e38
    for labels in (HARD, torch.full((3, 5), 0.2)):
        with pytest.raises(ValueError, match="logits has 15 entries that are nan"):
            loss(torch.full((3, 5), math.nan), labels)
        with pytest.raises(ValueError, match=r"logits is from -3e\+38 to 3e\+38, expected"):
            loss(large, labels)
    # A class that is ruled out does no harm to the others.
    ruled_out = torch.zeros(3, 5).index_fill(1, torch.tensor([4]), -math.inf)
    assert loss(ruled_out, torch.tensor([0, 1, 3])).isfinite()


@each_loss
def test_losses_near_the_largest_number_have_a_mean_and_no_sum(name):
    large = torch.zeros(40, 5).index_fill(
        1, torch.tensor([1]), 3e37 / getattr(MAKE[name](), "scale", 1)
    )
    labels = torch.zeros(40, dtype=torch.long)
    torch.testing.assert_close(MAKE[name]()(large, labels), MAKE[name]()(large[:1], labels[:1]))
    with pytest.raises(ValueError, match=r"^logits is from 0 to .*, expected numbers whose"):
        MAKE[name](reduction="sum")(large, labels)


def test_weights_whose_sum_is_infinite_are_named():
    with pytest.raises(ValueError, match=r"^weight is from 3e\+38 to 3e\+38, expected"):
        losses.CrossEntropy(weight=torch.full((5,), 3e38))(torch.eye(5) * 1e-3, torch.arange(5))


FORMS = {
    "indices": lambda make, logits, labels: make()(logits, labels),
    "weighted": lambda make, logits, labels: make(weight=WEIGHT)(logits, labels),
    "pair": lambda make, logits, labels: make()(logits, (labels, labels.flip(0), 0.3)),
    "soft": lambda make, logits, labels: make()(logits, logits.softmax(1)),
}
COMPUTED = [
    (f"{name}, {form}", partial(call, make), torch.eye(5)[:3], HARD)
    for name, make in MAKE.items()
    for form, call in FORMS.items()
]
test_losses_are_the_same_on_every_device = gives_the_same_on_every_device(*COMPUTED)
test_losses_need_no_values = needs_no_values(*COMPUTED)


def test_weights_of_another_number_of_classes_are_named():
    with pytest.raises(ValueError, match=r"logits has shape \(3, 5\) .* expected \(B, 2\)"):
        losses.CrossEntropy(weight=torch.ones(2))(torch.zeros(3, 5), HARD)


@each_loss
@each_weight
@law
@given(seeds)
def test_the_mean_of_a_batch_is_that_of_its_parts_weighed_by_their_divisors(name, weight, seed):
    logits, first, second, soft, lam = draw(seed, batch=7)
    first[0] = -100  # does not count
    loss = MAKE[name](weight=weight)
    for labels in ((first,), (soft,), (second, first.clamp(min=0), lam)):
        parts = [[one[part] for one in labels] for part in (slice(0, 4), slice(4, 7))]
        given = [part[0] if len(part) == 1 else tuple(part) for part in parts]
        pairs = list(zip((logits[:4], logits[4:]), given, strict=True))
        sizes = torch.stack([loss.divisor(*pair) for pair in pairs])
        means = torch.stack([loss(*pair) for pair in pairs])
        whole = loss(logits, labels[0] if len(labels) == 1 else labels)
        torch.testing.assert_close((sizes * means).sum() / sizes.sum(), whole)
